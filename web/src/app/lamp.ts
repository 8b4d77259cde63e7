import type { SourceListRow } from "@/api/rows";
import { freshness } from "@/kit/freshness";
import { sourceAge } from "@/kit/vendors";

export type Lamp = "ok" | "warn" | "bad";

/** Worst of all sources decides: refused credentials and stale is red, partial, held back or unmapped is amber. */
export function lampOf(sources: SourceListRow[], now: number): { lamp: Lamp; text: string } {
  const live = sources.filter((source) => source.enabled);
  if (live.length === 0) return { lamp: "warn", text: "no source connected" };
  const stale = live.filter((source) => ["stale", "unknown"].includes(freshness(sourceAge(source), now).state));
  const refused = live.filter((source) => source.credentials_failed_at !== null);
  if (refused.length > 0) return { lamp: "bad", text: `${refused.length} of ${live.length} sources refused` };
  if (stale.length > 0) return { lamp: "bad", text: `${stale.length} of ${live.length} sources stale` };
  const half = live.filter((source) => source.last_state === "partial" || source.last_state === "suspect" || source.last_state === "failed");
  if (half.length > 0) return { lamp: "warn", text: `${half.length} of ${live.length} sources not complete` };
  return { lamp: "ok", text: live.length === 1 ? "1 source fresh" : `${live.length} sources fresh` };
}
