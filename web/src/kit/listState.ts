/** What a list screen shows, as it stands in the URL: `?q=fs&class=server,workstation&sort=-observed_at&page=2`. */
export interface ListState {
  q: string;
  filters: Readonly<Record<string, readonly string[]>>;
  sort: { column: string; descending: boolean };
  page: number;
  size: number;
}

export const PAGE_SIZES = [50, 100, 200] as const;
export const PAGE_SIZE_DEFAULT = 50;
const PAGE_MAX = 10_000;
const RESERVED = new Set(["q", "sort", "page", "size", "customer"]);

export interface ListRules {
  filterIds: readonly string[];
  sortable: ReadonlySet<string>;
  defaultSort: string;
}

export function parseSort(text: string): { column: string; descending: boolean } {
  return text.startsWith("-") ? { column: text.slice(1), descending: true } : { column: text, descending: false };
}

/** Reads the URL; what does not fit the list is ignored, never an error. */
export function readListState(params: URLSearchParams, rules: ListRules): ListState {
  const filters: Record<string, readonly string[]> = {};
  for (const id of rules.filterIds) {
    const values = (params.get(id) ?? "").split(",").filter(Boolean);
    if (values.length > 0 && !RESERVED.has(id)) filters[id] = values;
  }
  const asked = parseSort(params.get("sort") ?? rules.defaultSort);
  const sort = rules.sortable.has(asked.column) ? asked : parseSort(rules.defaultSort);
  const page = Number.parseInt(params.get("page") ?? "1", 10);
  const size = Number.parseInt(params.get("size") ?? "", 10);
  return {
    q: params.get("q") ?? "",
    filters,
    sort,
    page: Number.isInteger(page) && page >= 1 && page <= PAGE_MAX ? page : 1,
    size: PAGE_SIZES.find((known) => known === size) ?? PAGE_SIZE_DEFAULT,
  };
}

/** Writes the state into the URL's other parameters; defaults are left out, so that links stay short. */
export function writeListState(current: URLSearchParams, next: ListState, rules: ListRules): URLSearchParams {
  const params = new URLSearchParams(current);
  const put = (name: string, value: string, unless: string) => {
    if (value === unless) params.delete(name);
    else params.set(name, value);
  };
  put("q", next.q, "");
  for (const id of rules.filterIds) put(id, (next.filters[id] ?? []).join(","), "");
  put("sort", `${next.sort.descending ? "-" : ""}${next.sort.column}`, rules.defaultSort);
  put("page", String(next.page), "1");
  put("size", String(next.size), String(PAGE_SIZE_DEFAULT));
  return params;
}

/** The sort after a click on a column: ascending, descending, then back to the list's own order. */
export function nextSort(current: ListState["sort"], column: string, defaultSort: string): ListState["sort"] {
  if (current.column !== column) return { column, descending: false };
  if (!current.descending) return { column, descending: true };
  return parseSort(defaultSort);
}
