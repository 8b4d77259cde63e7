import { useQueryClient } from "@tanstack/react-query";
import { useAuthState } from "ra-core";
import { useEffect, useState, type FormEvent } from "react";
import { Navigate, useLocation, useNavigate, useSearchParams } from "react-router";
import { authProvider } from "@/api/authProvider";
import { toApiError, type ApiError } from "@/api/errors";
import { Brand } from "@/app/Brand";
import { Button } from "@/ui/Button";
import { TextField } from "@/ui/Field";
import { pathBefore, safeNext } from "./next";

export default function SignIn() {
  const [params] = useSearchParams();
  const before: { state: unknown } = useLocation();
  const next = safeNext(params.get("next") ?? pathBefore(before.state));
  const navigate = useNavigate();
  const client = useQueryClient();
  const { authenticated, isPending } = useAuthState({}, false);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  // Follows document.title, which belongs to the browser.
  useEffect(() => {
    document.title = "Sign in · OberaConnect";
  }, []);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const email = form.get("email");
    const password = form.get("password");
    if (busy || typeof email !== "string" || typeof password !== "string") return;
    setBusy(true);
    setError(null);
    try {
      await authProvider.login({ email: email.trim().toLowerCase(), password });
      client.clear();
      await navigate(next, { replace: true });
    } catch (cause) {
      setError(toApiError(cause));
      setBusy(false);
    }
  };

  if (!isPending && authenticated && !busy) return <Navigate to={next} replace />;
  return (
    <div className="grid min-h-dvh grid-rows-[1fr_auto] bg-bg">
      <main className="grid place-items-center px-5 py-10">
        <div className="w-full max-w-88">
          <Brand large />
          <h1 className="mt-8">Sign in</h1>
          <p className="mt-1 text-ink-2">See every customer, act with proof.</p>
          <form onSubmit={(event) => void submit(event)} className="mt-6 grid gap-4">
            <TextField label="Email" name="email" type="email" autoComplete="username" required autoFocus spellCheck={false} />
            <TextField label="Password" name="password" type="password" autoComplete="current-password" required />
            {error ? (
              <div role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-bad">
                <p className="font-medium">{error.message}</p>
                {error.hint ? <p>{error.hint}</p> : null}
                {error.requestId ? <p className="font-mono text-xs">request {error.requestId}</p> : null}
              </div>
            ) : null}
            <Button type="submit" variant="primary" busy={busy} className="h-10 w-full">
              Sign in
            </Button>
          </form>
          <p className="mt-6 text-sm text-ink-2">No account, or a lost password? An owner of your provider can help.</p>
        </div>
      </main>
      <footer className="px-5 py-4 text-center text-sm text-ink-3">OberaConnect</footer>
    </div>
  );
}
