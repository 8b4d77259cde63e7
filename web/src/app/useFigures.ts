import { useRow, useRows } from "@/api/queries";
import type { CustomerListRow, OverviewRow } from "@/api/rows";
import { useCan } from "@/kit/permissions";
import { useScope } from "@/kit/scope";

export interface Figures {
  tickets: number | null;
  incidents: number | null;
  alerts: number | null;
  devices: number | null;
  approvals: number | null;
  /** Questions about machines that a person has to decide. */
  decisions: number | null;
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

function figuresOf(row: OverviewRow | CustomerListRow | null, toDecide: number | null): Figures & OldestFact {
  return {
    tickets: row?.tickets_open ?? null,
    incidents: row?.incidents_open ?? null,
    alerts: row?.alerts_open ?? null,
    devices: row?.devices ?? null,
    approvals: row?.approvals_waiting ?? null,
    // None is no news.
    decisions: toDecide === 0 ? null : toDecide,
    attention: row?.incidents_need_attention ?? null,
    partial: row?.devices_partial ?? null,
    oldestAt: row?.oldest_observed_at ?? null,
    oldestStaleAt: row?.oldest_stale_at ?? null,
  };
}

/** The counts of the navigation and the overview, inside the customer switch: one row, whether of all customers or of one. */
export function useFigures(): Figures & OldestFact & { overview: OverviewRow | null } {
  const { customerId } = useScope();
  const { can, isProvider } = useCan();
  const scoped = customerId !== null;
  const all = useRow("overview", { enabled: !scoped });
  const one = useRow("customer_list", { enabled: scoped, where: [{ column: "id", op: "eq", value: customerId ?? "" }] });
  const questions = useRows("endpoint_conflict_list", {
    enabled: isProvider && can("devices:read"),
    columns: "id",
    where: scoped ? [{ column: "customer_id", op: "eq", value: customerId }] : [],
    order: [{ column: "since" }],
    limit: 1,
    count: true,
  });
  return { ...figuresOf(scoped ? one.row : all.row, questions.isPending ? null : questions.total), overview: scoped ? null : all.row };
}
