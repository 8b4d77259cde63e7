import { Lock, Scale, TriangleAlert } from "lucide-react";
import { paths } from "@/kit/paths";
import { defineResource, statusFilter, type Columns } from "@/kit/resource";
import { causes, differenceStates, directions } from "@/kit/status";
import { shortSpan } from "@/kit/time";
import { isBound, untilDay } from "./commitment";
import { Badge } from "@/ui/Badge";

const LIVE = ["open", "ignored", "changing", "waiting_for_invoice"] as const;
const live = Object.fromEntries(LIVE.map((state) => [state, differenceStates[state]]));

const columns = (c: Columns<"difference_list">) => [
  c.title("product_name", { label: "Product", className: "max-w-44 2xl:max-w-64" }),
  c.badge("direction", directions),
  c.text("customer_name", { label: "Customer", className: "max-w-48" }),
  c.quantity("counted", { label: "Counted" }),
  c.quantity("billed", { label: "Billed" }),
  c.money("money_per_month", (row) => row.currency, { label: "A month" }),
  c.custom("cause_text", { label: "Why", sort: false, phone: "hide", className: "max-w-36 2xl:max-w-2xl text-sm text-ink-2" }, (row) => <span title={row.cause_text}>{row.cause_text}</span>),
];

const shared = {
  one: "Difference",
  icon: Scale,
  search: ["customer_name", "product_name", "cause_text"],
  filters: [statusFilter("direction", "Direction", directions), statusFilter("cause_kind", "Cause", causes)],
  tieBreak: "id",
  scopeColumn: "customer_id",
} as const;

export const differences = defineResource("difference_list", {
  ...shared,
  name: "differences",
  title: "Billing differences",
  columns: (c) => [
    ...columns(c),
    c.custom("committed_until", { label: "Committed until", phone: "badge", className: "text-sm text-ink-2" }, (row) =>
      isBound(row) ? <Badge tone="wait" icon={Lock} title="It cannot go down before.">{untilDay(row)}</Badge> : null,
    ),
    c.badge("state", differenceStates),
    c.custom("first_seen_at", { label: "Age", align: "right", className: "text-sm text-ink-2" }, (row) =>
      row.stale_since ? <Badge tone="warn" icon={TriangleAlert} title={row.stale_reason ?? undefined}>stale</Badge> : shortSpan(row.age_s * 1_000),
    ),
  ],
  filters: [statusFilter("state", "State", live), ...shared.filters],
  where: [{ column: "state", op: "in", values: LIVE }],
  defaultSort: "-money_per_month",
  path: (row) => paths.difference(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "No differences", next: "What is counted is what is billed, for every customer and product that a count rule compares." },
});

export const closedDifferences = defineResource("difference_list", {
  ...shared,
  name: "differences/closed",
  title: "Closed differences",
  columns: (c) => [
    ...columns(c),
    c.custom("close_reason", { label: "Closed", phone: "badge", className: "text-sm text-ink-2" }, (row) => closeWords(row.close_reason, row.bill_number)),
    c.ago("closed_at", { label: "When", className: "text-sm text-ink-2" }),
  ],
  where: [{ column: "state", op: "eq", value: "closed" }],
  defaultSort: "-closed_at",
  path: (row) => paths.difference(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "None has been closed", next: "A difference closes when a bill carries the corrected quantity, or when counts and lines agree again." },
});

/** Why it is closed, in words. */
export function closeWords(reason: string | null, bill: string | null): string {
  switch (reason) {
    case "invoiced":
      return bill ? `Bill ${bill} carries it` : "A bill carries it";
    case "vanished":
      return "Counts and lines agree again";
    case "superseded":
      return "Replaced by a newer one";
    case "rule_off":
      return "Its rule is off";
    default:
      return "-";
  }
}
