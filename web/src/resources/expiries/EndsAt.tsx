import { fullTime, relative, useNow } from "@/kit/time";

const DAY_MS = 86_400_000;
const SOON_MS = 30 * DAY_MS;

/** The day something ends, and how far that is; what renews itself says so. */
export function EndsAt({ at, renews }: { at: string | null; renews: boolean | null }) {
  const now = useNow();
  if (at === null) return <span className="text-ink-3">no end</span>;
  const left = Date.parse(at) - now;
  const tone = renews ? "text-ink-2" : left <= 0 ? "font-medium text-bad" : left <= SOON_MS ? "font-medium text-warn" : "text-ink-2";
  return (
    <time dateTime={at} title={fullTime(at)} className={`whitespace-nowrap tabular-nums ${tone}`}>
      {at.slice(0, 10)}
      <span className="ml-1.5 text-sm font-normal">{renews ? "renews itself" : left <= 0 ? `ended ${relative(at, now)}` : `in ${Math.ceil(left / DAY_MS)} days`}</span>
    </time>
  );
}
