import { useId } from "react";
import { toneFill, toneText, type Tone } from "./Badge";
import { cx } from "./cx";

/** A small line with a filled area. `label` says in words what the picture shows. */
export function Sparkline({ values, label, tone = "accent", className }: { values: number[]; label: string; tone?: Tone; className?: string }) {
  const width = 120;
  const height = 30;
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const step = values.length > 1 ? width / (values.length - 1) : width;
  const points = values.map((value, index) => `${(index * step).toFixed(1)} ${(height - 3 - ((value - low) / span) * (height - 6)).toFixed(1)}`);
  const line = `M${points.join("L")}`;
  return (
    <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label} className={cx("block h-7.5 w-full", toneText[tone], className)}>
      <path d={`${line}L${width} ${height}L0 ${height}Z`} fill="currentColor" opacity={0.12} />
      <path d={line} fill="none" stroke="currentColor" strokeWidth={1.6} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}

export interface Bar {
  key: string;
  value: number;
  /** Spoken and shown on hover: "14:00, 7 alerts". */
  label: string;
  strong?: boolean;
  tick?: string | undefined;
}

/** Bars over time. A table with the same numbers is there for screen readers. */
export function BarChart({ bars, label, tone = "accent" }: { bars: Bar[]; label: string; tone?: Tone }) {
  const id = useId();
  const top = Math.max(1, ...bars.map((bar) => bar.value));
  return (
    <figure aria-labelledby={id} className="m-0">
      <figcaption id={id} className="sr-only">
        {label}
      </figcaption>
      <div aria-hidden className="flex h-28 items-end gap-[3px] border-b border-line-strong">
        {bars.map((bar) => (
          <div key={bar.key} title={bar.label} className="group flex h-full flex-1 items-end">
            <div
              className={cx("w-full rounded-t-[2px] transition-opacity group-hover:opacity-100", toneFill[tone], bar.strong ? "opacity-100" : "opacity-40")}
              style={{ height: bar.value === 0 ? "2px" : `${Math.max(4, (bar.value / top) * 100)}%` }}
            />
          </div>
        ))}
      </div>
      <div aria-hidden className="mt-1 flex gap-[3px] text-xs text-ink-3">
        {bars.map((bar) => (
          <span key={bar.key} className="relative h-4 flex-1">
            {bar.tick ? <span className="absolute left-0 whitespace-nowrap">{bar.tick}</span> : null}
          </span>
        ))}
      </div>
      <ul className="sr-only">
        {bars.filter((bar) => bar.value > 0).map((bar) => (
          <li key={bar.key}>{bar.label}</li>
        ))}
      </ul>
    </figure>
  );
}

/** A level between 0 and 100. The number stands beside it, so the bar itself is decoration. */
export function Meter({ percent, tone, className }: { percent: number; tone: Tone; className?: string }) {
  return (
    <span aria-hidden className={cx("inline-block h-1.5 w-18 overflow-hidden rounded-full bg-mute-soft align-middle", className)}>
      <span className={cx("block h-full rounded-full", toneFill[tone])} style={{ width: `${Math.min(100, Math.max(0, percent))}%` }} />
    </span>
  );
}

/** Two or three parts of a whole, with their numbers written beside. */
export function StackedBar({ parts, label }: { parts: { value: number; tone: Tone }[]; label: string }) {
  const total = parts.reduce((sum, part) => sum + part.value, 0) || 1;
  return (
    <div role="img" aria-label={label} className="flex h-1.5 w-full gap-px overflow-hidden rounded-full bg-mute-soft">
      {parts.map((part, index) => (
        <span key={index} className={cx("block h-full", toneFill[part.tone])} style={{ width: `${(part.value / total) * 100}%` }} />
      ))}
    </div>
  );
}
