import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import type { Column as ColumnName, Table, Tables } from "@/api/rows";
import type { Finder, Where } from "@/api/where";
import { Meter } from "@/ui/charts";
import { Ago } from "./Ago";
import type { FactAge } from "./freshness";
import { Freshness } from "./Freshness";
import { money, quantity } from "./money";
import type { Status, Vocabulary } from "./status";
import { StatusBadge } from "./StatusBadge";
import { count } from "./time";

/** Where a cell goes when the table becomes cards on a phone. */
export type PhoneSlot = "title" | "badge" | "meta" | "hide";

export interface ListColumn<Row> {
  id: string;
  label: string;
  cell: (row: Row) => ReactNode;
  /** The plain value, for the CSV export. */
  plain: (row: Row) => string;
  sort?: string | undefined;
  align?: "right" | undefined;
  phone: PhoneSlot;
  className?: string | undefined;
}

export interface FilterOption {
  value: string;
  label: string;
  status?: Status;
}

export interface ListFilter {
  id: string;
  label: string;
  options: readonly FilterOption[];
  /** The conditions for the chosen values. */
  where: (values: readonly string[]) => Where[];
  /** Only one value at a time. */
  single?: boolean;
}

interface ColumnLook {
  label?: string;
  sort?: boolean;
  align?: "right";
  phone?: PhoneSlot;
  className?: string;
}

function plainOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : JSON.stringify(value);
}

type Numeric<Row> = { [Key in keyof Row]: Row[Key] extends number | null ? Key : never }[keyof Row] & string;
type Textual<Row> = { [Key in keyof Row]: Row[Key] extends string | null ? Key : never }[keyof Row] & string;

function label(key: string, look: ColumnLook): string {
  const text = look.label ?? key.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Column makers for the rows of one table; every key is checked against the row type. */
export function columnsOf<T extends Table>() {
  type Row = Tables[T];
  function make(key: ColumnName<T>, look: ColumnLook, cell: (row: Row) => ReactNode, phone: PhoneSlot): ListColumn<Row> {
    return {
      id: key,
      label: label(key, look),
      cell,
      plain: (row) => plainOf(row[key]),
      sort: look.sort === false ? undefined : key,
      align: look.align,
      phone: look.phone ?? phone,
      className: look.className,
    };
  }
  return {
    /** The name of the row; the list makes it the link to the record. `aside` stands quieter behind it. */
    title: (key: ColumnName<T>, look: ColumnLook & { aside?: (row: Row) => ReactNode } = {}) =>
      make(
        key,
        look,
        (row) => (
          <>
            <b className="font-medium">{plainOf(row[key])}</b>
            {look.aside ? <span className="ml-1.5 text-sm text-ink-2">{look.aside(row)}</span> : null}
          </>
        ),
        "title",
      ),
    text: (key: ColumnName<T>, look: ColumnLook = {}) =>
      make(key, look, (row) => plainOf(row[key]) || <span className="text-ink-3">-</span>, "meta"),
    badge: <Value extends string>(key: ColumnName<T>, of: Vocabulary<Value>, look: ColumnLook = {}) =>
      make(key, look, (row) => (row[key] === null ? <span className="text-ink-3">-</span> : <StatusBadge of={of} value={plainOf(row[key])} />), "badge"),
    count: (key: Numeric<Row> & ColumnName<T>, look: ColumnLook = {}) =>
      make(key, { align: "right", ...look }, (row) => <span className="tabular-nums">{count(Number(row[key] ?? 0))}</span>, "meta"),
    /** An amount of the currency that the row names. */
    money: (key: Numeric<Row> & ColumnName<T>, currency: (row: Row) => string, look: ColumnLook = {}) =>
      make(
        key,
        { align: "right", ...look },
        (row) => (row[key] === null ? <span className="text-ink-3">-</span> : <span className="tabular-nums">{money(Number(row[key]), currency(row))}</span>),
        "meta",
      ),
    quantity: (key: Numeric<Row> & ColumnName<T>, look: ColumnLook = {}) =>
      make(key, { align: "right", ...look }, (row) => (row[key] === null ? <span className="text-ink-3">-</span> : <span className="tabular-nums">{quantity(Number(row[key]))}</span>), "meta"),
    ago: (key: Textual<Row> & ColumnName<T>, look: ColumnLook = {}) =>
      make(key, look, (row) => (row[key] === null ? <span className="text-ink-3">-</span> : <Ago at={plainOf(row[key])} brief />), "meta"),
    percent: (key: Numeric<Row> & ColumnName<T>, look: ColumnLook & { warn: number; bad: number }) =>
      make(
        key,
        look,
        (row) => {
          if (row[key] === null) return <span className="text-ink-3">-</span>;
          const value = Number(row[key]);
          return (
            <span className="inline-flex items-center gap-2">
              <Meter percent={value} tone={value >= look.bad ? "bad" : value >= look.warn ? "warn" : "accent"} className="max-md:w-12" />
              <span className="text-sm text-ink-2 tabular-nums">{Math.round(value)}%</span>
            </span>
          );
        },
        "meta",
      ),
    freshness: (read: (row: Row) => FactAge, key: ColumnName<T>, look: ColumnLook = {}) =>
      make(key, { label: "Freshness", align: "right", ...look }, (row) => <Freshness brief {...read(row)} />, "meta"),
    custom: (key: ColumnName<T>, look: ColumnLook, cell: (row: Row) => ReactNode) => make(key, look, cell, "meta"),
  };
}
export type Columns<T extends Table> = ReturnType<typeof columnsOf<T>>;

/** Filter over the values of a vocabulary. */
export function statusFilter<Value extends string>(id: string, label: string, vocabulary: Vocabulary<Value>, column = id): ListFilter {
  const entries: [string, Status][] = Object.entries(vocabulary);
  return {
    id,
    label,
    options: entries.map(([value, status]) => ({ value, label: status.label, status })),
    where: (values) => [{ column, op: "in", values }],
  };
}

export interface Resource<T extends Table> {
  /** URL segment: `/devices`. */
  name: string;
  table: T;
  icon: LucideIcon;
  title: string;
  /** One and many of them, inside a sentence: "device", "devices". */
  noun: readonly [one: string, many: string];
  columns: ListColumn<Tables[T]>[];
  filters: readonly ListFilter[];
  /** Columns that the search box looks into. */
  search: readonly ColumnName<T>[];
  /** Finds the same by an index. */
  finder?: Finder;
  defaultSort: string;
  /** Breaks ties, so that pages never repeat a row. */
  tieBreak: ColumnName<T>;
  /** The column the customer switch filters; null when the rows belong to no customer. */
  scopeColumn: ColumnName<T> | null;
  /** What holds when no customer is chosen: views with rows of each customer and rows over all of them say which. */
  unscoped?: readonly Where[];
  /** Path of the row's record, if it has one. */
  path: ((row: Tables[T]) => string) | null;
  rowKey: (row: Tables[T]) => string;
  /** Always on: what this list is about. */
  where: readonly Where[];
  empty: { title: string; next: string };
}

type ResourceInput<T extends Table> = Omit<Resource<T>, "columns" | "filters" | "where" | "search" | "noun"> &
  Partial<Pick<Resource<T>, "filters" | "where" | "search">> & {
    one: string;
    /** The title's words, unless said. */
    many?: string;
    columns: (make: Columns<T>) => ListColumn<Tables[T]>[];
  };

/** A list screen in one declaration: columns, filters, search, order, what to say when it is empty. */
export function defineResource<T extends Table>(table: T, { one, many, ...input }: Omit<ResourceInput<T>, "table">): Resource<T> {
  return {
    noun: [one.toLowerCase(), (many ?? input.title).toLowerCase()],
    filters: [],
    where: [],
    search: [],
    ...input,
    table,
    columns: input.columns(columnsOf<T>()),
  };
}
