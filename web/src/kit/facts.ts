import type { Plan } from "@/api/plan";
import { words } from "./status";
import { bytes, plural } from "./time";

/** A fact in words: bytes as sizes, percentages with their sign. */
export function factText(name: string, value: string | number | boolean | null): string {
  if (value === null) return "unknown";
  if (typeof value === "number" && name.endsWith("_bytes")) return bytes(value);
  if (typeof value === "number" && name.endsWith("_percent")) return `${Math.round(value * 10) / 10} %`;
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}

/** "disk_used_percent" as people say it: "disk used". */
export function factName(name: string): string {
  return words(name.replace(/^is_/, "").replace(/_(bytes|percent)$/, "")).toLowerCase();
}

/** What a plan touches: "3 devices, 1 customer". A change of what is billed touches no device. */
export function reach(blast: Plan["blast"], unknown: string): string {
  if (blast === null) return unknown;
  return [...(blast.devices > 0 ? [plural(blast.devices, "device")] : []), plural(blast.customers, "customer")].join(", ");
}
