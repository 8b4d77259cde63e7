import type { SourceListRow } from "@/api/rows";
import type { FactAge } from "./freshness";
import { plural } from "./time";

/** What the pages say differently for each vendor. */
export interface Vendor {
  name: string;
  /** What the vendor calls a customer: "organization", "account". */
  account: string;
  /** What comes with a mapped account. */
  brings: string;
  /** It says what changed since the last read; else every read is a full one. */
  saysChanges: boolean;
  /** Each account is read by itself, with rights of its own: one that cannot be read says nothing of the others. */
  readsEachAccount: boolean;
  /** Requests that the vendor takes in a day, where it says so. */
  callsPerDayMax?: number;
}

const ninjaone: Vendor = {
  name: "NinjaOne",
  account: "organization",
  brings: "devices",
  saysChanges: true,
  readsEachAccount: false,
};

const vendors: Readonly<Record<string, Vendor | undefined>> = {
  ninjaone,
  revio: {
    name: "Rev.io",
    account: "account",
    brings: "lines, bills and tickets",
    saysChanges: false,
    readsEachAccount: false,
    callsPerDayMax: 150_000,
  },
  microsoft: {
    name: "Microsoft 365",
    account: "tenant",
    brings: "people and licenses",
    saysChanges: true,
    readsEachAccount: true,
  },
  cipp: {
    name: "CIPP",
    account: "tenant",
    brings: "settings and alerts",
    saysChanges: false,
    readsEachAccount: true,
  },
  sharepoint: {
    name: "SharePoint",
    account: "tenant",
    brings: "sites and documents",
    saysChanges: true,
    readsEachAccount: true,
  },
};

export function vendorOf(vendor: string): Vendor {
  return vendors[vendor] ?? { ...ninjaone, name: vendor };
}

/** What of the unmapped accounts is kept out: "102 devices", "their lines, bills and tickets". */
export function keptOut(source: { vendor: string; devices_unmapped: number }): string {
  return source.vendor === "ninjaone" ? plural(source.devices_unmapped, "device") : `their ${vendorOf(source.vendor).brings}`;
}

/** How far a source as a whole can be trusted: its last complete read; where accounts are read by themselves, its last read. */
export function sourceAge(source: Pick<SourceListRow, "vendor" | "last_state" | "last_ended_at" | "last_complete_at" | "stale_at" | "stale_after_s">): FactAge {
  if (!vendorOf(source.vendor).readsEachAccount || source.last_state !== "partial" || source.last_ended_at === null) {
    return { observedAt: source.last_complete_at, staleAt: source.stale_at };
  }
  const staleAt = new Date(Date.parse(source.last_ended_at) + source.stale_after_s * 1_000).toISOString();
  return { observedAt: source.last_ended_at, complete: false, staleAt };
}
