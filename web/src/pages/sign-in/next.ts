/** Only a path of this console, so that a prepared link cannot lead elsewhere after the sign-in. */
export function safeNext(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : "/";
}
