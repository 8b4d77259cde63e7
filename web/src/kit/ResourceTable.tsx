import { ArrowDown, ArrowUp } from "lucide-react";
import type { KeyboardEvent, ReactNode } from "react";
import { Link } from "react-router";
import { Skeleton } from "@/ui/Skeleton";
import { cx } from "@/ui/cx";
import type { ListState } from "./listState";
import type { ListColumn } from "./resource";

interface ResourceTableProps<Row> {
  label: string;
  columns: readonly ListColumn<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  path: ((row: Row) => string) | null;
  sort?: ListState["sort"];
  onSort?: (column: string) => void;
  /** Actions at the end of a row. */
  rowActions?: ((row: Row) => ReactNode) | undefined;
  /** So many skeleton rows instead of rows. */
  skeleton?: number | undefined;
  dimmed?: boolean;
}

/** Up, down, j, k, Home and End move between the rows' links; Enter opens, as on any link. */
function moveBetweenRows(event: KeyboardEvent<HTMLElement>) {
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  const edge = event.key === "Home" || event.key === "End";
  if ((step === undefined && !edge) || event.ctrlKey || event.metaKey || event.altKey) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-row-link]")];
  const at = links.findIndex((link) => link === document.activeElement);
  if (at === -1) return;
  event.preventDefault();
  const next = edge ? (event.key === "Home" ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + (step ?? 0)));
  links[next]?.focus();
}

const slots: Record<ListColumn<unknown>["phone"], string> = {
  title: "max-md:order-1 max-md:flex-1 max-md:basis-40 max-md:text-base",
  badge: "max-md:order-2",
  meta: "max-md:order-3 max-md:basis-[calc(50%-0.5rem)] max-md:text-sm max-md:text-ink-2",
  hide: "max-md:hidden",
};

/** A dense table; under 768 px every row becomes a card with the same content. Roles are explicit because the layout changes `display`. */
export function ResourceTable<Row>({ label, columns, rows, rowKey, path, sort, onSort, rowActions, skeleton, dimmed = false }: ResourceTableProps<Row>) {
  return (
    <div className="overflow-x-auto max-md:overflow-visible">
      <table role="table" aria-label={label} aria-busy={skeleton !== undefined || dimmed || undefined} className="w-full border-collapse max-md:block">
        <thead role="rowgroup" className="max-md:sr-only">
          <tr role="row">
            {columns.map((column) => {
              const sorted = sort !== undefined && column.sort === sort.column;
              const Arrow = sort?.descending ? ArrowDown : ArrowUp;
              return (
                <th
                  key={column.id}
                  role="columnheader"
                  scope="col"
                  aria-sort={sorted ? (sort.descending ? "descending" : "ascending") : undefined}
                  className={cx(
                    "h-8 border-b border-line bg-[color-mix(in_srgb,var(--bg)_50%,var(--surface))] px-3 text-left text-sm font-medium whitespace-nowrap text-ink-2 first:pl-3.5 last:pr-3.5",
                    column.align === "right" && "text-right",
                  )}
                >
                  {column.sort !== undefined && onSort ? (
                    <button
                      type="button"
                      onClick={() => onSort(column.sort ?? "")}
                      className={cx("inline-flex items-center gap-1 rounded-xs hover:text-ink", sorted && "text-ink")}
                    >
                      {column.label}
                      <Arrow aria-hidden className={cx("size-3", !sorted && "invisible")} />
                    </button>
                  ) : (
                    column.label
                  )}
                </th>
              );
            })}
            {rowActions ? (
              <th role="columnheader" scope="col" className="h-8 border-b border-line bg-[color-mix(in_srgb,var(--bg)_50%,var(--surface))] px-3">
                <span className="sr-only">Actions</span>
              </th>
            ) : null}
          </tr>
        </thead>
        <tbody role="rowgroup" onKeyDown={moveBetweenRows} className={cx("max-md:block", dimmed && "opacity-60 transition-opacity")}>
          {skeleton !== undefined
            ? Array.from({ length: skeleton }, (_, index) => (
                <tr key={index} role="row" className="border-b border-line last:border-b-0 max-md:block max-md:px-3.5 max-md:py-3">
                  {columns.map((column, at) => (
                    <td key={column.id} role="cell" className={cx("h-9 px-3 first:pl-3.5 max-md:h-auto max-md:!px-0 max-md:py-1", at > 1 && "max-md:hidden")}>
                      <Skeleton className={cx("h-3", at === 0 ? "w-40" : "w-20", column.align === "right" && "ml-auto")} />
                    </td>
                  ))}
                  {rowActions ? <td role="cell" className="max-md:hidden" /> : null}
                </tr>
              ))
            : rows.map((row) => (
                <tr
                  key={rowKey(row)}
                  role="row"
                  className={cx(
                    "relative border-b border-line last:border-b-0 max-md:flex max-md:flex-wrap max-md:items-center max-md:gap-x-3 max-md:gap-y-1 max-md:px-3.5 max-md:py-3",
                    path && "hover:bg-hover has-focus-visible:bg-hover",
                  )}
                >
                  {columns.map((column) => (
                    <td
                      key={column.id}
                      role="cell"
                      className={cx(
                        "h-9 max-w-80 truncate px-3 whitespace-nowrap first:pl-3.5 last:pr-3.5 max-md:h-auto max-md:min-h-6 max-md:max-w-full max-md:!px-0",
                        column.align === "right" && "text-right max-md:text-left",
                        slots[column.phone],
                        column.className,
                      )}
                    >
                      {column.phone === "meta" ? <span className="mr-1 hidden text-ink-3 max-md:inline">{column.label}</span> : null}
                      {column.phone === "title" && path ? (
                        <Link data-row-link to={path(row)} className="after:absolute after:inset-0 focus-visible:outline-offset-[-2px]">
                          {column.cell(row)}
                        </Link>
                      ) : (
                        column.cell(row)
                      )}
                    </td>
                  ))}
                  {rowActions ? (
                    <td role="cell" className="h-9 px-3 text-right whitespace-nowrap last:pr-3.5 max-md:order-4 max-md:h-auto max-md:basis-full max-md:!px-0 max-md:pt-1 max-md:text-left max-md:empty:hidden">
                      <RowActions>{rowActions(row)}</RowActions>
                    </td>
                  ) : null}
                </tr>
              ))}
        </tbody>
      </table>
    </div>
  );
}

function RowActions({ children }: { children: ReactNode }) {
  return children ? <span className="relative z-10 inline-flex gap-2">{children}</span> : null;
}
