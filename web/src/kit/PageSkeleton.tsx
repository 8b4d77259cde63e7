import { Skeleton, SkeletonRows } from "@/ui/Skeleton";

/** While a page's code loads: a heading and a card, where the page will have them. */
export function PageSkeleton() {
  return (
    <>
      <div className="grid min-h-11 content-end gap-2">
        <Skeleton className="h-5 w-48" />
        <Skeleton className="h-3 w-32" />
      </div>
      <div className="rounded-lg border border-line bg-surface">
        <SkeletonRows rows={8} label="Loading the page" />
      </div>
    </>
  );
}
