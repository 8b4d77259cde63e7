import type { DiffLine } from "@/ui/Diff";
import { isRecord, stringOrNull } from "./errors";

// Readers of the jsonb columns that workflows write. What is missing reads as null, never as an exception.

export interface Plan {
  title: string | null;
  lines: DiffLine[];
  undo: string | null;
  blast: { devices: number; customers: number } | null;
  verifiedBy: string | null;
}
export interface Reading {
  facts: [name: string, value: string | number | boolean | null][];
  observedAt: string | null;
  complete: boolean | null;
  requestId: string | null;
}
export interface GuardCheck {
  name: string;
  passed: boolean;
  text: string;
}
export interface Attempt {
  attempt: number;
  startedAt: string | null;
  endedAt: string | null;
  outcome: string;
  error: string | null;
}

const ops: Record<string, DiffLine["op"]> = { remove: "remove", add: "add", keep: "keep", info: "head" };

export function readPlan(value: unknown): Plan | null {
  if (!isRecord(value)) return null;
  const lines = Array.isArray(value.lines) ? value.lines : [];
  const blast = isRecord(value.blast_radius) ? value.blast_radius : null;
  return {
    title: stringOrNull(value.title),
    lines: lines.flatMap((line: unknown) => {
      if (!isRecord(line) || typeof line.text !== "string") return [];
      return [{ op: ops[stringOrNull(line.op) ?? ""] ?? "keep", text: line.text, note: stringOrNull(line.note) ?? undefined }];
    }),
    undo: stringOrNull(value.undo),
    blast: blast === null ? null : { devices: Number(blast.devices ?? 0), customers: Number(blast.customers ?? 0) },
    verifiedBy: stringOrNull(value.verified_by),
  };
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

export function readReading(value: unknown): Reading | null {
  if (!isRecord(value)) return null;
  const facts = isRecord(value.facts) ? Object.entries(value.facts) : [];
  return {
    facts: facts.flatMap(([name, fact]) => (isScalar(fact) ? [[name, fact]] : [])),
    observedAt: stringOrNull(value.observed_at),
    complete: typeof value.complete === "boolean" ? value.complete : null,
    requestId: stringOrNull(value.request_id),
  };
}

export function readGuard(value: unknown): GuardCheck[] {
  if (!isRecord(value) || !Array.isArray(value.checks)) return [];
  return value.checks.flatMap((check: unknown) =>
    isRecord(check)
      ? [{ name: stringOrNull(check.name) ?? "check", passed: check.passed === true, text: stringOrNull(check.text) ?? "" }]
      : [],
  );
}

export function readHistory(value: unknown): Attempt[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((attempt: unknown) =>
    isRecord(attempt)
      ? [
          {
            attempt: Number(attempt.attempt ?? 0),
            startedAt: stringOrNull(attempt.started_at),
            endedAt: stringOrNull(attempt.ended_at),
            outcome: stringOrNull(attempt.outcome) ?? "unknown",
            error: readFault(attempt.error),
          },
        ]
      : [],
  );
}

/** The sentence inside an `error` column: a text, or an object with a message. */
export function readFault(value: unknown): string | null {
  if (!isRecord(value)) return stringOrNull(value);
  const message = stringOrNull(value.message) ?? stringOrNull(value.error);
  const code = stringOrNull(value.code);
  if (message === null) return stringOrNull(value);
  return code === null ? message : `${message} (${code})`;
}

export interface Volume {
  name: string;
  capacityBytes: number;
  freeBytes: number;
}

/** Volumes as the RMM reports them; both spellings of its API and ours are understood. */
export function readVolumes(value: unknown): Volume[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((volume: unknown) => {
    if (!isRecord(volume)) return [];
    const capacity = Number(volume.capacity_bytes ?? volume.capacity ?? 0);
    const free = Number(volume.free_bytes ?? volume.freeSpace ?? volume.free_space ?? 0);
    const name = stringOrNull(volume.name) ?? stringOrNull(volume.driveLetter) ?? stringOrNull(volume.drive_letter) ?? "Volume";
    return capacity > 0 ? [{ name, capacityBytes: capacity, freeBytes: free }] : [];
  });
}
