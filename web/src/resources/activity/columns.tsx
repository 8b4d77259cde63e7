import { History, LogIn, ScrollText } from "lucide-react";
import type { CoverageRow, DirectoryChangeRow } from "@/api/rows";
import { paths } from "@/kit/paths";
import { defineResource, statusFilter, type ListFilter } from "@/kit/resource";
import { changeOutcomes, coverageStates, signInOutcomes } from "@/kit/status";
import { sinceHours } from "../access/columns";
import { CoverageBar } from "./CoverageBar";
import { licenseWords, placeOf, streams } from "./facts";

const when: ListFilter = {
  id: "since",
  label: "When",
  single: true,
  options: [
    { value: "24", label: "Last day" },
    { value: "168", label: "Last 7 days" },
    { value: "720", label: "Last 30 days" },
  ],
  where: ([hours]) => [{ column: "happened_at", op: "gte", value: sinceHours(Number(hours), Date.now()) }],
};

export const signIns = defineResource("sign_in_list", {
  name: "sign-ins",
  title: "Sign-ins",
  one: "Sign-in",
  many: "sign-ins",
  icon: LogIn,
  columns: (c) => [
    c.title("user_name", { label: "Who", className: "max-w-52 2xl:max-w-80" }),
    c.badge("outcome", signInOutcomes),
    c.text("app_name", { label: "Application", className: "max-w-44 2xl:max-w-72" }),
    c.custom("reason", { label: "Why not", sort: false, phone: "hide", className: "max-w-56 2xl:max-w-md text-sm text-ink-2" }, (row) => (row.reason === null ? <span className="text-ink-3">-</span> : <span title={row.reason}>{row.reason}</span>)),
    c.custom("country", { label: "From", className: "max-w-40 text-sm" }, (row) => placeOf(row)),
    c.text("ip_address", { label: "Address", phone: "hide", className: "font-mono text-sm" }),
    c.text("risk", { label: "Risk", phone: "hide", className: "text-sm" }),
    c.text("tenant_name", { label: "Tenant", phone: "hide", className: "max-w-40 2xl:max-w-64 text-sm text-ink-2" }),
    c.ago("happened_at", { label: "When", className: "text-sm text-ink-2" }),
  ],
  search: ["user_name", "user_principal_name", "app_name", "ip_address", "tenant_name"],
  filters: [
    statusFilter("outcome", "Outcome", signInOutcomes),
    when,
    { id: "risk", label: "Risk", single: true, options: [{ value: "any", label: "Microsoft saw a risk" }], where: () => [{ column: "risk", op: "not_null" }] },
  ],
  defaultSort: "-happened_at",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => (row.person_id === null ? paths.tenant(row.customer_id, row.tenant_id) : paths.person(row.customer_id, row.person_id)),
  rowKey: (row) => row.id,
  empty: { title: "No sign-ins yet", next: "They come with the next synchronization of Microsoft 365, of tenants with Entra ID P1. The line above says what was read." },
});

function Licenses({ row }: { row: Pick<DirectoryChangeRow, "licenses_added" | "licenses_removed" | "changes_licenses"> }) {
  const text = licenseWords(row);
  return text === "" ? <span className="text-ink-3">-</span> : <span title={text}>{text}</span>;
}

export const directoryChanges = defineResource("directory_change_list", {
  name: "directory-changes",
  title: "Directory changes",
  one: "Change",
  many: "changes",
  icon: History,
  columns: (c) => [
    c.title("activity", { label: "What", className: "max-w-56 2xl:max-w-80" }),
    c.text("target_name", { label: "To whom", className: "max-w-52 2xl:max-w-80" }),
    c.custom("licenses_added", { label: "Licenses", sort: false, phone: "hide", className: "max-w-52 2xl:max-w-md text-sm" }, (row) => <Licenses row={row} />),
    c.text("actor_name", { label: "By", className: "max-w-52 2xl:max-w-80" }),
    c.badge("outcome", changeOutcomes),
    c.text("category", { label: "Category", phone: "hide", className: "text-sm text-ink-2" }),
    c.text("tenant_name", { label: "Tenant", phone: "hide", className: "max-w-40 2xl:max-w-64 text-sm text-ink-2" }),
    c.ago("happened_at", { label: "When", className: "text-sm text-ink-2" }),
  ],
  search: ["activity", "target_name", "actor_name", "tenant_name"],
  filters: [
    statusFilter("outcome", "Outcome", changeOutcomes),
    when,
    { id: "licenses", label: "Licenses", single: true, options: [{ value: "yes", label: "gave or took licenses" }], where: () => [{ column: "changes_licenses", op: "is", value: true }] },
    {
      id: "by",
      label: "By",
      single: true,
      options: [
        { value: "person", label: "a person" },
        { value: "application", label: "an application" },
      ],
      where: ([kind]) => [{ column: "actor_kind", op: "eq", value: kind ?? "person" }],
    },
  ],
  defaultSort: "-happened_at",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.directoryChange(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "No changes yet", next: "They come with the next synchronization of Microsoft 365. The line above says what was read." },
});

export const coverage = defineResource("activity_coverage_list", {
  name: "log-coverage",
  title: "What was read of the logs",
  one: "Log",
  many: "logs",
  icon: ScrollText,
  columns: (c) => [
    c.title("tenant_name", { label: "Tenant", className: "max-w-52 2xl:max-w-80" }),
    c.custom("stream", { label: "Log" }, (row) => streams[row.stream]),
    c.badge("state", coverageStates),
    c.custom("spans", { label: "Read until now", sort: false, phone: "hide" }, (row) => <CoverageBar row={row} />),
    c.custom("reason", { label: "What is missing", sort: false, className: "max-w-56 2xl:max-w-2xl text-sm text-ink-2" }, (row: CoverageRow) => (row.reason === null ? <span className="text-ink-3">-</span> : <span title={row.reason}>{row.reason}</span>)),
    c.count("event_count", { label: "Events", phone: "hide" }),
    c.count("late_count", { label: "Came late", phone: "hide" }),
    c.text("customer_name", { label: "Customer", phone: "hide", className: "max-w-36 2xl:max-w-64 text-sm text-ink-2" }),
    c.freshness((row) => ({ observedAt: row.observed_at, staleAt: row.stale_at, complete: row.is_complete }), "observed_at"),
  ],
  search: ["tenant_name", "customer_name"],
  filters: [
    statusFilter("state", "State", coverageStates),
    { id: "log", label: "Log", single: true, options: Object.entries(streams).map(([value, label]) => ({ value, label })), where: ([stream]) => [{ column: "stream", op: "eq", value: stream ?? "" }] },
  ],
  defaultSort: "state_rank",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.tenant(row.customer_id, row.id),
  rowKey: (row) => `${row.id} ${row.stream}`,
  empty: { title: "No tenants yet", next: "Connect Microsoft 365 under Integrations and map tenants to customers." },
});
