import { describe, expect, it } from "vitest";
import { callFigures, HOURS_SHOWN } from "./calls";

const first = Date.parse("2026-03-01T00:00:00Z");
const row = (hour: string, name: string, calls: number, throttled = 0) => ({ hour, class: name, calls, throttled, failed: 0, waited_ms: 500 });

describe("requests to a vendor", () => {
  it("are summed by hour and by class, the busiest class first", () => {
    const rows = [row("2026-03-01T00:00:00+00:00", "sign-in", 1), row("2026-03-01T05:00:00+00:00", "directory", 40, 2), row("2026-03-01T05:00:00+00:00", "sign-in", 1)];
    const { bars, classes, total } = callFigures(rows, first);
    expect(bars).toHaveLength(HOURS_SHOWN);
    expect(bars.map((bar) => bar.value).filter((value) => value > 0)).toEqual([1, 41]);
    expect(bars[5]).toMatchObject({ value: 41, strong: true });
    expect(bars[5]?.label).toContain("41 requests, 2 throttled");
    expect(classes).toEqual([
      { name: "Directory", calls: 40, throttled: 2, failed: 0, waited_ms: 500 },
      { name: "Sign-in", calls: 2, throttled: 0, failed: 0, waited_ms: 1_000 },
    ]);
    expect(total.calls).toBe(42);
  });

  it("leave out what lies outside of the shown hours", () => {
    expect(callFigures([row("2026-03-03T00:00:00+00:00", "api", 7)], first).bars.every((bar) => bar.value === 0)).toBe(true);
  });
});
