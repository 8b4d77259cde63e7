import type { ReactNode } from "react";
import { cx } from "./cx";

interface CardProps {
  title?: ReactNode;
  /** Right side of the header: a count, a state, a link. */
  aside?: ReactNode;
  id?: string;
  className?: string;
  children: ReactNode;
}

export function Card({ title, aside, id, className, children }: CardProps) {
  return (
    <section id={id} className={cx("min-w-0 rounded-lg border border-line bg-surface shadow-1", className)}>
      {title === undefined ? null : (
        <header className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3.5 py-2">
          <h2>{title}</h2>
          {aside === undefined ? null : <div className="ml-auto flex items-center gap-2 text-sm text-ink-2">{aside}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** Name and value pairs, value to the right, as in the side cards of a record. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="grid gap-y-2 px-3.5 py-3">{children}</dl>;
}

export function Fact({ name, children, mono = false }: { name: string; children: ReactNode; mono?: boolean }) {
  return (
    <div className="flex min-h-5 items-baseline justify-between gap-4">
      <dt className="shrink-0 text-ink-2">{name}</dt>
      <dd className={cx("min-w-0 text-right break-words", mono && "font-mono text-sm")}>{children}</dd>
    </div>
  );
}
