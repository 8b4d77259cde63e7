import { Building2 } from "lucide-react";
import { paths } from "@/kit/paths";
import { defineResource } from "@/kit/resource";
import { count } from "@/kit/time";
import { cx } from "@/ui/cx";

const NEEDS: Readonly<Record<string, "tickets_open" | "tickets_breached" | "approvals_waiting" | "devices_stale">> = {
  tickets: "tickets_open",
  late: "tickets_breached",
  approvals: "approvals_waiting",
  stale: "devices_stale",
};

function Bad({ count: value, tone }: { count: number; tone: string }) {
  return value > 0 ? <span className={cx("font-semibold tabular-nums", tone)}>{count(value)}</span> : <span className="text-ink-3">0</span>;
}

export const customers = defineResource("customer_list", {
  name: "customers",
  title: "Customers",
  one: "Customer",
  icon: Building2,
  columns: (c) => [
    c.title("name", { label: "Customer" }),
    c.text("code", { phone: "badge", className: "font-mono text-sm text-ink-2" }),
    c.count("devices"),
    c.custom("devices_stale", { label: "Stale", align: "right", phone: "hide" }, (row) => <Bad count={row.devices_stale} tone="text-warn" />),
    c.custom("alerts_open", { label: "Alerts", align: "right", phone: "hide" }, (row) => <Bad count={row.alerts_open} tone="text-warn" />),
    c.custom("incidents_open", { label: "Open incidents", align: "right" }, (row) => <Bad count={row.incidents_open} tone="text-bad" />),
    c.custom("approvals_waiting", { label: "Approvals", align: "right", phone: "hide" }, (row) => <Bad count={row.approvals_waiting} tone="text-warn" />),
    c.count("tickets_open", { label: "Open tickets" }),
    c.custom("tickets_breached", { label: "Late", align: "right", phone: "hide" }, (row) => <Bad count={row.tickets_breached} tone="text-bad" />),
    c.ago("created_at", { label: "Since", align: "right", phone: "hide" }),
  ],
  search: ["name", "code"],
  where: [{ column: "archived_at", op: "is", value: null }],
  filters: [
    {
      id: "open",
      label: "Needs attention",
      single: true,
      options: [
        { value: "incidents", label: "Open incidents" },
        { value: "tickets", label: "Open tickets" },
        { value: "late", label: "Late tickets" },
        { value: "approvals", label: "Waiting approvals" },
        { value: "stale", label: "Stale devices" },
      ],
      where: ([value]) => [{ column: NEEDS[value ?? ""] ?? "incidents_open", op: "gt", value: 0 }],
    },
  ],
  defaultSort: "name",
  tieBreak: "id",
  scopeColumn: "id",
  path: (row) => paths.customer(row.id),
  rowKey: (row) => row.id,
  empty: { title: "No customers yet", next: "Connect a source under Integrations and map its organizations; each becomes a customer." },
});
