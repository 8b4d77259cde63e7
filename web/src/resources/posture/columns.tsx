import { ShieldEllipsis } from "lucide-react";
import type { PostureTenantRow } from "@/api/rows";
import { paths } from "@/kit/paths";
import { defineResource, statusFilter } from "@/kit/resource";
import { driftSeverities, postureOutcomes, postureTenantStates } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count } from "@/kit/time";
import { toneSoft } from "@/ui/Badge";
import { Sparkline } from "@/ui/charts";
import { cx } from "@/ui/cx";
import { checksOf, checkText, checkWords, findingsOf, worst } from "./facts";

/** One cell for each check: the number of findings, a dash for none, a question mark for nobody knows. */
export function CheckStrip({ row }: { row: Pick<PostureTenantRow, "outcomes" | "name"> }) {
  const checks = checksOf(row.outcomes);
  if (checks.length === 0) return <span className="text-sm text-ink-3">-</span>;
  return (
    <span role="img" aria-label={`${row.name}. ${checks.map(checkWords).join(". ")}`} className="inline-flex gap-0.5">
      {checks.map((check) => (
        <span
          key={check.check}
          aria-hidden
          title={checkWords(check)}
          className={cx("grid h-5 min-w-5 place-items-center rounded-sm px-0.5 text-xs font-semibold tabular-nums", toneSoft[postureOutcomes[check.outcome].tone])}
        >
          {check.outcome === "failed" ? count(check.findings ?? 0) : check.outcome === "unknown" ? "?" : "–"}
        </span>
      ))}
    </span>
  );
}

/** Findings of the last days; fewer is better. */
export function FindingsTrend({ name, days }: { name: string; days: unknown }) {
  const values = findingsOf(days);
  if (values.length < 2) return <span className="text-sm text-ink-3">-</span>;
  return (
    <span className="block h-6 w-20">
      <Sparkline values={values} label={`${name}: ${values[values.length - 1] ?? 0} findings today, ${values[0] ?? 0} ${values.length} days ago`} tone="accent" />
    </span>
  );
}

export const postureTenants = defineResource("posture_tenant_list", {
  name: "posture",
  title: "Posture",
  one: "Tenant",
  many: "tenants",
  icon: ShieldEllipsis,
  columns: (c) => [
    c.title("name", { label: "Tenant", className: "max-w-52 2xl:max-w-96" }),
    c.badge("state", postureTenantStates),
    c.text("customer_name", { label: "Customer", phone: "hide", className: "max-w-36 2xl:max-w-64 text-sm text-ink-2" }),
    c.custom("outcomes", { label: "Checks", sort: false, phone: "hide" }, (row) => <CheckStrip row={row} />),
    c.custom("worst_rank", { label: "Worst", phone: "hide" }, (row) => {
      const severity = worst(row.worst_rank);
      return severity === null ? <span className="text-sm text-ink-3">-</span> : <StatusBadge of={driftSeverities} value={severity} />;
    }),
    c.count("failed", { label: "Failed" }),
    c.count("unknown", { label: "Unknown" }),
    c.count("findings", { label: "Findings", phone: "hide" }),
    c.custom("days", { label: "Trend", sort: false, phone: "hide" }, (row) => <FindingsTrend name={row.name} days={row.days} />),
    c.freshness((row) => ({ observedAt: row.observed_at, staleAt: row.stale_at, complete: row.is_complete ?? false }), "observed_at", { phone: "hide" }),
  ],
  search: ["name", "customer_name", "external_id"],
  filters: [statusFilter("state", "State", postureTenantStates)],
  defaultSort: "-failed",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.posture(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "No tenants yet", next: "Connect Microsoft 365, SharePoint or CIPP under Integrations and map tenants to customers." },
});

export const postureChecks = defineResource("posture_check_list", {
  name: "posture/checks",
  title: "Posture, check by check",
  one: "Check",
  many: "checks",
  icon: ShieldEllipsis,
  columns: (c) => [
    c.title("title", { label: "Check", className: "max-w-72 2xl:max-w-md" }),
    c.badge("outcome", postureOutcomes),
    c.text("tenant_name", { label: "Tenant", className: "max-w-44 2xl:max-w-80" }),
    { ...c.badge("severity", driftSeverities, { label: "Severity", phone: "meta" }), sort: "severity_rank" },
    c.custom("findings", { label: "Findings", align: "right" }, (row) => <span className={cx("tabular-nums", row.outcome === "unknown" && "text-ink-3")}>{row.findings === null ? "-" : count(row.findings)}</span>),
    c.custom("missing_reason", { label: "What was read", sort: false, phone: "hide", className: "max-w-64 2xl:max-w-lg text-sm text-ink-2" }, (row) => <span title={checkText(row)}>{checkText(row)}</span>),
    c.custom("days", { label: "Trend", sort: false, phone: "hide" }, (row) => <FindingsTrend name={row.title} days={row.days} />),
    c.ago("since", { label: "Since", className: "text-sm text-ink-2" }),
    c.freshness((row) => ({ observedAt: row.observed_at, staleAt: row.stale_at, complete: row.is_complete ?? false }), "observed_at", { phone: "hide" }),
  ],
  search: ["title", "tenant_name", "customer_name"],
  filters: [statusFilter("outcome", "Outcome", postureOutcomes), statusFilter("severity", "Severity", driftSeverities)],
  defaultSort: "outcome_rank",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.postureCheck(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "Nothing was checked yet", next: "Checks are worked out when a reading of Microsoft 365, SharePoint or CIPP has ended." },
});

/** The checks inside of one tenant's page: what was read stands under the name. */
export const checksOfTenant = defineResource("posture_check_list", {
  ...postureChecks,
  one: "Check",
  many: "checks",
  columns: (c) => [
    c.custom("title", { label: "Check", phone: "title", className: "max-w-72 2xl:max-w-2xl" }, (row) => (
      <span className="block min-w-0 py-1">
        <b title={row.title} className="block truncate font-medium">{row.title}</b>
        <span title={checkText(row)} className="block truncate text-sm font-normal text-ink-2">
          {checkText(row)}
        </span>
      </span>
    )),
    ...["outcome", "severity", "findings", "days"].flatMap((id) => postureChecks.columns.filter((column) => column.id === id)),
  ],
});

export const postureFindings = defineResource("posture_finding_list", {
  name: "posture/findings",
  title: "Posture findings",
  one: "Finding",
  many: "findings",
  icon: ShieldEllipsis,
  columns: (c) => [
    c.title("subject", { label: "Finding", className: "max-w-80 2xl:max-w-xl" }),
    c.custom("detail", { label: "What is wrong", sort: false, className: "max-w-80 2xl:max-w-2xl text-sm text-ink-2" }, (row) => <span title={row.detail}>{row.detail}</span>),
    c.text("check_title", { label: "Check", className: "max-w-56 2xl:max-w-96" }),
    c.text("tenant_name", { label: "Tenant", className: "max-w-44 2xl:max-w-80" }),
    { ...c.badge("severity", driftSeverities, { label: "Severity" }), sort: "severity_rank" },
    c.ago("first_seen_at", { label: "Since", className: "text-sm text-ink-2" }),
  ],
  search: ["subject", "detail", "check_title", "tenant_name", "customer_name"],
  filters: [statusFilter("severity", "Severity", driftSeverities)],
  defaultSort: "severity_rank",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.postureCheck(row.customer_id, row.posture_check_id),
  rowKey: (row) => row.id,
  empty: { title: "Nothing was found", next: "Where a check is unknown, nobody knows: look at the checks." },
});
