import { isRecord } from "@/api/errors";

/** Only a path of this console, so that a prepared link cannot lead elsewhere after the sign-in. */
export function safeNext(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : "/";
}

/** Where ra-core says the person was when the session ended. */
export function pathBefore(state: unknown): string | null {
  if (!isRecord(state) || typeof state.nextPathname !== "string") return null;
  return state.nextPathname + (typeof state.nextSearch === "string" ? state.nextSearch : "");
}
