import { useAuthState } from "ra-core";
import type { ReactNode } from "react";
import { Navigate, useLocation } from "react-router";

/** Lets only signed-in people in; the way back is kept for after the sign-in. */
export function RequireSession({ children }: { children: ReactNode }) {
  const { authenticated, isPending } = useAuthState({}, false);
  const { pathname, search } = useLocation();
  if (isPending) return null;
  if (!authenticated) {
    const next = pathname + search;
    return <Navigate to={next === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`} replace />;
  }
  return children;
}
