import { shortSpan } from "./time";

export type FreshnessState = "fresh" | "partial" | "stale" | "unknown";

export interface FactAge {
  observedAt: string | null;
  /** Was the read that brought it whole? */
  complete?: boolean | null | undefined;
  /** Parts read of parts there are, when the source reads in parts. */
  parts?: { read: number; of: number } | undefined;
  /** From when on it is stale, as the server says (`stale_at`); null: it never is. The same moment stops every automation. */
  staleAt: string | null;
}

/** How far a fact can be trusted now, and the words for it. Stale outranks partial: an old half-read is old first. */
export function freshness(fact: FactAge, now: number): { state: FreshnessState; text: string } {
  if (fact.observedAt === null) return { state: "unknown", text: "never read" };
  const age = Math.max(0, now - Date.parse(fact.observedAt));
  const partial = fact.complete === false || (fact.parts !== undefined && fact.parts.read < fact.parts.of);
  if (fact.staleAt !== null && now >= Date.parse(fact.staleAt)) {
    return { state: "stale", text: `stale, read ${shortSpan(age)} ago` };
  }
  if (partial) {
    const words = fact.parts ? `partial: ${fact.parts.read} of ${fact.parts.of} parts` : "partial";
    return { state: "partial", text: `${words}, ${shortSpan(age)} ago` };
  }
  return { state: "fresh", text: age < 5_000 ? "now" : `${shortSpan(age)} ago` };
}
