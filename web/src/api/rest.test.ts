import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import rules from "../../../db/rules/81_search.sql?raw";
import type * as Rest from "./rest";

vi.mock("./auth", () => ({ bearerToken: () => Promise.resolve(null) }));

describe("a search that has a finder", () => {
  const asked: URL[] = [];
  const counted: (string | null)[] = [];
  let status = 200;
  let rest: typeof Rest;
  beforeAll(async () => {
    vi.stubGlobal("location", { origin: "http://obera.example" });
    vi.stubGlobal("fetch", (input: string, init: RequestInit) => {
      const url = new URL(input);
      asked.push(url);
      counted.push(new Headers(init.headers).get("prefer"));
      const refused = url.pathname.startsWith("/rest/v1/rpc/") && status !== 200;
      const body = refused ? { code: "PT422", message: "More than 50000 devices have this in their words.", details: null, hint: null } : [{ id: "1" }];
      return Promise.resolve(new Response(JSON.stringify(body), { status: refused ? status : 200, headers: { "content-type": "application/json", "content-range": "0-0/7" } }));
    });
    rest = await import("./rest");
  });
  beforeEach(() => {
    asked.length = 0;
    counted.length = 0;
    status = 200;
  });
  const read = (text: string) =>
    rest.readRows("device_list", {
      columns: "id", count: true, limit: 50, offset: 50, order: [{ column: "name" }],
      where: [{ column: "class", op: "in", values: ["server"] }, { columns: ["name", "last_user"], op: "search", text, by: "search_devices" }],
    });

  it("asks the finder, with the filters, the order and the page of the list", async () => {
    expect(await read(" fs0% ")).toEqual({ rows: [{ id: "1" }], total: 7, isMore: false });
    expect(asked.map((url) => url.pathname)).toEqual(["/rest/v1/rpc/search_devices"]);
    expect(Object.fromEntries(asked[0]!.searchParams)).toEqual({
      term: "fs0%", class: "in.(server)", select: "id", order: "name.asc.nullslast", offset: "50", limit: "50",
    });
  });
  it("asks every row for a term that no index has", async () => {
    await read("fs");
    expect(asked.map((url) => [url.pathname, url.searchParams.get("or")])).toEqual([["/rest/v1/device_list", '(name.ilike."*fs*",last_user.ilike."*fs*")']]);
  });
  it("asks every row when the finder finds too many", async () => {
    status = 422;
    expect(await read("fs0")).toEqual({ rows: [{ id: "1" }], total: 7, isMore: false });
    expect(asked.map((url) => url.pathname)).toEqual(["/rest/v1/rpc/search_devices", "/rest/v1/device_list"]);
    expect(counted).toEqual(["count=exact", "count=exact"]);
  });
  it("does not count so many, when there is nothing but the search", async () => {
    status = 422;
    const where = [{ columns: ["name"], op: "search" as const, text: "fs0", by: "search_devices" as const }];
    expect(await rest.readRows("device_list", { count: true, where })).toEqual({ rows: [{ id: "1" }], total: 50_000, isMore: true });
    expect(counted).toEqual(["count=exact", null]);
  });
  it("knows how many a finder gives", () => {
    expect(rules).toContain(`function app.search_found_max() returns integer language sql immutable set search_path = '' as $$ select ${rest.FOUND_MAX} $$`);
  });
  it("does not hide another refusal", async () => {
    status = 403;
    await expect(read("fs0")).rejects.toMatchObject({ status: 403 });
    expect(asked).toHaveLength(1);
  });
});
