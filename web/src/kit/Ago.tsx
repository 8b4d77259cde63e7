import { fullTime, relative, shortSpan, useNow } from "./time";

/** A moment as people say it; the exact time is in the tooltip. `brief` leaves out "ago" for narrow columns. */
export function Ago({ at, brief = false, periodMs }: { at: string | null; brief?: boolean; periodMs?: number }) {
  const now = useNow(periodMs);
  if (at === null) return <span className="text-ink-3">never</span>;
  const past = now - Date.parse(at);
  return (
    <time dateTime={at} title={fullTime(at)} className="whitespace-nowrap">
      {brief && past >= 5_000 ? shortSpan(past) : relative(at, now)}
    </time>
  );
}
