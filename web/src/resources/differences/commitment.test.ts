import { describe, expect, it } from "vitest";
import { boundWords, isBound, untilDay } from "./commitment";

const row = { committed_until: "2027-03-01T00:00:00+00:00", committed_quantity: 4, commitment_kind: "line", committed_money: 465.48, currency: "USD" } as const;

describe("a commitment", () => {
  it("holds until its day", () => {
    expect(isBound(row, Date.parse("2027-02-28T23:59:59Z"))).toBe(true);
    expect(isBound(row, Date.parse("2027-03-01T00:00:00Z"))).toBe(false);
    expect(isBound({ committed_until: null })).toBe(false);
    expect(untilDay(row)).toBe("2027-03-01");
  });
  it("says what binds how much, and what that comes to", () => {
    expect(boundWords(row)).toBe("the contract of the line binds 4 of it, which comes to $465.48 until then");
    expect(boundWords({ ...row, commitment_kind: "license", committed_money: null })).toBe("the term of the licenses binds 4 of it");
  });
});
