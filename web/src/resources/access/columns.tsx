import { ScanEye } from "lucide-react";
import { defineResource, statusFilter } from "@/kit/resource";
import { readSources } from "@/kit/status";
import { reader } from "./reader";

export const access = defineResource("access_log", {
  name: "access",
  title: "Access log",
  one: "Entry",
  many: "Entries",
  icon: ScanEye,
  columns: (c) => [
    { ...c.title("actor_name", { label: "Who" }), cell: (row) => <b className="font-medium">{reader(row)}</b>, plain: reader },
    c.text("subject", { label: "What", className: "max-w-64" }),
    c.badge("source", readSources, { label: "How" }),
    c.count("row_count", { label: "Rows" }),
    c.count("request_count", { label: "Requests", phone: "hide" }),
    c.custom("shape", { label: "Shape of the question", sort: false, phone: "hide", className: "max-w-96" }, (row) => (
      <code title={row.shape} className="block truncate font-mono text-sm text-ink-2">
        {row.shape === "" ? "-" : row.shape}
      </code>
    )),
    c.ago("last_at", { label: "Last", className: "text-sm text-ink-2" }),
  ],
  search: ["actor_name", "actor_email", "subject", "shape"],
  filters: [
    statusFilter("source", "How", readSources),
    {
      id: "since",
      label: "When",
      single: true,
      options: [
        { value: "1", label: "Last hour" },
        { value: "24", label: "Last day" },
        { value: "336", label: "Last 14 days" },
      ],
      where: ([hours]) => [{ column: "last_at", op: "gte", value: sinceHours(Number(hours), Date.now()) }],
    },
  ],
  defaultSort: "-last_at",
  tieBreak: "id",
  scopeColumn: null,
  path: null,
  rowKey: (row) => row.id,
  empty: { title: "No reads yet", next: "Who reads which table, in which shape and how many rows appears here within a minute. Values of filters are not kept." },
});

/** Longest time that the URL may ask for. */
const HOURS_MAX = 24 * 120;

/** To the minute, so that the question stays the same while the list is looked at. */
export function sinceHours(hours: number, now: number): string {
  const minute = 60_000;
  const span = Number.isFinite(hours) && hours > 0 && hours <= HOURS_MAX ? hours : 1;
  return new Date(Math.floor(now / minute) * minute - span * 60 * minute).toISOString();
}
