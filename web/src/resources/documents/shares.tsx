import { Link2 } from "lucide-react";
import { isRecord, stringOrNull } from "@/api/errors";
import type { DocumentShareRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { paths } from "@/kit/paths";
import { defineResource, type ListFilter } from "@/kit/resource";
import { Risk } from "./columns";

/** Names of who was let in; links of anybody name nobody. */
export function grantedTo(value: unknown): string {
  if (!Array.isArray(value)) return "";
  return value.filter(isRecord).map((who) => stringOrNull(who.email) ?? stringOrNull(who.name) ?? "somebody").join(", ");
}

function whom(row: DocumentShareRow): string {
  if (row.scope === "anonymous") return row.has_password ? "anyone with the password" : "anyone with the link";
  if (row.scope === "organization") return "everyone inside with the link";
  return grantedTo(row.granted_to) || "named people";
}

const risk: ListFilter = {
  id: "risk",
  label: "Risk",
  single: true,
  options: [
    { value: "high", label: "anyone can edit" },
    { value: "open", label: "open to anyone" },
    { value: "guests", label: "guests" },
    { value: "inside", label: "inside only" },
  ],
  where: ([value]) =>
    value === "guests"
      ? [{ column: "risk", op: "in", values: [5, 6] }]
      : value === "inside"
        ? [{ column: "risk", op: "gte", value: 7 }]
        : [{ column: "risk", op: "lte", value: value === "high" ? 2 : 4 }],
};

export const shares = defineResource("document_share_list", {
  name: "sharing-links",
  title: "Sharing links",
  one: "Link",
  many: "links",
  icon: Link2,
  columns: (c) => [
    c.title("document_name", { label: "Document", aside: (row) => row.site_name, className: "max-w-56 2xl:max-w-96" }),
    c.custom("risk", { label: "Open to", phone: "badge" }, (row) => <Risk risk={row.risk} />),
    c.custom("granted_to", { label: "Whom", sort: false, className: "max-w-40 2xl:max-w-52 text-sm text-ink-2" }, whom),
    c.custom("expires_at", { label: "Ends", className: "text-sm" }, (row) => (row.expires_at ? <Ago at={row.expires_at} brief /> : <span className={row.risk <= 3 ? "text-bad" : "text-ink-3"}>never</span>)),
    c.text("customer_name", { label: "Customer", className: "max-w-36 2xl:max-w-52" }),
    c.ago("first_seen_at", { label: "Seen first", className: "text-sm text-ink-2" }),
    c.custom("todo", { label: "What to do", sort: false, phone: "hide", className: "max-w-56 text-sm text-ink-2" }, (row) => <span title={row.todo}>{row.todo}</span>),
    c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at"),
  ],
  search: ["document_name", "path", "customer_name"],
  filters: [risk],
  where: [{ column: "missing_since", op: "is", value: null }],
  defaultSort: "risk",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.document(row.customer_id, row.document_id),
  rowKey: (row) => row.id,
  empty: { title: "Nothing is shared", next: "Links and guests appear here for sites of which sharing is read: choose it under Sites." },
});
