import { shortSpan } from "./time";

export type FreshnessState = "fresh" | "partial" | "stale" | "unknown";

export interface FactAge {
  observedAt: string | null;
  /** Was the read that brought it whole? */
  complete?: boolean | null | undefined;
  /** Parts read of parts there are, when the source reads in parts. */
  parts?: { read: number; of: number } | undefined;
  /** Older than this is stale, ms. */
  staleAfterMs?: number | undefined;
}

/** Three missed reads of the default period of 15 minutes: for what every synchronization renews (a source as a whole). */
export const STALE_AFTER_MS = 45 * 60_000;

/**
 * A missed full read of the default period of 24 hours: for single rows. Between full reads a row is read again when its
 * source reports a change, so an unchanged device is legitimately as old as the last full read.
 */
export const ROW_STALE_AFTER_MS = 26 * 3_600_000;

/** How far a fact can be trusted now, and the words for it. Stale outranks partial: an old half-read is old first. */
export function freshness(fact: FactAge, now: number): { state: FreshnessState; text: string } {
  if (fact.observedAt === null) return { state: "unknown", text: "never read" };
  const age = Math.max(0, now - Date.parse(fact.observedAt));
  const partial = fact.complete === false || (fact.parts !== undefined && fact.parts.read < fact.parts.of);
  if (age > (fact.staleAfterMs ?? STALE_AFTER_MS)) {
    return { state: "stale", text: `stale since ${shortSpan(age)}` };
  }
  if (partial) {
    const words = fact.parts ? `partial: ${fact.parts.read} of ${fact.parts.of} parts` : "partial";
    return { state: "partial", text: `${words}, ${shortSpan(age)} ago` };
  }
  return { state: "fresh", text: age < 5_000 ? "now" : `${shortSpan(age)} ago` };
}
