import { Network } from "lucide-react";
import type { ItemRow } from "@/api/rows";
import { sourceName } from "@/kit/changes";
import { paths } from "@/kit/paths";
import { defineResource, statusFilter } from "@/kit/resource";
import { Badge } from "@/ui/Badge";
import { itemFreshness, itemKinds, itemStates, kindOf } from "./words";

export function KindLabel({ kind }: { kind: string }) {
  const { one, icon: Icon } = kindOf(kind);
  return (
    <span className="inline-flex items-center gap-1.5 align-middle whitespace-nowrap">
      <Icon aria-hidden className="size-3.5 shrink-0 text-ink-3" />
      {one}
    </span>
  );
}

export function Sources({ row }: { row: Pick<ItemRow, "sources" | "origin" | "entered_by_name"> }) {
  return (
    <span className="inline-flex flex-wrap gap-1">
      {row.sources.map((source) => (
        <Badge key={source} title={source === "entered" && row.entered_by_name ? `Entered by ${row.entered_by_name}` : undefined}>{sourceName(source)}</Badge>
      ))}
    </span>
  );
}

export const items = defineResource("configuration_item_list", {
  name: "configuration",
  title: "Configuration",
  one: "Item",
  many: "items",
  icon: Network,
  columns: (c) => [
    c.title("name", { label: "Item", aside: (row) => row.detail, className: "max-w-80 2xl:max-w-xl" }),
    c.custom("kind", { label: "Kind" }, (row) => <KindLabel kind={row.kind} />),
    c.text("customer_name", { label: "Customer", className: "max-w-44 2xl:max-w-72" }),
    c.custom("sources", { label: "Source", sort: false, phone: "hide" }, (row) => <Sources row={row} />),
    c.badge("state", itemStates),
    c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at", { sort: false }),
  ],
  search: ["name", "detail", "customer_name"],
  filters: [
    { id: "kind", label: "Kind", options: itemKinds.map((value) => ({ value, label: kindOf(value).one })), where: (values) => [{ column: "kind", op: "in", values }] },
    {
      id: "origin",
      label: "Origin",
      single: true,
      options: [
        { value: "derived", label: "reported by a source" },
        { value: "entered", label: "entered by a person" },
      ],
      where: ([value]) => [{ column: "origin", op: "eq", value: value === "entered" ? "entered" : "derived" }],
    },
    statusFilter("state", "State", itemStates),
    statusFilter("freshness", "Freshness", itemFreshness),
  ],
  defaultSort: "name",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.configurationItem(row.customer_id, row.id),
  rowKey: (row) => `${row.kind} ${row.id}`,
  empty: { title: "Nothing is known yet", next: "Items are what sources report: connect one under Integrations. What no source reports is entered here." },
});
