import { describe, expect, it } from "vitest";
import { checksOf, checkWords, findingsOf, missingWords, readWords, worst } from "./facts";

describe("checks of a tenant", () => {
  it("takes what is a check, and a word that is not known for unknown", () => {
    const [good, odd, ...rest] = checksOf([
      { id: "1", check: "spf", title: "SPF", severity: "medium", outcome: "failed", findings: 2 },
      { id: "2", check: "new", title: "New", outcome: "maybe", findings: null },
      { check: "spf" },
      3,
    ]);
    expect(good).toEqual({ id: "1", check: "spf", title: "SPF", outcome: "failed", findings: 2 });
    expect(odd?.outcome).toBe("unknown");
    expect(rest).toEqual([]);
    expect(checksOf(null)).toEqual([]);
  });
  it("says each outcome in words, and never an unknown one as none", () => {
    const of = (outcome: "passed" | "failed" | "unknown", findings: number | null) => checkWords({ title: "Guests", outcome, findings });
    expect([of("passed", 0), of("failed", 3), of("unknown", 3), of("unknown", null)]).toEqual([
      "Guests: none",
      "Guests: 3",
      "Guests: unknown, 3 when last known",
      "Guests: unknown",
    ]);
  });
});

describe("readings", () => {
  it("names what is missing and the right to give", () => {
    const row = { missing_read: "applications", missing_reason: "not allowed", permission: "Application.Read.All" };
    expect(missingWords(row)).toBe("Applications: not allowed (right: Application.Read.All)");
    expect(missingWords({ missing_read: null, missing_reason: null, permission: null })).toBe("-");
    expect(readWords(["people", "sign_ins", "other_thing", 1])).toBe("accounts, last sign-ins, other thing");
  });
});

describe("trend", () => {
  it("is the findings of each day", () => {
    expect(findingsOf([{ day: "2026-03-09", findings: 4 }, { day: "2026-03-10", findings: 4, known: false }, {}])).toEqual([4, 4]);
    expect([1, 2, 3, 4, null].map(worst)).toEqual(["critical", "high", "medium", "low", null]);
  });
});
