import type { Credentials } from "@/api/connections";

/** One field of a vendor's credentials. */
export interface CredentialField {
  id: string;
  label: string;
  secret: boolean;
  optional: boolean;
  hint?: string;
}
export interface ConnectForm {
  /** The vendor's usual address. */
  baseUrl: string;
  baseUrlHint: string;
  /** What to do at the vendor first. */
  before: string;
  /** Where a new secret is made. */
  renew: string;
  /** Gives the integration new credentials, on the server. */
  command: string;
  fields: readonly CredentialField[];
}

const field = (id: string, label: string, more: Partial<CredentialField> = {}): CredentialField => ({ id, label, secret: false, optional: false, ...more });

/** What each vendor's form asks for. The ids are those of the function's input. */
export const connectForms: Readonly<Record<string, ConnectForm | undefined>> = {
  ninjaone: {
    baseUrl: "https://app.ninjarmm.com",
    baseUrlHint: "The instance that you sign in to: app, us2, eu, ca or oc, then .ninjarmm.com.",
    before: "In NinjaOne, under Administration, Apps, API, add an API Services app with the scopes monitoring and management.",
    renew: "In NinjaOne, under Administration, Apps, API, make a new client secret for the API app.",
    command: "obera integration add",
    fields: [
      field("client_id", "Client id"),
      field("client_secret", "Client secret", { secret: true }),
      field("people.client_id", "Client id for people", { optional: true, hint: "Of a second app, of the kind Web. Where NinjaOne lets only people run scripts, one of you signs in through it." }),
      field("people.client_secret", "Client secret for people", { secret: true, optional: true, hint: "Empty: the app for people that is kept already stays." }),
    ],
  },
  revio: {
    baseUrl: "https://restapi.rev.io",
    baseUrlHint: "Without /v1. Newer clients use https://api.revioapi.com.",
    before: "In Rev.io, add an API user whose role may read customers, products, services, bills, payments and tickets, and change service products.",
    renew: "In Rev.io, give the API user a new password; the user's name must not be an e-mail address.",
    command: "obera integration add-revio",
    fields: [
      field("user", "User", { hint: "The plain user name, not an e-mail address." }),
      field("client_code", "Client code", { hint: "The part behind the at sign of a sign-in." }),
      field("password", "Password", { secret: true }),
      field("subscription_key", "Subscription key", { secret: true, optional: true, hint: "Only where API management is switched on." }),
    ],
  },
  microsoft: {
    baseUrl: "https://graph.microsoft.com",
    baseUrlHint: "Microsoft's worldwide cloud. Others: https://graph.microsoft.us, https://microsoftgraph.chinacloudapi.cn.",
    before: "In the Entra admin center of your own tenant, register a multi-tenant app, give it the application permissions of the guide, and consent to it in each customer's tenant.",
    renew: "In the Entra admin center of the provider's own tenant, open the app registration, Certificates & secrets, and make a new client secret.",
    command: "obera integration add-microsoft",
    fields: [
      field("home_tenant_id", "Directory (tenant) id", { hint: "Of your own tenant." }),
      field("client_id", "Application (client) id"),
      field("client_secret", "Client secret", { secret: true, hint: "Its value, not its id." }),
    ],
  },
  cipp: {
    baseUrl: "https://<deployment>.azurewebsites.net",
    baseUrlHint: "The API address that CIPP shows under Integrations, CIPP-API. One under your own domain is added on the server: obera integration add-cipp.",
    before: "In CIPP, under Integrations, CIPP-API, create an API client with the role editor or above (admin to apply baselines), enable it, and save to Azure.",
    renew: "In CIPP, under Integrations, CIPP-API, open the API client and reset its application secret.",
    command: "obera integration add-cipp",
    fields: [
      field("tenant_id", "Tenant id", { hint: "Of the tenant that the deployment belongs to." }),
      field("client_id", "Application (client) id"),
      field("client_secret", "Application secret", { secret: true, hint: "CIPP shows it once." }),
    ],
  },
  sharepoint: {
    baseUrl: "https://graph.microsoft.com",
    baseUrlHint: "Microsoft's worldwide cloud. Others: https://graph.microsoft.us, https://microsoftgraph.chinacloudapi.cn.",
    before: "In the Entra admin center of your own tenant, register a second multi-tenant app with the application permissions Sites.Read.All and Files.Read.All only, and consent to it in each customer's tenant. The tenants themselves come from the connection to Microsoft 365.",
    renew: "In the Entra admin center of the provider's own tenant, open the app registration for SharePoint, Certificates & secrets, and make a new client secret.",
    command: "obera integration add-sharepoint",
    fields: [
      field("home_tenant_id", "Directory (tenant) id", { hint: "Of your own tenant." }),
      field("client_id", "Application (client) id", { hint: "Of the app registration for SharePoint." }),
      field("client_secret", "Client secret", { secret: true, hint: "Its value, not its id." }),
    ],
  },
};

/** What still keeps the form from being sent; null when nothing does. */
export function missing(form: ConnectForm, values: Readonly<Record<string, string>>): string | null {
  const empty = form.fields.find((each) => !each.optional && (values[each.id] ?? "").trim() === "");
  if (empty) return `Fill in “${empty.label}”.`;
  // An app is its id and its secret.
  const groupOf = (each: CredentialField) => (each.id.includes(".") ? each.id.split(".")[0] : null);
  const has = (each: CredentialField) => (values[each.id] ?? "").trim() !== "";
  const half = form.fields.find((each) => groupOf(each) !== null && !has(each) && form.fields.some((other) => groupOf(other) === groupOf(each) && has(other)));
  return half ? `Fill in “${half.label}” as well, or neither.` : null;
}

/** The input of the function: optional fields that are empty are left out. `people.client_id` goes into `people`. */
export function credentialsOf(vendor: string, form: ConnectForm, values: Readonly<Record<string, string>>): Credentials {
  const input: Record<string, string | Record<string, string>> = {};
  for (const { id } of form.fields) {
    const value = (values[id] ?? "").trim();
    if (value === "") continue;
    const [group, member] = id.split(".", 2);
    if (group === undefined) continue;
    if (member === undefined) {
      input[group] = value;
      continue;
    }
    const known = input[group];
    input[group] = { ...(typeof known === "object" ? known : {}), [member]: value };
  }
  return { ...input, vendor };
}
