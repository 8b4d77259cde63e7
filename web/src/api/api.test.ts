import { describe, expect, it } from "vitest";
import { ApiError, errorFromResponse, toApiError } from "./errors";
import { readFault, readGuard, readHistory, readPlan, readReading, readVolumes } from "./plan";
import { searchClause } from "./where";

describe("errors", () => {
  it("reads the body of every door and keeps the request id", async () => {
    const response = new Response(JSON.stringify({ code: "OB3001", message: "Not found.", details: null, hint: "Check the id." }), { status: 404, headers: { "x-request-id": "r1" } });
    const error = await errorFromResponse(response);
    expect(error).toMatchObject({ status: 404, code: "OB3001", message: "Not found.", hint: "Check the id.", requestId: "r1", isTransient: false });
  });
  it("reads GoTrue's spelling", async () => {
    const error = await errorFromResponse(new Response(JSON.stringify({ code: 400, error_code: "invalid_credentials", msg: "Wrong." }), { status: 400 }));
    expect(error).toMatchObject({ code: "invalid_credentials", message: "Wrong." });
  });
  it("survives a body that is not JSON", async () => {
    const error = await errorFromResponse(new Response("<html>bad gateway</html>", { status: 502 }));
    expect(error).toMatchObject({ status: 502, isTransient: true });
    expect(error.message).not.toContain("<html>");
  });
  it("passes its own errors through and wraps strangers", () => {
    const own = new ApiError({ status: 409, code: "x", message: "m" });
    expect(toApiError(own)).toBe(own);
    expect(toApiError(new Error("boom"))).toMatchObject({ message: "boom", status: 0 });
    expect(toApiError("what")).toBeInstanceOf(ApiError);
  });
});

describe("search clause", () => {
  it("asks every column", () => expect(searchClause(["name", "os"], " fs01 ")).toBe('name.ilike."*fs01*",os.ilike."*fs01*"'));
  it.each([
    ['a"b', 'n.ilike."*a\\"b*"'],
    ["a,b)", 'n.ilike."*a,b)*"'],
    ["100%", 'n.ilike."*100\\\\%*"'],
    ["a*b", 'n.ilike."*ab*"'],
  ])("keeps %s a text", (text, clause) => expect(searchClause(["n"], text)).toBe(clause));
});

describe("jsonb readers", () => {
  it("reads a plan", () => {
    const plan = readPlan({
      title: "Delete", undo: "none", verified_by: "C: below 90 %", blast_radius: { devices: 1, customers: 1 },
      lines: [{ op: "info", text: "C:" }, { op: "remove", text: "cache" }, { op: "new-kind", text: "kept" }, { op: "add" }, 7],
    });
    expect(plan).toEqual({
      title: "Delete", undo: "none", verifiedBy: "C: below 90 %", blast: { devices: 1, customers: 1 },
      lines: [{ op: "head", text: "C:" }, { op: "remove", text: "cache" }, { op: "keep", text: "kept" }].map((line) => ({ ...line, note: undefined })),
    });
  });
  it.each([null, undefined, 3, "x", [], {}])("does not break on %j", (value) => {
    expect(() => [readPlan(value), readReading(value), readGuard(value), readHistory(value), readFault(value), readVolumes(value)]).not.toThrow();
  });
  it("reads a reading", () =>
    expect(readReading({ facts: { disk_used_percent: 97, list: [1] }, observed_at: "2026-11-22T08:00:00Z", complete: false, request_id: "r" })).toEqual({
      facts: [["disk_used_percent", 97]], observedAt: "2026-11-22T08:00:00Z", complete: false, requestId: "r",
    }));
  it("counts a guard check as passed only when it says so", () =>
    expect(readGuard({ checks: [{ name: "budget", passed: "yes", text: "t" }, { name: "freeze", passed: true, text: "f" }] }).map((check) => check.passed)).toEqual([false, true]));
  it("reads faults", () => {
    expect(readFault({ message: "429", code: "throttled" })).toBe("429 (throttled)");
    expect(readFault("plain")).toBe("plain");
    expect(readFault(null)).toBeNull();
  });
  it("reads volumes in both spellings and drops what has no size", () =>
    expect(readVolumes([{ name: "C:", capacity: 100, freeSpace: 10 }, { name: "D:", capacity_bytes: 5, free_bytes: 1 }, { name: "E:" }])).toEqual([
      { name: "C:", capacityBytes: 100, freeBytes: 10 },
      { name: "D:", capacityBytes: 5, freeBytes: 1 },
    ]));
});
