import type { VendorCallRow } from "@/api/rows";
import type { Bar } from "@/ui/charts";

export const HOURS_SHOWN = 24;
const HOUR_MS = 3_600_000;
const TICK_HOURS = 6;
/** What the vendors' classes of calls are called on the page. */
const CLASS_NAMES: Readonly<Record<string, string | undefined>> = {
  api: "API",
  "sign-in": "Sign-in",
  intune: "Intune",
  sharepoint: "SharePoint",
};

export interface ClassFigures {
  name: string;
  calls: number;
  throttled: number;
  failed: number;
  waited_ms: number;
}

type Counted = Pick<VendorCallRow, "hour" | "class" | "calls" | "throttled" | "failed" | "waited_ms">;

const nameOf = (name: string) => CLASS_NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1);

/** A bar for each hour since `first` (milliseconds), the sums of each class, and of all. */
export function callFigures(rows: readonly Counted[], first: number): { bars: Bar[]; classes: ClassFigures[]; total: ClassFigures } {
  const classes = new Map<string, ClassFigures>();
  const total: ClassFigures = { name: "All", calls: 0, throttled: 0, failed: 0, waited_ms: 0 };
  const perHour = Array.from({ length: HOURS_SHOWN }, () => ({ calls: 0, throttled: 0 }));
  for (const row of rows) {
    const of = classes.get(row.class) ?? { name: nameOf(row.class), calls: 0, throttled: 0, failed: 0, waited_ms: 0 };
    classes.set(row.class, of);
    for (const sum of [of, total]) {
      sum.calls += row.calls;
      sum.throttled += row.throttled;
      sum.failed += row.failed;
      sum.waited_ms += row.waited_ms;
    }
    const hour = perHour[Math.round((Date.parse(row.hour) - first) / HOUR_MS)];
    if (hour) {
      hour.calls += row.calls;
      hour.throttled += row.throttled;
    }
  }
  const bars = perHour.map(({ calls, throttled }, index) => {
    const at = new Date(first + index * HOUR_MS);
    const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const label = `${time}, ${calls} requests${throttled > 0 ? `, ${throttled} throttled` : ""}`;
    return { key: at.toISOString(), value: calls, label, strong: throttled > 0, tick: index % TICK_HOURS === 0 ? time : undefined };
  });
  return { bars, classes: [...classes.values()].sort((a, b) => b.calls - a.calls), total };
}
