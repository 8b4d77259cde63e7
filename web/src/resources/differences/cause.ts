import { isRecord, stringOrNull } from "@/api/errors";

export interface CauseDevice {
  id: string;
  name: string;
  at: string | null;
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
  devices: CauseDevice[];
  devicesTotal: number;
  lines: CauseLine[];
}

const listOf = (value: unknown) => (Array.isArray(value) ? value.filter(isRecord) : []);

/** What the reconciliation found behind a difference; what is missing reads as none. */
export function readCause(value: unknown): Cause {
  const cause = isRecord(value) ? value : {};
  const devices = listOf(cause.devices).map((device) => ({ id: stringOrNull(device.id) ?? "", name: stringOrNull(device.name) ?? "", at: stringOrNull(device.at) }));
  return {
    lineChangedAt: stringOrNull(cause.line_changed_at),
    devices,
    devicesTotal: Number(cause.devices_total ?? devices.length),
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
