import { AuthClient, type Session } from "@supabase/auth-js";
import { API_KEY } from "./http";

/** GoTrue dialect, stock client. Refreshes the token by itself; the session survives a reload. */
export const auth = new AuthClient({
  url: `${location.origin}/auth/v1`,
  headers: { apikey: API_KEY },
  storageKey: "obera.session",
  autoRefreshToken: true,
  persistSession: true,
  detectSessionInUrl: false,
});

export async function currentSession(): Promise<Session | null> {
  const { data } = await auth.getSession();
  return data.session;
}

/** The bearer token for the next request, refreshed when it is about to end; null when nobody is signed in. */
export async function bearerToken(): Promise<string | null> {
  return (await currentSession())?.access_token ?? null;
}
