import { cx } from "./cx";

export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={cx("skeleton block", className)} />;
}

/** Rows in the height of real rows, so that nothing moves when the data is there. */
export function SkeletonRows({ rows, label = "Loading" }: { rows: number; label?: string }) {
  const widths = ["w-3/5", "w-2/5", "w-1/2", "w-2/3", "w-1/3"];
  return (
    <div role="status" aria-label={label} className="skeletons">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="flex h-9 items-center gap-4 border-b border-line px-3.5 last:border-b-0">
          <Skeleton className={cx("h-3", widths[index % widths.length])} />
          <Skeleton className="ml-auto h-3 w-16" />
        </div>
      ))}
    </div>
  );
}
