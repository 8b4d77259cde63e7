import { ApiError, errorFromResponse } from "./errors";

export const API_KEY = "console";
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * The one place that talks to the network. Errors of every door become an `ApiError` with the request id,
 * a dead network becomes one with status 0. Clients above use it as their `fetch`.
 */
export async function apiFetch(input: RequestInfo | URL, init?: RequestInit, timeoutMs = REQUEST_TIMEOUT_MS): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = init?.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  let response: Response;
  try {
    response = await fetch(input, { ...init, signal });
  } catch (cause) {
    if (init?.signal?.aborted) throw cause;
    throw new ApiError({
      status: 0,
      code: timeout.aborted ? "timeout" : "network",
      message: timeout.aborted ? "The server did not answer in time." : "The server cannot be reached.",
      hint: "Nothing was changed on this side. Check the connection and try again.",
    });
  }
  if (!response.ok) throw await errorFromResponse(response);
  return response;
}
