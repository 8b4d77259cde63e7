import { cx } from "@/ui/cx";
import type { ListColumn } from "./resource";

// What a table and its skeleton share, so that both have the same heights. Under 768 px every row is a card.

const slots: Record<ListColumn<unknown>["phone"], string> = {
  title: "max-md:order-1 max-md:flex-1 max-md:basis-40 max-md:text-base",
  badge: "max-md:order-2",
  meta: "max-md:order-3 max-md:basis-[calc(50%-0.5rem)] max-md:text-sm max-md:text-ink-2",
  hide: "max-md:hidden",
};

export const headClass =
  "h-8 border-b border-line bg-[color-mix(in_srgb,var(--bg)_50%,var(--surface))] px-3 text-left text-sm font-medium whitespace-nowrap text-ink-2 first:pl-3.5 last:pr-3.5";

export const rowClass =
  "relative border-b border-line last:border-b-0 max-md:flex max-md:flex-wrap max-md:items-center max-md:gap-x-3 max-md:gap-y-1 max-md:px-3.5 max-md:py-3";

/** A column that names a width of its own gets only that: of two, the order in the style sheet would choose. */
const widthClass = (own: string | undefined) => (own?.includes("max-w-") ? null : "max-w-80");

export function cellClass<Row>(column: ListColumn<Row>): string {
  return cx(
    widthClass(column.className),
    "h-9 truncate px-3 whitespace-nowrap first:pl-3.5 last:pr-3.5 max-md:h-auto max-md:min-h-6 max-md:max-w-full max-md:!px-0",
    column.align === "right" && "text-right max-md:text-left",
    slots[column.phone],
    column.className,
  );
}
