import type { ReactNode } from "react";
import type { RowsResult } from "@/api/queries";
import type { Table, Tables } from "@/api/rows";
import { Card } from "@/ui/Card";
import { ErrorNotice } from "./ErrorNotice";
import type { ListColumn, Resource } from "./resource";
import { ResourceTable } from "./ResourceTable";
import { useScope } from "./scope";
import { TableSkeleton } from "./TableSkeleton";

const SKELETON_ROWS = 3;

interface RelatedTableProps<T extends Table> {
  resource: Resource<T>;
  title: string;
  result: RowsResult<Tables[T]>;
  /** Ids of the columns to show, in this order. */
  columns: readonly string[];
  aside?: ReactNode;
  /** Said when there are none. */
  none: string;
}

/** A short table of another resource inside a record, with that resource's own columns. */
export function RelatedTable<T extends Table>({ resource, title, result, columns, aside, none }: RelatedTableProps<T>) {
  const { to } = useScope();
  const shown = columns.flatMap((id): ListColumn<Tables[T]>[] => resource.columns.filter((column) => column.id === id));
  return (
    <Card title={title} aside={aside} className="overflow-hidden">
      {result.error ? <ErrorNotice error={result.error} what={`${title} could not be read.`} retry={result.refetch} /> : null}
      {!result.isPending && !result.error && result.rows.length === 0 ? (
        <p className="px-3.5 py-4 text-ink-2">{none}</p>
      ) : result.isPending ? (
        <TableSkeleton label={title} columns={shown} rows={SKELETON_ROWS} />
      ) : (
        <ResourceTable
          label={title}
          columns={shown}
          rows={result.rows}
          rowKey={resource.rowKey}
          path={resource.path === null ? null : (row) => to(resource.path?.(row) ?? "")}
        />
      )}
    </Card>
  );
}
