import { ApiError, isRecord, stringOrNull } from "./errors";
import { callFunction } from "./functions";
import { callRpc, insertRow, patchRow, readRows } from "./rest";
import type { ApprovalRow, DocumentSiteRow, OrganizationRow, SiteReads, SourceListRow, TicketPriority, TicketState } from "./rows";

// Intentions of people, one function each. Every one gives the sentence that tells what the server answered.

function field(answer: unknown, name: string): string {
  return (isRecord(answer) ? stringOrNull(answer[name]) : null) ?? "";
}

/** The server's own sentence about the outcome. Without one the answer is not what the contract says. */
function message(answer: unknown): string {
  const text = field(answer, "message");
  if (text === "") throw new ApiError({ status: 0, code: "no_message", message: "The server answered without saying what happened.", hint: "Look at the record before you try again." });
  return text;
}

export async function approve(row: ApprovalRow, reason: string): Promise<string> {
  return callFunction("auto-remediation", { action: "approve", customer_id: row.customer_id, approval_id: row.id, ...(reason ? { reason } : {}) }, message);
}

export async function reject(row: ApprovalRow, reason: string): Promise<string> {
  return callFunction("auto-remediation", { action: "reject", customer_id: row.customer_id, approval_id: row.id, reason }, message);
}

export async function cancelRun(customerId: string, runId: string, reason: string): Promise<string> {
  return callFunction("auto-remediation", { action: "cancel", customer_id: customerId, run_id: runId, reason }, message);
}

/** The new run and the server's sentence about it. */
export async function remediate(action: "execute" | "dry_run", customerId: string, incidentId: string): Promise<{ runId: string; message: string }> {
  return callFunction("auto-remediation", { action, customer_id: customerId, incident_id: incidentId }, (answer) => ({ runId: field(answer, "run_id"), message: message(answer) }));
}

export async function acknowledgeAlert(customerId: string, id: string): Promise<string> {
  await patchRow("alerts", { customer_id: customerId, id }, { state: "acknowledged" });
  return "Acknowledged. It resolves when its source reports that the condition is gone.";
}

export async function acknowledgeSecurityAlert(id: string, reason: string): Promise<string> {
  await patchRow("security_alerts", { id }, { state: "acknowledged", reason });
  return "Acknowledged.";
}

/** Exports go on from now. */
export async function liftFreeze(id: string, reason: string): Promise<string> {
  await patchRow("export_freezes", { id }, { lift_reason: reason });
  return "The freeze is lifted. Exports go on.";
}

/** Throws while exports are frozen: what this console makes a file of asks first. */
export async function askToExport(): Promise<void> {
  if ((await callRpc("exports_frozen", {})) === false) return;
  throw new ApiError({
    status: 423,
    code: "OB3006",
    message: "Exports are frozen.",
    hint: "An owner lifts the freeze under Security, with a reason.",
  });
}

type Source = Pick<SourceListRow, "id" | "vendor">;

/** Each vendor has its function; Rev.io cannot say what changed, so that it is always read as a whole. */
function sync(source: Source, kind: "full" | "incremental", more: object): Promise<string> {
  const input = { integration_id: source.id, ...more };
  switch (source.vendor) {
    case "revio":
      return callFunction("revio-data", { action: "sync", ...input }, message);
    case "microsoft":
      return callFunction("microsoft-sync", { ...input, kind }, message);
    case "cipp":
      return callFunction("cipp-sync", { action: "sync_tenants", ...input }, message);
    case "sharepoint":
      return callFunction("sharepoint-sync", { action: "sync", ...input, kind }, message);
    default:
      return callFunction("ninjaone-sync", { ...input, kind }, message);
  }
}

export async function startSync(source: Source, kind: "full" | "incremental"): Promise<string> {
  return sync(source, kind, {});
}

export async function acceptFall(source: Source, syncRunId: string, reason: string): Promise<string> {
  return sync(source, "full", { accept_fall: { sync_run_id: syncRunId, reason } });
}

/** What is read of a site from its next synchronization on. */
export async function chooseReads(site: Pick<DocumentSiteRow, "customer_id" | "id" | "name">, reads: SiteReads): Promise<string> {
  await callFunction("sharepoint-sync", { action: "choose", customer_id: site.customer_id, document_site_id: site.id, reads }, () => null);
  return `Chosen for ${site.name}. The next synchronization does it.`;
}

export async function mapOrganization(row: OrganizationRow, customerId: string | null): Promise<void> {
  await patchRow("integration_organizations", { integration_id: row.integration_id, external_id: row.external_id }, { customer_id: customerId });
}

export async function createCustomer(input: { name: string; code: string; slug: string }): Promise<string> {
  return field(await insertRow("customers", input, "id"), "id");
}

export interface NewTicket {
  customer_id: string;
  subject: string;
  description: string;
  priority: TicketPriority;
  device_id: string | null;
}
export async function createTicket(input: NewTicket): Promise<{ id: string; number: string }> {
  const row = await insertRow("tickets", { ...input }, "id,number");
  return { id: field(row, "id"), number: field(row, "number") };
}

export async function updateTicket(
  customerId: string,
  id: string,
  values: { state?: TicketState; priority?: TicketPriority; assigned_to?: string | null; resolution?: string },
): Promise<void> {
  await patchRow("tickets", { customer_id: customerId, id }, { ...values });
}

export async function commentTicket(customerId: string, ticketId: string, body: string, internal: boolean, mayBeInternal: boolean): Promise<string> {
  await insertRow(
    "ticket_events",
    { customer_id: customerId, ticket_id: ticketId, kind: "comment", body, ...(mayBeInternal ? { is_internal: internal } : {}) },
    "id",
  );
  return internal ? "Internal note added." : "Comment added.";
}

/** Writes the ticket into the vendor's ticketing, or reads it from there. */
export async function ticketAtVendor(action: "create" | "sync", customerId: string, ticketId: string): Promise<string> {
  return callFunction("ninjaone-ticket", { action, customer_id: customerId, ticket_id: ticketId }, message);
}

export async function evidenceBundle(customerId: string, id: string): Promise<string> {
  const { rows } = await readRows("evidence", {
    columns: "bundle",
    where: [
      { column: "customer_id", op: "eq", value: customerId },
      { column: "id", op: "eq", value: id },
    ],
    limit: 1,
  });
  const row: unknown = Array.isArray(rows) ? rows[0] : null;
  return field(row, "bundle");
}

/** Null: when they end is not known. */
export async function sayCredentialsEnd(integrationId: string, day: string | null): Promise<string> {
  await patchRow("integrations", { id: integrationId }, { credentials_end_at: day === null ? null : `${day}T00:00:00Z` });
  return day === null ? "The end of the credentials is not known any more." : "People with integrations:write hear of it 90, 30 and 7 days ahead.";
}
