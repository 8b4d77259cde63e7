import { ApiError, isRecord, stringOrNull } from "./errors";
import { callFunction } from "./functions";
import { deleteRow, insertRow, patchRow } from "./rest";
import type { DriftListRow, DriftSeverity, LayerKind } from "./rows";

// Intentions about drift and baselines.

export type Rule =
  | { is: "equals" | "contains"; value: unknown }
  | { is: "at_least" | "at_most"; value: number }
  | { is: "one_of"; values: unknown[] }
  | { is: "not_set" };

/** What a layer would say of one setting; without a rule it is not demanded. */
export interface EntryDraft {
  setting: string;
  rule: Rule | null;
  severity: DriftSeverity;
  why: string;
}

/** Whose entries are edited. */
export type LayerOf = { kind: "provider"; id: string } | { kind: "tier"; id: string } | { kind: "customer"; id: string };

export interface Sums {
  demanded: number;
  inOrder: number;
  drifted: number;
  accepted: number;
  unknown: number;
}
export interface Effect {
  tenants: number;
  tenantsInOrder: number;
  tenantsDrifting: number;
  tenantsUnknown: number;
  now: Sums;
  then: Sums;
  entries: { setting: string; sums: Sums }[];
}

export type Likeness = "same" | "differs" | "unknown";
export interface Side {
  name: string;
  customerId: string;
  customerName: string;
  observedAt: string | null;
  reason: string | null;
}
export interface Comparison {
  left: Side;
  right: Side;
  settings: { setting: string; name: string; category: string | null; likeness: Likeness; left: string | null; right: string | null }[];
}

function record(value: unknown): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw new ApiError({ status: 0, code: "no_answer", message: "The server's answer is not what the contract says.", hint: "Look at the record before you try again." });
}
const text = (value: unknown) => stringOrNull(value) ?? "";
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

type DriftKey = Pick<DriftListRow, "customer_id" | "id">;
const about = (drift: DriftKey) => ({ customer_id: drift.customer_id, drift_id: drift.id });

export function acceptDrift(drift: DriftKey, reason: string, until: string, value: "this" | "any"): Promise<string> {
  return callFunction("drift", { action: "accept", ...about(drift), reason, until, value }, () => "Accepted. It is a drift again when the time is over.");
}

export function denyDrift(drift: DriftKey, reason: string): Promise<string> {
  return callFunction("drift", { action: "deny", ...about(drift), reason }, () => "It must go. It stays a drift until a reading shows that it is gone.");
}

export function withdrawDecision(drift: DriftKey): Promise<string> {
  return callFunction("drift", { action: "withdraw", ...about(drift) }, () => "The decision is taken back.");
}

/** Starts the run; gives its id. */
export function remediateDrift(drift: DriftKey): Promise<string> {
  return callFunction("drift", { action: "remediate", ...about(drift) }, (answer) => text(record(answer).run_id));
}

export function compareTenants(left: string, right: string): Promise<Comparison> {
  return callFunction("drift", { action: "compare", left_tenant_id: left, right_tenant_id: right }, (answer) => {
    const found = record(answer);
    return { left: sideOf(found.left), right: sideOf(found.right), settings: list(found.settings).map(settingOf) };
  });
}

function sideOf(value: unknown): Side {
  const of = record(value);
  return { name: text(of.name), customerId: text(of.customer_id), customerName: text(of.customer_name), observedAt: stringOrNull(of.observed_at), reason: stringOrNull(of.reason) };
}

function settingOf(value: unknown): Comparison["settings"][number] {
  const of = record(value);
  const likeness = of.likeness === "same" || of.likeness === "differs" ? of.likeness : "unknown";
  return { setting: text(of.setting), name: text(of.name), category: stringOrNull(of.category), likeness, left: stringOrNull(of.left_text), right: stringOrNull(of.right_text) };
}

function sumsOf(value: unknown): Sums {
  const of = record(value);
  const number = (name: string) => Number(of[name] ?? 0);
  return { demanded: number("demanded"), inOrder: number("in_order"), drifted: number("drifted"), accepted: number("accepted"), unknown: number("unknown") };
}

/** What a layer with these entries would come to. */
export function previewLayer(layer: LayerOf, entries: EntryDraft[]): Promise<Effect> {
  const whose = layer.kind === "tier" ? { baseline_id: layer.id } : layer.kind === "customer" ? { customer_id: layer.id } : {};
  const proposed = entries.map(({ setting, rule, severity }) => ({ setting, severity, ...(rule === null ? {} : { rule }) }));
  return callFunction("drift", { action: "preview", layer: layer.kind, ...whose, entries: proposed }, (answer) => {
    const effect = record(answer);
    return {
      tenants: Number(effect.tenants ?? 0),
      tenantsInOrder: Number(effect.tenants_in_order ?? 0),
      tenantsDrifting: Number(effect.tenants_drifting ?? 0),
      tenantsUnknown: Number(effect.tenants_unknown ?? 0),
      now: sumsOf(effect.now),
      then: sumsOf(effect.then),
      entries: list(effect.entries).map((entry) => ({ setting: text(record(entry).setting), sums: sumsOf(entry) })),
    };
  });
}

/** Keeps one entry: `id` of the one that is there. */
export async function saveEntry(layer: LayerOf, id: string | null, { setting, rule, severity, why }: EntryDraft): Promise<string> {
  const table = layer.kind === "customer" ? "customer_baseline_entries" : "baseline_entries";
  const owner: Record<string, string> = layer.kind === "customer" ? { customer_id: layer.id } : { baseline_id: layer.id };
  if (id === null) await insertRow(table, { ...owner, setting: setting.trim(), rule, severity, why: why.trim() }, "id");
  else await patchRow(table, { ...owner, id }, { rule, severity, why: why.trim() });
  return "Saved. Tenants are judged anew within seconds.";
}

/** The layer says nothing of it any more: a wider one decides. */
export async function removeEntry(layer: LayerOf, id: string): Promise<string> {
  if (layer.kind === "customer") await deleteRow("customer_baseline_entries", { customer_id: layer.id, id });
  else await deleteRow("baseline_entries", { baseline_id: layer.id, id });
  return "Removed. Tenants are judged anew within seconds.";
}

export async function addBaseline(kind: "provider" | "tier", name: string, description: string): Promise<string> {
  const row = await insertRow("baselines", { kind, name: name.trim(), description: description.trim() }, "id");
  return text(record(row).id);
}

/** `baseline` null: no tier. */
export async function chooseTier(customerId: string, known: string | null, baseline: string | null): Promise<string> {
  if (baseline === null) await deleteRow("customer_tiers", { customer_id: customerId });
  else if (known === null) await insertRow("customer_tiers", { customer_id: customerId, baseline_id: baseline }, "customer_id");
  else await patchRow("customer_tiers", { customer_id: customerId }, { baseline_id: baseline });
  return "Saved. The customer's tenants are judged anew within seconds.";
}

/** A rule that was read; null for one that this console does not know. */
export function ruleOf(value: unknown): Rule | null {
  if (!isRecord(value)) return null;
  switch (value.is) {
    case "equals":
    case "contains":
      return { is: value.is, value: value.value };
    case "at_least":
    case "at_most":
      return { is: value.is, value: Number(value.value) };
    case "one_of":
      return { is: "one_of", values: list(value.values) };
    case "not_set":
      return { is: "not_set" };
    default:
      return null;
  }
}

/** As the server says it. */
export function ruleWords(rule: Rule): string {
  switch (rule.is) {
    case "equals":
      return valueWords(rule.value);
    case "contains":
      return `contains ${valueWords(rule.value)}`;
    case "at_least":
      return `at least ${rule.value}`;
    case "at_most":
      return `at most ${rule.value}`;
    case "one_of":
      return rule.values.map(valueWords).join(" or ");
    case "not_set":
      return "not set";
  }
}

export function valueWords(value: unknown): string {
  if (value === true) return "yes";
  if (value === false) return "no";
  if (value === null || value === undefined || value === "") return "not set";
  if (Array.isArray(value)) return value.length === 0 ? "nothing" : value.map(valueWords).join(", ");
  if (isRecord(value)) return Object.keys(value).sort().map((name) => `${name}: ${valueWords(value[name])}`).join(", ");
  return typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
}

export const layerNames: Readonly<Record<LayerKind, string>> = { provider: "the provider's baseline", tier: "this tier", customer: "this customer only" };
