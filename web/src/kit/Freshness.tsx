import { toneFill, type Tone } from "@/ui/Badge";
import { cx } from "@/ui/cx";
import { freshness, type FactAge, type FreshnessState } from "./freshness";
import { fullTime, useNow } from "./time";

const tones: Record<FreshnessState, Tone> = { fresh: "ok", partial: "warn", stale: "bad", unknown: "mute" };
const spoken: Record<FreshnessState, string> = {
  fresh: "read completely",
  partial: "the last read was not complete: what is missing here may still exist",
  stale: "not read for too long: no automation acts on it",
  unknown: "not read yet",
};

interface FreshnessProps extends FactAge {
  /** Name of the source, in front. */
  source?: string;
  /** Only the age, for table cells: "6 min", "partial", "stale". */
  brief?: boolean;
}

/** When a fact was seen at its vendor and whether that read was whole. Every synchronized fact shows itself through this. */
export function Freshness({ source, brief = false, ...fact }: FreshnessProps) {
  const { state, text } = freshness(fact, useNow());
  const shown = brief ? text.replace(/ ago$/, "").replace(/^partial.*/, "partial").replace(/^stale, read/, "stale") : text;
  return (
    <span
      className="inline-flex items-center gap-1.5 text-sm whitespace-nowrap text-ink-2"
      title={`${source ?? "Source"}: ${spoken[state]}${fact.observedAt ? ` · ${fullTime(fact.observedAt)}` : ""}`}
    >
      <i aria-hidden className={cx("size-1.5 shrink-0 rounded-full", toneFill[tones[state]], state === "stale" && "rounded-none rotate-45")} />
      {source ? `${source} ` : ""}
      {shown}
      {!brief && state === "fresh" ? ", complete" : ""}
    </span>
  );
}
