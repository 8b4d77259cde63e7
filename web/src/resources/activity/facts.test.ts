import { describe, expect, it } from "vitest";
import { emptyWords, licenseWords, placeOf, propertiesOf, spansOf, widths } from "./facts";

describe("spans of a log", () => {
  const read = { state: "read", from: "2026-03-01T00:00:00Z", to: "2026-03-10T00:00:00Z", reason: null };
  it("leave out what cannot be read", () => {
    expect(spansOf([read, { ...read, state: "else" }, { ...read, from: "never" }, 7])).toHaveLength(1);
    expect(spansOf(null)).toEqual([]);
  });
  it("are all seen, and fill the bar", () => {
    const gap = { ...read, state: "gap", from: read.to, to: "2026-03-10T00:05:00Z", reason: "no answer" };
    const parts = widths(spansOf([read, gap]));
    expect(parts[1]).toBeGreaterThan(1);
    expect(parts.reduce((sum, width) => sum + width, 0)).toBeCloseTo(100);
    expect(widths([])).toEqual([]);
  });
});

it("a change says which licenses came and went", () => {
  expect(licenseWords({ licenses_added: ["E5"], licenses_removed: ["E3"], changes_licenses: true })).toBe("+ E5, − E3");
  expect(licenseWords({ licenses_added: [], licenses_removed: [], changes_licenses: true })).toBe("licenses changed");
  expect(licenseWords({ licenses_added: [], licenses_removed: [], changes_licenses: false })).toBe("");
});

it("a place is as much as is known of it", () => {
  expect(placeOf({ city: "Dayton", country: "US" })).toBe("Dayton, US");
  expect(placeOf({ city: null, country: null })).toBe("-");
});

it("properties without a name are left out", () => {
  expect(propertiesOf([{ name: "AccountEnabled", old: "[true]", new: "[false]" }, { old: "x" }])).toEqual([{ name: "AccountEnabled", before: "[true]", after: "[false]" }]);
});

describe("an empty list of events", () => {
  const log = { covered_to: "2026-01-01T00:00:00Z", state: "whole" as const, reason: null };
  it("says whether nothing happened or nothing is known", () => {
    expect(emptyWords(log, "no sign-in")).toBe("The log, read without a gap, holds no sign-in.");
    expect(emptyWords({ ...log, state: "gap", reason: "a right is missing" }, "no sign-in")).toBe("What was read of the log holds no sign-in; parts are missing.");
    expect(emptyWords({ covered_to: null, state: "not_offered", reason: "the tenant has no P1" }, "no sign-in")).toBe("Not known: nothing was read, the tenant has no P1.");
    expect(emptyWords({ covered_to: null, state: "waiting", reason: null }, "no sign-in")).toBe("Not known: nothing was read.");
    expect(emptyWords(undefined, "no sign-in")).toBe("What was read holds no sign-in.");
  });
});
