import { isRecord, stringOrNull } from "@/api/errors";

const LINES_MAX = 12;

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** What an alert stands on, one sentence a line: what came out, why nobody could look, what was read most. */
export function details(detail: unknown): string[] {
  if (!isRecord(detail)) return [];
  const lines: string[] = [];
  const error = stringOrNull(detail.error);
  if (error !== null) lines.push(error);
  for (const finding of list(detail.findings)) {
    if (isRecord(finding)) lines.push(`${stringOrNull(finding.question) ?? "A question"}, asked by ${stringOrNull(finding.asker) ?? "somebody"}: ${stringOrNull(finding.what) ?? "something"}`);
  }
  for (const read of list(detail.top)) {
    if (isRecord(read) && typeof read.rows === "number") lines.push(`${stringOrNull(read.subject) || "Not itemized"}: ${read.rows.toLocaleString("en-US")} rows`);
  }
  return lines.length > LINES_MAX ? [...lines.slice(0, LINES_MAX), `and ${lines.length - LINES_MAX} more`] : lines;
}
