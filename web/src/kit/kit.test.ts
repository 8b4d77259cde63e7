import { describe, expect, it } from "vitest";
import { csv } from "./csv";
import { readCause } from "@/resources/differences/cause";
import { factName, factText, reach } from "./facts";
import { endedMonths, money, monthName, quantity } from "./money";
import { freshness } from "./freshness";
import { paths, programKey } from "./paths";
import { nextSort, readListState, writeListState, type ListRules } from "./listState";
import { scopedPath } from "./scope";
import { alertKind, alertStates, changeStates, runStates, statusOf, stepStates, words } from "./status";
import { vendorOf } from "./vendors";
import { bytes, duration, plural, relative, shortSpan } from "./time";

const now = Date.parse("2026-11-22T08:00:00Z");
const before = (ms: number) => new Date(now - ms).toISOString();
const MIN = 60_000;

describe("time", () => {
  it.each([
    [0, "0 s"], [59_999, "59 s"], [60_000, "1 min"], [59 * MIN, "59 min"], [60 * MIN, "1 h"], [47 * 60 * MIN, "47 h"], [48 * 60 * MIN, "2 d"], [-5, "0 s"],
  ])("says a span of %i ms as %s", (ms, text) => expect(shortSpan(ms)).toBe(text));
  it("says moments around now", () => {
    expect(relative(before(2_000), now)).toBe("now");
    expect(relative(before(6 * MIN), now)).toBe("6 min ago");
    expect(relative(before(-2 * 60 * MIN), now)).toBe("in 2 h");
  });
  it.each([[400, "0.4 s"], [12_300, "12 s"], [125_000, "2 min 5 s"], [3_780_000, "1 h 3 min"]])("says a duration of %i ms as %s", (ms, text) => expect(duration(ms)).toBe(text));
  it("says sizes and counts", () => {
    expect(bytes(7.1 * 2 ** 30)).toBe("7.1 GB");
    expect(bytes(512)).toBe("512 B");
    expect(plural(1, "device")).toBe("1 device");
    expect(plural(2_500, "device")).toBe("2,500 devices");
  });
});

describe("freshness", () => {
  it("is fresh when read whole and lately", () => expect(freshness({ observedAt: before(9 * MIN), complete: true, staleAt: before(-MIN) }, now)).toEqual({ state: "fresh", text: "9 min ago" }));
  it("names the parts of a partial read", () =>
    expect(freshness({ observedAt: before(4 * MIN), parts: { read: 3, of: 14 }, staleAt: null }, now)).toEqual({ state: "partial", text: "partial: 3 of 14 parts, 4 min ago" }));
  it("is stale from the moment that the server names, even when it was partial", () => {
    const at = (staleAt: string | null) => freshness({ observedAt: before(50 * MIN), complete: false, staleAt }, now);
    expect(at(before(0))).toEqual({ state: "stale", text: "stale, read 50 min ago" });
    expect(at(before(-1)).state).toBe("partial");
    expect(at(null).state).toBe("partial");
  });
  it("knows that nothing was read", () => expect(freshness({ observedAt: null, staleAt: null }, now)).toEqual({ state: "unknown", text: "never read" }));
});

describe("paths", () => {
  it("names a program by all that tells it apart, and takes nothing else for one", () => {
    const path = paths.software("C/C++ & more?", "1.0", "");
    expect(path.split("/")).toHaveLength(3);
    expect(programKey(decodeURIComponent(path.split("/")[2] ?? ""))).toEqual(["C/C++ & more?", "1.0", ""]);
    expect([undefined, "x", "[1,2,3]", "[\"a\"]"].map(programKey)).toEqual(Array(4).fill(["", "", ""]));
  });
});

describe("list state", () => {
  const rules: ListRules = { filterIds: ["state", "class"], sortable: new Set(["name", "observed_at"]), defaultSort: "name" };
  const read = (query: string) => readListState(new URLSearchParams(query), rules);
  it("reads the URL", () =>
    expect(read("q=fs&state=open,closed&sort=-observed_at&page=3&size=100")).toEqual({
      q: "fs", filters: { state: ["open", "closed"] }, sort: { column: "observed_at", descending: true }, page: 3, size: 100,
    }));
  it.each(["sort=password", "page=0", "page=x", "size=7", "page=99999999"])("ignores what does not fit: %s", (query) =>
    expect(read(query)).toEqual({ q: "", filters: {}, sort: { column: "name", descending: false }, page: 1, size: 50 }));
  it("writes only what differs from the defaults and keeps other parameters", () => {
    const params = writeListState(new URLSearchParams("customer=c1&q=old&page=4"), read("state=open"), rules);
    expect(params.toString()).toBe("customer=c1&state=open");
  });
  it("goes around: ascending, descending, the list's own order", () => {
    const first = nextSort({ column: "name", descending: false }, "observed_at", "name");
    expect(first).toEqual({ column: "observed_at", descending: false });
    const second = nextSort(first, "observed_at", "name");
    expect(second.descending).toBe(true);
    expect(nextSort(second, "observed_at", "name")).toEqual({ column: "name", descending: false });
  });
});

describe("scope", () => {
  it("keeps the customer in every path", () => {
    expect(scopedPath("/devices", "c1", { status: "attention" })).toBe("/devices?status=attention&customer=c1");
    expect(scopedPath("/devices", null)).toBe("/devices");
  });
});

describe("vocabulary", () => {
  it("has no state called completed", () => {
    for (const vocabulary of [runStates, stepStates, changeStates, alertStates]) {
      expect(Object.values(vocabulary).map((status) => status.label.toLowerCase())).not.toContain("completed");
    }
  });
  it("gives the same word the same look everywhere", () => {
    expect(runStates.verified).toBe(changeStates.verified);
    expect(runStates.failed).toBe(stepStates.failed);
  });
  it("shows a value it does not know", () => expect(statusOf(runStates, "brand_new")).toMatchObject({ label: "Brand new", tone: "mute" }));
  it("names what raised an alert and where it came from", () => {
    expect([alertKind("cipp_alert"), alertKind("microsoft_security"), alertKind("disk_full")]).toEqual(["Check", "Security alert", "Disk full"]);
    expect([vendorOf("cipp").name, vendorOf("microsoft").name, vendorOf("brand_new").name]).toEqual(["CIPP", "Microsoft 365", "brand_new"]);
  });
  it("writes identifiers as words", () => expect(words("disk_full")).toBe("Disk full"));
});

describe("facts", () => {
  it("says units", () => {
    expect(factText("free_bytes", 2 ** 30)).toBe("1.0 GB");
    expect(factText("disk_used_percent", 97.14)).toBe("97.1 %");
    expect(factText("offline", null)).toBe("unknown");
    expect(factName("disk_used_percent")).toBe("disk used");
  });
});

describe("csv", () => {
  it("quotes, and never lets a cell be a formula", () => expect(csv(["a"], [['=cmd("x")'], ["-5"], ['say "hi"']])).toBe(`"a"\r\n"'=cmd(""x"")"\r\n"-5"\r\n"say ""hi"""`));
});

describe("money", () => {
  it("has its currency, and its sign before it", () => {
    expect(money(1240, "USD")).toBe("$1,240.00");
    expect(money("-840.5", "USD")).toBe("-$840.50");
  });
  it("counts without the zeros of the database", () => {
    expect(quantity("12.0000")).toBe("12");
    expect(quantity(2.5)).toBe("2.5");
  });
  it("offers months that have ended, over the turn of the year", () => {
    const january = Date.UTC(2027, 0, 1, 0, 0, 1);
    expect(endedMonths(january, 2)).toEqual(["2026-12-01", "2026-11-01"]);
    expect(monthName("2026-12-01")).toBe("December 2026");
  });
  it("reaches no device when only a bill changes", () => {
    expect(reach({ devices: 0, customers: 1 }, "-")).toBe("1 customer");
    expect(reach({ devices: 3, customers: 1 }, "-")).toBe("3 devices, 1 customer");
    expect(reach(null, "unknown")).toBe("unknown");
  });
  it("reads causes with whatever is missing", () => {
    expect(readCause(null)).toEqual({ lineChangedAt: null, devices: [], devicesTotal: 0, people: [], peopleTotal: 0, lines: [] });
    const cause = readCause({ devices: [{ id: "a", name: "PC-1", at: "2026-01-01" }], devices_total: 24, lines: [{ id: "l", ref: "30001", quantity: "59", is_active: true }] });
    expect(cause.devicesTotal).toBe(24);
    const seats = readCause({ people: [{ id: "p", name: "Ada Lovelace", at: null }] });
    expect([seats.people[0]?.name, seats.peopleTotal, seats.devicesTotal]).toEqual(["Ada Lovelace", 1, 0]);
    expect(cause.lines[0]).toEqual({ id: "l", ref: "30001", quantity: "59", rate: null, active: true, disconnectedAt: null });
  });
});
