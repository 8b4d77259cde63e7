import { ListChecks } from "lucide-react";
import { paths } from "@/kit/paths";
import { defineResource } from "@/kit/resource";
import { Badge } from "@/ui/Badge";

export const baselines = defineResource("baseline_list", {
  name: "baselines",
  title: "Baselines",
  one: "Baseline",
  icon: ListChecks,
  columns: (c) => [
    c.title("name", { label: "Baseline", aside: (row) => row.description, className: "max-w-96" }),
    c.custom("kind", { label: "For", phone: "badge" }, (row) => (row.kind === "provider" ? <Badge tone="info">Everybody</Badge> : <Badge tone="mute">Tier</Badge>)),
    c.count("entries", { label: "Demands" }),
    c.count("entries_off", { label: "Switched off" }),
    c.count("customers", { label: "Customers" }),
    c.count("drifts", { label: "Drifts" }),
    c.ago("updated_at", { label: "Changed", className: "text-sm text-ink-2" }),
  ],
  search: ["name", "description"],
  where: [{ column: "archived_at", op: "is", value: null }],
  defaultSort: "kind",
  tieBreak: "id",
  scopeColumn: null,
  path: (row) => paths.baseline(row.id),
  rowKey: (row) => row.id,
  empty: { title: "No baseline yet", next: "Make the one for everybody first: without it nothing is demanded of any tenant." },
});
