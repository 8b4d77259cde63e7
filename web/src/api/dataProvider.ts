import type { DataProvider, RaRecord } from "ra-core";
import { ApiError, isRecord } from "./errors";
import { insertRow, patchRow, readRows, type ReadQuery } from "./rest";
import type { Table } from "./rows";

/** What a list request of this console carries in `meta`. */
export interface ListMeta {
  query: ReadQuery;
}

/** A table that is missing here does not compile. */
const TABLES: Readonly<Record<Table, true>> = {
  customers: true, customer_list: true, site_list: true, device_list: true, devices: true, device_conditions: true, alerts: true, alert_list: true,
  incident_list: true, ticket_list: true, tickets: true, ticket_events: true, ticket_attachment_list: true, runs: true, steps: true, changes: true,
  approvals: true, evidence: true, workflows: true, source_list: true, integrations: true, acting_sign_ins: true, integration_organizations: true, sync_runs: true,
  sync_parts: true,
  vendor_call_hours: true, overview: true, alerts_by_hour: true, sla_by_priority: true, sla_targets: true, people: true, notifications: true,
  access_log: true, security_alerts: true, security_alert_list: true, security_status: true, export_freezes: true, difference_list: true,
  difference_by_customer: true, difference_by_product: true, money_overview: true, reconciliations: true, count_rules: true, count_rule_list: true,
  billing_products: true, billing_line_list: true, margin_by_customer: true, month_closes: true, month_close_list: true,
  organization_suggestions: true, person_list: true, leaver_list: true, license_list: true, sku_list: true, person_license_list: true, tenant_list: true,
  tenant_parts: true, access_policies: true, mfa_results: true, mfa_exceptions: true, mfa_overview: true, drift_list: true, drift_tenant_list: true, drift_overview: true, baselines: true,
  posture_tenant_list: true, posture_check_list: true, posture_finding_list: true, posture_overview: true,
  sign_in_list: true, directory_change_list: true, activity_coverage_list: true,
  baseline_list: true, baseline_entries: true, customer_baseline_entries: true, customer_tiers: true, standards: true, drift_exception_list: true,
  configuration_item_list: true, configuration_items: true, configuration_relationships: true, configuration_relationship_list: true, object_change_list: true, object_attributes: true,
  endpoint_list: true, endpoint_record_list: true, endpoint_attributes: true, endpoint_conflict_list: true, endpoint_decision_list: true, endpoint_overview: true,
  cipp_tenant_list: true, cipp_tenant_parts: true, tenant_setting_list: true, tenant_setting_changes: true, expiry_list: true, document_list: true,
  document_hit_list: true,
  document_site_list: true,
  document_share_list: true,
  document_texts: true, device_healths: true, device_volumes: true, device_patches: true, device_programs: true, device_fact_list: true,
  device_fact_overview: true, software_list: true, program_device_list: true, device_maintenance_list: true, alert_mute_list: true, bill_list: true, payment_list: true, billing_ticket_list: true, device_custom_fields: true,
};

function isTable(name: string): name is Table {
  return name in TABLES;
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
