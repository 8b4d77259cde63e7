import { isRecord, stringOrNull } from "@/api/errors";
import type { DriftSeverity, PostureOutcome } from "@/api/rows";
import { plural } from "@/kit/time";

/** What one check of a tenant came to, as the list of tenants carries it. */
export interface CheckFact {
  id: string;
  check: string;
  title: string;
  outcome: PostureOutcome;
  /** Known last; null when it was never known. */
  findings: number | null;
}

const OUTCOMES: readonly PostureOutcome[] = ["passed", "failed", "unknown"];

function outcomeOf(value: unknown): PostureOutcome {
  return OUTCOMES.find((outcome) => outcome === value) ?? "unknown";
}

/** The checks inside a tenant's row; what is none is left out. */
export function checksOf(outcomes: unknown): CheckFact[] {
  if (!Array.isArray(outcomes)) return [];
  return outcomes.flatMap((it: unknown) => {
    if (!isRecord(it)) return [];
    const [id, check, title] = [stringOrNull(it.id), stringOrNull(it.check), stringOrNull(it.title)];
    return id === null || check === null || title === null ? [] : [{ id, check, title, outcome: outcomeOf(it.outcome), findings: typeof it.findings === "number" ? it.findings : null }];
  });
}

/** Findings of the last days, oldest first. A day on which nothing was known carries the number before. */
export function findingsOf(days: unknown): number[] {
  if (!Array.isArray(days)) return [];
  return days.flatMap((day: unknown) => (isRecord(day) && typeof day.findings === "number" ? [day.findings] : []));
}

/** What a check found, in a few words: also for who does not see colors. */
export function checkWords(check: Pick<CheckFact, "title" | "outcome" | "findings">): string {
  switch (check.outcome) {
    case "failed":
      return `${check.title}: ${check.findings ?? 0}`;
    case "unknown":
      return check.findings === null ? `${check.title}: unknown` : `${check.title}: unknown, ${check.findings} when last known`;
    case "passed":
      return `${check.title}: none`;
  }
}

const READS: Readonly<Record<string, string>> = {
  people: "accounts",
  roles: "administrator roles",
  sign_ins: "last sign-ins",
  policies: "access policies",
  applications: "applications",
  secure_score: "secure score",
  mail_domains: "mail domains",
  forwardings: "forwardings",
  sharing: "sharing links",
};

/** The readings that a check stands on. */
export function readWords(reads: unknown): string {
  if (!Array.isArray(reads)) return "-";
  return reads.flatMap((read: unknown) => (typeof read === "string" ? [READS[read] ?? read.replaceAll("_", " ")] : [])).join(", ");
}

/** Why nothing can be said: the reading, its reason, and the right to give where one is missing. */
export function missingWords(row: { missing_read: string | null; missing_reason: string | null; permission: string | null }): string {
  if (row.missing_read === null) return "-";
  const read = readWords([row.missing_read]);
  const right = row.permission === null ? "" : ` (right: ${row.permission})`;
  return `${read.charAt(0).toUpperCase()}${read.slice(1)}: ${row.missing_reason ?? "not read"}${right}`;
}

/** What a check looks at, one and many. */
const THINGS: Readonly<Record<string, readonly [string, string]>> = {
  admin_mfa: ["administrator", "administrators"],
  guest_roles: ["guest", "guests"],
  guest_idle: ["guest", "guests"],
  app_credentials: ["secret or certificate", "secrets and certificates"],
  anonymous_links: ["site", "sites"],
  outside_forwarding: ["forwarding", "forwardings"],
  spf: ["domain", "domains"],
  dkim: ["domain", "domains"],
  dmarc: ["domain", "domains"],
  secure_score: ["score", "scores"],
};

/** What was found in how much, or why nobody knows. */
export function checkText(row: { check_key: string; outcome: PostureOutcome; looked_at: number | null; findings: number | null; missing_read: string | null; missing_reason: string | null; permission: string | null }): string {
  if (row.outcome === "unknown") return missingWords(row);
  const looked = row.looked_at ?? 0;
  const [one, many] = THINGS[row.check_key] ?? ["thing", "things"];
  return `${row.outcome === "failed" ? plural(row.findings ?? 0, "finding") : "nothing"} in ${plural(looked, one, many)}`;
}

const HIGH = 2;
/** The word of the worst severity that failed. */
export function worst(rank: number | null): DriftSeverity | null {
  if (rank === null) return null;
  if (rank <= 1) return "critical";
  return rank === HIGH ? "high" : rank === HIGH + 1 ? "medium" : "low";
}
