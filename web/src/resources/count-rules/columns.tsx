import { Calculator } from "lucide-react";
import { defineResource } from "@/kit/resource";
import { deviceClasses, seatBasisWords } from "@/kit/status";
import { Badge } from "@/ui/Badge";

export const countRules = defineResource("count_rule_list", {
  name: "count-rules",
  title: "Count rules",
  one: "Rule",
  many: "rules",
  icon: Calculator,
  columns: (c) => [
    c.title("name", { label: "Rule" }),
    c.custom("enabled", { label: "State", phone: "badge" }, (row) => (row.enabled ? <Badge tone="ok">On</Badge> : <Badge tone="mute">Off</Badge>)),
    c.text("product_name", { label: "Product", className: "max-w-64" }),
    c.custom("device_classes", { label: "Counts", sort: false, className: "max-w-72" }, (row) =>
      row.counts === "seats" ? row.sku_names.join(", ") : row.device_classes.map((each) => deviceClasses[each]).join(", "),
    ),
    c.custom("approved_only", { label: "Which", sort: false, phone: "hide", className: "text-sm text-ink-2" }, (row) =>
      row.counts === "seats" ? seatBasisWords[row.seat_basis ?? "assigned"] : row.approved_only ? "approved devices" : "all devices",
    ),
    c.quantity("multiplier", { label: "Times" }),
    c.money("product_rate", (row) => row.currency, { label: "Product's rate" }),
    c.count("differences_open", { label: "Open differences" }),
  ],
  search: ["name", "product_name"],
  defaultSort: "name",
  tieBreak: "id",
  scopeColumn: null,
  path: null,
  rowKey: (row) => row.id,
  empty: { title: "No rule yet", next: "A rule says which devices or seats a product of Rev.io stands for. Without one nothing is compared." },
});
