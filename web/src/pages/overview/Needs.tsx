import { CircleCheck, Clock, KeyRound, Link2Off, ShieldAlert, Split, TimerOff, TriangleAlert, type LucideIcon } from "lucide-react";
import { Link } from "react-router";
import { readPlan } from "@/api/plan";
import { useRows } from "@/api/queries";
import type { ApiError } from "@/api/errors";
import { Ago } from "@/kit/Ago";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { useScope } from "@/kit/scope";
import { plural, useNow } from "@/kit/time";
import { keptOut, vendorOf } from "@/kit/vendors";
import { Badge, type Tone } from "@/ui/Badge";
import { Card } from "@/ui/Card";
import { EmptyState } from "@/ui/EmptyState";
import { SkeletonRows } from "@/ui/Skeleton";

const EACH_MAX = 20;
const SHOWN_MAX = 10;
const SOON_MS = 15 * 60_000;
const NEEDS_MS = 5_000;

interface Need {
  key: string;
  label: string;
  tone: Tone;
  icon: LucideIcon;
  title: string;
  to: string;
  who: string;
  detail: string;
  at: string | null;
}
export interface NeedsState {
  list: Need[];
  total: number;
  isPending: boolean;
  error: ApiError | null;
  retry: () => void;
}

/** What waits for a person, most urgent kind first: approvals, doubtful outcomes, response clocks, sources. */
export function useNeeds(): NeedsState {
  const scope = useScope();
  const now = useNow(10_000);
  const { can, isProvider } = useCan();
  const soon = new Date(Math.ceil((now + SOON_MS) / 60_000) * 60_000).toISOString();
  const approvals = useRows("approvals", {
    enabled: can("approvals:decide"),
    where: [...scope.where, { column: "state", op: "eq", value: "waiting" }],
    order: [{ column: "requested_at" }],
    limit: EACH_MAX,
    count: true,
    every: NEEDS_MS,
  });
  const incidents = useRows("incident_list", {
    enabled: can("incidents:read"),
    where: [...scope.where, { column: "state", op: "eq", value: "needs_attention" }],
    order: [{ column: "opened_at" }],
    limit: EACH_MAX,
    count: true,
    every: NEEDS_MS,
  });
  const tickets = useRows("ticket_list", {
    enabled: isProvider && can("tickets:read"),
    where: [
      ...scope.where,
      { column: "first_response_at", op: "is", value: null },
      { column: "state", op: "in", values: ["open", "assigned", "in_progress"] },
      { column: "first_response_due_at", op: "lte", value: soon },
    ],
    order: [{ column: "first_response_due_at" }],
    limit: EACH_MAX,
    count: true,
  });
  const questions = useRows("endpoint_conflict_list", { enabled: isProvider && can("estate:manage"), columns: "id", where: scope.where, order: [{ column: "since" }], limit: 1, count: true });
  const toDecide = questions.total;
  const sources = useRows("source_list", { enabled: can("integrations:read"), order: [{ column: "name" }], limit: EACH_MAX });

  const list: Need[] = [
    ...approvals.rows.map((row): Need => {
      const plan = readPlan(row.plan);
      return {
        key: row.id, label: "Approve", tone: "wait", icon: Clock, title: row.title, to: scope.to(paths.run(row.customer_id, row.run_id)), who: row.customer_name,
        detail: [plan?.title, plan?.undo ? `undo: ${plan.undo}` : null].filter(Boolean).join(" · ") || row.policy, at: row.requested_at,
      };
    }),
    ...incidents.rows.map((row): Need => ({
      key: row.id, label: row.run_state === "unverified" ? "Unverified" : "Attention", tone: "warn", icon: TriangleAlert, title: row.title,
      to: scope.to(paths.incident(row.customer_id, row.id)), who: row.customer_name,
      detail: row.run_state === "unverified" ? "applied, but the condition is still there" : `${row.reference} waits for a person`, at: row.opened_at,
    })),
    ...tickets.rows.map((row): Need => {
      const late = Date.parse(row.first_response_due_at) < now;
      return {
        key: row.id, label: late ? "SLA late" : "SLA soon", tone: late ? "bad" : "warn", icon: TimerOff, title: `${row.reference} ${row.subject}`,
        to: scope.to(paths.ticket(row.customer_id, row.id)), who: row.customer_name, detail: `${row.priority.toUpperCase()}: first response ${late ? "was" : "is"} due`, at: row.first_response_due_at,
      };
    }),
    ...(toDecide > 0
      ? [{ key: "endpoints", label: "Machines", tone: "wait" as const, icon: Split, title: `${plural(toDecide, "question")} about endpoints`, to: scope.to("/endpoints/to-decide"), who: "Estate", detail: "no rule can say which records are of one machine", at: null }]
      : []),
    ...sources.rows.flatMap((row): Need[] => [
      ...(row.credentials_failed_at !== null
        ? [{ key: `${row.id}c`, label: "Credentials", tone: "bad" as const, icon: KeyRound, title: `${row.name}: the credentials do not work`, to: paths.integration(row.id), who: "Platform", detail: "nothing is read and no automation acts; its page says what to do", at: row.credentials_failed_at }]
        : []),
      ...(row.held_run_id !== null
        ? [{ key: `${row.id}s`, label: "Held back", tone: "warn" as const, icon: ShieldAlert, title: `${row.name}: ${plural(row.held_rows ?? 0, "row")} gone, held back`, to: paths.integration(row.id), who: "Platform", detail: "nothing was removed; accept it if it is true", at: row.last_ended_at }]
        : []),
      ...(row.organizations_unmapped > 0
        ? [{ key: `${row.id}u`, label: "Unmapped", tone: "info" as const, icon: Link2Off, title: `${row.name}: ${plural(row.organizations_unmapped, vendorOf(row.vendor).account)} without a customer`, to: paths.integration(row.id), who: "Platform", detail: `${keptOut(row)} kept out`, at: null }]
        : []),
    ]),
  ];
  const error = approvals.error ?? incidents.error ?? tickets.error;
  const beyond = approvals.total - approvals.rows.length + incidents.total - incidents.rows.length + tickets.total - tickets.rows.length;
  return {
    list,
    total: list.length + Math.max(0, beyond),
    isPending: approvals.isPending || incidents.isPending || tickets.isPending,
    error,
    retry: () => {
      approvals.refetch();
      incidents.refetch();
      tickets.refetch();
    },
  };
}

export function Needs({ needs }: { needs: NeedsState }) {
  const shown = needs.list.slice(0, SHOWN_MAX);
  return (
    <Card title="Needs a decision" aside={needs.isPending ? "" : `${needs.total}${needs.total > shown.length ? `, first ${shown.length}` : ""}`}>
      {needs.error ? <ErrorNotice error={needs.error} what="Not everything that waits could be read." retry={needs.retry} /> : null}
      {needs.isPending ? <SkeletonRows rows={4} /> : null}
      {!needs.isPending && !needs.error && shown.length === 0 ? (
        <EmptyState icon={CircleCheck} title="All clear">
          No approval waits, every outcome is verified, and no response clock is about to run out.
        </EmptyState>
      ) : null}
      <ul>
        {shown.map((need) => (
          <li
            key={need.key}
            className="relative grid min-h-9 grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-x-3 gap-y-0.5 border-b border-line px-3.5 py-1.5 last:border-b-0 hover:bg-hover md:grid-cols-[6.25rem_minmax(0,1fr)_8rem_3rem] 2xl:grid-cols-[6.25rem_minmax(0,1.2fr)_minmax(0,1fr)_9rem_3rem]"
          >
            <span className="max-md:col-start-1 max-md:row-start-1">
              <Badge tone={need.tone} icon={need.icon}>
                {need.label}
              </Badge>
            </span>
            <Link to={need.to} title={need.detail} className="truncate font-medium after:absolute after:inset-0 max-md:col-span-3 max-md:col-start-1 max-md:row-start-2 max-md:whitespace-normal">
              {need.title}
            </Link>
            <span className="truncate text-sm text-ink-2 max-2xl:hidden">{need.detail}</span>
            <span className="truncate text-sm text-ink-2 max-md:col-start-2 max-md:row-start-1">{need.who}</span>
            <span className="text-right text-sm text-ink-2 max-md:col-start-3 max-md:row-start-1">{need.at ? <Ago at={need.at} brief /> : null}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
