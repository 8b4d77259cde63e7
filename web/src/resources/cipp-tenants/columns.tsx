import { Ban, Check, ListChecks, SlidersHorizontal, TriangleAlert } from "lucide-react";
import type { CippTenantListRow, TenantSettingListRow } from "@/api/rows";
import { paths } from "@/kit/paths";
import { defineResource } from "@/kit/resource";
import { partStates } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count, plural } from "@/kit/time";
import { Badge } from "@/ui/Badge";
import { EndsAt } from "../expiries/EndsAt";

/** Whether CIPP itself can read the tenant. */
export function CippReads({ row }: { row: Pick<CippTenantListRow, "is_excluded" | "graph_error_count" | "last_graph_error"> }) {
  if (row.is_excluded) return <Badge icon={Ban} title="Somebody told CIPP to leave this tenant alone. Nothing new is read of it.">Excluded</Badge>;
  if (row.graph_error_count > 0) {
    return <Badge tone="bad" icon={TriangleAlert} title={row.last_graph_error ?? undefined}>{plural(row.graph_error_count, "failure")}</Badge>;
  }
  return <Badge tone="ok" icon={Check}>Working</Badge>;
}

/** How far the settings of the tenant were read. */
export function SettingsRead({ row }: { row: Pick<CippTenantListRow, "settings_state" | "settings_reason"> }) {
  if (row.settings_state === null) return <Badge title="It comes with the next synchronization.">Never read</Badge>;
  return (
    <span title={row.settings_reason ?? undefined}>
      <StatusBadge of={partStates} value={row.settings_state} />
    </span>
  );
}

export const cippTenants = defineResource("cipp_tenant_list", {
  name: "cipp-tenants",
  title: "CIPP tenants",
  one: "Tenant",
  many: "tenants",
  icon: ListChecks,
  columns: (c) => [
    c.title("name", { label: "Tenant", aside: (row) => row.default_domain, className: "max-w-80" }),
    c.custom("settings_state", { label: "Settings read", phone: "badge" }, (row) => <SettingsRead row={row} />),
    c.custom("graph_error_count", { label: "CIPP reads it" }, (row) => <CippReads row={row} />),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.custom("settings_unlike", { label: "Unlike template", align: "right" }, (row) => (
      <span className="text-ink-3 tabular-nums">
        <span className={row.settings_unlike === 0 ? "" : "font-medium text-warn"}>{count(row.settings_unlike)}</span> of {count(row.settings)}
      </span>
    )),
    c.custom("access_ends_at", { label: "Access ends" }, (row) => <EndsAt at={row.access_ends_at} renews={row.access_renews} />),
    c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at"),
  ],
  search: ["name", "default_domain", "customer_name"],
  filters: [
    {
      id: "trouble",
      label: "Trouble",
      single: true,
      options: [
        { value: "failing", label: "CIPP cannot read it" },
        { value: "excluded", label: "excluded in CIPP" },
        { value: "unlike", label: "settings unlike the template" },
      ],
      where: ([value]) =>
        value === "excluded"
          ? [{ column: "is_excluded", op: "is", value: true }]
          : [{ column: value === "unlike" ? "settings_unlike" : "graph_error_count", op: "gte", value: 1 }],
    },
    {
      id: "settings",
      label: "Settings",
      single: true,
      options: Object.entries(partStates).map(([value, status]) => ({ value, label: status.label.toLowerCase(), status })),
      where: ([value]) => [{ column: "settings_state", op: "eq", value: value ?? "failed" }],
    },
  ],
  where: [{ column: "missing_since", op: "is", value: null }],
  defaultSort: "name",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.cippTenant(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "No tenants yet", next: "Connect CIPP under Integrations, map its tenants to customers, then synchronize." },
});

/** A value of a setting as people read it: JSON only where it has members. */
export function settingText(value: unknown): string {
  if (value === true) return "on";
  if (value === false) return "off";
  if (typeof value === "string" || typeof value === "number") return String(value);
  if (value === null || value === undefined) return "-";
  if (typeof value === "object" && !Array.isArray(value)) {
    return Object.entries(value).map(([name, each]) => `${name}: ${settingText(each)}`).join(", ");
  }
  return JSON.stringify(value);
}

/** "standards.SafeLinksPolicy" is known as SafeLinksPolicy. */
export function settingName(setting: string): string {
  return setting.replace(/^standards\./, "");
}

function Value({ value, quiet = false }: { value: unknown; quiet?: boolean }) {
  const text = settingText(value);
  return <span title={text} className={quiet ? "line-clamp-2 text-ink-2 [overflow-wrap:anywhere]" : "line-clamp-2 [overflow-wrap:anywhere]"}>{text}</span>;
}

function InLine({ row }: { row: TenantSettingListRow }) {
  if (row.is_as_expected === null) return <Badge title="No template of CIPP says what it should be.">Not watched</Badge>;
  return row.is_as_expected ? <Badge tone="ok" icon={Check}>As wanted</Badge> : <Badge tone="warn" icon={TriangleAlert}>Unlike</Badge>;
}

export const tenantSettings = defineResource("tenant_setting_list", {
  name: "tenant-settings",
  title: "Settings",
  one: "Setting",
  icon: SlidersHorizontal,
  columns: (c) => [
    c.custom("setting", { label: "Setting", phone: "title" }, (row) => <b className="font-medium [overflow-wrap:anywhere]">{settingName(row.setting)}</b>),
    c.custom("is_as_expected", { label: "Template", phone: "badge" }, (row) => <InLine row={row} />),
    c.custom("value", { label: "Is", sort: false, className: "max-w-40" }, (row) => <Value value={row.value} />),
    c.custom("expected", { label: "CIPP wants", sort: false, className: "max-w-40" }, (row) => <Value value={row.expected} quiet />),
    c.ago("changed_at", { label: "As it is since" }),
    c.ago("refreshed_at", { label: "CIPP looked" }),
  ],
  search: ["setting"],
  filters: [],
  where: [{ column: "missing_since", op: "is", value: null }],
  defaultSort: "setting",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: null,
  rowKey: (row) => row.id,
  empty: { title: "No setting is known", next: "They come with the next complete reading of this tenant." },
});
