import { PostgrestClient } from "@supabase/postgrest-js";
import { bearerToken } from "./auth";
import { ApiError } from "./errors";
import { API_KEY, apiFetch } from "./http";
import type { Table } from "./rows";
import { searchClause, type Where } from "./where";

/** PostgREST dialect, stock client. Every request carries the token of this moment; errors arrive as `ApiError`. */
export const rest = new PostgrestClient(`${location.origin}/rest/v1`, {
  headers: { apikey: API_KEY },
  retry: false,
  fetch: async (input, init) => {
    const headers = new Headers(init?.headers);
    const token = await bearerToken();
    if (token) headers.set("authorization", `Bearer ${token}`);
    return apiFetch(input, { ...init, headers });
  },
});

export interface Order {
  column: string;
  descending?: boolean;
}
export interface ReadQuery {
  where?: readonly Where[];
  order?: readonly Order[];
  offset?: number;
  limit?: number;
  columns?: string;
  /** Count all matching rows; costs the server a scan, so only where the number is shown. */
  count?: boolean;
  signal?: AbortSignal | undefined;
}

interface Answer {
  rows: unknown;
  total: number | null;
  /** There are more than `total`; how many was not counted. */
  isMore: boolean;
}

async function answer(path: string, query: ReadQuery): Promise<Answer> {
  let request = rest.from(path).select(query.columns ?? "*", query.count ? { count: "exact" } : {});
  for (const clause of query.where ?? []) {
    switch (clause.op) {
      case "in":
        request = request.in(clause.column, [...clause.values]);
        break;
      case "is":
        request = request.is(clause.column, clause.value);
        break;
      case "not_null":
        request = request.not(clause.column, "is", null);
        break;
      case "search":
        request = request.or(searchClause(clause.columns, clause.text));
        break;
      default:
        request = request.filter(clause.column, clause.op, clause.value);
    }
  }
  let ordered = request.limit(query.limit ?? 100);
  for (const { column, descending } of query.order ?? []) {
    ordered = ordered.order(column, descending ? { ascending: false, nullsFirst: false } : { ascending: true, nullsFirst: false });
  }
  if (query.offset) ordered = ordered.range(query.offset, query.offset + (query.limit ?? 100) - 1);
  if (query.signal) ordered = ordered.abortSignal(query.signal);
  const { data, count } = await ordered.throwOnError();
  return { rows: data, total: count, isMore: false };
}

/** Shorter terms have no place in an index. */
const FINDER_CHARS_MIN = 3;
/** What a finder answers when it finds so many that asking every row is quicker. */
const TOO_MANY = 422;
/** So many a finder gives (`app.search_found_max`). */
export const FOUND_MAX = 50_000;

/** Rows of one table or view. `unknown` until the caller names the type through `api/queries`. */
export async function readRows(table: Table, query: ReadQuery): Promise<Answer> {
  for (const clause of query.where ?? []) {
    if (clause.op !== "search" || clause.by === undefined || clause.text.trim().length < FINDER_CHARS_MIN) continue;
    // As a relation: the types of the client's own `rpc` with named columns have no end.
    const found = `rpc/${clause.by}?${new URLSearchParams({ term: clause.text.trim() }).toString()}`;
    try {
      return await answer(found, { ...query, where: query.where?.filter((other) => other !== clause) ?? [] });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== TOO_MANY) throw error;
      // The first rows of so many are found at once; to count them all takes longer than anybody waits.
      if (query.count && query.where?.length === 1) {
        return { ...(await answer(table, { ...query, count: false })), total: FOUND_MAX, isMore: true };
      }
    }
  }
  return answer(table, query);
}

type Key = Record<string, string>;
type Values = Record<string, string | number | boolean | null | readonly string[] | Readonly<Record<string, unknown>>>;

/** Changes the row with this key. The server's row count decides: no row means nothing was changed. */
export async function patchRow(table: Table, key: Key, values: Values): Promise<void> {
  let request = rest.from(table).update(values, { count: "exact" });
  for (const [column, value] of Object.entries(key)) request = request.eq(column, value);
  const { count } = await request.throwOnError();
  if (count === 0) {
    throw new ApiError({
      status: 404,
      code: "no_row",
      message: "Nothing was changed.",
      hint: "The record is gone, or your permissions do not allow this change.",
    });
  }
}

/** Removes the row with this key, if it is there. */
export async function deleteRow(table: Table, key: Key): Promise<void> {
  let request = rest.from(table).delete();
  for (const [column, value] of Object.entries(key)) request = request.eq(column, value);
  await request.throwOnError();
}

/** Adds a row and gives back the named columns. */
export async function insertRow(table: Table, values: Values, columns: string): Promise<unknown> {
  const answer: { data: unknown } = await rest.from(table).insert(values).select(columns).single().throwOnError();
  return answer.data;
}

export async function callRpc(name: string, args: Values, signal?: AbortSignal): Promise<unknown> {
  const request = rest.rpc(name, args);
  const answer: { data: unknown } = await (signal ? request.abortSignal(signal) : request).throwOnError();
  return answer.data;
}
