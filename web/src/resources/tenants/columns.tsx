import { Cloud, TriangleAlert } from "lucide-react";
import type { TenantListRow } from "@/api/rows";
import { paths } from "@/kit/paths";
import { defineResource } from "@/kit/resource";
import { count } from "@/kit/time";
import { Badge } from "@/ui/Badge";
import { MfaBar, type Split } from "./MfaBar";

/** How much of a tenant was read: what is missing is what the console cannot know. */
export function Reading({ row }: { row: Pick<TenantListRow, "parts_complete" | "parts_total" | "worst_reason"> }) {
  if (row.parts_total > 0 && row.parts_complete === row.parts_total) return <Badge tone="ok">Whole</Badge>;
  return (
    <Badge tone="warn" icon={TriangleAlert} title={row.worst_reason ?? undefined}>
      {row.parts_complete} of {row.parts_total} parts
    </Badge>
  );
}

export function splitOf(row: TenantListRow): Split {
  return { protected: row.mfa_protected, exempt: row.mfa_exempt, gap: row.mfa_gap, unknown: row.mfa_unknown };
}

export const tenants = defineResource("tenant_list", {
  name: "tenants",
  title: "Tenants",
  one: "Tenant",
  icon: Cloud,
  columns: (c) => [
    c.title("name", { label: "Tenant", aside: (row) => row.default_domain, className: "max-w-80" }),
    c.custom("parts_complete", { label: "Read", phone: "badge" }, (row) => <Reading row={row} />),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.count("people", { label: "People" }),
    c.custom("mfa_gap", { label: "MFA gaps", align: "right" }, (row) => (
      <span className={row.mfa_gap === 0 ? "text-ink-3 tabular-nums" : "font-medium text-bad tabular-nums"}>
        {count(row.mfa_gap)}
        {row.mfa_gap_admins > 0 ? <span className="text-sm"> ({count(row.mfa_gap_admins)} admin)</span> : null}
      </span>
    )),
    c.custom("mfa_protected", { label: "Second factor", sort: false, phone: "hide", className: "min-w-28" }, (row) => <MfaBar {...splitOf(row)} />),
    c.custom("security_defaults", { label: "For everyone", phone: "hide", className: "text-sm text-ink-2" }, (row) => askedBy(row)),
    c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at"),
  ],
  search: ["name", "default_domain", "customer_name"],
  filters: [
    {
      id: "mfa",
      label: "MFA",
      single: true,
      options: [
        { value: "gap", label: "has gaps" },
        { value: "admin", label: "administrators with a gap" },
        { value: "unknown", label: "has unknowns" },
      ],
      where: ([value]) => [{ column: value === "admin" ? "mfa_gap_admins" : value === "unknown" ? "mfa_unknown" : "mfa_gap", op: "gte", value: 1 }],
    },
  ],
  defaultSort: "-mfa_gap",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.tenant(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "No tenants yet", next: "Map the tenants of Microsoft 365 to customers under Integrations, then synchronize." },
});

/** What demands the second factor of everyone here, in a word. */
export function askedBy(row: Pick<TenantListRow, "security_defaults" | "policies_on" | "has_premium">): string {
  if (row.security_defaults) return "security defaults";
  if (row.policies_on > 0 && row.has_premium !== false) return `${row.policies_on} access ${row.policies_on === 1 ? "policy" : "policies_on"}`;
  return row.security_defaults === null ? "unknown" : "no rule";
}
