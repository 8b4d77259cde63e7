import type { SecurityAlertRow, SecurityStatusRow } from "@/api/rows";

export interface ProbeWord {
  tone: "ok" | "warn" | "bad";
  text: string;
}

/** What is known of the isolation. Only a probe that ended well, lately, is good news. */
export function probeWord(status: SecurityStatusRow, ago: (at: string) => string): ProbeWord {
  const last = status.last_clean_at === null ? "It never ended well." : `It last ended well ${ago(status.last_clean_at)}.`;
  if (status.last_outcome === "breach") return { tone: "bad", text: `The last probe saw rows of another customer. ${last}` };
  if (status.last_outcome === "failed") return { tone: "warn", text: `The last probe could not look: nobody knows whether the isolation holds. ${last}` };
  if (status.is_overdue) return { tone: "warn", text: `The probe of the isolation has not run. ${last}` };
  return { tone: "ok", text: `The isolation of customers was probed ${status.last_clean_at === null ? "" : ago(status.last_clean_at)}: nothing came out.` };
}

/** Who took note of an alert, and what they said. */
export function noted(row: Pick<SecurityAlertRow, "reason" | "acknowledged_by_name">): string {
  if (row.reason === null) return "-";
  return row.acknowledged_by_name === null ? row.reason : `${row.acknowledged_by_name}: ${row.reason}`;
}
