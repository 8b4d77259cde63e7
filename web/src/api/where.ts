export type Scalar = string | number | boolean;

/** One condition of a request to the data API. */
export type Where =
  | { column: string; op: "eq" | "neq" | "gt" | "gte" | "lt" | "lte"; value: Scalar }
  | { column: string; op: "in"; values: readonly Scalar[] }
  | { column: string; op: "is"; value: null | boolean }
  | { column: string; op: "not_null" }
  /** Any of the columns contains the words, ignoring case; `by` finds the same rows by an index. */
  | { columns: readonly string[]; op: "search"; text: string; by?: Finder | undefined };

/** A function of the data API that gives the rows of a list view with a term in them. */
export type Finder = "search_devices" | "search_tickets" | "search_documents";

/** PostgREST's pattern: commas and parentheses separate, so the value is quoted; `*` is its wildcard. */
export function searchClause(columns: readonly string[], text: string): string {
  const word = text.trim().replaceAll(/[\\"]/g, "\\$&").replaceAll("*", "").replaceAll("%", "\\\\%").replaceAll("_", "\\\\_");
  return columns.map((column) => `${column}.ilike."*${word}*"`).join(",");
}
