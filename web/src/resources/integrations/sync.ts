import type { SourceListRow, SyncState } from "@/api/rows";
import { useCan } from "@/kit/permissions";

export function isOpenSync(state: SyncState | null): boolean {
  return state === "queued" || state === "running";
}

/** Why this person cannot start a synchronization now; null when they can. */
export function useSyncBlocked(source: Pick<SourceListRow, "enabled" | "last_state">): string | null {
  const { reason } = useCan();
  return (
    reason("integrations:sync") ??
    (source.enabled ? null : "This source is switched off.") ??
    (isOpenSync(source.last_state) ? "A synchronization is going on." : null)
  );
}

/** A short upper-case code for a new customer: initials of the words, or the first letters. */
export function codeFor(name: string): string {
  const words = name.normalize("NFKD").replaceAll(/[^A-Za-z0-9 ]/g, "").trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? words.map((word) => word[0]).join("") : (words[0] ?? "").slice(0, 4);
  return letters.toUpperCase().padEnd(2, "X").slice(0, 8);
}

export function slugFor(name: string): string {
  const slug = name.normalize("NFKD").toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "");
  return slug.slice(0, 63) || "customer";
}

/** What the server asks for at most once `rows` were accepted (`domain::estate::accepted_rows_max`); said in the dialog, decided there. */
export function acceptedRowsMax(rows: number): number {
  return rows + Math.max(10, Math.floor(rows / 100) * 5);
}
