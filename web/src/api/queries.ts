import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDataProvider, type GetListResult, type RaRecord } from "ra-core";
import { isRecord, toApiError, type ApiError } from "./errors";
import type { ReadQuery } from "./rest";
import type { Table, Tables } from "./rows";

export const LIVE_MS = 1_000;
export const CALM_MS = 15_000;

export interface RowsResult<Row> {
  rows: Row[];
  total: number;
  /** There are more than `total`; how many was not counted. */
  isMore: boolean;
  isPending: boolean;
  /** The shown rows belong to the previous question; the answer to this one is on its way. */
  isStale: boolean;
  error: ApiError | null;
  refetch: () => void;
  /** When the shown rows were read, ms since 1970; 0 before the first answer. */
  readAt: number;
}

interface RowsOptions<Row> extends Omit<ReadQuery, "signal"> {
  enabled?: boolean;
  /** Show the rows of the previous question until this one is answered (lists: filter, sort, page). */
  keep?: boolean;
  /** Poll period in ms, or a rule over the rows; `false` reads once. Polling stops while the tab is hidden. */
  every?: number | false | ((rows: Row[]) => number | false);
}

/** Rows of a table or view, typed by its name, refreshed while they are looked at. */
export function useRows<T extends Table>(table: T, options: RowsOptions<Tables[T]> = {}): RowsResult<Tables[T]> {
  const { enabled = true, every = CALM_MS, keep = false, ...query } = options;
  const dataProvider = useDataProvider();
  const result = useQuery<GetListResult<Tables[T] & RaRecord>, Error>({
    queryKey: [table, "rows", query],
    enabled,
    placeholderData: keep ? keepPreviousData : undefined,
    refetchInterval: (state) => (typeof every === "function" ? every(state.state.data?.data ?? []) : every),
    queryFn: ({ signal }) =>
      dataProvider.getList<Tables[T] & RaRecord>(table, {
        pagination: { page: 1, perPage: query.limit ?? 100 },
        sort: { field: "id", order: "ASC" },
        filter: {},
        meta: { query },
        signal,
      }),
  });
  const meta: unknown = result.data?.meta;
  return {
    rows: result.data?.data ?? [],
    total: result.data?.total ?? 0,
    isMore: isRecord(meta) && meta.isMore === true,
    isPending: result.isPending && enabled,
    isStale: result.isPlaceholderData,
    error: result.error ? toApiError(result.error) : null,
    refetch: () => void result.refetch(),
    readAt: result.dataUpdatedAt,
  };
}

export interface RowResult<Row> extends Omit<RowsResult<Row>, "rows" | "total" | "isMore"> {
  row: Row | null;
}

/** The first row of a request, or null. */
export function useRow<T extends Table>(table: T, options: RowsOptions<Tables[T]>): RowResult<Tables[T]> {
  const { rows, isPending, isStale, error, refetch, readAt } = useRows(table, { limit: 1, ...options });
  return { row: rows[0] ?? null, isPending, isStale, error, refetch, readAt };
}

/** How many rows match; one short request. */
export function useCount(table: Table, options: Pick<RowsOptions<never>, "where" | "enabled">): number | null {
  const { total, isPending, error } = useRows(table, { ...options, columns: "id", limit: 1, count: true });
  return isPending || error ? null : total;
}

/** The row with this key; the customer leads the key wherever there is one. */
export function rowKey(customerId: string | null, id: string): NonNullable<ReadQuery["where"]> {
  return [...(customerId ? [{ column: "customer_id", op: "eq" as const, value: customerId }] : []), { column: "id", op: "eq", value: id }];
}
