import { isRecord, stringOrNull } from "@/api/errors";

/** One thing that a leaver still holds. */
export interface Held {
  kind: string;
  what: string;
  todo: string;
}

export function readHolds(value: unknown): Held[] {
  return (Array.isArray(value) ? value.filter(isRecord) : []).map((held) => ({
    kind: stringOrNull(held.kind) ?? "other",
    what: stringOrNull(held.what) ?? "",
    todo: stringOrNull(held.todo) ?? "",
  }));
}
