import { isRecord, stringOrNull } from "./errors";

/** What came of it for one device. */
export interface Answered {
  deviceId: string;
  runId: string | null;
  refused: string | null;
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
