import { Link } from "react-router";
import { useRows } from "@/api/queries";
import type { SourceListRow } from "@/api/rows";
import { freshness, STALE_AFTER_MS } from "@/kit/freshness";
import { useCan } from "@/kit/permissions";
import { useNow } from "@/kit/time";
import { cx } from "@/ui/cx";

type Lamp = "ok" | "warn" | "bad";

/** Worst of all sources decides: stale or failed is red, partial, held back or unmapped is amber. */
export function lampOf(sources: SourceListRow[], now: number): { lamp: Lamp; text: string } {
  const live = sources.filter((source) => source.enabled);
  if (live.length === 0) return { lamp: "warn", text: "no source connected" };
  const stale = live.filter((source) => freshness({ observedAt: source.last_complete_at, staleAfterMs: STALE_AFTER_MS }, now).state !== "fresh");
  if (stale.length > 0) return { lamp: "bad", text: `${stale.length} of ${live.length} sources stale` };
  const half = live.filter((source) => source.last_state === "partial" || source.last_state === "suspect" || source.last_state === "failed");
  if (half.length > 0) return { lamp: "warn", text: `${half.length} of ${live.length} sources not complete` };
  return { lamp: "ok", text: live.length === 1 ? "1 source fresh" : `${live.length} sources fresh` };
}

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
