import { FileSearch, FileText, Folder, NotebookText } from "lucide-react";
import { Fragment } from "react";
import type { DocumentHitRow, DocumentKind } from "@/api/rows";
import { paths } from "@/kit/paths";
import { defineResource, statusFilter, type Columns, type ListFilter } from "@/kit/resource";
import { shareRisks, textStates } from "@/kit/status";
import { bytes } from "@/kit/time";
import { Badge } from "@/ui/Badge";

const icons: Readonly<Record<DocumentKind, typeof FileText>> = { file: FileText, folder: Folder, package: NotebookText };

export function KindIcon({ kind }: { kind: DocumentKind }) {
  const Icon = icons[kind];
  return <Icon aria-label={kind === "package" ? "notebook" : kind} className="mr-1.5 inline size-3.5 text-ink-3" />;
}

/** The folder of a path, without the name at its end. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 1));
}

/** Words around what was found; the server puts U+0002 and U+0003 around each. */
export function marked(snippet: string): { text: string; hit: boolean }[] {
  return snippet
    .split("\u0002")
    .flatMap((part, index) => {
      const end = index === 0 ? -1 : part.indexOf("\u0003");
      return end < 0 ? [{ text: part, hit: false }] : [{ text: part.slice(0, end), hit: true }, { text: part.slice(end + 1), hit: false }];
    })
    .filter((part) => part.text !== "");
}

export function Snippet({ text }: { text: string }) {
  return (
    <span className="text-sm text-ink-2">
      {marked(text.replaceAll("\n", " ")).map((part, index) =>
        part.hit ? <mark key={index} className="rounded-sm bg-warn-soft px-0.5 font-medium text-ink">{part.text}</mark> : <Fragment key={index}>{part.text}</Fragment>,
      )}
    </span>
  );
}

/** How wide the widest link of it is open. */
export function Risk({ risk, brief = false }: { risk: number | null; brief?: boolean }) {
  const status = risk === null ? undefined : shareRisks[risk];
  if (!status || (brief && (risk ?? 9) > 6)) return <span className="text-ink-3">-</span>;
  return <Badge tone={status.tone} icon={status.icon} title={status.says}>{status.label}</Badge>;
}

const filters: readonly ListFilter[] = [
  statusFilter("text", "Text", textStates, "text_state"),
  {
    id: "open",
    label: "Shared",
    single: true,
    options: [
      { value: "anyone", label: "with anyone" },
      { value: "guests", label: "with guests" },
      { value: "not", label: "not shared" },
    ],
    where: ([value]) =>
      value === "not"
        ? [{ column: "risk", op: "is", value: null }]
        : value === "guests"
          ? [{ column: "risk", op: "in", values: [5, 6] }]
          : [{ column: "risk", op: "lte", value: 4 }],
  },
];

const rest = (c: Columns<"document_hit_list">) => [
  c.text("customer_name", { label: "Customer", className: "max-w-36 2xl:max-w-52" }),
  c.text("site_name", { label: "Site", className: "max-w-36 text-sm text-ink-2" }),
  c.ago("modified_at", { label: "Changed", className: "text-sm text-ink-2" }),
  c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at", { sort: false }),
];
const title = (c: Columns<"document_hit_list">) =>
  c.title("name", { label: "Document", aside: (row: DocumentHitRow) => (folderOf(row.path) === "/" ? "" : folderOf(row.path)), className: "max-w-64 2xl:max-w-96" });

const common = {
  name: "documents",
  title: "Documents",
  one: "Document",
  icon: FileSearch,
  filters,
  search: ["name", "path"] as const,
  finder: "search_documents" as const,
  tieBreak: "id" as const,
  scopeColumn: "customer_id" as const,
  path: (row: DocumentHitRow) => paths.document(row.customer_id, row.id),
  rowKey: (row: DocumentHitRow) => row.id,
  empty: { title: "No documents yet", next: "Connect SharePoint under Integrations, then choose under Sites what is read." },
};

/** The newest files, while nothing is searched for. */
export const documents = defineResource("document_hit_list", {
  ...common,
  columns: (c) => [
    title(c),
    c.badge("text_state", textStates, { label: "Text", sort: false }),
    c.custom("risk", { label: "Shared", sort: false }, (row) => <Risk risk={row.risk} brief />),
    c.custom("size_bytes", { label: "Size", align: "right", phone: "hide", className: "text-sm text-ink-2" }, (row) => bytes(row.size_bytes)),
    ...rest(c),
  ],
  where: [{ column: "kind", op: "eq", value: "file" }, { column: "missing_since", op: "is", value: null }],
  defaultSort: "-modified_at",
});

/** What a search found, the best fit first. */
export const hits = defineResource("document_hit_list", {
  ...common,
  one: "Hit",
  many: "hits",
  columns: (c) => [
    title(c),
    c.custom("snippet", { label: "Words", sort: false, className: "max-w-96 2xl:max-w-2xl" }, (row) =>
      row.snippet ? <Snippet text={row.snippet} /> : <span className="text-sm text-ink-3">in its name</span>,
    ),
    ...rest(c),
    c.custom("rank", { label: "Fit", align: "right", phone: "hide", className: "text-sm text-ink-3 tabular-nums" }, (row) => (row.rank === null ? "-" : row.rank.toFixed(2))),
  ],
  where: [{ column: "missing_since", op: "is", value: null }],
  defaultSort: "-rank",
});
