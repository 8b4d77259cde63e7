import type { DifferenceRow } from "@/api/rows";
import { money, quantity } from "@/kit/money";

type Bound = Pick<DifferenceRow, "committed_until" | "committed_quantity" | "commitment_kind" | "committed_money" | "currency">;

/** Whether a contract or a term still keeps it from being reduced. */
export function isBound(row: Pick<Bound, "committed_until">, now: number = Date.now()): row is { committed_until: string } {
  return row.committed_until !== null && Date.parse(row.committed_until) > now;
}

/** "2027-03-01" */
export const untilDay = (row: { committed_until: string }) => row.committed_until.slice(0, 10);

const binds = {
  line: "the contract of the line binds",
  license: "the term of the licenses binds",
  both: "the contract of the line and the term of the licenses bind",
} as const;

/** What binds how much of it, and what that comes to. */
export function boundWords(row: Bound): string {
  const costs = row.committed_money === null ? "" : `, which comes to ${money(row.committed_money, row.currency)} until then`;
  return `${binds[row.commitment_kind ?? "line"]} ${quantity(row.committed_quantity ?? 0)} of it${costs}`;
}
