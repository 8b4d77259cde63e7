import { bearerToken } from "./auth";
import { API_KEY, apiFetch } from "./http";

/** One key per intention. Not `crypto.randomUUID`: that exists on https and localhost only. */
export function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function postFunction(name: string, body: unknown, key: string): Promise<Response> {
  const token = await bearerToken();
  return apiFetch(`${location.origin}/functions/v1/${name}`, {
    method: "POST",
    headers: {
      apikey: API_KEY,
      "content-type": "application/json",
      "idempotency-key": key,
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify(body),
  });
}

/** Calls one intention of the product. `read` turns the answer into a typed value or throws. */
export async function callFunction<T>(name: string, body: object, read: (answer: unknown) => T): Promise<T> {
  const response = await postFunction(name, body, freshKey());
  const text = await response.text();
  return read(text === "" ? null : JSON.parse(text));
}
