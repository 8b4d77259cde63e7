import { isRecord, stringOrNull } from "./errors";
import { callFunction } from "./functions";

interface CustomerKey {
  customer_id: string;
  id: string;
}

/** One record of something that is to be decided. */
export interface DoubtRecord {
  recordId: string;
  endpointId: string;
  source: string;
  name: string | null;
  serialNumber: string | null;
  person: string | null;
  lastSeenAt: string | null;
  observedAt: string | null;
}

/** The records of a conflict; what cannot be read is left out. */
export function readDoubt(value: unknown): DoubtRecord[] {
  return (Array.isArray(value) ? value.filter(isRecord) : []).flatMap((row) => {
    const [recordId, endpointId, source] = [stringOrNull(row.record_id), stringOrNull(row.endpoint_id), stringOrNull(row.source)];
    if (recordId === null || endpointId === null || source === null) return [];
    return [
      {
        recordId,
        endpointId,
        source,
        name: stringOrNull(row.name),
        serialNumber: stringOrNull(row.serial_number),
        person: stringOrNull(row.user_principal_name),
        lastSeenAt: stringOrNull(row.last_seen_at),
        observedAt: stringOrNull(row.observed_at),
      },
    ];
  });
}

/** What another source says of the same attribute. */
export interface OtherWord {
  recordId: string;
  source: string;
  value: string;
}

export function readAlso(value: unknown): OtherWord[] {
  return (Array.isArray(value) ? value.filter(isRecord) : []).flatMap((row) => {
    const [recordId, word] = [stringOrNull(row.record_id), stringOrNull(row.value)];
    return recordId === null || word === null ? [] : [{ recordId, source: stringOrNull(row.source) ?? "", value: word }];
  });
}

/** The names that records had when somebody decided about them. */
export function readNames(facts: unknown): string[] {
  const rows = isRecord(facts) ? Object.values(facts).filter(isRecord) : [];
  return rows.map((row) => `${stringOrNull(row.name) ?? "without a name"} (${sourceNames[stringOrNull(row.source) ?? ""] ?? "?"})`);
}

export function readSentences(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((it): it is string => typeof it === "string") : [];
}

export const sourceNames: Readonly<Record<string, string | undefined>> = { ninjaone: "NinjaOne", intune: "Intune" };

/** These records are one machine, the others of the conflict are not of it. */
export function confirmMachine(conflict: CustomerKey, recordIds: readonly string[], reason: string): Promise<string> {
  const body = { action: "confirm", customer_id: conflict.customer_id, endpoint_conflict_id: conflict.id, record_ids: recordIds, reason };
  return callFunction("identity", body, () => "Decided: they are one machine. No later reading overrules it.");
}

export function keepApart(conflict: CustomerKey, reason: string): Promise<string> {
  const body = { action: "keep_apart", customer_id: conflict.customer_id, endpoint_conflict_id: conflict.id, reason };
  return callFunction("identity", body, () => "Decided: they are different machines.");
}

export function splitRecord(endpoint: CustomerKey, recordRow: string, reason: string): Promise<string> {
  const body = { action: "split", customer_id: endpoint.customer_id, endpoint_id: endpoint.id, endpoint_record_id: recordRow, reason };
  return callFunction("identity", body, () => "Decided: the record is of another machine.");
}

export function joinMachines(endpoint: CustomerKey, other: string, reason: string): Promise<string> {
  const body = { action: "join", customer_id: endpoint.customer_id, endpoint_ids: [endpoint.id, other], reason };
  return callFunction("identity", body, () => "Decided: the two are one machine.");
}

export function undoDecision(decision: CustomerKey, reason: string): Promise<string> {
  const body = { action: "undo", customer_id: decision.customer_id, endpoint_decision_id: decision.id, reason };
  return callFunction("identity", body, () => "Taken back: the rules say again.");
}
