import { isRecord, stringOrNull } from "@/api/errors";

/** A device, or a person with a seat. */
export interface CauseUnit {
  id: string;
  name: string;
  at: string | null;
  /** Who did it, where the tenant's log tells. */
  by: string | null;
  /** It has a page; what only a log names has none. */
  known: boolean;
}
export interface CauseLine {
  id: string;
  ref: string;
  quantity: string;
  rate: string | null;
  active: boolean;
  disconnectedAt: string | null;
}
export interface Cause {
  lineChangedAt: string | null;
  devices: CauseUnit[];
  devicesTotal: number;
  people: CauseUnit[];
  peopleTotal: number;
  lines: CauseLine[];
}

const listOf = (value: unknown) => (Array.isArray(value) ? value.filter(isRecord) : []);

/** What the reconciliation found behind a difference; what is missing reads as none. */
export function readCause(value: unknown): Cause {
  const cause = isRecord(value) ? value : {};
  const units = (value: unknown): CauseUnit[] => listOf(value).map((unit) => ({ id: stringOrNull(unit.id) ?? "", name: stringOrNull(unit.name) ?? "", at: stringOrNull(unit.at), by: stringOrNull(unit.by), known: unit.is_known !== false }));
  const devices = units(cause.devices);
  const people = units(cause.people);
  return {
    lineChangedAt: stringOrNull(cause.line_changed_at),
    devices,
    devicesTotal: Number(cause.devices_total ?? devices.length),
    people,
    peopleTotal: Number(cause.people_total ?? people.length),
    lines: listOf(cause.lines).map((line) => ({
      id: stringOrNull(line.id) ?? "",
      ref: stringOrNull(line.ref) ?? "",
      quantity: stringOrNull(line.quantity) ?? "0",
      rate: stringOrNull(line.rate),
      active: line.is_active === true,
      disconnectedAt: stringOrNull(line.disconnected_at),
    })),
  };
}
