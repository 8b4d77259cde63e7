import { CircleCheck, Plug, Plus } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useRow, useRows } from "@/api/queries";
import type { SourceListRow } from "@/api/rows";
import { useFigures } from "@/app/useFigures";
import { Ago } from "@/kit/Ago";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Freshness } from "@/kit/Freshness";
import { freshness } from "@/kit/freshness";
import { money } from "@/kit/money";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { useScope } from "@/kit/scope";
import { priorities, runStates, statusOf, syncStates } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count, plural, shortSpan, useNow } from "@/kit/time";
import { sourceAge } from "@/kit/vendors";
import type { Tone } from "@/ui/Badge";
import { ButtonLink } from "@/ui/Button";
import { Card } from "@/ui/Card";
import { BarChart, Meter, Sparkline, StackedBar } from "@/ui/charts";
import { EmptyState } from "@/ui/EmptyState";
import { Skeleton, SkeletonRows } from "@/ui/Skeleton";
import { cx } from "@/ui/cx";
import { DriftBar } from "@/resources/drift/DriftBar";
import { MfaBar } from "@/resources/tenants/MfaBar";
import { alertBars, greeting, needSentence, perDay, slaFigures, wordsOfNeed } from "./figures";
import { Needs, useNeeds } from "./Needs";

const TREND_DAYS = 14;
const CUSTOMERS_SHOWN = 6;
const TREND_ROWS_MAX = 1_000;
const DAY_MS = 86_400_000;
const SLA_GOOD_PERCENT = 90;
const date = new Intl.DateTimeFormat("en-US", { weekday: "long", day: "numeric", month: "long" });

export default function Overview() {
  const now = useNow(60_000);
  const scope = useScope();
  const { can, reason, isProvider } = useCan();
  const needs = useNeeds();
  const name = useRow("customer_list", {
    columns: "id,name",
    where: scope.customerId === null ? [] : [{ column: "id", op: "eq", value: scope.customerId }],
    enabled: scope.customerId !== null || !isProvider,
  });
  const hour = new Date(now).getHours();
  const canWrite = reason("tickets:write", scope.customerId) === null;
  return (
    <>
      <PageHeader
        tab="Overview"
        title={needs.isPending ? greeting(hour) : `${greeting(hour)} ${needSentence(needs.total)}`}
        meta={<Dots>{[scope.customerId === null && isProvider ? "All customers" : (name.row?.name ?? "…"), date.format(now)]}</Dots>}
        actions={
          canWrite ? (
            <ButtonLink variant="primary" to={scope.to("/tickets", { new: "1" })} icon={<Plus aria-hidden className="size-3.5" />}>
              New ticket
            </ButtonLink>
          ) : undefined
        }
      />
      <Kpis now={now} />
      <div className="grid grid-cols-[minmax(0,1fr)] gap-4 xl:grid-cols-[minmax(0,1.55fr)_minmax(0,1fr)]">
        <div className="grid grid-cols-[minmax(0,1fr)] content-start gap-4">
          <Needs needs={needs} />
          <RecentRuns />
        </div>
        <div className="grid grid-cols-[minmax(0,1fr)] content-start gap-4">
          {can("integrations:read") ? <Sources /> : null}
          {can("alerts:read") ? <AlertsByHour now={now} /> : null}
          {isProvider && scope.customerId === null && can("billing:read") ? <BilledWrongly /> : null}
          {isProvider && can("people:read") ? <SecondFactors /> : null}
          {isProvider && can("drift:read") ? <DriftCard /> : null}
          {isProvider && scope.customerId === null ? <CustomersInNeed /> : null}
          <ServiceLevels />
        </div>
      </div>
    </>
  );
}

interface KpiProps {
  label: string;
  value: ReactNode;
  note?: ReactNode;
  noteTone?: string;
  to: string;
  picture: ReactNode;
  pending: boolean;
}

function Kpi({ label, value, note, noteTone = "text-ink-2", to, picture, pending }: KpiProps) {
  return (
    <Link to={to} className="flex min-h-27 flex-col max-lg:last:col-span-2 gap-1 rounded-lg border border-line bg-surface px-3.5 py-3 shadow-1 transition-colors hover:border-line-strong">
      <span className="text-sm text-ink-2">{label}</span>
      {pending ? (
        <>
          <Skeleton className="my-1 h-5 w-16" />
          <Skeleton className="mt-1 h-6 w-full" />
        </>
      ) : (
        <>
          <span className="flex flex-wrap items-baseline gap-x-2">
            <span className="text-2xl font-bold tracking-tight tabular-nums">{value}</span>
            <span className={cx("text-sm font-medium", noteTone)}>{note}</span>
          </span>
          <span className="mt-auto flex h-7.5 items-end">{picture}</span>
        </>
      )}
    </Link>
  );
}

function useSince(days: number): string {
  const now = useNow(60_000);
  return new Date(Math.floor(now / DAY_MS) * DAY_MS - days * DAY_MS).toISOString();
}

function Kpis({ now }: { now: number }) {
  const scope = useScope();
  const figures = useFigures();
  const since = useSince(TREND_DAYS);
  const month = useSince(30);
  const opened = useRows("incident_list", {
    columns: "id,opened_at",
    where: [...scope.where, { column: "opened_at", op: "gte", value: since }],
    order: [{ column: "opened_at", descending: true }],
    limit: TREND_ROWS_MAX,
  });
  const outcomes = useRows("changes", {
    columns: "id,customer_id,state,created_at",
    where: [...scope.where, { column: "created_at", op: "gte", value: month }, { column: "state", op: "in", values: ["verified", "unverified", "failed"] }],
    order: [{ column: "created_at", descending: true }],
    limit: TREND_ROWS_MAX,
  });
  const sla = useRows("sla_by_priority", { where: scope.where, order: [{ column: "priority" }], limit: TREND_ROWS_MAX });
  const { attention, partial } = figures;

  const perIncident = perDay(opened.rows.map((row) => row.opened_at), TREND_DAYS, now);
  const verified = outcomes.rows.filter((row) => row.state === "verified").length;
  const doubtful = outcomes.rows.length - verified;
  const percent = outcomes.rows.length === 0 ? null : (verified / outcomes.rows.length) * 100;
  const levels = slaFigures(sla.rows);
  const answered = levels.reduce((sum, level) => sum + level.tickets, 0);
  const within = levels.reduce((sum, level) => sum + level.within, 0);
  const slaPercent = answered === 0 ? null : (within / answered) * 100;
  const { oldestAt, oldestStaleAt } = figures;
  const age = freshness({ observedAt: oldestAt, staleAt: oldestStaleAt }, now);
  const ageTone: Tone = age.state === "fresh" ? "ok" : age.state === "unknown" ? "mute" : "bad";
  const median = figures.overview?.first_response_minutes_median ?? null;
  return (
    <div className="grid grid-cols-2 gap-3 lg:grid-cols-3 xl:grid-cols-5">
      <Kpi
        label="Open incidents"
        to={scope.to("/incidents", { state: "open,remediating,needs_attention" })}
        pending={figures.incidents === null}
        value={count(figures.incidents ?? 0)}
        note={attention ? `${attention} need attention` : "none needs attention"}
        noteTone={attention ? "text-warn" : "text-ok"}
        picture={<Sparkline values={perIncident} label={`Incidents opened per day, last ${TREND_DAYS} days: ${perIncident.join(", ")}`} />}
      />
      <Kpi
        label="Outcomes verified, 30 days"
        to={scope.to("/runs")}
        pending={outcomes.isPending}
        value={percent === null ? "-" : `${percent.toFixed(percent === 100 ? 0 : 1)}%`}
        note={percent === null ? "no change was made" : `${count(verified)} of ${count(outcomes.rows.length)}`}
        noteTone={doubtful > 0 ? "text-warn" : "text-ink-2"}
        picture={<StackedBar parts={[{ value: verified, tone: "ok" }, { value: doubtful, tone: "warn" }]} label={`${verified} verified, ${doubtful} not verified`} />}
      />
      <Kpi
        label="First responses in time"
        to={scope.to("/tickets")}
        pending={sla.isPending}
        value={slaPercent === null ? "-" : `${Math.round(slaPercent)}%`}
        note={median === null ? (slaPercent === null ? "no ticket, 30 days" : `${count(within)} of ${count(answered)}`) : `median ${shortSpan(median * 60_000)}`}
        noteTone={slaPercent !== null && slaPercent < SLA_GOOD_PERCENT ? "text-warn" : "text-ink-2"}
        picture={
          <StackedBar
            parts={[{ value: within, tone: "info" }, { value: answered - within, tone: "bad" }]}
            label={`${within} in time, ${answered - within} late`}
          />
        }
      />
      <Kpi
        label="Devices"
        to={scope.to("/devices")}
        pending={figures.devices === null}
        value={count(figures.devices ?? 0)}
        note={figures.alerts ? plural(figures.alerts, "open alert") : "no open alert"}
        noteTone={figures.alerts ? "text-warn" : "text-ok"}
        picture={<span className="text-sm text-ink-2">{partial ? `${count(partial)} from a partial read` : "all from complete reads"}</span>}
      />
      <Kpi
        label="Oldest fact in use"
        to={scope.to("/devices", { sort: "observed_at" })}
        pending={figures.devices === null}
        value={oldestAt === null ? "-" : shortSpan(now - Date.parse(oldestAt))}
        note={age.state === "fresh" ? (partial ? "some partial" : "all complete") : age.state === "stale" ? "stale" : "no device yet"}
        noteTone={age.state === "fresh" && !partial ? "text-ok" : "text-warn"}
        picture={<Meter percent={oldestAt === null ? 0 : Math.min(100, shareOfLife(oldestAt, oldestStaleAt, now))} tone={ageTone} className="w-full" />}
      />
    </div>
  );
}

/** How much of its time a fact has used up before it is stale, in percent. */
function shareOfLife(observedAt: string, staleAt: string | null, now: number): number {
  if (staleAt === null) return 0;
  return ((now - Date.parse(observedAt)) / (Date.parse(staleAt) - Date.parse(observedAt))) * 100;
}

/** Who gets in with a password alone. */
function SecondFactors() {
  const scope = useScope();
  // The row without a customer is the sum.
  const sums = useRow("mfa_overview", { where: scope.customerId ? scope.where : [{ column: "customer_id", op: "is", value: null }] });
  const { row } = sums;
  return (
    <Card title="Second factor" aside={row ? plural(row.people, "person", "people") : ""}>
      {sums.error ? <ErrorNotice error={sums.error} what="The sums could not be read." retry={sums.refetch} /> : null}
      {sums.isPending ? <SkeletonRows rows={1} /> : null}
      {!sums.isPending && !sums.error && (row === null || row.people === 0) ? <p className="px-3.5 py-2 text-ink-2">No person is known yet. They come from Microsoft 365.</p> : null}
      {row && row.people > 0 ? (
        <Link to={scope.to("/mfa")} className="grid gap-2 px-3.5 py-3 hover:bg-hover">
          <span className="flex flex-wrap gap-x-5 gap-y-1">
            <span className={row.gap > 0 ? "font-medium text-bad" : "text-ink-2"}>
              {count(row.gap)} with a password alone{row.gap_admins > 0 ? `, ${count(row.gap_admins)} of them administrators` : ""}
            </span>
            {row.unknown > 0 ? <span className="text-warn">{count(row.unknown)} unknown</span> : null}
            <span className="text-ink-2">{count(row.protected)} protected</span>
          </span>
          <MfaBar {...row} />
        </Link>
      ) : null}
    </Card>
  );
}

/** Where tenants are not as their baselines demand. */
function DriftCard() {
  const scope = useScope();
  // The row without a customer is the sum.
  const sums = useRow("drift_overview", { where: scope.customerId ? scope.where : [{ column: "customer_id", op: "is", value: null }] });
  const { row } = sums;
  return (
    <Card title="Drift" aside={row ? plural(row.tenants, "tenant") : ""}>
      {sums.error ? <ErrorNotice error={sums.error} what="The sums could not be read." retry={sums.refetch} /> : null}
      {sums.isPending ? <SkeletonRows rows={1} /> : null}
      {!sums.isPending && !sums.error && (row === null || row.settings_demanded === 0) ? <p className="px-3.5 py-2 text-ink-2">Nothing is demanded of any tenant that is read. Baselines say what is.</p> : null}
      {row && row.settings_demanded > 0 ? (
        <Link to={scope.to("/drift")} className="grid gap-2 px-3.5 py-3 hover:bg-hover">
          <span className="flex flex-wrap gap-x-5 gap-y-1">
            <span className={row.drifted > 0 ? "font-medium text-bad" : "text-ink-2"}>
              {plural(row.drifted, "drift")} in {plural(row.tenants_drifted, "tenant")}
            </span>
            {row.unknown > 0 ? <span className="text-warn">{count(row.unknown)} unknown</span> : null}
            {row.tenants_silent > 0 ? <span className="text-bad">{plural(row.tenants_silent, "tenant")} not evaluated</span> : null}
            <span className="text-ink-2">{count(row.in_order)} in order</span>
          </span>
          <DriftBar row={row} />
        </Link>
      ) : null}
    </Card>
  );
}

/** What is there and what is billed, in money a month. */
function BilledWrongly() {
  const sums = useRows("money_overview", { order: [{ column: "currency" }] });
  return (
    <Card title="Billed wrongly" aside="a month">
      {sums.error ? <ErrorNotice error={sums.error} what="The sums could not be read." retry={sums.refetch} /> : null}
      {sums.isPending ? <SkeletonRows rows={1} /> : null}
      {!sums.isPending && !sums.error && sums.rows.length === 0 ? <p className="px-3.5 py-2 text-ink-2">Nothing: what is counted is what is billed.</p> : null}
      <ul>
        {sums.rows.map((row) => (
          <li key={row.currency} className="relative flex min-h-9 flex-wrap items-center gap-x-4 gap-y-0.5 border-b border-line px-3.5 py-1.5 last:border-b-0 hover:bg-hover">
            <Link to="/differences" className="font-medium tabular-nums after:absolute after:inset-0">
              {money(row.under_per_month, row.currency)} too little
            </Link>
            <span className="text-ink-2 tabular-nums">{money(row.over_per_month, row.currency)} too much</span>
            <span className="ml-auto text-sm text-ink-2">{plural(row.differences_open, "open difference")}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Sources() {
  const sources = useRows("source_list", { order: [{ column: "name" }] });
  return (
    <Card title="Sources" aside="freshness and completeness">
      {sources.error ? <ErrorNotice error={sources.error} what="The sources could not be read." retry={sources.refetch} /> : null}
      {sources.isPending ? <SkeletonRows rows={4} /> : null}
      {!sources.isPending && !sources.error && sources.rows.length === 0 ? (
        <EmptyState icon={Plug} title="No source is connected" action={<ButtonLink to="/integrations">Integrations</ButtonLink>}>
          Without a source there are no devices and no alerts.
        </EmptyState>
      ) : null}
      <ul>
        {sources.rows.map((source) => (
          <li key={source.id} className="relative flex min-h-9 flex-wrap items-center gap-x-4 gap-y-0.5 border-b border-line px-3.5 py-1.5 last:border-b-0 hover:bg-hover">
            <Link to={paths.integration(source.id)} className="basis-36 font-medium after:absolute after:inset-0">
              {source.name}
            </Link>
            <Freshness {...sourceAge(source)} />
            <span className="ml-auto text-sm text-ink-2">{sourceNote(source)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function sourceNote(source: SourceListRow): string {
  if (!source.enabled) return "switched off";
  if (source.credentials_failed_at !== null) return "credentials do not work";
  if (source.organizations_unmapped > 0) return `${source.organizations_unmapped} unmapped`;
  const state = source.last_state === null ? "never read" : statusOf(syncStates, source.last_state).label.toLowerCase();
  const parts = source.parts_total ?? 0;
  return parts > 0 ? `${source.parts_complete ?? 0} of ${plural(parts, "part")}, ${state}` : state;
}

function AlertsByHour({ now }: { now: number }) {
  const scope = useScope();
  const alerts = useRows("alerts_by_hour", { where: scope.where, order: [{ column: "hour" }], limit: TREND_ROWS_MAX });
  const bars = alertBars(alerts.rows, now);
  const total = bars.reduce((sum, bar) => sum + bar.value, 0);
  return (
    <Card title="Alerts by hour" aside={alerts.isPending ? "" : `${plural(total, "alert")}, 24 h`}>
      {alerts.error ? <ErrorNotice error={alerts.error} what="The alerts could not be read." retry={alerts.refetch} /> : null}
      <div className="px-3.5 pt-4 pb-2.5">
        {alerts.isPending ? <Skeleton className="h-33 w-full" /> : <BarChart bars={bars} label="Alerts raised per hour, last 24 hours" />}
      </div>
    </Card>
  );
}

function ServiceLevels() {
  const scope = useScope();
  const sla = useRows("sla_by_priority", { where: scope.where, order: [{ column: "priority" }], limit: TREND_ROWS_MAX });
  const targets = useRows("sla_targets", { order: [{ column: "priority" }], limit: 20, every: false });
  return (
    <Card title="First response, 30 days" aside="within target">
      {sla.error ? <ErrorNotice error={sla.error} what="The service levels could not be read." retry={sla.refetch} /> : null}
      {sla.isPending ? (
        <SkeletonRows rows={4} />
      ) : (
        <ul>
          {slaFigures(sla.rows).map((level) => {
            const target = targets.rows.find((row) => row.priority === level.priority)?.first_response_minutes;
            return (
              <li key={level.priority} className="relative flex h-9 items-center gap-4 border-b border-line px-3.5 last:border-b-0 hover:bg-hover">
                <Link to={scope.to("/tickets", { priority: level.priority })} className="w-6 font-medium after:absolute after:inset-0">
                  {priorities[level.priority].label}
                </Link>
                <span className="w-14 text-sm text-ink-2">{target === undefined ? "" : shortSpan(target * 60_000)}</span>
                <Meter percent={level.percent ?? 0} tone={level.percent !== null && level.percent < SLA_GOOD_PERCENT ? "warn" : "accent"} className="w-auto min-w-16 flex-1" />
                <span className="w-24 text-right tabular-nums">
                  {level.percent === null ? <span className="text-ink-3">no ticket</span> : `${Math.round(level.percent)}%`}
                  {level.percent === null ? null : <span className="ml-1.5 text-sm text-ink-2">of {count(level.tickets)}</span>}
                </span>
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}

/** Customers with something that waits for a person, worst first; all their counts come with one question. */
function CustomersInNeed() {
  const customers = useRows("customer_list", {
    where: [{ column: "archived_at", op: "is", value: null }],
    order: [
      { column: "incidents_need_attention", descending: true },
      { column: "approvals_waiting", descending: true },
      { column: "tickets_breached", descending: true },
      { column: "devices_stale", descending: true },
      { column: "alerts_open", descending: true },
      { column: "name" },
    ],
    limit: CUSTOMERS_SHOWN,
  });
  const rows = customers.rows.filter((row) => wordsOfNeed(row).length > 0);
  return (
    <Card title="Customers" aside={<Link to="/customers" className="hover:underline">All customers</Link>}>
      {customers.error ? <ErrorNotice error={customers.error} what="The customers could not be read." retry={customers.refetch} /> : null}
      {customers.isPending ? <SkeletonRows rows={4} /> : null}
      {!customers.isPending && !customers.error && rows.length === 0 ? (
        <EmptyState icon={CircleCheck} title="All calm">
          No customer has an open alert, a waiting approval, a late ticket or a stale device.
        </EmptyState>
      ) : null}
      <ul>
        {rows.map((row) => (
          <li key={row.id} className="relative flex min-h-9 flex-wrap items-center gap-x-4 gap-y-0.5 border-b border-line px-3.5 py-1.5 last:border-b-0 hover:bg-hover">
            <Link to={paths.customer(row.id)} className="min-w-0 basis-36 truncate font-medium after:absolute after:inset-0">{row.name}</Link>
            <span className="ml-auto text-sm text-ink-2">{wordsOfNeed(row).join(" · ")}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function RecentRuns() {
  const scope = useScope();
  const runs = useRows("runs", {
    columns: "customer_id,id,title,state,dry_run,created_at,customer_name",
    where: scope.where,
    order: [{ column: "created_at", descending: true }],
    limit: 5,
    every: 5_000,
  });
  return (
    <Card title="Last runs" aside={<Link to={scope.to("/runs")} className="hover:underline">All runs</Link>}>
      {runs.error ? <ErrorNotice error={runs.error} what="The runs could not be read." retry={runs.refetch} /> : null}
      {runs.isPending ? <SkeletonRows rows={5} /> : null}
      {!runs.isPending && !runs.error && runs.rows.length === 0 ? (
        <EmptyState icon={CircleCheck} title="No run yet">
          Automation that ran, and what it proved, is listed here.
        </EmptyState>
      ) : null}
      <ul>
        {runs.rows.map((run) => (
          <li key={run.id} className="relative flex min-h-9 items-center gap-3 border-b border-line px-3.5 py-1 last:border-b-0 hover:bg-hover">
            <StatusBadge of={runStates} value={run.state} />
            <Link to={scope.to(paths.run(run.customer_id, run.id))} className="min-w-0 flex-1 truncate after:absolute after:inset-0">
              {run.title} <span className="text-sm text-ink-2">{run.dry_run ? "dry run · " : ""}{run.customer_name}</span>
            </Link>
            <span className="text-sm text-ink-2"><Ago at={run.created_at} brief /></span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
