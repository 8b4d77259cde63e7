/** Every screen's URL is a function. Records carry the customer first, because the key does. */
export interface CustomerKey {
  customer_id: string;
  id: string;
}
export type ProgramKey = [name: string, version: string, publisher: string];
/** A program as its path names it; an empty one where the path is no such name. */
export function programKey(segment: string | undefined): ProgramKey {
  try {
    const parts: unknown = JSON.parse(segment ?? "");
    const words = Array.isArray(parts) ? parts.flatMap((part: unknown) => (typeof part === "string" ? [part] : [])) : [];
    const [name, version, publisher] = words;
    if (words.length === 3 && name !== undefined && version !== undefined && publisher !== undefined) return [name, version, publisher];
  } catch {
    // Not ours.
  }
  return ["", "", ""];
}
const record = (area: string) => (customerId: string, id: string) => `/${area}/${customerId}/${id}`;

export const paths = {
  overview: "/",
  customer: (id: string) => `/customers/${id}`,
  device: record("devices"),
  /** Where a version of a program is installed. */
  software: (...program: ProgramKey) => `/software/${encodeURIComponent(JSON.stringify(program))}`,
  endpoint: record("endpoints"),
  configurationItem: record("configuration"),
  incident: record("incidents"),
  run: record("runs"),
  ticket: record("tickets"),
  approval: record("approvals"),
  apiFunction: (name: string) => `/api?function=${encodeURIComponent(name)}`,
  security: "/security",
  /** The reads behind an alert: of one person, newest first. */
  readsOf: (email: string) => `/access?q=${encodeURIComponent(email)}`,
  difference: record("differences"),
  person: record("people"),
  tenant: record("tenants"),
  cippTenant: record("cipp-tenants"),
  drift: record("drift"),
  driftTenant: record("drift/tenants"),
  posture: record("posture"),
  postureCheck: record("posture/checks"),
  directoryChange: record("directory-changes"),
  baseline: (id: string) => `/baselines/${id}`,
  /** What is demanded of one customer only. */
  customerBaseline: (id: string) => `/baselines/customers/${id}`,
  compareTenants: (left: string, right?: string) => `/drift/compare?left=${left}${right ? `&right=${right}` : ""}`,
  document: record("documents"),
  monthClose: (id: string) => `/month-closes/${id}`,
  integration: (id: string) => `/integrations/${id}`,
};
