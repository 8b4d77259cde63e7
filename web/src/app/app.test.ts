import { describe, expect, it } from "vitest";
import type { SourceListRow } from "@/api/rows";
import { alertBars, greeting, needSentence, perDay, slaFigures, wordsOfNeed } from "@/pages/overview/figures";
import { safeNext } from "@/pages/sign-in/next";
import { codeFor, slugFor } from "@/resources/integrations/sync";
import { lampOf } from "./lamp";
import { navigationFor } from "./navigation";

const now = Date.parse("2026-11-22T08:14:00Z");
const ago = (ms: number) => new Date(now - ms).toISOString();

describe("navigation", () => {
  const labels = (permissions: string[], provider: boolean) =>
    navigationFor((permission) => permissions.includes(permission), provider).flatMap((group) => group.entries.map((entry) => entry.label));
  it("shows a portal person only what their permissions reach", () =>
    expect(labels(["tickets:read", "devices:read", "customers:read", "integrations:read"], false)).toEqual(["Overview", "Tickets", "Devices"]));
  it("shows an owner everything", () =>
    expect(labels(["tickets:read", "incidents:read", "alerts:read", "customers:read", "devices:read", "runs:read", "approvals:read", "integrations:read", "security:read", "audit:read"], true)).toHaveLength(15));
  it("gives every page its own key", () => {
    const keys = navigationFor(() => true, true).flatMap((group) => group.entries.map((entry) => entry.key));
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("lamp", () => {
  const source = (over: Partial<SourceListRow>) => ({ vendor: "ninjaone", enabled: true, last_ended_at: ago(60_000), stale_after_s: 600, last_complete_at: ago(60_000), stale_at: ago(-60_000), credentials_failed_at: null, last_state: "complete", ...over }) as SourceListRow;
  it.each([
    [[], "warn"],
    [[source({})], "ok"],
    [[source({}), source({ last_state: "partial" })], "warn"],
    [[source({ last_state: "suspect" })], "warn"],
    [[source({ stale_at: ago(0) }), source({})], "bad"],
    [[source({ credentials_failed_at: ago(5) })], "bad"],
    [[source({ last_complete_at: null })], "bad"],
    // A tenant that keeps the app out says nothing of the others.
    [[source({ vendor: "microsoft", last_state: "partial", last_complete_at: null, stale_at: null })], "warn"],
    [[source({ vendor: "microsoft", last_state: "partial", last_complete_at: null, last_ended_at: ago(700_000) })], "bad"],
    [[source({ vendor: "microsoft", last_state: "failed", last_complete_at: null })], "bad"],
    [[source({ enabled: false, last_complete_at: null }), source({})], "ok"],
  ] as const)("of case %#", (sources, lamp) => expect(lampOf([...sources], now).lamp).toBe(lamp));
});

describe("way back after the sign-in", () => {
  it.each([["/devices?page=2", "/devices?page=2"], ["//evil.example", "/"], ["/\\evil.example", "/"], ["https://evil.example", "/"], [null, "/"], ["javascript:alert(1)", "/"]])("%s leads to %s", (next, path) =>
    expect(safeNext(next)).toBe(path));
});

describe("overview figures", () => {
  it("fills hours without alerts and sums customers", () => {
    const hour = new Date(Math.floor(now / 3_600_000) * 3_600_000).toISOString();
    const bars = alertBars([{ customer_id: "a", hour, alerts: 2 }, { customer_id: "b", hour, alerts: 3 }], now);
    expect(bars).toHaveLength(24);
    expect(bars.at(-1)?.value).toBe(5);
    expect(bars.slice(0, 23).every((bar) => bar.value === 0)).toBe(true);
  });
  it("counts per day, today last, and leaves out what is older", () => {
    const noon = new Date(now).setHours(12, 0, 0, 0);
    expect(perDay([new Date(noon).toISOString(), new Date(noon - 86_400_000).toISOString(), new Date(noon - 9 * 86_400_000).toISOString()], 3, noon)).toEqual([0, 1, 1]);
  });
  it("has no percentage without tickets", () => {
    const figures = slaFigures([{ customer_id: "a", priority: "p2", tickets: 4, within_target: 3 }, { customer_id: "b", priority: "p2", tickets: 4, within_target: 4 }]);
    expect(figures.map((level) => level.percent)).toEqual([null, 87.5, null, null]);
  });
  it("says of a customer only what waits", () => {
    const calm = { incidents_need_attention: 0, approvals_waiting: 0, tickets_breached: 0, devices_stale: 0, alerts_open: 0 };
    expect(wordsOfNeed(calm)).toEqual([]);
    expect(wordsOfNeed({ ...calm, tickets_breached: 1, devices_stale: 12 })).toEqual(["1 ticket late", "12 devices stale"]);
  });
  it("greets", () => {
    expect(needSentence(0)).toBe("Nothing needs you.");
    expect(needSentence(2)).toBe("Two things need you.");
    expect(needSentence(12)).toBe("12 things need you.");
    expect(greeting(8)).toBe("Good morning.");
  });
});

describe("names for a new customer", () => {
  it.each([["Brightwater Hotels", "BH", "brightwater-hotels"], ["Acme", "ACME", "acme"], ["X", "XX", "x"], ["Pine & Oak GmbH", "POG", "pine-oak-gmbh"], ["...", "XX", "customer"]])("%s", (name, code, slug) => {
    expect(codeFor(name)).toBe(code);
    expect(slugFor(name)).toBe(slug);
  });
});
