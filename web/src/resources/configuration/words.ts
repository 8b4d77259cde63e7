import {
  AppWindow, ArchiveRestore, BadgeCheck, Box, Building2, Cable, CircleCheck, CircleDashed, CircleHelp, CircleSlash, Cloud, Computer, Contact, Database, FileBadge, FileSignature, FolderTree, Globe, HardDrive, Handshake, Hourglass,
  KeyRound, MapPin, MonitorSmartphone, Network, PencilLine, Printer, ReceiptText, Smartphone, TimerOff, TriangleAlert, type LucideIcon,
} from "lucide-react";
import type { EnteredKind, EnteredRelationship, ItemFreshness, ItemKind, ItemState } from "@/api/rows";
import { paths } from "@/kit/paths";
import { words, type Vocabulary } from "@/kit/status";

interface Kind {
  one: string;
  many: string;
  icon: LucideIcon;
}
type End = ItemKind | "rmm_device" | "intune_device";

const kinds: Readonly<Record<End, Kind>> = {
  customer: { one: "Customer", many: "customers", icon: Building2 },
  site: { one: "Site", many: "sites", icon: MapPin },
  endpoint: { one: "Endpoint", many: "endpoints", icon: Computer },
  person: { one: "Person", many: "people", icon: Contact },
  tenant: { one: "Tenant", many: "tenants", icon: Cloud },
  license: { one: "License", many: "licenses", icon: KeyRound },
  service: { one: "Service", many: "services", icon: ReceiptText },
  domain: { one: "Domain", many: "domains", icon: Globe },
  application: { one: "Application", many: "applications", icon: AppWindow },
  sharepoint_site: { one: "SharePoint site", many: "SharePoint sites", icon: FolderTree },
  rmm_device: { one: "NinjaOne record", many: "NinjaOne records", icon: MonitorSmartphone },
  intune_device: { one: "Intune record", many: "Intune records", icon: Smartphone },
  backup: { one: "Backup", many: "backups", icon: ArchiveRestore },
  certificate: { one: "Certificate", many: "certificates", icon: FileBadge },
  circuit: { one: "Internet line", many: "internet lines", icon: Cable },
  contract: { one: "Contract", many: "contracts", icon: FileSignature },
  database: { one: "Database", many: "databases", icon: Database },
  hardware: { one: "Hardware", many: "pieces of hardware", icon: HardDrive },
  network: { one: "Network", many: "networks", icon: Network },
  printer: { one: "Printer", many: "printers", icon: Printer },
  storage: { one: "Storage", many: "storages", icon: HardDrive },
  vendor: { one: "Vendor", many: "vendors", icon: Handshake },
  other: { one: "Other", many: "others", icon: Box },
};
export function kindOf(kind: string): Kind {
  const known: Readonly<Record<string, Kind | undefined>> = kinds;
  return known[kind] ?? { one: words(kind), many: words(kind).toLowerCase(), icon: CircleHelp };
}
export const itemKinds: readonly string[] = Object.keys(kinds).filter((kind) => kind !== "rmm_device" && kind !== "intune_device");
export const enteredKinds: readonly EnteredKind[] = [
  "application", "backup", "certificate", "circuit", "contract", "database", "hardware", "network", "printer", "service", "storage", "vendor", "other",
];

export const itemStates: Vocabulary<ItemState> = {
  present: { label: "Present", tone: "ok", icon: CircleCheck },
  missing: { label: "Gone from source", tone: "mute", icon: CircleSlash, says: "A complete reading did not show it any more." },
  planned: { label: "Planned", tone: "info", icon: Hourglass },
  in_use: { label: "In use", tone: "ok", icon: CircleCheck },
  retired: { label: "Retired", tone: "mute", icon: CircleDashed },
};
export const itemFreshness: Vocabulary<ItemFreshness> = {
  fresh: { label: "Fresh", tone: "ok", icon: BadgeCheck },
  partial: { label: "Partial", tone: "warn", icon: TriangleAlert },
  stale: { label: "Stale", tone: "bad", icon: TimerOff },
  entered: { label: "Entered", tone: "mute", icon: PencilLine },
  unknown: { label: "Unknown", tone: "mute", icon: CircleHelp },
};

/** Each rule from both ends: what the item does, and what is done with it; and why the rule says so. */
const rules: Readonly<Record<string, readonly [out: string, into: string, because: string] | undefined>> = {
  site_of_customer: ["Belongs to", "Sites", "the RMM files the site there"],
  endpoint_at_site: ["At", "Endpoints here", "the RMM files the device at the site"],
  endpoint_of_customer: ["Belongs to", "Endpoints without a site", "no record of it names a site"],
  person_uses_endpoint: ["Uses", "Used by", "Intune names the account"],
  endpoint_is_rmm_device: ["Known to the RMM as", "Joined into", "its records were joined"],
  endpoint_is_intune_device: ["Known to Intune as", "Joined into", "its records were joined"],
  intune_device_of_tenant: ["Enrolled in", "Enrolled devices", "Intune lists it"],
  person_in_tenant: ["Account in", "Accounts", "Microsoft lists the account"],
  person_in_domain: ["Signs in under", "Sign in under it", "the sign-in name ends in it"],
  person_holds_license: ["Holds", "Held by", "Microsoft says it is assigned"],
  license_of_tenant: ["Bought in", "Licenses", "Microsoft lists it"],
  tenant_of_customer: ["Belongs to", "Tenants", "somebody mapped it"],
  domain_of_tenant: ["Verified in", "Domains", "Microsoft lists it"],
  application_of_tenant: ["Registered in", "Applications", "Microsoft lists it"],
  sharepoint_site_of_tenant: ["In", "SharePoint sites", "the tenant ids are the same"],
  service_of_customer: ["Billed to", "Services", "Rev.io lists the line"],
  license_billed_by_service: ["Billed by", "Bills licenses", "a count rule says so"],
  endpoint_billed_by_service: ["Billed by", "Bills endpoints", "a count rule says so"],
  depends_on: ["Depends on", "Needed by", "a person entered it"],
  runs_on: ["Runs on", "Runs", "a person entered it"],
  part_of: ["Part of", "Consists of", "a person entered it"],
  located_at: ["Located at", "Located here", "a person entered it"],
  used_by: ["Used by", "Uses", "a person entered it"],
  backed_up_by: ["Backed up by", "Backs up", "a person entered it"],
  protected_by: ["Protected by", "Protects", "a person entered it"],
  supported_by: ["Supported by", "Supports", "a person entered it"],
  connected_to: ["Connected to", "Connected to", "a person entered it"],
};
export function ruleWords(rule: string, direction: "in" | "out"): string {
  return rules[rule]?.[direction === "out" ? 0 : 1] ?? words(rule);
}
export function becauseOf(rule: string): string {
  return rules[rule]?.[2] ?? words(rule).toLowerCase();
}
export const enteredRelationships: readonly EnteredRelationship[] = [
  "depends_on", "runs_on", "part_of", "located_at", "used_by", "backed_up_by", "protected_by", "supported_by", "connected_to",
];

/** The page of what an item is, besides its own as an item. */
export function recordPath(kind: string, origin: string, customerId: string, id: string): string | null {
  if (origin === "entered" && kind !== "customer" && kind !== "site") return null;
  if (kind === "customer") return paths.customer(customerId);
  if (kind === "endpoint") return paths.endpoint(customerId, id);
  if (kind === "person") return paths.person(customerId, id);
  if (kind === "tenant") return paths.tenant(customerId, id);
  if (kind === "rmm_device") return paths.device(customerId, id);
  return null;
}
/** Where a relationship leads. Records of machines are no items. */
export function endPath(kind: string, customerId: string, id: string): string | null {
  if (kind === "intune_device") return null;
  return kind === "rmm_device" ? paths.device(customerId, id) : paths.configurationItem(customerId, id);
}
/** What history calls the kind; null: none is kept of it. */
export function historyKind(kind: string, origin: string): string | null {
  if (kind === "site") return "site";
  if (kind === "customer" || kind === "domain") return null;
  if (origin === "entered") return "item";
  return kind === "application" ? null : kind;
}
/** What provenance calls the kind. */
export function attributesKind(kind: string, origin: string): string | null {
  if (kind === "site") return "site";
  if (origin === "entered") return kind === "customer" ? null : "item";
  return ["person", "endpoint", "tenant", "service"].includes(kind) ? kind : null;
}
