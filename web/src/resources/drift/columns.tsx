import { Waypoints } from "lucide-react";
import { isRecord, stringOrNull } from "@/api/errors";
import type { DriftListRow, DriftTenantRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { paths } from "@/kit/paths";
import { defineResource, statusFilter, type Columns } from "@/kit/resource";
import { driftSeverities, driftStates, driftTenantStates, layerWords } from "@/kit/status";
import { Sparkline } from "@/ui/charts";
import { DriftBar } from "./DriftBar";

const LIVE = ["open", "denied", "remediating", "accepted", "unknown"] as const;
const live = Object.fromEntries(LIVE.map((state) => [state, driftStates[state]]));

/** What the tenant has, and what is demanded. */
export function ActualDesired({ row }: { row: Pick<DriftListRow, "state" | "actual_text" | "desired_text"> }) {
  const actual = row.state === "unknown" ? "unknown" : (row.actual_text ?? "not set");
  return (
    <span className="block truncate" title={`${actual}; demanded: ${row.desired_text}`}>
      <span className={row.state === "unknown" ? "text-warn" : row.state === "accepted" ? "text-ink-2" : "font-medium text-bad"}>{actual}</span>
      <span className="text-ink-2"> → {row.desired_text}</span>
    </span>
  );
}

/** What made it differ, in a few words. */
export function causeWords(cause: unknown): string {
  if (!isRecord(cause)) return "-";
  switch (cause.kind) {
    case "changed":
      return `changed from ${stringOrNull(cause.before) ?? "not set"}`;
    case "demanded":
      return "demanded anew";
    default:
      return "so when first read";
  }
}

const columns = (c: Columns<"drift_list">) => [
  c.title("setting_name", { label: "Setting", className: "max-w-72 2xl:max-w-96" }),
  c.custom("tenant_name", { label: "Tenant", className: "max-w-48 2xl:max-w-80" }, (row) => (
    <span title={row.customer_name}>
      {row.tenant_name}
      {row.customer_name === row.tenant_name ? null : <span className="text-sm text-ink-2"> {row.customer_name}</span>}
    </span>
  )),
  severityColumn(c),
  c.custom("actual_text", { label: "Is → demanded", sort: false, className: "max-w-44 2xl:max-w-md" }, (row) => <ActualDesired row={row} />),
];

const shared = {
  one: "Drift",
  icon: Waypoints,
  search: ["setting_name", "tenant_name", "customer_name", "setting"],
  tieBreak: "id",
  scopeColumn: "customer_id",
} as const;

const severityFilter = statusFilter("severity", "Severity", driftSeverities);

export const drifts = defineResource("drift_list", {
  ...shared,
  name: "drift",
  title: "Drift",
  many: "drifts and unknowns",
  columns: (c) => [
    ...columns(c),
    c.badge("state", driftStates),
    c.custom("layer", { label: "Layer, cause", phone: "hide", className: "max-w-40 2xl:max-w-80 text-sm text-ink-2" }, (row) => {
      const words = `${layerWords[row.layer]}, ${row.state === "unknown" ? (row.state_text ?? "-") : causeWords(row.cause)}`;
      return <span title={words}>{words}</span>;
    }),
    c.ago("since", { label: "Since", className: "text-sm text-ink-2" }),
    c.freshness((row) => ({ observedAt: row.observed_at, staleAt: row.stale_at }), "observed_at", { phone: "hide" }),
  ],
  filters: [statusFilter("state", "State", live), severityFilter, layerFilter()],
  where: [{ column: "state", op: "in", values: LIVE }],
  defaultSort: "severity_rank",
  path: (row) => paths.drift(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "No drift", next: "Every setting that a baseline demands is in order. Without a baseline nothing is demanded: make one under Baselines." },
});

function layerFilter() {
  return {
    id: "layer",
    label: "Layer",
    options: Object.entries(layerWords).map(([value, label]) => ({ value, label })),
    where: (values: readonly string[]) => [{ column: "layer", op: "in" as const, values }],
  };
}

/** Sorts by rank, shows the word. */
function severityColumn(c: Columns<"drift_list">) {
  const badge = c.badge("severity", driftSeverities, { label: "Severity", phone: "meta" });
  return { ...badge, sort: "severity_rank" };
}

export const closedDrifts = defineResource("drift_list", {
  ...shared,
  name: "drift/closed",
  title: "Closed drifts",
  columns: (c) => [
    ...columns(c),
    c.custom("close_reason", { label: "Closed", phone: "badge", className: "text-sm text-ink-2" }, (row) => closeWords(row.close_reason)),
    c.ago("closed_at", { label: "When", className: "text-sm text-ink-2" }),
  ],
  filters: [severityFilter],
  where: [{ column: "state", op: "eq", value: "closed" }],
  defaultSort: "-closed_at",
  path: (row) => paths.drift(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "None has been closed", next: "A drift closes when a complete reading shows that the setting is as demanded." },
});

export function closeWords(reason: DriftListRow["close_reason"]): string {
  switch (reason) {
    case "in_order":
      return "A reading shows it in order";
    case "remediated":
      return "Remediated and read back";
    case "not_demanded":
      return "No longer demanded";
    case "tenant_gone":
      return "The tenant is gone";
    default:
      return "-";
  }
}

/** Scores of the last days, oldest first; a day without one is left out. */
export function scoresOf(days: unknown): number[] {
  if (!Array.isArray(days)) return [];
  return days.flatMap((day: unknown) => (isRecord(day) && typeof day.score === "number" ? [day.score] : []));
}

export function Trend({ row }: { row: Pick<DriftTenantRow, "name" | "days"> }) {
  const scores = scoresOf(row.days);
  if (scores.length < 2) return <span className="text-sm text-ink-3">-</span>;
  return (
    <span className="block h-6 w-20">
      <Sparkline values={scores} label={`${row.name}: ${scores[scores.length - 1] ?? 0} % today, ${scores.length} days`} tone="accent" />
    </span>
  );
}

export const driftTenants = defineResource("drift_tenant_list", {
  name: "drift/tenants",
  title: "Tenants against their baselines",
  one: "Tenant",
  many: "tenants",
  icon: Waypoints,
  columns: (c) => [
    c.title("name", { label: "Tenant", className: "max-w-52 2xl:max-w-96" }),
    c.badge("state", driftTenantStates),
    c.text("customer_name", { label: "Customer", phone: "hide", className: "max-w-36 2xl:max-w-64 text-sm text-ink-2" }),
    c.custom("tier_name", { label: "Tier", phone: "hide", className: "text-sm text-ink-2" }, (row) => row.tier_name ?? "no tier"),
    c.custom("score_percent", { label: "Score", align: "right" }, (row) => <span className="tabular-nums">{row.score_percent === null ? "-" : `${row.score_percent} %`}</span>),
    c.count("drifted", { label: "Drifts" }),
    c.count("unknown", { label: "Unknown" }),
    c.custom("in_order", { label: "Settings", sort: false, phone: "hide", className: "min-w-20" }, (row) => <DriftBar row={row} />),
    c.custom("days", { label: "Trend", sort: false, phone: "hide" }, (row) => <Trend row={row} />),
    c.custom("evaluated_at", { label: "Evaluated", align: "right", className: "text-sm text-ink-2" }, (row) => <Evaluated row={row} />),
  ],
  search: ["name", "default_domain", "customer_name", "tier_name"],
  filters: [statusFilter("state", "State", driftTenantStates)],
  defaultSort: "-drifted",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.driftTenant(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "No tenants yet", next: "Connect CIPP under Integrations and map its tenants to customers." },
});

function Evaluated({ row }: { row: DriftTenantRow }) {
  if (row.state === "silent" || row.evaluated_at === null) {
    return (
      <span title={row.reason ?? undefined} className={row.state === "silent" ? "text-bad" : undefined}>
        {row.state === "excluded" ? "excluded" : row.evaluated_at === null ? "never" : <>not since <Ago at={row.evaluated_at} brief /></>}
      </span>
    );
  }
  return <Ago at={row.evaluated_at} brief />;
}
