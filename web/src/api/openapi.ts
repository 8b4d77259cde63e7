import { isRecord } from "./errors";
import { apiFetch } from "./http";

/** A JSON Schema as the server writes it: a tree of which only some words are read. */
export type Schema = Record<string, unknown>;

export interface Rate {
  burst: number;
  perMinute: number;
}

/** One function or webhook of the document. */
export interface Operation {
  id: string;
  path: string;
  method: string;
  tag: string;
  summary: string;
  description: string;
  /** Empty for what is not called with a session. */
  permissions: string[];
  permission: string | null;
  rateClass: string | null;
  perUser: Rate | null;
  perCustomer: Rate | null;
  timeoutMs: number | null;
  kept: string | null;
  bodyBytesMax: number | null;
  /** Called with the token of a person, so that it can be tried from here. */
  isOurs: boolean;
  input: Schema;
  example: unknown;
  output: Schema | null;
  answers: { status: string; description: string }[];
}

export interface Tag {
  name: string;
  description: string;
  url: string | null;
}

export interface ApiDocument {
  version: string;
  tags: Tag[];
  operations: Operation[];
}

export async function readDocument(): Promise<ApiDocument> {
  const response = await apiFetch(`${location.origin}/openapi.json`);
  return parseDocument(await response.json());
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null);
const numberOrNull = (value: unknown): number | null => (typeof value === "number" ? value : null);
const record = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

export function parseDocument(document: unknown): ApiDocument {
  const root = record(document);
  const operations = Object.entries(record(root.paths)).flatMap(([path, item]) =>
    Object.entries(record(item)).map(([method, operation]) => readOperation(root, path, method, record(operation))),
  );
  const tags = list(root.tags).map((tag) => {
    const { name, description, externalDocs } = record(tag);
    return { name: text(name), description: text(description), url: textOrNull(record(externalDocs).url) };
  });
  return { version: text(record(root.info).version), tags, operations };
}

function readOperation(root: Record<string, unknown>, path: string, method: string, operation: Record<string, unknown>): Operation {
  const content = record(record(record(operation.requestBody).content)["application/json"]);
  const example = Object.values(record(content.examples)).map(record)[0];
  const rate = record(operation["x-rate"]);
  const answers = Object.entries(record(operation.responses)).map(([status, answer]) => ({ status, description: text(follow(root, record(answer)).description) }));
  const done = record(record(record(record(record(operation.responses)["200"]).content)["application/json"]).schema);
  return {
    id: text(operation.operationId),
    path,
    method: method.toUpperCase(),
    tag: text(list(operation.tags)[0]),
    summary: text(operation.summary),
    description: text(operation.description),
    permissions: list(operation["x-permissions"]).map(text),
    permission: textOrNull(operation["x-permission"]),
    rateClass: textOrNull(operation["x-rate-class"]),
    perUser: readRate(rate.user),
    perCustomer: readRate(rate.customer),
    timeoutMs: numberOrNull(operation["x-timeout-ms"]),
    kept: textOrNull(operation["x-kept"]),
    bodyBytesMax: numberOrNull(operation["x-body-bytes-max"]),
    isOurs: list(operation.security).some((scheme) => "session" in record(scheme)),
    input: record(content.schema),
    example: example?.value ?? {},
    output: Object.keys(done).length > 0 ? done : null,
    answers,
  };
}

function readRate(value: unknown): Rate | null {
  const { burst, per_minute: perMinute } = record(value);
  return typeof burst === "number" && typeof perMinute === "number" ? { burst, perMinute } : null;
}

/** What a reference inside the document stands for. */
function follow(root: Record<string, unknown>, value: Record<string, unknown>): Record<string, unknown> {
  const to = textOrNull(value.$ref);
  if (!to?.startsWith("#/")) return value;
  return record(to.slice(2).split("/").reduce<unknown>((at, part) => record(at)[part], root));
}
