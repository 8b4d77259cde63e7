import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

interface EmptyStateProps {
  icon: LucideIcon;
  title: string;
  /** What to do next, or why there is nothing. */
  children?: ReactNode;
  action?: ReactNode;
  /** Set on a page of its own: then the title is the page's heading. */
  heading?: "h1" | "p";
}

export function EmptyState({ icon: Icon, title, children, action, heading: Heading = "p" }: EmptyStateProps) {
  return (
    <div className="grid justify-items-center gap-1 px-6 py-10 text-center">
      <span className="mb-2 grid size-10 place-items-center rounded-full bg-mute-soft text-ink-3">
        <Icon aria-hidden className="size-5" strokeWidth={1.8} />
      </span>
      <Heading className="font-semibold">{title}</Heading>
      {children === undefined ? null : <div className="max-w-96 text-ink-2">{children}</div>}
      {action === undefined ? null : <div className="mt-3 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}
