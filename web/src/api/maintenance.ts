import { isRecord, stringOrNull } from "./errors";
import { callFunction } from "./functions";

// Intentions about the maintenance of devices.

export type Feature = "patching" | "antivirus_scans" | "tasks";

/** What came of it for one device. */
export interface Answered {
  deviceId: string;
  runId: string | null;
  refused: string | null;
}

interface Window {
  minutes: number;
  reason: string;
  features: readonly Feature[];
}

export function startMaintenance(customerId: string, deviceIds: readonly string[], { minutes, reason, features }: Window): Promise<Answered[]> {
  return callFunction("maintenance", { action: "start", customer_id: customerId, device_ids: deviceIds, minutes, reason, features }, answered);
}

export function endMaintenance(customerId: string, deviceIds: readonly string[]): Promise<Answered[]> {
  return callFunction("maintenance", { action: "end", customer_id: customerId, device_ids: deviceIds }, answered);
}

export function unmuteAlert(customerId: string, alertId: string): Promise<string> {
  return callFunction("maintenance", { action: "unmute", customer_id: customerId, alert_id: alertId }, () => "It is answered as if it had just been raised.");
}

export function answered(answer: unknown): Answered[] {
  const rows = isRecord(answer) && Array.isArray(answer.devices) ? answer.devices : [];
  return rows.filter(isRecord).map((row) => ({ deviceId: stringOrNull(row.device_id) ?? "", runId: stringOrNull(row.run_id), refused: stringOrNull(row.refused) }));
}

/** One sentence of what came of all. */
export function sentence(all: readonly Answered[], verb: string): string {
  const begun = all.filter((one) => one.runId !== null).length;
  const refused = all.flatMap((one) => one.refused ?? []);
  const done = `${verb} ${begun === 1 ? "1 device" : `${begun} devices`}. It counts when NinjaOne's own reading shows it.`;
  return [done, ...refused].join(" ");
}
