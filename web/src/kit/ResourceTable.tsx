import { ArrowDown, ArrowUp } from "lucide-react";
import { useMemo, type KeyboardEvent, type ReactNode } from "react";
import { Link } from "react-router";
import { cx } from "@/ui/cx";
import type { ListState } from "./listState";
import type { ListColumn } from "./resource";
import { cellClass, headClass, rowClass } from "./tableLook";

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
  /** More rows are on their way. */
  busy?: boolean;
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

/** A dense table; under 768 px every row becomes a card with the same content. Roles are explicit because the layout changes `display`. */
export function ResourceTable<Row>({ label, columns, rows, rowKey, path, sort, onSort, rowActions, busy = false, dimmed = false }: ResourceTableProps<Row>) {
  // Who has no pointer scrolls by the keyboard: by what is in the table, or by the table itself.
  const scrolls = path === null && onSort === undefined ? { role: "region", "aria-label": label, tabIndex: 0 } : {};
  return (
    <div className="overflow-x-auto max-md:overflow-visible" {...scrolls}>
      <table role="table" aria-label={label} aria-busy={busy || dimmed || undefined} className="w-full border-collapse max-md:block">
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
                  className={cx(headClass, column.align === "right" && "text-right")}
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
              <th role="columnheader" scope="col" className={headClass}>
                <span className="sr-only">Actions</span>
              </th>
            ) : null}
          </tr>
        </thead>
        <tbody role="rowgroup" onKeyDown={moveBetweenRows} className={cx("max-md:block", dimmed && "opacity-60 transition-opacity")}>
          {rows.map((row) => (
            <TableRow key={rowKey(row)} row={row} columns={columns} to={path?.(row) ?? null} rowActions={rowActions} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface TableRowProps<Row> {
  row: Row;
  columns: readonly ListColumn<Row>[];
  to: string | null;
  rowActions: ((row: Row) => ReactNode) | undefined;
}

/** Drawn again only when the row itself has changed: a list is asked for every few seconds, and most answers are the same. */
function TableRow<Row>({ row, columns, to, rowActions }: TableRowProps<Row>) {
  return useMemo(
    () => (
      <tr role="row" className={cx(rowClass, to !== null && "hover:bg-hover has-focus-visible:bg-hover")}>
        {columns.map((column) => (
          <td key={column.id} role="cell" className={cellClass(column)}>
            {column.phone === "meta" ? <span className="mr-1 hidden text-ink-3 max-md:inline">{column.label}</span> : null}
            {column.phone === "title" && to !== null ? (
              <Link data-row-link to={to} className="after:absolute after:inset-0 focus-visible:outline-offset-[-2px]">
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
    ),
    [row, columns, to, rowActions],
  );
}

function RowActions({ children }: { children: ReactNode }) {
  return children ? <span className="relative z-10 inline-flex gap-2">{children}</span> : null;
}
