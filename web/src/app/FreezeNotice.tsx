import { Lock } from "lucide-react";
import { Link, useLocation } from "react-router";
import { useRows } from "@/api/queries";
import { paths } from "@/kit/paths";

const EVERY_MS = 60_000;

/** On every page but the one that says more: exports are frozen. */
export default function FreezeNotice() {
  const { pathname } = useLocation();
  const { rows } = useRows("security_status", { every: EVERY_MS });
  if (!rows[0]?.freeze_id || pathname === paths.security) return null;
  return (
    <p role="alert" className="flex flex-wrap items-center gap-x-2 rounded-lg border border-line bg-bad-soft px-3.5 py-2.5 text-bad">
      <Lock aria-hidden className="size-4 shrink-0" />
      <span>
        <b className="font-semibold">Exports are frozen:</b> the isolation of customers was seen to be broken.
      </span>
      <Link to={paths.security} className="font-medium underline">
        See what was found
      </Link>
    </p>
  );
}
