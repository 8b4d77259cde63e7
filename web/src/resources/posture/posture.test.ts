import { describe, expect, it } from "vitest";
import { checksOf, checkText, checkWords, findingsOf, missingWords, readWords, worst } from "./facts";

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

describe("what a check comes to", () => {
  const row = { check_key: "anonymous_links", looked_at: 3, findings: 4, missing_read: null, missing_reason: null, permission: null } as const;
  it("says what was found in how much of what", () => {
    expect(checkText({ ...row, outcome: "failed" })).toBe("4 findings in 3 sites");
    expect(checkText({ ...row, outcome: "passed", findings: 0, looked_at: 1 })).toBe("nothing in 1 site");
    expect(checkText({ ...row, outcome: "unknown", missing_read: "sharing", missing_reason: "not read" })).toBe("Sharing links: not read");
  });
});

describe("trend", () => {
  it("is the findings of each day", () => {
    expect(findingsOf([{ day: "2026-03-09", findings: 4 }, { day: "2026-03-10", findings: 4, known: false }, {}])).toEqual([4, 4]);
    expect([1, 2, 3, 4, null].map(worst)).toEqual(["critical", "high", "medium", "low", null]);
  });
});
