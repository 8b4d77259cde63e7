import { Computer, Split } from "lucide-react";
import type { EndpointRow } from "@/api/rows";
import { sourceNames } from "@/api/identity";
import { paths } from "@/kit/paths";
import { defineResource, statusFilter } from "@/kit/resource";
import { deviceClasses, endpointCoverage, linkConfidence } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { Badge } from "@/ui/Badge";

/** Who knows the machine. */
export function Sources({ of }: { of: readonly string[] }) {
  return (
    <span className="inline-flex flex-wrap gap-1">
      {of.map((source) => (
        <Badge key={source} tone="mute">{sourceNames[source] ?? source}</Badge>
      ))}
    </span>
  );
}

/** Something about it waits for a person. */
export function ToDecide({ row }: { row: Pick<EndpointRow, "open_conflicts"> }) {
  if (row.open_conflicts === 0) return null;
  return <Badge tone="wait" icon={Split} title="No rule can say which records are of this machine.">To decide</Badge>;
}

export const endpoints = defineResource("endpoint_list", {
  name: "endpoints",
  title: "Endpoints",
  one: "Endpoint",
  icon: Computer,
  columns: (c) => [
    c.title("name", { label: "Endpoint", aside: (row) => row.os_name, className: "max-w-60 2xl:max-w-80" }),
    c.text("customer_name", { label: "Customer", className: "max-w-44" }),
    c.badge("coverage", endpointCoverage, { label: "Coverage" }),
    c.custom("sources", { label: "Known by", sort: false }, (row) => <Sources of={row.sources} />),
    c.custom("confidence", { label: "Joined", phone: "hide" }, (row) =>
      row.open_conflicts > 0 ? <ToDecide row={row} /> : row.confidence ? <StatusBadge of={linkConfidence} value={row.confidence} /> : <span className="text-ink-3">one record</span>,
    ),
    c.custom("person_name", { label: "Person", phone: "hide", className: "max-w-44 text-sm text-ink-2" }, (row) => <span title={row.person_user_principal_name ?? undefined}>{row.person_name ?? "-"}</span>),
    c.custom("class", { label: "Class", phone: "hide", className: "text-sm text-ink-2" }, (row) => deviceClasses[row.class]),
    c.ago("last_seen_at", { label: "Seen", sort: false, className: "text-sm text-ink-2" }),
    c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at", { sort: false }),
  ],
  search: ["name", "serial_number", "person_name", "customer_name"],
  filters: [
    statusFilter("coverage", "Coverage", endpointCoverage),
    {
      id: "decide",
      label: "Decision",
      single: true,
      options: [
        { value: "open", label: "to decide" },
        { value: "none", label: "nothing to decide" },
      ],
      where: ([value]) => [value === "none" ? { column: "open_conflicts", op: "eq", value: 0 } : { column: "open_conflicts", op: "gt", value: 0 }],
    },
    {
      id: "class",
      label: "Class",
      options: Object.entries(deviceClasses).map(([value, label]) => ({ value, label })),
      where: (values) => [{ column: "class", op: "in", values }],
    },
    {
      id: "person",
      label: "Person",
      single: true,
      options: [
        { value: "known", label: "known" },
        { value: "unknown", label: "not known" },
      ],
      where: ([value]) => [value === "known" ? { column: "person_id", op: "not_null" } : { column: "person_id", op: "is", value: null }],
    },
  ],
  defaultSort: "name",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.endpoint(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "No machines yet", next: "They are made of what the RMM and Intune report: connect one of them under Integrations, then synchronize." },
});
