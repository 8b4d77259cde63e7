import { ApiError, isRecord, stringOrNull } from "./errors";
import { callFunction } from "./functions";
import { insertRow, patchRow } from "./rest";
import type { Counts, DeviceClass, SeatBasis } from "./rows";

// Intentions about money, one function each.

/** What a rule counts, as the editor holds it. */
export interface RuleDraft {
  name: string;
  billing_product_id: string;
  counts: Counts;
  device_classes: DeviceClass[];
  approved_only: boolean;
  /** Of seats: any of these licenses. */
  sku_ids: string[];
  seat_basis: SeatBasis | null;
  /** Decimal text. */
  multiplier: string;
  enabled: boolean;
}

export interface EffectRow {
  customerId: string;
  customerName: string;
  counted: string;
  billed: string;
  moneyPerMonth: string | null;
  currency: string;
  causeText: string;
}
export interface Effect {
  customers: number;
  customersSkipped: number;
  rows: EffectRow[];
  differences: number;
  totals: { currency: string; under: string; over: string }[];
}

function record(value: unknown): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw new ApiError({ status: 0, code: "no_answer", message: "The server's answer is not what the contract says.", hint: "Look at the record before you try again." });
}
const text = (value: unknown) => stringOrNull(value) ?? "";
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Compares now, everywhere or for one customer. */
export async function reconcile(customerId: string | null): Promise<string> {
  return callFunction("reconcile", { action: "run", ...(customerId ? { customer_id: customerId } : {}) }, (answer) => {
    const done = record(answer);
    const skipped = Number(done.customers_skipped ?? 0);
    const said = `${text(done.customers_done)} compared, ${text(done.opened)} new, ${text(done.closed)} closed, ${text(done.differences_open)} open.`;
    return skipped === 0 ? said : `${said} ${skipped} left out: their facts are not fresh and complete.`;
  });
}

/** Without what was chosen for the other kind before. */
function whatCounts({ counts, device_classes, sku_ids, seat_basis }: RuleDraft) {
  return counts === "devices" ? { counts, device_classes, sku_ids: [], seat_basis: null } : { counts, device_classes: [], sku_ids, seat_basis };
}

/** What a rule would do, before it is saved. */
export async function previewRule(draft: RuleDraft): Promise<Effect> {
  const { billing_product_id, approved_only, multiplier } = draft;
  const input = { action: "preview_rule", billing_product_id, approved_only, multiplier, ...whatCounts(draft) };
  return callFunction("reconcile", input, (answer) => {
    const effect = record(answer);
    return {
      customers: Number(effect.customers ?? 0),
      customersSkipped: Number(effect.customers_skipped ?? 0),
      differences: Number(effect.differences_total ?? 0),
      rows: list(effect.differences).map((row) => {
        const each = record(row);
        return {
          customerId: text(each.customer_id),
          customerName: text(each.customer_name),
          counted: text(each.counted),
          billed: text(each.billed),
          moneyPerMonth: stringOrNull(each.money_per_month),
          currency: text(each.currency),
          causeText: text(each.cause_text),
        };
      }),
      totals: list(effect.totals).map((row) => {
        const each = record(row);
        return { currency: text(each.currency), under: text(each.under_per_month), over: text(each.over_per_month) };
      }),
    };
  });
}

export async function saveRule(draft: RuleDraft, ruleId: string | null): Promise<string> {
  const values = { ...draft, name: draft.name.trim(), ...whatCounts(draft) };
  if (ruleId === null) await insertRow("count_rules", values, "id");
  else await patchRow("count_rules", { id: ruleId }, values);
  return `${values.name} is saved. The next reconciliation applies it.`;
}

interface DifferenceKey {
  customer_id: string;
  id: string;
}
const keyOf = (row: DifferenceKey) => ({ customer_id: row.customer_id, difference_id: row.id });

export async function ignoreDifference(row: DifferenceKey, reason: string, until: string): Promise<string> {
  return callFunction("reconcile", { action: "ignore", ...keyOf(row), reason, until }, () => "Ignored. It comes back when the time is over or the numbers change.");
}

export async function unignoreDifference(row: DifferenceKey): Promise<string> {
  return callFunction("reconcile", { action: "unignore", ...keyOf(row) }, () => "It is open again.");
}

/** Starts the run that corrects the line; its approval asks a person. `released`: the end of the commitment that is let go early. */
export async function correctLine(row: DifferenceKey, proration: "prorate" | "none", released: string | null): Promise<string> {
  const letGo = released === null ? {} : { release_commitment_until: released };
  return callFunction("reconcile", { action: "approve", ...keyOf(row), proration, ...letGo }, (answer) => text(record(answer).run_id));
}

/** `month` is its first day. The database writes down what it sees and who signs. */
export async function closeMonth(month: string, note: string): Promise<string> {
  await insertRow("month_closes", { month, ...(note === "" ? {} : { note }) }, "id");
  return "The month is signed off.";
}
