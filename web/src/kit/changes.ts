import { isRecord } from "@/api/errors";
import { words } from "./status";
import { fullTime } from "./time";
import { vendorOf } from "./vendors";

const LABELS: Readonly<Record<string, string | undefined>> = {
  missing_since: "Gone from source",
  ended_at: "Ended",
  sku_ids: "Licenses",
  per_user_mfa: "Per-user MFA",
  mfa_registered: "Second factor registered",
  has_premium: "Entra ID P1",
  entra_id_p1: "Entra ID P1",
  os_name: "Operating system",
  os_version: "Version",
  owner_kind: "Owned by",
  is_encrypted: "Encrypted",
  is_admin: "Administrator",
  is_synced: "From on premises",
  is_active: "Active",
  account_enabled: "Sign-in allowed",
  user_type: "Kind",
  sign_in: "Sign-in",
  sign_in_name: "Sign-in name",
  last_sign_in: "Last sign-in",
  web_url: "Address",
};

/** What people call a column: "site_id" is "Site". */
export function attributeName(column: string): string {
  return LABELS[column] ?? words(column.replace(/_ids?$/, ""));
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

/** A value of a row as people read it; ids by the names that the server gave for them. */
export function valueText(value: unknown, names: Readonly<Record<string, string>>): string {
  if (value === null || value === undefined || value === "") return "nothing";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.length === 0 ? "nothing" : value.map((each) => valueText(each, names)).join(", ");
  if (typeof value === "string") {
    if (UUID.test(value)) return names[value] ?? `one that is gone or hidden (…${value.slice(-6)})`;
    return INSTANT.test(value) ? fullTime(value) : value;
  }
  if (isRecord(value)) return Object.entries(value).map(([name, each]) => `${name}: ${valueText(each, names)}`).join(", ") || "nothing";
  return JSON.stringify(value);
}

const SOURCES: Readonly<Record<string, string | undefined>> = {
  intune: "Intune",
  entered: "Entered",
  people: "People",
  rules: "Rules of joining",
  count_rule: "Count rule",
  revio_product: "Rev.io's product",
};
export function sourceName(source: string): string {
  return SOURCES[source] ?? vendorOf(source).name;
}
