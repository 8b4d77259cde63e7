import { Check, FolderTree, TriangleAlert } from "lucide-react";
import { chooseReads } from "@/api/actions";
import type { DocumentSiteRow, SiteReads } from "@/api/rows";
import { useAction } from "@/kit/action";
import { useCan } from "@/kit/permissions";
import { defineResource, statusFilter } from "@/kit/resource";
import { ResourceList } from "@/kit/ResourceList";
import { siteReads } from "@/kit/status";
import { bytes, count } from "@/kit/time";
import { Badge } from "@/ui/Badge";

const CHOICES: readonly SiteReads[] = ["inventory", "sharing", "documents"];

export const sites = defineResource("document_site_list", {
  name: "document-sites",
  title: "Sites",
  one: "Site",
  icon: FolderTree,
  columns: (c) => [
    c.title("name", { label: "Site", className: "max-w-64 2xl:max-w-96" }),
    c.custom("reads", { label: "Reads" }, (row) => <Choice row={row} />),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.custom("storage_used_bytes", { label: "Used", align: "right", className: "tabular-nums" }, (row) =>
      row.storage_used_bytes === null ? <span className="text-ink-3">unknown</span> : bytes(row.storage_used_bytes),
    ),
    c.custom("files", { label: "Files", align: "right", sort: false }, (row) =>
      row.reads === "inventory" ? <span className="text-ink-3" title="Nothing inside of this site is listed.">-</span> : <span className="tabular-nums">{count(row.files)}</span>,
    ),
    c.custom("texts", { label: "Searchable", align: "right", sort: false }, (row) =>
      row.reads === "documents" ? <span className="tabular-nums">{count(row.texts)}</span> : <span className="text-ink-3">-</span>,
    ),
    c.custom("anonymous_links", { label: "Open links", align: "right", sort: false }, (row) =>
      row.reads === "inventory" ? <span className="text-ink-3">-</span> : <span className={row.anonymous_links > 0 ? "font-medium text-bad tabular-nums" : "text-ink-3 tabular-nums"}>{count(row.anonymous_links)}</span>,
    ),
    c.custom("worst_state", { label: "Read", sort: false, phone: "badge" }, (row) => <Reading row={row} />),
    c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at"),
  ],
  search: ["name", "customer_name"],
  filters: [statusFilter("reads", "Reads", siteReads)],
  where: [{ column: "missing_since", op: "is", value: null }],
  defaultSort: "name",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: null,
  rowKey: (row) => row.id,
  empty: { title: "No sites yet", next: "Connect SharePoint under Integrations and map its tenants to customers; their sites come with the first synchronization." },
});

function Reading({ row }: { row: DocumentSiteRow }) {
  if (row.worst_state === "complete") return <Badge tone="ok" icon={Check}>Whole</Badge>;
  return <Badge tone="warn" icon={TriangleAlert} title={row.worst_reason ?? undefined}>Not whole</Badge>;
}

function Choice({ row }: { row: DocumentSiteRow }) {
  const can = useCan();
  const reason = can.reason("documents:manage", row.customer_id);
  const action = useAction<SiteReads>({ act: (reads) => chooseReads(row, reads) });
  return (
    <select
      aria-label={`What is read of ${row.name} of ${row.customer_name}`}
      value={row.reads}
      disabled={reason !== null || action.isBusy}
      title={reason ?? siteReads[row.reads].says}
      onChange={(event) => {
        const chosen = CHOICES.find((choice) => choice === event.target.value);
        if (chosen && chosen !== row.reads) action.run(chosen);
      }}
      className="h-7 rounded-md border border-field-line bg-raised px-1.5 text-sm max-md:h-9"
    >
      {CHOICES.map((choice) => (
        <option key={choice} value={choice}>
          {siteReads[choice].label}
        </option>
      ))}
    </select>
  );
}

export default function DocumentSites() {
  return <ResourceList resource={sites} />;
}
