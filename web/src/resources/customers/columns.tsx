import { Building2 } from "lucide-react";
import { paths } from "@/kit/paths";
import { defineResource } from "@/kit/resource";

export const customers = defineResource("customer_list", {
  name: "customers",
  title: "Customers",
  one: "Customer",
  icon: Building2,
  columns: (c) => [
    c.title("name", { label: "Customer" }),
    c.text("code", { phone: "badge", className: "font-mono text-sm text-ink-2" }),
    c.count("devices"),
    c.custom("incidents_open", { label: "Open incidents", align: "right" }, (row) =>
      row.incidents_open > 0 ? <span className="font-semibold text-bad tabular-nums">{row.incidents_open}</span> : <span className="text-ink-3">0</span>,
    ),
    c.count("tickets_open", { label: "Open tickets" }),
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
      ],
      where: (values) => [{ column: values[0] === "tickets" ? "tickets_open" : "incidents_open", op: "gt", value: 0 }],
    },
  ],
  defaultSort: "name",
  tieBreak: "id",
  scopeColumn: "id",
  path: (row) => paths.customer(row.id),
  rowKey: (row) => row.id,
  empty: { title: "No customers yet", next: "Connect a source under Integrations and map its organizations; each becomes a customer." },
});
