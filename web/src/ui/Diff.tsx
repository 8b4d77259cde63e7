import { cx } from "./cx";

export interface DiffLine {
  op: "remove" | "add" | "keep" | "head";
  text: string;
  /** Shown to the right: a size, a count. */
  note?: string | undefined;
}

const looks: Record<DiffLine["op"], { row: string; sign: string; spoken: string }> = {
  remove: { row: "bg-bad-soft text-bad", sign: "−", spoken: "removes" },
  add: { row: "bg-ok-soft text-ok", sign: "+", spoken: "adds" },
  keep: { row: "text-ink-2", sign: " ", spoken: "" },
  head: { row: "bg-mute-soft text-ink-2", sign: "", spoken: "" },
};

/** What a change does, in lines a person can read. The sign is text, so color is never the only cue. */
export function Diff({ lines, label = "What changes" }: { lines: DiffLine[]; label?: string }) {
  return (
    <ul aria-label={label} className="overflow-hidden rounded-md border border-line font-mono text-sm leading-6">
      {lines.map((line, index) => {
        const look = looks[line.op];
        return (
          <li key={index} className={cx("flex gap-2.5 px-2.5", look.row)}>
            {line.op === "head" ? null : (
              <span aria-hidden className="w-2 shrink-0 select-none">
                {look.sign}
              </span>
            )}
            {look.spoken ? <span className="sr-only">{look.spoken}: </span> : null}
            <span className="min-w-0 [overflow-wrap:anywhere]">{line.text}</span>
            {line.note ? <span className="ml-auto shrink-0 pl-3">{line.note}</span> : null}
          </li>
        );
      })}
    </ul>
  );
}
