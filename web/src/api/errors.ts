/** What went wrong, in one shape for every door (`/auth/v1`, `/rest/v1`, `/functions/v1`) and for the network itself. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: string | null;
  readonly hint: string | null;
  readonly requestId: string | null;

  constructor(input: {
    status: number;
    code: string;
    message: string;
    details?: string | null;
    hint?: string | null;
    requestId?: string | null;
  }) {
    super(input.message);
    this.name = "ApiError";
    this.status = input.status;
    this.code = input.code;
    this.details = input.details ?? null;
    this.hint = input.hint ?? null;
    this.requestId = input.requestId ?? null;
  }

  /** Worth trying again unchanged: nothing was decided by the server. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function stringOrNull(value: unknown): string | null {
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return isRecord(value) || Array.isArray(value) ? JSON.stringify(value) : null;
}

/** Reads the error body of any door; a body that is not ours still gives a usable error. */
export async function errorFromResponse(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => "");
  const requestId = response.headers.get("x-request-id");
  const body = parseJson(text);
  if (isRecord(body)) {
    const message =
      stringOrNull(body.message) ?? stringOrNull(body.msg) ?? stringOrNull(body.error_description) ?? stringOrNull(body.error);
    return new ApiError({
      status: response.status,
      code: stringOrNull(body.error_code) ?? stringOrNull(body.code) ?? String(response.status),
      message: message ?? plainStatus(response.status),
      details: stringOrNull(body.details),
      hint: stringOrNull(body.hint),
      requestId,
    });
  }
  return new ApiError({ status: response.status, code: String(response.status), message: plainStatus(response.status), requestId });
}

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof Error) {
    const status = "status" in error && typeof error.status === "number" ? error.status : 0;
    const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
    return new ApiError({ status, code, message: error.message });
  }
  return new ApiError({ status: 0, code: "unknown", message: "Something unexpected happened." });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function plainStatus(status: number): string {
  if (status === 401) return "Your session has ended. Sign in again.";
  if (status === 403) return "You may not do this.";
  if (status === 404) return "Not found.";
  if (status === 409) return "Somebody changed this at the same time.";
  if (status === 429) return "Too many requests. Wait a moment.";
  return status >= 500 ? "The server could not answer." : `The server refused the request (${status}).`;
}
