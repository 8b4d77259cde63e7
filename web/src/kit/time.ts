import { useSyncExternalStore } from "react";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** "now", "22 s", "6 min", "3 h", "2 d": the shortest form that still decides. */
export function shortSpan(ms: number): string {
  const span = Math.max(0, ms);
  if (span < MINUTE_MS) return `${Math.floor(span / SECOND_MS)} s`;
  if (span < HOUR_MS) return `${Math.floor(span / MINUTE_MS)} min`;
  if (span < 2 * DAY_MS) return `${Math.floor(span / HOUR_MS)} h`;
  return `${Math.floor(span / DAY_MS)} d`;
}

/** "6 min ago", "in 2 h", "now". */
export function relative(at: string, now: number): string {
  const delta = now - Date.parse(at);
  if (Math.abs(delta) < 5 * SECOND_MS) return "now";
  return delta >= 0 ? `${shortSpan(delta)} ago` : `in ${shortSpan(-delta)}`;
}

/** How long something took: "0.4 s", "12 s", "2 min 5 s", "1 h 3 min". */
export function duration(ms: number): string {
  if (ms < 10 * SECOND_MS) return `${(Math.max(0, ms) / SECOND_MS).toFixed(1)} s`;
  if (ms < MINUTE_MS) return `${Math.round(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min ${Math.floor((ms % MINUTE_MS) / SECOND_MS)} s`;
  return `${Math.floor(ms / HOUR_MS)} h ${Math.floor((ms % HOUR_MS) / MINUTE_MS)} min`;
}

const clock = new Intl.DateTimeFormat("en-US", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const dayClock = new Intl.DateTimeFormat("en-US", { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
const full = new Intl.DateTimeFormat("en-US", {
  weekday: "short", year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  hour12: false, timeZoneName: "short",
});

/** "08:11:52" today, "Nov 21, 08:11" before. */
export function clockTime(at: string, now: number = Date.now()): string {
  const time = new Date(at);
  return time.toDateString() === new Date(now).toDateString() ? clock.format(time) : dayClock.format(time);
}
export function fullTime(at: string): string {
  return full.format(new Date(at));
}

const numbers = new Intl.NumberFormat("en-US");
export function count(value: number): string {
  return numbers.format(value);
}
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
export function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size >= 100 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${units[unit] ?? ""}`;
}

interface Ticker {
  now: number;
  subscribe: (listener: () => void) => () => void;
}
const tickers = new Map<number, Ticker>();

/** One shared timer per period, running only while somebody looks. */
function ticker(periodMs: number): Ticker {
  const known = tickers.get(periodMs);
  if (known) return known;
  const listeners = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  const made: Ticker = {
    now: Date.now(),
    subscribe(listener) {
      listeners.add(listener);
      made.now = Date.now();
      timer ??= setInterval(() => {
        made.now = Date.now();
        for (const each of listeners) each();
      }, periodMs);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) {
          clearInterval(timer);
          timer = undefined;
        }
      };
    },
  };
  tickers.set(periodMs, made);
  return made;
}

/** The time now, renewed every `periodMs`. */
export function useNow(periodMs = 10_000): number {
  const source = ticker(periodMs);
  return useSyncExternalStore(source.subscribe, () => source.now);
}
