import { Ban } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { cancelRun } from "@/api/actions";
import { isRecord, stringOrNull } from "@/api/errors";
import { readFault, readPlan, readReading } from "@/api/plan";
import { rowKey, useRow, useRows } from "@/api/queries";
import type { ApprovalRow, ChangeRow, EvidenceRow, RunRow } from "@/api/rows";
import type { Where } from "@/api/where";
import { useAction } from "@/kit/action";
import { Ago } from "@/kit/Ago";
import { EvidenceLink } from "@/kit/EvidenceLink";
import { reach } from "@/kit/facts";
import { Freshness } from "@/kit/Freshness";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { usePeople } from "@/kit/people";
import { useCan } from "@/kit/permissions";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { useScope } from "@/kit/scope";
import { changeStates, runStates, words } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { clockTime, plural, useNow } from "@/kit/time";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { Card, Fact, Facts } from "@/ui/Card";
import { Meter } from "@/ui/charts";
import { DISK_BAD_PERCENT, DISK_WARN_PERCENT } from "@/resources/devices/columns";
import { isOpenRun } from "@/resources/runs/columns";
import { Steps } from "./Steps";

const LIVE_MS = 1_000;
const CALM_MS = 15_000;
/** After its end a run is read closely a little longer: evidence and ticket follow within seconds. */
const AFTERGLOW_MS = 15_000;

/** One run, live while it runs: every step with what it read, planned, checked, did and read back. */
export default function RunView() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const now = useNow(LIVE_MS);
  const run = useRow("runs", {
    where: rowKey(customerId, id),
    every: (rows) => (rows[0] === undefined || isOpenRun(rows[0].state) ? LIVE_MS : CALM_MS),
  });
  const ended = run.row?.ended_at ? Date.parse(run.row.ended_at) : null;
  const live = run.row !== null && (isOpenRun(run.row.state) || (ended !== null && now - ended < AFTERGLOW_MS));
  const every = live ? LIVE_MS : CALM_MS;
  const owner = run.row?.customer_id ?? customerId;
  const ofRun: Where[] = [...(owner ? [{ column: "customer_id", op: "eq" as const, value: owner }] : []), { column: "run_id", op: "eq", value: id }];
  const steps = useRows("steps", { where: ofRun, order: [{ column: "position" }], every });
  const changes = useRows("changes", { where: ofRun, order: [{ column: "created_at" }], every });
  const approvals = useRows("approvals", { where: ofRun, order: [{ column: "requested_at" }], every });
  const evidence = useRow("evidence", { columns: "customer_id,id,run_id,outcome,bundle_sha256,key_id,entries,created_at", where: ofRun, every });
  const incident = useRow("incident_list", { where: ofRun, every });
  const workflow = useRow("workflows", { where: rowKey(null, run.row?.workflow_id ?? ""), columns: "id,key,name", enabled: run.row !== null, every: false });
  const change = changes.rows[0] ?? null;
  const { nameOf } = usePeople();
  return (
    <RecordPage result={run} one="run" up={{ label: "Runs", to: scope.to("/runs") }}>
      {(row) => (
        <>
          <PageHeader
            title={row.title}
            up={{ label: "Runs", to: scope.to("/runs") }}
            badge={
              <span className="inline-flex items-center gap-1.5" role="status">
                <StatusBadge of={runStates} value={row.state} />
                {row.dry_run ? <Badge tone="info">Dry run: changes nothing</Badge> : null}
              </span>
            }
            meta={
              <Dots>
                {[
                  <span key="id" className="font-mono" title={row.id}>{row.id.slice(0, 8)}…{row.id.slice(-4)}</span>,
                  workflow.row ? `${workflow.row.name} v${row.workflow_version}` : `version ${row.workflow_version}`,
                  ...approvals.rows.filter((approval) => approval.decided_by !== null && (approval.state === "approved" || approval.state === "rejected")).map((approval) => (
                    <span key={approval.id}>{approval.state} by {nameOf(approval.decided_by)}</span>
                  )),
                  canceledBy(row) === null ? null : <span key="canceled">canceled by {nameOf(canceledBy(row))}</span>,
                  <span key="by">started {clockTime(row.created_at)} by {nameOf(row.started_by) ?? words(row.started_reason).toLowerCase()}</span>,
                  incident.row ? (
                    <Link key="incident" to={scope.to(paths.incident(incident.row.customer_id, incident.row.id))} className="hover:underline">incident {incident.row.reference}</Link>
                  ) : null,
                  incident.row?.ticket_id ? (
                    <Link key="ticket" to={scope.to(paths.ticket(incident.row.customer_id, incident.row.ticket_id))} className="hover:underline">ticket {incident.row.ticket_reference}</Link>
                  ) : null,
                ]}
              </Dots>
            }
            actions={
              <>
                <CancelButton row={row} />
                <EvidenceLink customerId={row.customer_id} evidenceId={evidence.row?.id ?? null} runId={row.id} />
              </>
            }
          />
          <TwoColumns
            main={
              <Steps
                run={row}
                steps={steps}
                changes={changes.rows}
                approvals={approvals.rows}
                evidence={evidence.row}
                ticket={incident.row?.ticket_id ? { path: scope.to(paths.ticket(row.customer_id, incident.row.ticket_id)), reference: incident.row.ticket_reference ?? "ticket" } : null}
              />
            }
            side={
              <>
                <Outcome run={row} change={change} rejected={approvals.rows.find((approval) => approval.state === "rejected") ?? null} />
                {change?.target_kind === "device" && change.target_id ? <TargetDevice customerId={row.customer_id} deviceId={change.target_id} every={every} /> : null}
                {row.subject_kind === "device" && row.subject_id && change === null ? <TargetDevice customerId={row.customer_id} deviceId={row.subject_id} every={every} /> : null}
                <FactsOfRun change={change} />
                <Evidence evidence={evidence.row} run={row} />
              </>
            }
          />
        </>
      )}
    </RecordPage>
  );
}

/** Who canceled it, if a person did. */
function canceledBy(run: RunRow): string | null {
  return isRecord(run.error) && run.error.code === "cancelled" ? stringOrNull(run.error.by) : null;
}

function CancelButton({ row }: { row: RunRow }) {
  const { reason } = useCan();
  const [open, setOpen] = useState(false);
  const action = useAction({ quietError: true, onDone: () => setOpen(false), act: (text: string) => cancelRun(row.customer_id, row.id, text) });
  return (
    <>
      <Button
        icon={<Ban aria-hidden className="size-3.5" />}
        reason={isOpenRun(row.state) ? reason("runs:write", row.customer_id) : "It has ended."}
        onClick={() => {
          action.reset();
          setOpen(true);
        }}
      >
        Cancel
      </Button>
      {open ? (
        <ReasonDialog
          title="Cancel this run?"
          says="Steps that have not begun are not carried out. A change that was already applied stays, and is still read back."
          confirm="Cancel the run"
          variant="danger"
          reasonLabel="Why?"
          reasonRequired
          busy={action.isBusy}
          error={action.error}
          onConfirm={(text) => action.run(text)}
          onClose={() => setOpen(false)}
        />
      ) : null}
    </>
  );
}

function Outcome({ run, change, rejected }: { run: RunRow; change: ChangeRow | null; rejected: ApprovalRow | null }) {
  const plan = readPlan(change?.plan);
  const after = readReading(change?.after);
  const { nameOf } = usePeople();
  const canceler = canceledBy(run);
  const why = isRecord(run.error) ? stringOrNull(run.error.reason) : null;
  const fault = canceler === null ? readFault(run.error) : `Canceled by ${nameOf(canceler) ?? "somebody"}${why ? `: ${why}` : "."}`;
  const verdict = change?.state === "rejected" && rejected?.decided_by ? `Rejected by ${nameOf(rejected.decided_by) ?? "somebody"}${rejected.reason ? `: ${rejected.reason}` : "."}` : (change?.verdict ?? null);
  const isNews = fault !== null && !(change?.verdict && fault.startsWith(change.verdict));
  const over = !isOpenRun(run.state);
  return (
    <Card title="Outcome" aside={change ? <StatusBadge of={changeStates} value={change.state} /> : <StatusBadge of={runStates} value={run.state} />}>
      {verdict ? <p className="border-b border-line px-3.5 py-3 text-lg font-semibold text-balance [overflow-wrap:anywhere]">{verdict}</p> : null}
      {isNews ? <p className="border-b border-line bg-bad-soft px-3.5 py-2.5 text-bad">{fault}</p> : null}
      <Facts>
        <Fact name={change?.verified_at ? "Verified by" : over ? "Was to be verified by" : "Will be verified by"}>{plan?.verifiedBy ?? (over ? "-" : "not known before the plan")}</Fact>
        <Fact name="Undo">{plan?.undo ?? change?.undo ?? "-"}</Fact>
        <Fact name="Blast radius">{reach(plan?.blast ?? null, "-")}</Fact>
        <Fact name="Applied">{change?.applied_at ? <Ago at={change.applied_at} /> : "Nothing was changed"}</Fact>
        <Fact name="Read back">{after?.observedAt ? <><Ago at={after.observedAt} />{change?.verified_at ? "" : ", not confirmed"}</> : over ? "No" : "Not yet"}</Fact>
      </Facts>
    </Card>
  );
}

function TargetDevice({ customerId, deviceId, every }: { customerId: string; deviceId: string; every: number }) {
  const scope = useScope();
  const { row } = useRow("device_list", { where: rowKey(customerId, deviceId), every });
  const before = useRows("changes", {
    columns: "customer_id,id,state",
    where: [{ column: "customer_id", op: "eq", value: customerId }, { column: "target_id", op: "eq", value: deviceId }],
    limit: 100,
  });
  if (row === null) return null;
  const verified = before.rows.filter((change) => change.state === "verified").length;
  return (
    <Card title="Device" aside={<Freshness observedAt={row.observed_at} complete={row.is_complete} staleAt={row.stale_at} />}>
      <Facts>
        <Fact name="Name">
          <Link to={scope.to(paths.device(row.customer_id, row.id))} className="font-semibold hover:underline">{row.name}</Link>
        </Fact>
        <Fact name="Customer">{[row.customer_name, row.site_name].filter(Boolean).join(", ")}</Fact>
        {row.disk_used_percent === null ? null : (
          <Fact name="Fullest disk">
            <Meter percent={row.disk_used_percent} tone={row.disk_used_percent >= DISK_BAD_PERCENT ? "bad" : row.disk_used_percent >= DISK_WARN_PERCENT ? "warn" : "accent"} className="mr-2" />
            {Math.round(row.disk_used_percent)} %
          </Fact>
        )}
        <Fact name="Changes made here">{before.isPending ? "…" : `${plural(before.rows.length, "time")}, verified ${verified}`}</Fact>
      </Facts>
    </Card>
  );
}

function FactsOfRun({ change }: { change: ChangeRow | null }) {
  const before = readReading(change?.before);
  const after = readReading(change?.after);
  return (
    <Card title="Facts this run stands on">
      {before === null && after === null ? (
        <p className="px-3.5 py-4 text-ink-2">Nothing was read yet.</p>
      ) : (
        <Facts>
          {before ? <Fact name="Read before"><Freshness observedAt={before.observedAt} complete={before.complete} staleAt={null} /></Fact> : null}
          {before?.requestId ? <Fact name="Its request" mono>{before.requestId}</Fact> : null}
          {after ? <Fact name="Read after"><Freshness observedAt={after.observedAt} complete={after.complete} staleAt={null} /></Fact> : null}
          {after?.requestId ? <Fact name="Its request" mono>{after.requestId}</Fact> : null}
          {change ? <Fact name="Idempotency key" mono>{change.idempotency_key}</Fact> : null}
        </Facts>
      )}
    </Card>
  );
}

function Evidence({ evidence, run }: { evidence: EvidenceRow | null; run: RunRow }) {
  return (
    <Card title="Evidence" aside={evidence ? plural(evidence.entries, "entry", "entries") : ""}>
      {evidence === null ? (
        <p className="px-3.5 py-4 text-ink-2">{isOpenRun(run.state) ? "A signed record of every step is made when the run ends." : "No evidence was made for this run."}</p>
      ) : (
        <>
          <Facts>
            <Fact name="Outcome">{words(evidence.outcome)}</Fact>
            <Fact name="Signed"><Ago at={evidence.created_at} /></Fact>
            <Fact name="Key" mono>{evidence.key_id}</Fact>
            <Fact name="SHA-256" mono><span title={evidence.bundle_sha256}>{evidence.bundle_sha256.slice(0, 16)}…</span></Fact>
          </Facts>
          <div className="flex items-center gap-3 border-t border-line px-3.5 py-3">
            <EvidenceLink size="sm" label="Download evidence" customerId={evidence.customer_id} evidenceId={evidence.id} runId={run.id} />
            <span className="text-sm text-ink-2">checkable offline</span>
          </div>
        </>
      )}
    </Card>
  );
}
