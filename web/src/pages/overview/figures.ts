import type { AlertsByHourRow, CustomerListRow, SlaByPriorityRow, TicketPriority } from "@/api/rows";
import { plural } from "@/kit/time";
import type { Bar } from "@/ui/charts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOURS = 24;

/** 24 bars ending with the running hour; hours without alerts are bars of zero. */
export function alertBars(rows: readonly AlertsByHourRow[], now: number): Bar[] {
  const byHour = new Map<number, number>();
  for (const row of rows) {
    const hour = Date.parse(row.hour);
    byHour.set(hour, (byHour.get(hour) ?? 0) + row.alerts);
  }
  const last = Math.floor(now / HOUR_MS) * HOUR_MS;
  return Array.from({ length: HOURS }, (_, index) => {
    const at = last - (HOURS - 1 - index) * HOUR_MS;
    const value = byHour.get(at) ?? 0;
    const clock = `${String(new Date(at).getHours()).padStart(2, "0")}:00`;
    return { key: String(at), value, label: `${clock}: ${value} ${value === 1 ? "alert" : "alerts"}`, strong: index >= HOURS - 6, tick: index % 6 === 0 ? clock : undefined };
  });
}

/** How many of the moments fall on each of the last `days` days, oldest first, today last. */
export function perDay(moments: readonly string[], days: number, now: number): number[] {
  const counts = Array.from({ length: days }, () => 0);
  const today = new Date(now).setHours(0, 0, 0, 0);
  for (const moment of moments) {
    const back = Math.floor((today + DAY_MS - 1 - Date.parse(moment)) / DAY_MS);
    const at = days - 1 - back;
    const known = counts[at];
    if (known !== undefined) counts[at] = known + 1;
  }
  return counts;
}

export interface SlaFigure {
  priority: TicketPriority;
  tickets: number;
  within: number;
  percent: number | null;
}
const LEVELS: readonly TicketPriority[] = ["p1", "p2", "p3", "p4"];

export function slaFigures(rows: readonly SlaByPriorityRow[]): SlaFigure[] {
  return LEVELS.map((priority) => {
    const own = rows.filter((row) => row.priority === priority);
    const tickets = own.reduce((sum, row) => sum + row.tickets, 0);
    const within = own.reduce((sum, row) => sum + row.within_target, 0);
    return { priority, tickets, within, percent: tickets === 0 ? null : (within / tickets) * 100 };
  });
}

/** The greeting's second half: how much waits for this person. */
export function needSentence(things: number): string {
  if (things === 0) return "Nothing needs you.";
  const small = ["One thing needs", "Two things need", "Three things need", "Four things need", "Five things need"][things - 1];
  return `${small ?? `${things} things need`} you.`;
}

export function greeting(hour: number): string {
  if (hour < 5) return "Good night.";
  if (hour < 12) return "Good morning.";
  return hour < 18 ? "Good afternoon." : "Good evening.";
}

type NeedCounts = Pick<CustomerListRow, "incidents_need_attention" | "approvals_waiting" | "tickets_breached" | "devices_stale" | "alerts_open">;

/** What of a customer waits for a person, most urgent first; nothing is said of what is at rest. */
export function wordsOfNeed(row: NeedCounts): string[] {
  return [
    row.incidents_need_attention > 0 ? plural(row.incidents_need_attention, "incident") : "",
    row.approvals_waiting > 0 ? plural(row.approvals_waiting, "approval") : "",
    row.tickets_breached > 0 ? `${plural(row.tickets_breached, "ticket")} late` : "",
    row.devices_stale > 0 ? `${plural(row.devices_stale, "device")} stale` : "",
    row.alerts_open > 0 ? plural(row.alerts_open, "alert") : "",
  ].filter(Boolean);
}
