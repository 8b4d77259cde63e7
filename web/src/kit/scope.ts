import { useCallback } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import type { Where } from "@/api/where";

const PARAM = "customer";

export interface Scope {
  /** The one customer that is looked at; null is all that the person may see. */
  customerId: string | null;
  /** The condition that keeps a request inside the scope. Spread it into every list request. */
  where: Where[];
  /** A path inside the console that keeps the scope. */
  to: (path: string, params?: Record<string, string>) => string;
  set: (customerId: string | null) => void;
}

export function scopedPath(path: string, customerId: string | null, params: Record<string, string> = {}): string {
  const query = new URLSearchParams(params);
  if (customerId) query.set(PARAM, customerId);
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** The customer switch lives in the URL, so that every screen can be linked with it. */
export function useScope(column = "customer_id"): Scope {
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const customerId = params.get(PARAM);
  const to = useCallback((path: string, extra?: Record<string, string>) => scopedPath(path, customerId, extra), [customerId]);
  const set = useCallback(
    (next: string | null) => {
      // A record belongs to one customer: changing the switch there leads to the list it came from.
      const [, area = ""] = pathname.split("/");
      void navigate(scopedPath(`/${area}`, next));
    },
    [navigate, pathname],
  );
  return { customerId, where: customerId ? [{ column, op: "eq", value: customerId }] : [], to, set };
}
