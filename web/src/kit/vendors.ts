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
  /** Where a new secret is made. */
  renew: string;
  /** Gives the integration new credentials, on the server. */
  command: string;
}

const ninjaone: Vendor = {
  name: "NinjaOne",
  account: "organization",
  brings: "devices",
  saysChanges: true,
  renew: "In NinjaOne, under Administration, Apps, API, make a new client secret for the API app.",
  command: "obera integration add",
};

const vendors: Readonly<Record<string, Vendor | undefined>> = {
  ninjaone,
  revio: {
    name: "Rev.io",
    account: "account",
    brings: "lines and bills",
    saysChanges: false,
    renew: "In Rev.io, give the API user a new password; the user's name must not be an e-mail address.",
    command: "obera integration add-revio",
  },
  microsoft: {
    name: "Microsoft 365",
    account: "tenant",
    brings: "people and licenses",
    saysChanges: true,
    renew: "In the Entra admin center of the provider's own tenant, open the app registration, Certificates & secrets, and make a new client secret.",
    command: "obera integration add-microsoft",
  },
};

export function vendorOf(vendor: string): Vendor {
  return vendors[vendor] ?? { ...ninjaone, name: vendor };
}

/** What of the unmapped accounts is kept out: "102 devices", "their lines and bills". */
export function keptOut(source: { vendor: string; devices_unmapped: number }): string {
  return source.vendor === "ninjaone" ? plural(source.devices_unmapped, "device") : `their ${vendorOf(source.vendor).brings}`;
}
