import { Link } from "react-router";
import { useRows } from "@/api/queries";
import { useCan } from "@/kit/permissions";
import { useNow } from "@/kit/time";
import { cx } from "@/ui/cx";
import { lampOf, type Lamp } from "./lamp";

const look: Record<Lamp, string> = { ok: "bg-ok rounded-full", warn: "bg-warn rounded-full", bad: "bg-bad rotate-45" };

export function SourceLamp() {
  const { can } = useCan();
  const allowed = can("integrations:read");
  const { rows, isPending } = useRows("source_list", { enabled: allowed, order: [{ column: "name" }] });
  const now = useNow();
  if (!allowed) return null;
  const { lamp, text } = lampOf(rows, now);
  return (
    <Link to="/integrations" className="inline-flex h-8 items-center gap-2 rounded-md px-2 text-ink-2 hover:bg-hover hover:text-ink max-lg:hidden">
      <i aria-hidden className={cx("size-2", isPending ? "rounded-full bg-mute-soft" : look[lamp])} />
      {isPending ? "Sources" : text}
    </Link>
  );
}
