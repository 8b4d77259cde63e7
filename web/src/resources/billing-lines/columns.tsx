import { ReceiptText } from "lucide-react";
import { defineResource } from "@/kit/resource";
import { words } from "@/kit/status";
import { Badge } from "@/ui/Badge";

export const billingLines = defineResource("billing_line_list", {
  name: "billing-lines",
  title: "Billed lines",
  one: "Line",
  many: "lines",
  icon: ReceiptText,
  columns: (c) => [
    c.title("name", { label: "Line", aside: (row) => row.external_id }),
    c.custom("status", { label: "Status", phone: "badge" }, (row) =>
      row.missing_since ? <Badge tone="mute">Gone from source</Badge> : <Badge tone={row.is_active ? "ok" : "mute"}>{words(row.status.toLowerCase())}</Badge>,
    ),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.quantity("quantity"),
    c.money("rate", (row) => row.currency, { label: "Rate" }),
    c.money("amount_per_month", (row) => row.currency, { label: "A month" }),
    c.ago("activated_at", { label: "Active since", phone: "hide", className: "text-sm text-ink-2" }),
    c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at"),
  ],
  search: ["name", "customer_name", "external_id", "account_ref"],
  filters: [
    {
      id: "active",
      label: "Status",
      single: true,
      options: [
        { value: "yes", label: "active" },
        { value: "no", label: "not active" },
      ],
      where: ([value]) => [{ column: "is_active", op: "is", value: value === "yes" }],
    },
  ],
  defaultSort: "customer_name",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: null,
  rowKey: (row) => row.id,
  empty: { title: "No billed lines yet", next: "They come from Rev.io: map its accounts to customers under Integrations, then synchronize." },
});
