import type { AuthProvider } from "ra-core";
import { auth, currentSession } from "./auth";
import { ApiError, isRecord, toApiError } from "./errors";
import { callRpc } from "./rest";
import type { PermissionRow } from "./rows";

function readPermissions(answer: unknown): PermissionRow[] {
  if (!Array.isArray(answer)) return [];
  return answer.flatMap((row: unknown) =>
    isRecord(row) && typeof row.permission === "string"
      ? [{ permission: row.permission, customer_id: typeof row.customer_id === "string" ? row.customer_id : null }]
      : [],
  );
}

export const authProvider: AuthProvider = {
  async login(params: { email: string; password: string }) {
    const { error } = await auth.signInWithPassword(params);
    if (error) throw toApiError(error);
  },
  async logout() {
    // The session also ends here when the server cannot be reached: a person who signs out is out on this device.
    await auth.signOut({ scope: "local" });
    return "/sign-in";
  },
  async checkAuth() {
    if ((await currentSession()) === null) throw new ApiError({ status: 401, code: "no_session", message: "Sign in to continue." });
  },
  async checkError(error: unknown) {
    if (error instanceof ApiError && error.status === 401) {
      await auth.signOut({ scope: "local" });
      throw error;
    }
  },
  async getIdentity() {
    const user = (await currentSession())?.user;
    const name: unknown = user?.user_metadata.display_name;
    const email = user?.email ?? "";
    return { id: user?.id ?? "", fullName: typeof name === "string" && name !== "" ? name : email, email, role: user?.role ?? "" };
  },
  async getPermissions(): Promise<PermissionRow[]> {
    if ((await currentSession()) === null) return [];
    return readPermissions(await callRpc("my_permissions", {}));
  },
};
