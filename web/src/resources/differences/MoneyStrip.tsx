import { Link } from "react-router";
import { isRecord, stringOrNull } from "@/api/errors";
import { useRow, useRows } from "@/api/queries";
import type { MoneyOverviewRow, ReconciliationRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { money } from "@/kit/money";
import { paths } from "@/kit/paths";
import { useScope } from "@/kit/scope";
import { count, plural } from "@/kit/time";
import { toneText, type Tone } from "@/ui/Badge";
import { Sparkline } from "@/ui/charts";
import { cx } from "@/ui/cx";
import { Skeleton } from "@/ui/Skeleton";

const SKIPPED_SHOWN = 5;
const TREND_POINTS = 60;
const TREND_MS = 60_000;

/** What the open differences come to, per currency, and when counts and lines were last compared. */
export function MoneyStrip() {
  const scope = useScope();
  const overview = useRows("money_overview", { order: [{ column: "currency" }] });
  const last = useRow("reconciliations", { order: [{ column: "started_at", descending: true }], columns: "id,reason,state,started_at,ended_at,customers_done,customers_skipped,skipped,error" });
  const past = useRows("reconciliations", {
    columns: "started_at,totals",
    where: [{ column: "scope", op: "eq", value: "all" }, { column: "state", op: "eq", value: "complete" }],
    order: [{ column: "started_at", descending: true }],
    limit: TREND_POINTS,
    enabled: scope.customerId === null,
    every: TREND_MS,
  });
  return (
    <>
      {overview.error ? <ErrorNotice error={overview.error} what="The sums could not be read." retry={overview.refetch} /> : null}
      {scope.customerId === null && overview.isPending ? <Sums row={null} past={[]} /> : null}
      {scope.customerId === null ? overview.rows.map((row) => <Sums key={row.currency} row={row} past={[...past.rows].reverse()} />) : null}
      {last.row ? (
        <LastComparison last={last.row} />
      ) : last.isPending ? (
        <div className="h-[37px] border-b border-line px-3.5 py-3">
          <Skeleton className="h-3 w-48" />
        </div>
      ) : !last.error ? (
        <p className="border-b border-line px-3.5 py-2 text-sm text-ink-2">Nothing was compared yet. It happens after each complete synchronization, every night, and with “Reconcile now”.</p>
      ) : null}
    </>
  );
}

type Comparison = Pick<ReconciliationRow, "state" | "started_at" | "ended_at" | "customers_done" | "customers_skipped" | "skipped" | "error">;

/** One line, whatever it says: what comes later must not push the list down. */
function LastComparison({ last }: { last: Comparison }) {
  const line = (
    <>
      {last.state === "failed" ? <span className="font-medium text-bad">The last comparison failed: {last.error ?? "the log says why"}. </span> : null}
      {last.state === "running" ? "Comparing since " : "Compared "}
      <Ago at={last.ended_at ?? last.started_at} />: {plural(last.customers_done, "customer")}
    </>
  );
  if (last.customers_skipped === 0) return <p className="border-b border-line px-3.5 py-2 text-sm text-ink-2">{line}</p>;
  const skipped = readSkipped(last.skipped).slice(0, SKIPPED_SHOWN);
  return (
    <details className="border-b border-line px-3.5 py-2 text-sm text-ink-2">
      <summary className="cursor-pointer">
        {line}, <span className="font-medium text-warn">{count(last.customers_skipped)} left out</span>
      </summary>
      <p className="pt-1">Nothing is decided on facts that are old or partial:</p>
      <ul className="py-1 pl-4">
        {skipped.map((each) => (
          <li key={each.customerId}>
            <Link to={paths.customer(each.customerId)} className="font-mono hover:underline">{each.customerId.slice(-6)}</Link> {each.reason}
          </li>
        ))}
        {last.customers_skipped > skipped.length ? <li>and {last.customers_skipped - skipped.length} more</li> : null}
      </ul>
    </details>
  );
}

function readSkipped(value: unknown): { customerId: string; reason: string }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown) => (isRecord(each) ? [{ customerId: stringOrNull(each.customer_id) ?? "", reason: stringOrNull(each.reason) ?? "" }] : []));
}

type Past = Pick<ReconciliationRow, "started_at" | "totals">;

/** What each comparison found, oldest first; one without this currency found nothing in it. */
function trend(past: Past[], currency: string, name: "under_per_month" | "over_per_month"): number[] {
  return past.map(({ totals }) => {
    const mine = Array.isArray(totals) ? totals.filter(isRecord).find((each) => each.currency === currency) : undefined;
    return Number(mine?.[name] ?? 0);
  });
}

/** Without a row: the place that it will take. */
function Sums({ row, past }: { row: MoneyOverviewRow | null; past: Past[] }) {
  const currency = row?.currency ?? null;
  const values = (name: "under_per_month" | "over_per_month") => (currency === null ? [] : trend(past, currency, name));
  return (
    <dl className="grid grid-cols-2 border-b border-line md:grid-cols-4">
      <Sum
        name="Billed too little" amount={row?.under_per_month} currency={currency} tone="bad" values={values("under_per_month")}
        note={row ? `${plural(row.differences_open, "open difference")}, ${plural(row.customers_affected, "customer")}` : ""}
      />
      <Sum name="Billed too much" amount={row?.over_per_month} currency={currency} tone="warn" note="what customers pay for nothing" values={values("over_per_month")} />
      <Sum name="Waits for its bill" amount={row?.waiting_per_month} currency={currency} tone="wait" note={row ? plural(row.differences_waiting, "corrected line") : ""} />
      <Sum name="Recovered" amount={row?.recovered_per_month} currency={currency} tone="ok" note="proved by bills" />
    </dl>
  );
}

interface SumProps {
  name: string;
  amount: number | undefined;
  currency: string | null;
  tone: Tone;
  note: string;
  /** At each comparison, for the picture. */
  values?: number[];
}

function Sum({ name, amount, currency, tone, note, values = [] }: SumProps) {
  return (
    <div className="border-line px-3.5 py-3 not-first:border-l max-md:nth-3:border-l-0">
      <dt className="text-sm text-ink-2">{name}</dt>
      <dd>
        {amount === undefined || currency === null ? (
          <Skeleton className="my-1.5 h-4 w-28" />
        ) : (
          <>
            <span className={cx("text-xl font-semibold tabular-nums", amount === 0 ? "text-ink-2" : toneText[tone])}>{money(amount, currency)}</span>
            <span className="text-sm text-ink-2"> a month</span>
          </>
        )}
        <span className="block min-h-5 text-sm text-ink-2">{note}</span>
        <span className="mt-1 block h-7.5 max-md:hidden">
          {values.length > 1 ? <Sparkline values={values} label={`${name}: the last ${values.length} comparisons`} tone={tone} /> : null}
        </span>
      </dd>
    </div>
  );
}
