import { isRecord } from "@/api/errors";
import type { BackupState, DeviceFactRow, DeviceHealthRow, FactPart } from "@/api/rows";
import type { FactAge } from "@/kit/freshness";
import { plural } from "@/kit/time";

/** How a kind of facts was read, and what is to be said where there is nothing to show. */
export interface FactNote extends FactAge {
  /** Why nothing can be concluded from what is not shown; null when all was read. */
  says: string | null;
}

/** What is known of the reading of one part. A device that is newer than the last reading was not covered by it. */
export function noteOf(rows: readonly DeviceFactRow[], part: FactPart): FactNote {
  const row = rows.find((it) => it.part === part);
  if (!row) return { observedAt: null, complete: false, staleAt: null, says: "Not read yet." };
  const age = { observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at };
  if (row.state === "absent") return { ...age, says: "This NinjaOne does not have that report." };
  if (row.state === "complete") return { ...age, says: row.observed_at === null ? "The last reading is older than this device." : null };
  return { ...age, says: `The last reading was not whole: ${row.reason ?? "without a reason"}.` };
}

export interface Product {
  name: string;
  state: string | null;
  definitions: string | null;
  version: string | null;
}

/** Antivirus products as they were stored; what is not understood is left out. */
export function readProducts(value: unknown): Product[] {
  if (!Array.isArray(value)) return [];
  const text = (from: unknown) => (typeof from === "string" && from !== "" ? from : null);
  return value.flatMap((product: unknown) => {
    if (!isRecord(product)) return [];
    const { name, state, definitions, version } = product;
    return [{ name: text(name) ?? "A product without a name", state: text(state), definitions: text(definitions), version: text(version) }];
  });
}

type Counts = Pick<DeviceHealthRow, "patches_critical" | "patches_important" | "patches_other" | "patches_failed">;

/** "2 critical, 1 failed"; null when nothing was told. */
export function patchWords(counts: Counts): string | null {
  if (counts.patches_critical === null) return null;
  const parts: [number | null, string][] = [
    [counts.patches_critical, "critical"], [counts.patches_important, "important"], [counts.patches_other, "other"], [counts.patches_failed, "failed"],
  ];
  const said = parts.flatMap(([count, word]) => (count ? [`${count} ${word}`] : []));
  return said.length === 0 ? "none missing" : said.join(", ");
}

/** "1 active, 2 in quarantine"; null when nothing was told. */
export function threatWords(row: Pick<DeviceHealthRow, "threats_active" | "threats_quarantined">): string | null {
  if (row.threats_active === null) return null;
  const quarantined = row.threats_quarantined ? `, ${plural(row.threats_quarantined, "in quarantine", "in quarantine")}` : "";
  return row.threats_active === 0 && quarantined === "" ? "none" : `${row.threats_active} active${quarantined}`;
}

/** Three days after its last success a backup is late; the view says the same (`device_list.backup_state`). */
export function backupWords(state: BackupState | null, says: string | null): string {
  if (state === null) return says ?? "does not apply";
  return { current: "backed up", late: "late", none: "none" }[state];
}

/** A custom field in words: dates come in milliseconds, choices as lists. */
export function fieldWords(kind: string, value: unknown): string {
  if (kind === "checkbox" && typeof value === "boolean") return value ? "yes" : "no";
  if ((kind === "date" || kind === "date_time") && typeof value === "number") {
    const at = new Date(value);
    if (Number.isNaN(at.getTime())) return String(value);
    return kind === "date" ? at.toISOString().slice(0, 10) : at.toISOString().slice(0, 16).replace("T", " ");
  }
  if (Array.isArray(value)) return value.map((item: unknown) => fieldWords("", item)).join(", ");
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
