import { KeyRound } from "lucide-react";
import { defineResource } from "@/kit/resource";
import { ResourceList } from "@/kit/ResourceList";
import { count } from "@/kit/time";

export const licenses = defineResource("license_list", {
  name: "licenses",
  title: "Licenses",
  one: "License",
  icon: KeyRound,
  columns: (c) => [
    c.title("name", { label: "License", aside: (row) => row.part_number, className: "max-w-80" }),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.count("purchased", { label: "Bought" }),
    c.count("assigned", { label: "Assigned" }),
    c.custom("unassigned", { label: "Free", align: "right" }, (row) => <Odd value={row.unassigned} tone="text-warn" />),
    c.custom("assigned_disabled", { label: "Blocked people", align: "right" }, (row) => <Odd value={row.assigned_disabled} tone="text-warn" />),
    c.custom("inactive_90d", { label: "Idle 90 days", align: "right" }, (row) =>
      row.inactive_90d === null ? <span className="text-ink-3" title="Sign-ins cannot be read in this tenant.">unknown</span> : <Odd value={row.inactive_90d} tone="text-warn" />,
    ),
    c.money("money_unassigned_per_month", (row) => row.currency ?? "USD", { label: "Free, a month" }),
    c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at"),
  ],
  search: ["name", "part_number", "customer_name"],
  filters: [
    {
      id: "waste",
      label: "Shows",
      single: true,
      options: [
        { value: "free", label: "bought, not assigned" },
        { value: "blocked", label: "held by blocked people" },
        { value: "idle", label: "held by idle people" },
      ],
      where: ([value]) =>
        value === "blocked"
          ? [{ column: "assigned_disabled", op: "gte", value: 1 }]
          : value === "idle"
            ? [{ column: "inactive_90d", op: "gte", value: 1 }]
            : [{ column: "unassigned", op: "gte", value: 1 }],
    },
  ],
  defaultSort: "name",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: null,
  rowKey: (row) => row.id,
  empty: { title: "No licenses yet", next: "They come from Microsoft 365: map its tenants to customers under Integrations, then synchronize." },
});

/** A number that should be zero. */
function Odd({ value, tone }: { value: number; tone: string }) {
  return <span className={value === 0 ? "text-ink-3 tabular-nums" : `font-medium tabular-nums ${tone}`}>{count(value)}</span>;
}

export default function LicenseList() {
  return <ResourceList resource={licenses} />;
}
