import { useRow } from "@/api/queries";
import type { CustomerListRow, OverviewRow } from "@/api/rows";
import { useScope } from "@/kit/scope";

export interface Figures {
  tickets: number | null;
  incidents: number | null;
  alerts: number | null;
  devices: number | null;
  approvals: number | null;
  /** Incidents that wait for a person. */
  attention: number | null;
  /** Devices whose last read was not whole. */
  partial: number | null;
}

export interface OldestFact {
  /** The oldest fact about a device, to the hour, and when it is stale. */
  oldestAt: string | null;
  oldestStaleAt: string | null;
}

function figuresOf(row: OverviewRow | CustomerListRow | null): Figures & OldestFact {
  return {
    tickets: row?.tickets_open ?? null,
    incidents: row?.incidents_open ?? null,
    alerts: row?.alerts_open ?? null,
    devices: row?.devices ?? null,
    approvals: row?.approvals_waiting ?? null,
    attention: row?.incidents_need_attention ?? null,
    partial: row?.devices_partial ?? null,
    oldestAt: row?.oldest_observed_at ?? null,
    oldestStaleAt: row?.oldest_stale_at ?? null,
  };
}

/** The counts of the navigation and the overview, inside the customer switch: one row, whether of all customers or of one. */
export function useFigures(): Figures & OldestFact & { overview: OverviewRow | null } {
  const { customerId } = useScope();
  const scoped = customerId !== null;
  const all = useRow("overview", { enabled: !scoped });
  const one = useRow("customer_list", { enabled: scoped, where: [{ column: "id", op: "eq", value: customerId ?? "" }] });
  return { ...figuresOf(scoped ? one.row : all.row), overview: scoped ? null : all.row };
}
