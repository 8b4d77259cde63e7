import { useQueryClient } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, Download, Search, SearchX } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useSearchParams } from "react-router";
import { useDataProvider, type RaRecord } from "ra-core";
import { askToExport } from "@/api/actions";
import type { Order } from "@/api/rest";
import type { Table, Tables } from "@/api/rows";
import { useRows } from "@/api/queries";
import type { Where } from "@/api/where";
import { Button, IconButton } from "@/ui/Button";
import { EmptyState } from "@/ui/EmptyState";
import { useAction } from "./action";
import { csv, saveText } from "./csv";
import { ErrorNotice } from "./ErrorNotice";
import { FilterChip } from "./FilterChip";
import { useGradually } from "./gradually";
import { nextSort, PAGE_SIZES, readListState, writeListState, type ListState } from "./listState";
import { PageHeader } from "./PageHeader";
import type { Resource } from "./resource";
import { ResourceTable } from "./ResourceTable";
import { useScope } from "./scope";
import { TableSkeleton } from "./TableSkeleton";
import { count, plural, relative, useNow } from "./time";

const EXPORT_ROWS_MAX = 10_000;
const EXPORT_PAGE_ROWS = 1_000;
const SEARCH_DELAY_MS = 200;
const SKELETON_ROWS = 8;

interface ResourceListProps<T extends Table> {
  resource: Resource<T>;
  /** Freshness of the source, in front of the count. */
  meta?: ReactNode;
  actions?: ReactNode;
  rowActions?: (row: Tables[T]) => ReactNode;
  /** Above the table, inside the card. */
  banner?: ReactNode;
}

/** A list screen: filters, sort, page and search in the URL, 50 to 200 rows a page, keyboard, export. */
export function ResourceList<T extends Table>({ resource, meta, actions, rowActions, banner }: ResourceListProps<T>) {
  const [params, setParams] = useSearchParams();
  const scope = useScope(resource.scopeColumn ?? "customer_id");
  const rules = {
    filterIds: resource.filters.map((filter) => filter.id),
    sortable: new Set(resource.columns.flatMap((column) => column.sort ?? [])),
    defaultSort: resource.defaultSort,
  };
  const state = readListState(params, rules);
  const change = (next: Partial<ListState>) =>
    setParams((current) => writeListState(current, { ...state, page: 1, ...next }, rules), { replace: next.page === undefined, preventScrollReset: true });

  const where: Where[] = [
    ...resource.where,
    ...(resource.scopeColumn === null ? [] : scope.customerId === null ? (resource.unscoped ?? []) : scope.where),
    ...resource.filters.flatMap((filter) => {
      const values = state.filters[filter.id];
      return values ? filter.where(values) : [];
    }),
    ...(state.q.trim() === "" ? [] : [{ columns: resource.search, op: "search" as const, text: state.q, by: resource.finder }]),
  ];
  const order: Order[] = [state.sort, { column: resource.tieBreak }];
  const list = useRows(resource.table, { where, order, offset: (state.page - 1) * state.size, limit: state.size, count: true, keep: true });

  const narrowed = state.q !== "" || Object.keys(state.filters).length > 0;
  const unread = list.error !== null && list.rows.length === 0;
  const shown = useGradually(list.rows.length);
  // The footer comes when nothing will push it any more.
  const isWhole = !list.isPending && shown === list.rows.length;
  const clear = () => change({ q: "", filters: {} });
  const beyond = list.isMore ? "more than " : "";

  return (
    <>
      <PageHeader
        title={resource.title}
        meta={
          // One line, whatever it says and whenever it comes: the list below stays where it is.
          <span className="flex min-w-0 items-center gap-1.5 overflow-hidden whitespace-nowrap">
            <span>{list.isPending ? "Reading…" : unread ? "Not read" : `${beyond}${plural(list.total, ...resource.noun)}`}</span>
            {list.isPending || !meta ? null : (
              <>
                <span aria-hidden>·</span>
                {meta}
              </>
            )}
          </span>
        }
        actions={
          <>
            <ExportButton resource={resource} where={where} order={order} total={list.total} beyond={beyond} />
            {actions}
          </>
        }
      />
      <section aria-label={resource.title} className="rounded-lg border border-line bg-surface shadow-1">
        <div className="flex flex-wrap items-center gap-2 border-b border-line px-3.5 py-2.5">
          {resource.search.length > 0 ? <SearchBox value={state.q} onChange={(q) => change({ q })} label={`Search ${resource.title.toLowerCase()}`} /> : null}
          {resource.filters.map((filter) => (
            <FilterChip
              key={filter.id}
              filter={filter}
              values={state.filters[filter.id] ?? []}
              onChange={(values) => change({ filters: { ...state.filters, [filter.id]: values } })}
            />
          ))}
          {narrowed ? (
            <Button size="sm" variant="ghost" onClick={clear}>
              Clear
            </Button>
          ) : null}
          <span role="status" className="ml-auto text-sm text-ink-2 max-md:sr-only">
            {list.isPending || unread ? "" : `${beyond}${count(list.total)} ${narrowed ? "match" : "in all"}`}
          </span>
        </div>
        {banner}
        {list.error ? (
          <ErrorNotice
            error={list.error}
            what={`${resource.title} could not be read.`}
            retry={list.refetch}
            {...(list.rows.length > 0 ? { kept: "The rows below are from the last good read." } : {})}
          />
        ) : null}
        {!list.isPending && !list.error && list.rows.length === 0 ? (
          narrowed ? (
            <EmptyState icon={SearchX} title="Nothing matches" action={<Button onClick={clear}>Clear search and filters</Button>}>
              No {resource.noun[0]} fits these filters.
            </EmptyState>
          ) : (
            <EmptyState icon={resource.icon} title={resource.empty.title}>
              {resource.empty.next}
            </EmptyState>
          )
        ) : unread ? null : list.isPending ? (
          <TableSkeleton label={resource.title} columns={resource.columns} rows={SKELETON_ROWS} />
        ) : (
          <ResourceTable
            label={resource.title}
            columns={resource.columns}
            rows={shown < list.rows.length ? list.rows.slice(0, shown) : list.rows}
            rowKey={resource.rowKey}
            path={resource.path === null ? null : (row) => scope.to(resource.path?.(row) ?? "")}
            sort={state.sort}
            onSort={(column) => change({ sort: nextSort(state.sort, column, resource.defaultSort) })}
            rowActions={rowActions}
            busy={shown < list.rows.length}
            dimmed={list.isStale}
          />
        )}
        {isWhole ? <ListFooter state={state} total={list.total} beyond={beyond} readAt={list.readAt} change={change} /> : null}
      </section>
    </>
  );
}

interface ListFooterProps {
  state: ListState;
  total: number;
  /** Before the total, when there are more. */
  beyond: string;
  readAt: number;
  change: (next: Partial<ListState>) => void;
}

function ListFooter({ state, total, beyond, readAt, change }: ListFooterProps) {
  const pages = Math.max(1, Math.ceil(total / state.size));
  const from = total === 0 ? 0 : (state.page - 1) * state.size + 1;
  const to = Math.min(total, state.page * state.size);
  return (
    <footer className="flex flex-wrap items-center gap-x-3 gap-y-2 border-t border-line px-3.5 py-2 text-sm text-ink-2">
      <ReadAt at={readAt} />
      <span className="ml-auto tabular-nums">
        {count(from)}–{count(to)} of {beyond}
        {count(total)}
      </span>
      <label className="flex items-center gap-1.5 max-md:hidden">
        Rows
        <select value={state.size} onChange={(event) => change({ size: Number(event.target.value) })} className="h-7 rounded-md border border-field-line bg-raised px-1">
          {PAGE_SIZES.map((size) => (
            <option key={size}>{size}</option>
          ))}
        </select>
      </label>
      <nav aria-label="Pages" className="flex items-center gap-1">
        <IconButton label="Previous page" aria-disabled={state.page <= 1} className="aria-disabled:opacity-40" onClick={() => state.page > 1 && change({ page: state.page - 1 })}>
          <ChevronLeft aria-hidden className="size-4" />
        </IconButton>
        <span className="tabular-nums">
          {state.page} / {count(pages)}
        </span>
        <IconButton label="Next page" aria-disabled={state.page >= pages} className="aria-disabled:opacity-40" onClick={() => state.page < pages && change({ page: state.page + 1 })}>
          <ChevronRight aria-hidden className="size-4" />
        </IconButton>
      </nav>
    </footer>
  );
}

function ReadAt({ at }: { at: number }) {
  const now = useNow();
  return <span>{at === 0 ? "" : `Shown as of ${relative(new Date(at).toISOString(), now)}`}</span>;
}

function SearchBox({ value, onChange, label }: { value: string; onChange: (text: string) => void; label: string }) {
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  const [sent, setSent] = useState(value);
  // The URL moved without this box (back, a link, "Clear"): show what it says now. An echo of our own typing changes nothing.
  if (value !== seen) {
    setSeen(value);
    if (value !== sent) setText(value);
  }
  const box = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // Follows the keyboard of the page: "/" goes to the search of the list.
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      const target = event.target;
      const typing = target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      box.current?.focus();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <span className="relative max-md:basis-full">
      <Search aria-hidden className="pointer-events-none absolute top-1/2 left-2 size-3.5 -translate-y-1/2 text-ink-3" />
      <input
        ref={box}
        type="search"
        aria-label={label}
        aria-keyshortcuts="/"
        placeholder="Search"
        value={text}
        onChange={(event) => {
          const next = event.target.value;
          setText(next);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => {
            setSent(next);
            onChange(next);
          }, SEARCH_DELAY_MS);
        }}
        className="h-7 w-52 rounded-md border border-field-line bg-raised pr-2 pl-7 max-md:h-9 max-md:w-full max-md:text-[16px]"
      />
    </span>
  );
}

interface ExportButtonProps<T extends Table> {
  resource: Resource<T>;
  where: Where[];
  order: Order[];
  total: number;
  beyond: string;
}

function ExportButton<T extends Table>({ resource, where, order, total, beyond }: ExportButtonProps<T>) {
  const dataProvider = useDataProvider();
  const client = useQueryClient();
  const action = useAction({
    act: async () => {
      await askToExport();
      const rows: Tables[T][] = [];
      while (rows.length < Math.min(total, EXPORT_ROWS_MAX)) {
        const query = { where, order, offset: rows.length, limit: EXPORT_PAGE_ROWS };
        const page = await client.fetchQuery({
          queryKey: [resource.table, "export", query],
          staleTime: 0,
          gcTime: 0,
          queryFn: () =>
            dataProvider.getList<Tables[T] & RaRecord>(resource.table, {
              pagination: { page: 1, perPage: EXPORT_PAGE_ROWS },
              sort: { field: "id", order: "ASC" },
              filter: {},
              meta: { query },
            }),
        });
        rows.push(...page.data);
        if (page.data.length < EXPORT_PAGE_ROWS) break;
      }
      const text = csv(
        resource.columns.map((column) => column.label),
        rows.map((row) => resource.columns.map((column) => column.plain(row))),
      );
      saveText(`${resource.name}.csv`, text, "text/csv");
      return `Exported ${plural(rows.length, ...resource.noun)}${total > rows.length ? ` of ${beyond}${count(total)}` : ""}.`;
    },
  });
  return (
    <Button
      icon={<Download aria-hidden className="size-3.5" />}
      className="max-md:hidden"
      busy={action.isBusy}
      reason={total === 0 ? "There is nothing to export." : null}
      onClick={() => action.run()}
    >
      Export
    </Button>
  );
}
