import { describe, expect, it } from "vitest";
import type { SecurityStatusRow } from "@/api/rows";
import { sinceHours } from "@/resources/access/columns";
import { reader } from "@/resources/access/reader";
import { details } from "./detail";
import { noted, probeWord } from "./status";

const status = (over: Partial<SecurityStatusRow>): SecurityStatusRow => ({
  freeze_id: null, frozen_at: null, freeze_reason: null, open_alerts: 0, last_clean_at: "2026-11-22T08:00:00Z", last_began_at: "2026-11-22T08:00:00Z",
  last_outcome: "clean", last_error: null, last_requests: 90, is_overdue: false, ...over,
});
const word = (over: Partial<SecurityStatusRow>) => probeWord(status(over), () => "1 h ago");

describe("the probe's word", () => {
  it("is good only after a probe that ended well, lately", () => expect(word({}).tone).toBe("ok"));
  it.each([
    [{ is_overdue: true }, "warn"],
    [{ last_outcome: null, last_clean_at: null, is_overdue: true }, "warn"],
    [{ last_outcome: "failed" }, "warn"],
    [{ last_outcome: "breach" }, "bad"],
  ] as const)("is not good of case %#", (over, tone) => expect(word(over).tone).toBe(tone));
  it("says when it last ended well", () => {
    expect(word({ is_overdue: true }).text).toContain("1 h ago");
    expect(word({ is_overdue: true, last_clean_at: null }).text).toContain("never");
  });
});

describe("what an alert stands on", () => {
  it("is said line by line", () => {
    expect(details({ findings: [{ asker: "nobody", question: "GET /rest/v1/sites", what: "rows without a sign-in" }] })).toEqual(["GET /rest/v1/sites, asked by nobody: rows without a sign-in"]);
    expect(details({ error: "no connection", findings: [] })).toEqual(["no connection"]);
    expect(details({ top: [{ subject: "public.devices", rows: 12_500 }] })).toEqual(["public.devices: 12,500 rows"]);
    expect(details(null)).toEqual([]);
  });
  it("is bounded", () => expect(details({ top: Array.from({ length: 30 }, () => ({ subject: "x", rows: 1 })) })).toHaveLength(13));
});

describe("who took note", () => {
  it("is said with the reason", () => {
    expect(noted({ reason: null, acknowledged_by_name: null })).toBe("-");
    expect(noted({ reason: "a review", acknowledged_by_name: "Ada" })).toBe("Ada: a review");
    expect(noted({ reason: "a review", acknowledged_by_name: null })).toBe("a review");
  });
});

describe("who read", () => {
  const who = (over: Partial<Parameters<typeof reader>[0]>) => reader({ actor_id: null, actor_name: null, actor_email: null, actor_role: "anon", ...over });
  it("names people, and what stands for them", () => {
    expect(who({ actor_name: "Ada", actor_id: "1", actor_role: "staff" })).toBe("Ada");
    expect(who({ actor_name: "Ada", actor_id: "1", actor_role: "link" })).toBe("Signed link of Ada");
    expect(who({ actor_id: "1", actor_role: "staff" })).toBe("Somebody who is gone");
    expect(who({})).toBe("Not signed in");
    expect(who({ actor_role: "several" })).toBe("Several people");
    expect(who({ actor_role: "operator" })).toBe("On the machine");
  });
});

describe("the time filter", () => {
  it("stays the same within a minute", () => {
    const now = Date.parse("2026-11-22T08:14:20Z");
    expect(sinceHours(1, now)).toBe("2026-11-22T07:14:00.000Z");
    expect(sinceHours(Number("what"), now)).toBe(sinceHours(1, now));
    expect(sinceHours(24, now + 30_000)).toBe(sinceHours(24, now));
  });
});
