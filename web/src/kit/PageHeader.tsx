import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useTitle } from "./title";

interface PageHeaderProps {
  title: string;
  /** Of the browser's tab, where the heading is a sentence. */
  tab?: string;
  /** Where this record lives: the list above it. */
  up?: { label: string; to: string };
  badge?: ReactNode;
  meta?: ReactNode;
  actions?: ReactNode;
}

export function PageHeader({ title, tab, up, badge, meta, actions }: PageHeaderProps) {
  useTitle(tab ?? title);
  return (
    <div className="flex flex-wrap items-end gap-x-4 gap-y-3">
      <div className="min-w-0 flex-1 basis-72">
        {up ? (
          <nav aria-label="Breadcrumb" className="mb-1 flex items-center gap-1 text-sm text-ink-2">
            <Link to={up.to} className="rounded-xs hover:text-ink hover:underline">
              {up.label}
            </Link>
            <ChevronRight aria-hidden className="size-3 text-ink-3" />
          </nav>
        ) : null}
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h1 className="min-w-0 [overflow-wrap:anywhere]">{title}</h1>
          {badge}
        </div>
        {meta === undefined ? null : <div className="mt-1 flex flex-wrap items-center gap-x-1.5 gap-y-0.5 text-sm text-ink-2">{meta}</div>}
      </div>
      {actions === undefined ? null : <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </div>
  );
}

/** Parts of a meta line, set apart by dots. Empty parts leave no dot. */
export function Dots({ children }: { children: ReactNode[] }) {
  const parts = children.filter((part) => part !== null && part !== undefined && part !== false && part !== "");
  return parts.map((part, index) => (
    <span key={index} className="inline-flex items-center gap-1.5">
      {index > 0 ? <span aria-hidden>·</span> : null}
      {part}
    </span>
  ));
}
