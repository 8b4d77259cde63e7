import { useCount, useRow } from "@/api/queries";
import type { OverviewRow, Table } from "@/api/rows";
import type { Where } from "@/api/where";
import { useScope } from "@/kit/scope";

export interface Figures {
  tickets: number | null;
  incidents: number | null;
  alerts: number | null;
  devices: number | null;
  approvals: number | null;
}

/** The counts beside the navigation, inside the customer switch. One row for all customers, counts for one. */
export function useFigures(): Figures & { overview: OverviewRow | null } {
  const { customerId, where } = useScope();
  const scoped = customerId !== null;
  const { row } = useRow("overview", { enabled: !scoped });
  const use = (table: Table, extra: Where) => ({ table, options: { enabled: scoped, where: [...where, extra] } });
  const asked = [
    use("ticket_list", { column: "state", op: "in", values: ["open", "assigned", "in_progress", "waiting_on_customer"] }),
    use("incident_list", { column: "state", op: "neq", value: "resolved" }),
    use("alert_list", { column: "state", op: "neq", value: "resolved" }),
    use("device_list", { column: "missing_since", op: "is", value: null }),
    use("approvals", { column: "state", op: "eq", value: "waiting" }),
  ] as const;
  const tickets = useCount(asked[0].table, asked[0].options);
  const incidents = useCount(asked[1].table, asked[1].options);
  const alerts = useCount(asked[2].table, asked[2].options);
  const devices = useCount(asked[3].table, asked[3].options);
  const approvals = useCount(asked[4].table, asked[4].options);
  if (scoped) return { tickets, incidents, alerts, devices, approvals, overview: null };
  return {
    tickets: row?.tickets_open ?? null,
    incidents: row?.incidents_open ?? null,
    alerts: row?.alerts_open ?? null,
    devices: row?.devices ?? null,
    approvals: row?.approvals_waiting ?? null,
    overview: row,
  };
}
