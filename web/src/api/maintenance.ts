import { callFunction } from "./functions";
import { answered, type Answered } from "./maintenanceAnswer";

// Intentions about the maintenance of devices.

export type Feature = "patching" | "antivirus_scans" | "tasks";

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
