import { usePermissions } from "ra-core";
import type { PermissionRow } from "@/api/rows";

export interface Permissions {
  isPending: boolean;
  /** Held for this customer, or for at least one when none is named. */
  can: (permission: string, customerId?: string | null) => boolean;
  /** Null when allowed; otherwise the sentence to show beside the disabled action. */
  reason: (permission: string, customerId?: string | null) => string | null;
  /** Reach over all customers (the provider's people). */
  isProvider: boolean;
}

/** What the signed-in person may do, as the database says it. The server checks again on every statement. */
export function useCan(): Permissions {
  const { permissions, isPending } = usePermissions<PermissionRow[]>();
  const held = permissions ?? [];
  const can = (permission: string, customerId?: string | null) =>
    held.some((row) => row.permission === permission && (row.customer_id === null || !customerId || row.customer_id === customerId));
  return {
    isPending,
    can,
    reason: (permission, customerId) => (isPending || can(permission, customerId) ? null : `Needs the permission ${permission}. Ask an owner.`),
    isProvider: held.some((row) => row.customer_id === null),
  };
}
