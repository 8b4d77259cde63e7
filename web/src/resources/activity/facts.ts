import { isRecord, stringOrNull } from "@/api/errors";
import type { CoverageRow, DirectoryChangeRow, SignInRow } from "@/api/rows";

export const streams: Readonly<Record<CoverageRow["stream"], string>> = { directory_changes: "Directory changes", sign_in_log: "Sign-ins" };

export interface SpanPart {
  state: "read" | "gap" | "lost";
  from: number;
  to: number;
  reason: string | null;
}

/** The spans of a log, from the oldest; what cannot be read is left out. */
export function spansOf(value: unknown): SpanPart[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isRecord).flatMap((span): SpanPart[] => {
    const [from, to] = [Date.parse(stringOrNull(span.from) ?? ""), Date.parse(stringOrNull(span.to) ?? "")];
    const state = span.state;
    if (Number.isNaN(from) || Number.isNaN(to) || (state !== "read" && state !== "gap" && state !== "lost")) return [];
    return [{ state, from, to, reason: stringOrNull(span.reason) }];
  });
}

const LEAST_PERCENT = 2;

/** Widths in percent that come to a hundred; nothing is too narrow to be seen. */
export function widths(spans: readonly SpanPart[]): number[] {
  const lengths = spans.map((span) => Math.max(span.to - span.from, 0));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const wide = lengths.map((length) => Math.max(total === 0 ? 0 : (length / total) * 100, LEAST_PERCENT));
  const sum = wide.reduce((all, width) => all + width, 0);
  return wide.map((width) => (width / sum) * 100);
}

/** "+ Business Premium, - E3"; where the names are not known, that licenses changed. */
export function licenseWords(row: Pick<DirectoryChangeRow, "licenses_added" | "licenses_removed" | "changes_licenses">): string {
  const words = [...row.licenses_added.map((name) => `+ ${name}`), ...row.licenses_removed.map((name) => `− ${name}`)];
  return words.length > 0 ? words.join(", ") : row.changes_licenses ? "licenses changed" : "";
}

export function placeOf(row: Pick<SignInRow, "city" | "country">): string {
  return [row.city, row.country].filter((part) => part !== null && part !== "").join(", ") || "-";
}

export interface Property {
  name: string;
  before: string | null;
  after: string | null;
}

export function propertiesOf(value: unknown): Property[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isRecord).flatMap((property) => {
    const name = stringOrNull(property.name);
    return name === null ? [] : [{ name, before: stringOrNull(property.old), after: stringOrNull(property.new) }];
  });
}

/** Why a list of events is empty: nothing happened in what was read, or it is not known. `log` is what was read, once that is known. */
export function emptyWords(log: Pick<CoverageRow, "covered_to" | "state" | "reason"> | undefined, what: string): string {
  if (!log) return `What was read holds ${what}.`;
  if (log.covered_to === null) return `Not known: nothing was read${log.reason ? `, ${log.reason}` : ""}.`;
  return log.state === "whole" ? `The log, read without a gap, holds ${what}.` : `What was read of the log holds ${what}; parts are missing.`;
}
