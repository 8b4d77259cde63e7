import { Skeleton } from "@/ui/Skeleton";
import { cx } from "@/ui/cx";
import type { ListColumn } from "./resource";
import { cellClass, headClass, rowClass } from "./tableLook";

interface TableSkeletonProps<Row> {
  label: string;
  columns: readonly ListColumn<Row>[];
  rows: number;
}

/**
 * A table while its rows are read, in the heights of the real one: rows on a desk, cards on a phone. It is replaced as a whole,
 * because the columns take their widths from the rows.
 */
export function TableSkeleton<Row>({ label, columns, rows }: TableSkeletonProps<Row>) {
  return (
    <div className="overflow-hidden">
      <table role="table" aria-label={label} aria-busy className="w-full border-collapse max-md:block">
        <thead role="rowgroup" className="max-md:sr-only">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.id} role="columnheader" scope="col" className={headClass}>
                <span className="sr-only">{column.label}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" className="skeletons max-md:block">
          {Array.from({ length: rows }, (_, index) => (
            <tr key={index} role="row" className={rowClass}>
              {columns.map((column) => (
                <td key={column.id} role="cell" className={cellClass(column)}>
                  <Skeleton className={cx("h-3", column.phone === "title" ? "w-40" : "w-20", column.align === "right" && "ml-auto max-md:ml-0")} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
