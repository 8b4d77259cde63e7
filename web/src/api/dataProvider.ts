import type { DataProvider, RaRecord } from "ra-core";
import { ApiError, isRecord } from "./errors";
import { insertRow, patchRow, readRows, type ReadQuery } from "./rest";
import type { Table } from "./rows";

/** What a list request of this console carries in `meta`. */
export interface ListMeta {
  query: ReadQuery;
}

/** ra-core hands names on as text; they come from our own resources, and the server knows which there are. */
function isTable(name: string): name is Table {
  return /^[a-z_]+$/.test(name);
}
function tableOf(name: string): Table {
  if (!isTable(name)) throw new ApiError({ status: 0, code: "unknown_table", message: `The console knows no table ${name}.` });
  return name;
}

/** The boundary: rows are what the contract says they are, each with an `id` for ra-core. */
function isRows<R>(value: unknown): value is R[] {
  return Array.isArray(value);
}
function withIds(rows: unknown): unknown {
  if (!Array.isArray(rows)) return [];
  return rows.map((row: unknown, index) => (isRecord(row) && row.id === undefined ? { ...row, id: index } : row));
}
function typed<R extends RaRecord>(rows: unknown): R[] {
  const list = withIds(rows);
  return isRows<R>(list) ? list : [];
}
function first<R extends RaRecord>(rows: unknown): R {
  const row = typed<R>(rows)[0];
  if (row === undefined) {
    throw new ApiError({ status: 404, code: "no_row", message: "This record does not exist, or you may not see it." });
  }
  return row;
}

interface Meta {
  query?: ReadQuery;
  customerId?: string | null;
}

function keyOf(id: unknown, row: unknown): Record<string, string> {
  const key: Record<string, string> = { id: String(id) };
  if (isRecord(row) && typeof row.customer_id === "string") key.customer_id = row.customer_id;
  return key;
}

type Values = Parameters<typeof patchRow>[2];
function plainValues(data: unknown): Values {
  const values: Values = {};
  if (!isRecord(data)) return values;
  for (const [name, value] of Object.entries(data)) {
    if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") values[name] = value;
  }
  return values;
}

const refuse = (): Promise<never> =>
  Promise.reject(new ApiError({ status: 0, code: "not_offered", message: "The console does not delete records." }));

/**
 * ra-core's data provider on the data API. Thin on purpose: `ra-supabase-core` would add 47 KB (gzip) of realtime,
 * storage and OpenAPI code to the first load.
 */
export const dataProvider: DataProvider = {
  supportAbortSignal: true,
  async getList<R extends RaRecord>(resource: string, params: { meta?: Meta; signal?: AbortSignal }) {
    const { rows, total, isMore } = await readRows(tableOf(resource), { ...params.meta?.query, signal: params.signal });
    const data = typed<R>(rows);
    return { data, total: total ?? data.length, meta: { isMore } };
  },
  async getOne<R extends RaRecord>(resource: string, params: { id: R["id"]; meta?: Meta; signal?: AbortSignal }) {
    const where: ReadQuery["where"] = [
      ...(params.meta?.customerId ? [{ column: "customer_id", op: "eq" as const, value: params.meta.customerId }] : []),
      { column: "id", op: "eq", value: String(params.id) },
    ];
    const { rows } = await readRows(tableOf(resource), { ...params.meta?.query, where, limit: 1, signal: params.signal });
    return { data: first<R>(rows) };
  },
  async getMany<R extends RaRecord>(resource: string, params: { ids: R["id"][]; signal?: AbortSignal }) {
    const { rows } = await readRows(tableOf(resource), {
      where: [{ column: "id", op: "in", values: params.ids.map(String) }],
      limit: params.ids.length,
      signal: params.signal,
    });
    return { data: typed<R>(rows) };
  },
  async getManyReference<R extends RaRecord>(resource: string, params: { target: string; id: R["id"]; meta?: Meta; signal?: AbortSignal }) {
    const where: ReadQuery["where"] = [...(params.meta?.query?.where ?? []), { column: params.target, op: "eq", value: String(params.id) }];
    const { rows } = await readRows(tableOf(resource), { ...params.meta?.query, where, signal: params.signal });
    const data = typed<R>(rows);
    return { data, total: data.length };
  },
  async update<R extends RaRecord>(resource: string, params: { id: R["id"]; data: Partial<R>; previousData?: R }) {
    await patchRow(tableOf(resource), keyOf(params.id, params.previousData), plainValues(params.data));
    return { data: first<R>([{ ...params.previousData, ...params.data, id: params.id }]) };
  },
  async create<R extends Omit<RaRecord, "id">>(resource: string, params: { data: Partial<R> }) {
    const row = await insertRow(tableOf(resource), plainValues(params.data), "*");
    return { data: first([row]) };
  },
  updateMany: refuse,
  delete: refuse,
  deleteMany: refuse,
};
