import { ApiError, isRecord, stringOrNull } from "./errors";
import { callFunction } from "./functions";

// Connecting a vendor: `integration-connect`. Credentials go to the server only; nothing of them comes back.

export type CheckFinding = "ok" | "missing_right" | "missing_capability" | "failed" | "skipped";
export interface ConnectionCheck {
  name: string;
  /** Without it no synchronization is complete. */
  needed: boolean;
  finding: CheckFinding;
  problem: string | null;
}
export interface Tried {
  /** Null: the vendor does not take the credentials, and nothing was kept. */
  integrationId: string | null;
  canRead: boolean;
  checks: ConnectionCheck[];
}

const FINDINGS: readonly CheckFinding[] = ["ok", "missing_right", "missing_capability", "failed", "skipped"];

function unreadable(): ApiError {
  return new ApiError({ status: 0, code: "no_answer", message: "The server's answer is not what the contract says.", hint: "Look at the list of integrations before you try again." });
}

export function readTried(answer: unknown): Tried {
  if (!isRecord(answer) || !Array.isArray(answer.checks)) {
    throw unreadable();
  }
  return {
    integrationId: stringOrNull(answer.integration_id),
    canRead: answer.can_read === true,
    checks: answer.checks.filter(isRecord).map((check) => ({
      name: stringOrNull(check.name) ?? "",
      needed: check.need === "reading",
      finding: FINDINGS.find((finding) => finding === check.finding) ?? "failed",
      problem: stringOrNull(check.problem),
    })),
  };
}

/** What a vendor's credentials are made of, as its form names them. */
export type Credentials = Record<string, string | Record<string, string>> & { vendor: string };

export function connect(name: string, baseUrl: string, credentials: Credentials): Promise<Tried> {
  return callFunction("integration-connect", { action: "connect", name, base_url: baseUrl, credentials }, readTried);
}

export function renew(integrationId: string, credentials: Credentials): Promise<Tried> {
  return callFunction("integration-connect", { action: "renew", integration_id: integrationId, credentials }, readTried);
}

export function checkConnection(integrationId: string): Promise<Tried> {
  return callFunction("integration-connect", { action: "check", integration_id: integrationId }, readTried);
}

// Signing in at the vendor as a person: `integration-sign-in`.

/** Where the browser goes now. */
export function beginSignIn(integrationId: string): Promise<string> {
  return callFunction("integration-sign-in", { action: "begin", integration_id: integrationId }, (answer) => {
    const url = isRecord(answer) ? stringOrNull(answer.url) : null;
    if (url === null) throw unreadable();
    return url;
  });
}

/** With what the vendor's page sent back. */
export function finishSignIn(state: string, code: string): Promise<Tried> {
  return callFunction("integration-sign-in", { action: "finish", state, code }, (answer) => readTried(isRecord(answer) ? answer.health : null));
}

export function endSignIn(integrationId: string): Promise<string> {
  return callFunction("integration-sign-in", { action: "end", integration_id: integrationId }, () => "Scripts, tickets and maintenance windows are the application's own again.");
}
