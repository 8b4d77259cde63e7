import { Link, useLocation } from "react-router";
import { useCan } from "@/kit/permissions";
import { useScope } from "@/kit/scope";
import { count } from "@/kit/time";
import { Skeleton } from "@/ui/Skeleton";
import { cx } from "@/ui/cx";
import { Brand } from "./Brand";
import { navigationFor } from "./navigation";
import { useFigures } from "./useFigures";

/** The left navigation: only what exists and what this person may see. */
export function Nav({ onNavigate, touch = false }: { onNavigate?: () => void; touch?: boolean }) {
  const { can, isProvider, isPending } = useCan();
  const figures = useFigures();
  const { pathname } = useLocation();
  const scope = useScope();
  return (
    <nav aria-label="Main" className="flex flex-1 flex-col px-2.5 py-3">
      <Link to={scope.to("/")} onClick={onNavigate} className="mb-3 rounded-md px-2 pt-0.5 pb-1">
        <Brand />
      </Link>
      {isPending ? (
        <div role="status" aria-label="Loading navigation" className="grid gap-3 px-2 pt-2">
          {Array.from({ length: 9 }, (_, index) => (
            <Skeleton key={index} className="h-4 w-32" />
          ))}
        </div>
      ) : (
        navigationFor(can, isProvider).map((group) => (
          <div key={group.label ?? "top"} className="mb-1">
            {group.label ? <p className="px-2 pt-2 pb-1 text-xs font-semibold text-ink-3">{group.label}</p> : null}
            <ul className="grid gap-0.5">
              {group.entries.map((entry) => {
                const active = entry.to === "/" ? pathname === "/" : pathname.startsWith(entry.to);
                const figure = entry.figure ? figures[entry.figure] : null;
                const Icon = entry.icon;
                return (
                  <li key={entry.to}>
                    <Link
                      to={scope.to(entry.to)}
                      onClick={onNavigate}
                      aria-current={active ? "page" : undefined}
                      className={cx(
                        "flex items-center gap-2.5 rounded-md px-2 transition-colors",
                        touch ? "h-11" : "h-7",
                        active ? "bg-accent-soft font-semibold text-accent" : "text-ink-2 hover:bg-hover hover:text-ink",
                      )}
                    >
                      <Icon aria-hidden className={cx("size-4", active ? "text-accent" : "text-ink-3")} strokeWidth={1.9} />
                      {entry.label}
                      {figure !== null && figure > 0 ? (
                        <span
                          className={cx(
                            "ml-auto text-xs font-semibold tabular-nums",
                            entry.hot ? "rounded-full bg-bad-soft px-1.5 text-bad" : "text-ink-3",
                          )}
                        >
                          {count(figure)}
                        </span>
                      ) : null}
                    </Link>
                  </li>
                );
              })}
            </ul>
          </div>
        ))
      )}
    </nav>
  );
}
