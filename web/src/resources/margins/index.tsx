import { Percent } from "lucide-react";
import { paths } from "@/kit/paths";
import { defineResource } from "@/kit/resource";
import { ResourceList } from "@/kit/ResourceList";

const margins = defineResource("margin_by_customer", {
  name: "margins",
  title: "Margins",
  one: "Customer",
  many: "customers",
  icon: Percent,
  columns: (c) => [
    c.title("customer_name", { label: "Customer" }),
    c.money("billed_per_month", (row) => row.currency, { label: "Billed a month" }),
    c.money("cost_per_month", (row) => row.currency, { label: "Own cost a month" }),
    c.money("margin_per_month", (row) => row.currency, { label: "Margin a month" }),
    c.custom("margin_percent", { label: "Margin", align: "right" }, (row) => (row.margin_percent === null ? "-" : <span className="tabular-nums">{row.margin_percent.toFixed(1)} %</span>)),
    c.custom("lines_without_cost", { label: "Lines", align: "right", phone: "hide" }, (row) => (
      <span className="tabular-nums">
        {row.lines}
        {row.lines_without_cost > 0 ? <span className="text-warn"> ({row.lines_without_cost} without a cost)</span> : null}
      </span>
    )),
    c.freshness((row) => ({ observedAt: row.oldest_observed_at, complete: row.is_complete, staleAt: null }), "oldest_observed_at"),
  ],
  search: ["customer_name"],
  defaultSort: "margin_percent",
  tieBreak: "customer_id",
  scopeColumn: "customer_id",
  path: (row) => paths.customer(row.customer_id),
  rowKey: (row) => `${row.customer_id} ${row.currency}`,
  empty: { title: "Nothing is billed yet", next: "Margins come from the active lines at Rev.io: map its accounts under Integrations, then synchronize." },
});

export default function MarginList() {
  return <ResourceList resource={margins} />;
}
