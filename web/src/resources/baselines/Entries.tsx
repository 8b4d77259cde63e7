import { Plus } from "lucide-react";
import { useState } from "react";
import { ruleOf, ruleWords, type EntryDraft, type LayerOf } from "@/api/drift";
import { useRows } from "@/api/queries";
import type { BaselineEntryRow, CustomerEntryRow, StandardRow } from "@/api/rows";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { useCan } from "@/kit/permissions";
import { driftSeverities } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { plural } from "@/kit/time";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";
import { EntryEditor } from "./EntryEditor";

const ENTRIES_MAX = 300;
const OTHER = "Other settings";

export type EntryRow = Pick<BaselineEntryRow | CustomerEntryRow, "id" | "setting" | "rule" | "is_demanded" | "severity" | "why">;
/** A setting of the library, or one that is known by its key only. */
export interface Line {
  setting: string;
  name: string;
  category: string;
  standard: StandardRow | null;
  entry: EntryRow | null;
}

function useEntries(layer: LayerOf) {
  const columns = "id,setting,rule,is_demanded,severity,why";
  const ofBaseline = useRows("baseline_entries", { columns, where: [{ column: "baseline_id", op: "eq", value: layer.id }], limit: ENTRIES_MAX, enabled: layer.kind !== "customer" });
  const ofCustomer = useRows("customer_baseline_entries", { columns, where: [{ column: "customer_id", op: "eq", value: layer.id }], limit: ENTRIES_MAX, enabled: layer.kind === "customer" });
  return layer.kind === "customer" ? ofCustomer : ofBaseline;
}

/** The library by category, with what this layer says of each setting. */
export function Entries({ layer }: { layer: LayerOf }) {
  const { reason } = useCan();
  const [edited, setEdited] = useState<Line | "new" | null>(null);
  const standards = useRows("standards", { order: [{ column: "category" }, { column: "name" }], limit: ENTRIES_MAX });
  const entries = useEntries(layer);
  const forbidden = reason("baselines:write");
  const lines = linesOf(standards.rows, entries.rows);
  const categories = [...new Set(lines.map((line) => line.category))];
  const error = standards.error ?? entries.error;
  if (error) return <ErrorNotice error={error} what="The settings could not be read." retry={standards.error ? standards.refetch : entries.refetch} />;
  if (standards.isPending || entries.isPending) return <SkeletonRows rows={12} />;
  return (
    <>
      {categories.map((category) => {
        const mine = lines.filter((line) => line.category === category);
        return (
          <Card key={category} title={category} aside={plural(mine.filter((line) => line.entry?.is_demanded).length, "demand")}>
            <ul>
              {mine.map((line) => (
                <li key={line.setting} className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3.5 py-2 last:border-b-0">
                  <span className="min-w-0 flex-1 basis-64">
                    <span className="block font-medium">{line.name}</span>
                    <span className="block text-sm text-ink-2">{line.standard?.what ?? line.setting}</span>
                  </span>
                  <Said line={line} />
                  <Button size="sm" reason={forbidden} aria-label={`Edit ${line.name}`} onClick={() => setEdited(line)}>
                    {line.entry ? "Edit" : "Demand…"}
                  </Button>
                </li>
              ))}
            </ul>
          </Card>
        );
      })}
      <p>
        <Button icon={<Plus aria-hidden className="size-3.5" />} reason={forbidden} onClick={() => setEdited("new")}>
          A setting that is not in the library
        </Button>
      </p>
      {edited ? <EntryEditor layer={layer} line={edited === "new" ? null : edited} entries={draftsOf(entries.rows)} onClose={() => setEdited(null)} /> : null}
    </>
  );
}

function Said({ line }: { line: Line }) {
  if (line.entry === null) return <span className="text-sm text-ink-3">not in this layer</span>;
  const rule = ruleOf(line.entry.rule);
  if (!line.entry.is_demanded || rule === null) return <Badge tone="mute">Not demanded</Badge>;
  return (
    <>
      <span className="max-w-72 truncate font-medium" title={ruleWords(rule)}>{ruleWords(rule)}</span>
      <StatusBadge of={driftSeverities} value={line.entry.severity} />
    </>
  );
}

function linesOf(standards: StandardRow[], entries: EntryRow[]): Line[] {
  const entryOf = (setting: string) => entries.find((entry) => entry.setting === setting) ?? null;
  const known = standards.map((standard) => ({ setting: standard.setting, name: standard.name, category: standard.category, standard, entry: entryOf(standard.setting) }));
  const others = entries.filter((entry) => !standards.some((standard) => standard.setting === entry.setting));
  return [...known, ...others.map((entry) => ({ setting: entry.setting, name: entry.setting, category: OTHER, standard: null, entry }))];
}

function draftsOf(entries: EntryRow[]): EntryDraft[] {
  return entries.map((entry) => ({ setting: entry.setting, rule: entry.is_demanded ? ruleOf(entry.rule) : null, severity: entry.severity, why: entry.why }));
}
