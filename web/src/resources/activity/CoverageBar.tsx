import type { CoverageRow } from "@/api/rows";
import { fullTime } from "@/kit/time";
import { toneFill, type Tone } from "@/ui/Badge";
import { cx } from "@/ui/cx";
import { spansOf, widths, type SpanPart } from "./facts";

const tones: Record<SpanPart["state"], Tone> = { read: "ok", gap: "bad", lost: "warn" };
const words: Record<SpanPart["state"], string> = { read: "read", gap: "missing", lost: "lost" };

const spoken = (span: SpanPart) => `${words[span.state]} from ${fullTime(new Date(span.from).toISOString())} to ${fullTime(new Date(span.to).toISOString())}${span.reason ? `: ${span.reason}` : ""}`;

/** What of the kept time was read, is missing, or is lost; the newest on the right. */
export function CoverageBar({ row, wide = false }: { row: Pick<CoverageRow, "spans" | "tenant_name">; wide?: boolean }) {
  const spans = spansOf(row.spans);
  const parts = widths(spans);
  if (spans.length === 0) return <span className="text-sm text-ink-3">-</span>;
  return (
    <span role="img" aria-label={`${row.tenant_name}: ${spans.map(spoken).join(". ")}`} className={cx("flex h-2 overflow-hidden rounded-full", wide ? "w-full" : "w-32 2xl:w-56")}>
      {spans.map((span, index) => (
        <i key={index} aria-hidden title={spoken(span)} style={{ width: `${parts[index] ?? 0}%` }} className={cx("h-full border-l border-surface first:border-l-0", toneFill[tones[span.state]])} />
      ))}
    </span>
  );
}
