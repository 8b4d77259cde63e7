import { BadgeCheck, Ban, Check, CirclePause, Clock, FileCheck2, LoaderCircle, TimerOff, TriangleAlert, X, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { readFault, readGuard, readHistory, readPlan, readReading, type Reading } from "@/api/plan";
import type { RowsResult } from "@/api/queries";
import type { ApprovalRow, ChangeRow, EvidenceRow, RunRow, StepRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { EvidenceLink } from "@/kit/EvidenceLink";
import { factName, factText } from "@/kit/facts";
import { usePeople } from "@/kit/people";
import { approvalStates, runStates, statusOf, stepStates, words } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { clockTime, duration, shortSpan, useNow } from "@/kit/time";
import { toneSoft, type Tone } from "@/ui/Badge";
import { Card } from "@/ui/Card";
import { Diff } from "@/ui/Diff";
import { SkeletonRows } from "@/ui/Skeleton";
import { cx } from "@/ui/cx";
import { Decide } from "@/resources/approvals/Decide";

interface StepsProps {
  run: RunRow;
  steps: RowsResult<StepRow>;
  changes: ChangeRow[];
  approvals: ApprovalRow[];
  evidence: EvidenceRow | null;
  ticket: { path: string; reference: string } | null;
}

const phaseTitles: Record<string, string> = {
  read: "Read", plan: "Plan", guard: "Guard", approve: "Approve", act: "Act", reread: "Re-read",
};

/** What a phase will do, until it says itself what it did. */
const phaseHints: Record<string, string> = {
  read: "The state before, from the source",
  plan: "What would change, as a diff",
  guard: "Limits, freshness and completeness of the facts",
  approve: "Asks a person, when the rule says so",
  act: "Carries out exactly this plan, once",
  reread: "Reads the effect back, independently of what the vendor said",
};

/** The run as a timeline: each step with what it found, and the plan as a diff before anything is changed. */
export function Steps({ run, steps, changes, approvals, evidence, ticket }: StepsProps) {
  const done = steps.rows.filter((step) => step.state === "ended" || step.state === "skipped").length;
  return (
    <Card
      title="Steps"
      aside={
        <>
          {steps.rows.length > 0 ? `${done} of ${steps.rows.length}` : ""}
          <StatusBadge of={runStates} value={run.state} label={run.state === "waiting" && approvals.some((row) => row.state === "waiting") ? "Waiting for approval" : statusOf(runStates, run.state).label} />
        </>
      }
    >
      {steps.error ? <ErrorNotice error={steps.error} what="The steps could not be read." kept="The run goes on at the server." retry={steps.refetch} /> : null}
      {steps.isPending ? (
        <SkeletonRows rows={8} />
      ) : steps.rows.length === 0 ? (
        <p className="px-3.5 py-4 text-ink-2">The run is queued; its steps appear when it starts.</p>
      ) : (
        <ol className="px-3.5 pt-1.5 pb-3">
          {steps.rows.map((step) => (
            <Step
              key={step.id}
              step={step}
              change={changes.find((change) => change.key === step.change_key) ?? null}
              approval={approvals.find((row) => row.step_id === step.id) ?? null}
              evidence={evidence}
              ticket={ticket}
            />
          ))}
        </ol>
      )}
    </Card>
  );
}

interface Dot {
  icon: LucideIcon;
  tone: Tone;
  spin?: boolean;
}

function dotOf(step: StepRow, change: ChangeRow | null): Dot {
  if (step.phase === "reread" && change?.state === "unverified") return { icon: TriangleAlert, tone: "warn" };
  if (step.phase === "reread" && change?.state === "verified") return { icon: BadgeCheck, tone: "ok" };
  switch (step.state) {
    case "ended":
      return { icon: step.kind === "evidence" ? FileCheck2 : Check, tone: "ok" };
    case "running":
      return { icon: LoaderCircle, tone: "info", spin: true };
    case "waiting":
      return { icon: Clock, tone: "wait" };
    case "failed":
      return { icon: X, tone: "bad" };
    case "timed_out":
      return { icon: TimerOff, tone: "bad" };
    case "rejected":
    case "cancelled":
      return { icon: Ban, tone: "mute" };
    case "skipped":
      return { icon: CirclePause, tone: "mute" };
    default:
      return { icon: Clock, tone: "mute" };
  }
}

/** A decision, with the name of who made it for whoever may know that person. */
function decisionText(step: StepRow, approval: ApprovalRow | null, nameOf: (id: string | null) => string | null): string | null {
  if (step.phase !== "approve" || approval?.decided_by == null || (approval.state !== "approved" && approval.state !== "rejected")) return null;
  return `${approval.state === "approved" ? "Approved" : "Rejected"} by ${nameOf(approval.decided_by) ?? approval.decided_as ?? "somebody"}${approval.reason ? `: ${approval.reason}` : "."}`;
}

interface StepProps {
  step: StepRow;
  change: ChangeRow | null;
  approval: ApprovalRow | null;
  evidence: EvidenceRow | null;
  ticket: StepsProps["ticket"];
}

function Step({ step, change, approval, evidence, ticket }: StepProps) {
  const { icon: Icon, tone, spin } = dotOf(step, change);
  const idle = step.state === "pending" || step.state === "ready" || step.state === "skipped" || step.state === "cancelled";
  const title = step.phase ? (phaseTitles[step.phase] ?? words(step.phase)) : step.title;
  const { nameOf } = usePeople();
  const decision = decisionText(step, approval, nameOf);
  const text = decision ?? step.summary ?? (step.phase ? (phaseHints[step.phase] ?? step.title) : null);
  const attempts = readHistory(step.history);
  // The decision is said above, with the name; its error says the same without.
  const fault = decision === null ? newWords(readFault(step.error), text) : null;
  return (
    <li className="relative grid grid-cols-[22px_minmax(0,1fr)_auto] gap-x-3 py-2.5 before:absolute before:top-8.5 before:bottom-[-8px] before:left-[10.5px] before:w-px before:bg-line-strong last:before:hidden">
      <span className={cx("grid size-5.5 place-items-center rounded-full", toneSoft[tone], tone === "mute" && "text-ink-3")}>
        <Icon aria-hidden className={cx("size-3", spin && "spin")} strokeWidth={2.4} />
      </span>
      <div className="min-w-0">
        <p className={cx("[overflow-wrap:anywhere]", idle && "text-ink-3")}>
          <b className={idle ? "text-ink-2" : ""}>{title}</b> <span className="sr-only">({statusOf(stepStates, step.state).label}) </span>
          {text}
        </p>
        <StepBody step={step} change={change} approval={approval} evidence={evidence} ticket={ticket} />
        {fault ? <p className="mt-1 text-bad [overflow-wrap:anywhere]">{fault}</p> : null}
        {attempts.length > 1 && attempts.some((attempt) => attempt.error !== null) ? (
          <details className="mt-1 text-sm text-ink-2">
            <summary className="w-fit rounded-xs hover:text-ink">{attempts.length} attempts</summary>
            <ul className="mt-1 grid gap-0.5">
              {attempts.map((attempt) => (
                <li key={attempt.attempt}>
                  {attempt.attempt}. {words(attempt.outcome)}
                  {attempt.startedAt ? ` at ${clockTime(attempt.startedAt)}` : ""}
                  {attempt.error ? `: ${attempt.error}` : ""}
                </li>
              ))}
            </ul>
          </details>
        ) : null}
      </div>
      <Took step={step} />
    </li>
  );
}

/** The fault, unless the sentence before says it already. */
function newWords(fault: string | null, said: string | null): string | null {
  return fault === null || (said !== null && fault.startsWith(said)) ? null : fault;
}

function Took({ step }: { step: StepRow }) {
  const moving = step.state === "running" || step.state === "waiting";
  const now = useNow(moving ? 1_000 : 60_000);
  if (step.started_at === null) return <span />;
  const end = step.ended_at ? Date.parse(step.ended_at) : moving ? now : null;
  if (end === null) return <span />;
  const ms = end - Date.parse(step.started_at);
  return <span className="pt-0.5 text-sm whitespace-nowrap text-ink-2 tabular-nums">{step.ended_at ? duration(ms) : shortSpan(ms)}</span>;
}

function StepBody({ step, change, approval, evidence, ticket }: StepProps): ReactNode {
  switch (step.phase) {
    case "read":
      return <ReadLine facts reading={readReading(change?.before)} />;
    case "plan": {
      const plan = readPlan(change?.plan);
      return plan && plan.lines.length > 0 ? <div className="mt-2"><Diff lines={plan.lines} label="The plan" /></div> : null;
    }
    case "guard":
      return <GuardChecks change={change} />;
    case "approve":
      return approval ? <Approval row={approval} /> : null;
    case "act":
      return change?.act_started_at ? <p className="mt-0.5 font-mono text-xs text-ink-3 [overflow-wrap:anywhere]">idempotency key {change.idempotency_key}</p> : null;
    case "reread":
      return <Reread change={change} />;
    default:
      return step.kind === "evidence" ? (
        <Proof evidence={evidence} />
      ) : step.key === "open_ticket" && ticket ? (
        <p className="mt-0.5 text-sm">
          <Link to={ticket.path} className="text-accent hover:underline">{ticket.reference}</Link>
        </p>
      ) : null;
  }
}

/** Facts that only the engine needs; they stay in the evidence. */
const INTERNAL_FACTS: ReadonlySet<string> = new Set(["activity_mark", "device"]);

function ReadLine({ reading, facts = false }: { reading: Reading | null; facts?: boolean }) {
  if (reading === null) return null;
  const parts = [
    reading.observedAt ? `read from the vendor ${clockTime(reading.observedAt)}` : null,
    reading.complete === null ? null : reading.complete ? "complete" : "partial",
    reading.requestId ? `request ${reading.requestId}` : null,
  ].filter(Boolean);
  const shown = facts ? reading.facts.filter(([name]) => !INTERNAL_FACTS.has(name)).map(([name, value]) => `${factName(name)} ${factText(name, value)}`) : [];
  return (
    <>
      {shown.length > 0 ? <p className="mt-0.5 [overflow-wrap:anywhere]">{shown.join(" · ")}</p> : null}
      <p className="mt-0.5 text-sm text-ink-2 [overflow-wrap:anywhere]">{parts.join(" · ")}</p>
    </>
  );
}

function GuardChecks({ change }: { change: ChangeRow | null }) {
  const checks = readGuard(change?.guard);
  if (checks.length === 0) return null;
  return (
    <ul className="mt-1 grid gap-0.5 text-sm">
      {checks.map((check) => (
        <li key={check.name} className={cx("flex items-start gap-1.5", check.passed ? "text-ink-2" : "font-medium text-bad")}>
          {check.passed ? <Check aria-label="passed" className="mt-0.5 size-3.5 shrink-0 text-ok" /> : <X aria-label="stopped" className="mt-0.5 size-3.5 shrink-0" />}
          <span>{check.text || words(check.name)}</span>
        </li>
      ))}
    </ul>
  );
}

function Approval({ row }: { row: ApprovalRow }) {
  const { nameOf } = usePeople();
  return (
    <>
      <p className="mt-0.5 text-sm text-ink-2">
        policy: {row.policy}
        {row.state === "waiting" ? <> · expires <Ago at={row.expires_at} /></> : null}
      </p>
      {row.state === "waiting" ? (
        <div className="mt-2 flex flex-wrap gap-2">
          <Decide row={row} />
        </div>
      ) : (
        <p className="mt-1 flex flex-wrap items-center gap-x-2 gap-y-1 text-sm text-ink-2">
          <StatusBadge of={approvalStates} value={row.state} />
          {row.decided_by ? <>by {nameOf(row.decided_by)}</> : null}
          {row.decided_at ? <> <Ago at={row.decided_at} /></> : null}
          {row.reason ? <span className="[overflow-wrap:anywhere]">“{row.reason}”</span> : null}
        </p>
      )}
    </>
  );
}

function Reread({ change }: { change: ChangeRow | null }) {
  const before = readReading(change?.before);
  const after = readReading(change?.after);
  if (after === null) return null;
  const known = new Map(before?.facts ?? []);
  const moved = after.facts.filter(([name, value]) => known.get(name) !== value && !INTERNAL_FACTS.has(name));
  return (
    <>
      <ReadLine reading={after} />
      {moved.length > 0 ? (
        <div className="mt-2">
          <Diff
            label="Before and after"
            lines={moved.flatMap(([name, value]) => [
              ...(known.has(name) ? [{ op: "remove" as const, text: `${factName(name)} ${factText(name, known.get(name) ?? null)}`, note: "before" }] : []),
              { op: "add" as const, text: `${factName(name)} ${factText(name, value)}`, note: "read back" },
            ])}
          />
        </div>
      ) : (
        <p className="mt-1 text-sm text-ink-2">Nothing that was read before has changed.</p>
      )}
    </>
  );
}

function Proof({ evidence }: { evidence: EvidenceRow | null }) {
  if (evidence === null) return null;
  return (
    <div className="mt-1.5">
      <EvidenceLink size="sm" label={`Signed bundle, ${evidence.entries} entries`} customerId={evidence.customer_id} evidenceId={evidence.id} runId={evidence.run_id} />
    </div>
  );
}
