import { describe, expect, it } from "vitest";
import { parseDocument } from "@/api/openapi";
import { faultsOf, fieldsOf, parseInput, startOf, variantOf, variantsOf } from "./input";
import { asCurl, asSupabase } from "./snippets";

const ID = "0190b2f4-b1c0-7000-8000-000000000001";
const tagged = {
  oneOf: [
    {
      type: "object",
      description: "Approve it.",
      properties: { action: { type: "string", const: "approve" }, customer_id: { type: "string", format: "uuid" }, reason: { type: "string", default: "", maxLength: 5 } },
      required: ["action", "customer_id"],
      additionalProperties: false,
    },
    {
      type: "object",
      properties: { action: { type: "string", const: "start" }, customer_id: { type: "string", format: "uuid" }, input: { type: "object", additionalProperties: true }, dry_run: { type: "boolean" } },
      required: ["action", "customer_id", "dry_run"],
      additionalProperties: false,
    },
  ],
};
const plain = {
  type: "object",
  properties: {
    id: { type: "string", format: "uuid" },
    kind: { oneOf: [{ const: "full", type: "string", description: "Everything" }, { const: "incremental", type: "string" }], default: "full" },
    count: { type: ["integer", "null"] },
  },
  required: ["id"],
  additionalProperties: false,
};

describe("shapes of an input", () => {
  it("come from the tag", () => expect(variantsOf(tagged).map((one) => [one.name, one.tag])).toEqual([["approve", "action"], ["start", "action"]]));
  it("are one without a tag", () => expect(variantsOf(plain).map((one) => [one.name, one.tag])).toEqual([["input", null]]));
  it("are found by what the input says", () => {
    expect(variantOf(variantsOf(tagged), { action: "start" })?.name).toBe("start");
    expect(variantOf(variantsOf(tagged), { action: "nothing" })?.name).toBe("approve");
  });
  it("have fields of a kind", () => {
    const [approve, start] = variantsOf(tagged);
    expect(fieldsOf(approve!).map((field) => [field.name, field.kind, field.isRequired])).toEqual([["customer_id", "text", true], ["reason", "text", false]]);
    expect(fieldsOf(start!).map((field) => field.kind)).toEqual(["text", "json", "yes_no"]);
    expect(fieldsOf(variantsOf(plain)[0]!).map((field) => [field.kind, field.choices.map((choice) => choice.value)])).toEqual([["text", []], ["choice", ["full", "incremental"]], ["number", []]]);
  });
  it("keep what they have in common", () =>
    expect(startOf(variantsOf(tagged)[1]!, { action: "approve", customer_id: ID, reason: "x" })).toEqual({ action: "start", customer_id: ID, dry_run: false }));
});

describe("faults of an input", () => {
  const fields = (schema: object, input: unknown) => faultsOf({ ...schema }, input).map((fault) => fault.field);
  it.each([
    [plain, { id: ID }, []],
    [plain, { id: ID, kind: "incremental", count: null }, []],
    [plain, {}, ["id"]],
    [plain, { id: "" }, ["id"]],
    [plain, { id: "not-an-id" }, ["id"]],
    [plain, { id: 7 }, ["id"]],
    [plain, { id: ID, kind: "half" }, ["kind"]],
    [plain, { id: ID, count: 1.5 }, ["count"]],
    [plain, { id: ID, more: 1 }, ["more"]],
    [plain, [], [""]],
    [tagged, { action: "approve", customer_id: ID }, []],
    [tagged, { action: "approve", customer_id: ID, reason: "too long" }, ["reason"]],
    [tagged, { action: "else" }, ["action"]],
    [tagged, { action: "start", customer_id: ID }, ["dry_run"]],
    [tagged, { action: "start", customer_id: ID, dry_run: "yes" }, ["dry_run"]],
    [tagged, { action: "start", customer_id: ID, dry_run: true, reason: "no such" }, ["reason"]],
  ])("of case %#", (schema, input, expected) => expect(fields(schema, input)).toEqual(expected));
  it("are said when it is not JSON", () => {
    expect(parseInput("{").fault).toBeTruthy();
    expect(parseInput("{}")).toEqual({ input: {}, fault: null });
  });
});

describe("snippets", () => {
  const call = { origin: "https://obera.example", path: "/functions/v1/x", name: "x", key: "k1", input: { reason: "it's done" } };
  it("quote for the shell", () => expect(asCurl(call)).toContain(`--data '{"reason":"it'\\''s done"}'`));
  it("hold a place for the token, never one", () => {
    expect(asCurl(call)).toContain(`Bearer $TOKEN`);
    expect(asSupabase(call)).not.toContain("Bearer");
  });
  it("call by name with the key", () => expect(asSupabase(call)).toMatch(/invoke\("x", \{\n {2}headers: \{ "Idempotency-Key": "k1" \}/));
});

describe("the document", () => {
  const document = parseDocument({
    info: { version: "1" },
    tags: [{ name: "rest", description: "Rows", externalDocs: { url: "/rest/v1/" } }],
    paths: {
      "/functions/v1/x": {
        post: {
          operationId: "x", tags: ["functions"], summary: "Does x.", security: [{ session: [] }], "x-rate-class": "act", "x-timeout-ms": 1000, "x-permissions": ["a:b"],
          "x-rate": { user: { burst: 2, per_minute: 4 } },
          requestBody: { content: { "application/json": { schema: plain, examples: { one: { value: { id: ID } } } } } },
          responses: { "200": { description: "Done" }, "409": { $ref: "#/components/responses/OB3002" } },
        },
      },
    },
    components: { responses: { OB3002: { description: "Not now." } } },
  });
  it("is read with its references", () => {
    expect(document.tags[0]).toEqual({ name: "rest", description: "Rows", url: "/rest/v1/" });
    expect(document.operations[0]).toMatchObject({ id: "x", method: "POST", rateClass: "act", timeoutMs: 1000, permissions: ["a:b"], isOurs: true, perUser: { burst: 2, perMinute: 4 }, perCustomer: null, example: { id: ID } });
    expect(document.operations[0]?.answers).toEqual([{ status: "200", description: "Done" }, { status: "409", description: "Not now." }]);
  });
  it("that is none gives nothing", () => expect(parseDocument(null)).toEqual({ version: "", tags: [], operations: [] }));
});
