import { isRecord, stringOrNull } from "./errors";
import { callRpc, deleteRow, insertRow, patchRow } from "./rest";
import type { EnteredItemRow, EnteredKind, EnteredRelationship } from "./rows";

interface CustomerKey {
  customer_id: string;
  id: string;
}

export interface ImpactItem {
  level: number;
  kind: string;
  id: string;
  name: string | null;
  rule: string;
  throughName: string | null;
}
/** What hangs on an item, as far as the server looked. */
export interface Impact {
  reached: number;
  levels: number;
  /** All was found; else there is more beyond the bound. */
  isWhole: boolean;
  kinds: readonly { kind: string; items: number }[];
  rows: readonly ImpactItem[];
}

const number = (value: unknown) => (typeof value === "number" ? value : 0);

export function readImpact(value: unknown): Impact {
  const answer = isRecord(value) ? value : {};
  const rows = Array.isArray(answer.rows) ? answer.rows.filter(isRecord) : [];
  return {
    reached: number(answer.reached),
    levels: number(answer.levels),
    isWhole: answer.is_whole === true,
    kinds: Object.entries(isRecord(answer.kinds) ? answer.kinds : {})
      .map(([kind, items]) => ({ kind, items: number(items) }))
      .sort((a, b) => b.items - a.items || a.kind.localeCompare(b.kind)),
    // The nearest first, and by name among themselves.
    rows: rows
      .flatMap((row) => {
        const [kind, id, rule] = [stringOrNull(row.kind), stringOrNull(row.id), stringOrNull(row.rule)];
        if (kind === null || id === null || rule === null) return [];
        return [{ level: number(row.level), kind, id, name: stringOrNull(row.name), rule, throughName: stringOrNull(row.through_name) }];
      })
      .sort((a, b) => a.level - b.level || a.kind.localeCompare(b.kind) || (a.name ?? "").localeCompare(b.name ?? "")),
  };
}

const IMPACT_ROWS_MAX = 100;

export async function impactOf(item: CustomerKey, direction: "in" | "out", signal: AbortSignal): Promise<Impact> {
  return readImpact(await callRpc("configuration_impact", { p_customer: item.customer_id, p_item: item.id, p_direction: direction, p_rows: IMPACT_ROWS_MAX }, signal));
}

export type AsOfOutcome = "known" | "not_yet" | "gone" | "before_history" | "too_many_changes";
/** An object as it was, or why that cannot be said. */
export interface AsOf {
  outcome: AsOfOutcome;
  reachesBackTo: string | null;
  firstSeenAt: string | null;
  changesSince: number;
  state: Readonly<Record<string, unknown>>;
  /** When an attribute got the value that it had; missing: before the history begins. */
  since: Readonly<Record<string, string | null>>;
  names: Readonly<Record<string, string>>;
}
const OUTCOMES: readonly AsOfOutcome[] = ["known", "not_yet", "gone", "before_history", "too_many_changes"];

export function readNamesOf(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(isRecord(value) ? value : {}).flatMap(([id, name]) => (typeof name === "string" ? [[id, name]] : [])));
}

export function readAsOf(value: unknown): AsOf {
  const answer = isRecord(value) ? value : {};
  return {
    outcome: OUTCOMES.find((each) => each === answer.outcome) ?? "before_history",
    reachesBackTo: stringOrNull(answer.reaches_back_to),
    firstSeenAt: stringOrNull(answer.first_seen_at),
    changesSince: number(answer.changes_since),
    state: isRecord(answer.state) ? answer.state : {},
    since: Object.fromEntries(Object.entries(isRecord(answer.since) ? answer.since : {}).map(([name, at]) => [name, stringOrNull(at)])),
    names: readNamesOf(answer.names),
  };
}

export async function asOf(kind: string, key: CustomerKey, at: string, signal: AbortSignal): Promise<AsOf> {
  return readAsOf(await callRpc("as_of", { p_kind: kind, p_customer: key.customer_id, p_id: key.id, p_at: at }, signal));
}

export interface ItemDraft {
  kind: EnteredKind;
  name: string;
  description: string;
  status: EnteredItemRow["status"];
  attributes: Record<string, string>;
}

/** The new item's id. */
export async function enterItem(customerId: string, draft: ItemDraft): Promise<string> {
  const row = await insertRow("configuration_items", { customer_id: customerId, ...draft, name: draft.name.trim() }, "id");
  return (isRecord(row) ? stringOrNull(row.id) : null) ?? "";
}

export async function changeItem(key: CustomerKey, draft: ItemDraft): Promise<string> {
  await patchRow("configuration_items", { customer_id: key.customer_id, id: key.id }, { ...draft, name: draft.name.trim() });
  return "Saved. Its facts are from now.";
}

/** Nothing of it changes but its age: whoever writes says that it is so. */
export async function confirmItem(item: EnteredItemRow): Promise<string> {
  await patchRow("configuration_items", { customer_id: item.customer_id, id: item.id }, { status: item.status });
  return "Confirmed: it is still so.";
}

export async function removeItem(key: CustomerKey): Promise<string> {
  await deleteRow("configuration_items", { customer_id: key.customer_id, id: key.id });
  return "Removed, with what was entered about it.";
}

interface End {
  kind: string;
  id: string;
}
export async function enterRelationship(customerId: string, from: End, kind: EnteredRelationship, to: End, note: string): Promise<string> {
  await insertRow("configuration_relationships", { customer_id: customerId, from_kind: from.kind, from_id: from.id, kind, to_kind: to.kind, to_id: to.id, note: note.trim() }, "id");
  return "Entered.";
}

export async function removeRelationship(customerId: string, id: string): Promise<string> {
  await deleteRow("configuration_relationships", { customer_id: customerId, id });
  return "Removed.";
}
