import { FlaskConical, Wrench } from "lucide-react";
import type { ReactNode } from "react";
import { Link, useNavigate } from "react-router";
import { remediate } from "@/api/actions";
import { rowKey, useRow, useRows } from "@/api/queries";
import type { IncidentListRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { Ago } from "@/kit/Ago";
import { EvidenceLink } from "@/kit/EvidenceLink";
import { Freshness } from "@/kit/Freshness";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { usePeople } from "@/kit/people";
import { useCan } from "@/kit/permissions";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { useScope } from "@/kit/scope";
import { alertKind, alertStates, incidentStates, runStates, severities, slaStates, ticketStates, words } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { fullTime, plural } from "@/kit/time";
import { vendorOf } from "@/kit/vendors";
import { Button, ButtonLink } from "@/ui/Button";
import { Card, Fact, Facts } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";
import { DeviceCondition } from "../devices/columns";
import { incidents } from "./columns";

const RUN_COLUMNS = "customer_id,id,workflow_id,workflow_version,title,state,dry_run,started_reason,created_at,started_at,ended_at,customer_name";
const OPEN_MS = 3_000;

export default function IncidentRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const incident = useRow(incidents.table, { where: rowKey(customerId, id), every: (rows) => (rows[0]?.state === "resolved" ? 15_000 : OPEN_MS) });
  const row = incident.row;
  const owner = row?.customer_id ?? null;
  const alert = useRow("alert_list", { where: rowKey(owner, row?.alert_id ?? ""), enabled: Boolean(row?.alert_id) });
  const device = useRow("device_list", { where: rowKey(owner, row?.device_id ?? ""), enabled: Boolean(row?.device_id) });
  const run = useRow("runs", { where: rowKey(owner, row?.run_id ?? ""), columns: RUN_COLUMNS, enabled: Boolean(row?.run_id), every: OPEN_MS });
  const ticket = useRow("ticket_list", { where: rowKey(owner, row?.ticket_id ?? ""), enabled: Boolean(row?.ticket_id) });
  const decisions = useRows("approvals", {
    where: [{ column: "run_id", op: "eq", value: row?.run_id ?? "" }, ...(owner ? [{ column: "customer_id", op: "eq" as const, value: owner }] : [])],
    enabled: Boolean(row?.run_id),
  });
  const { nameOf } = usePeople();
  const evidence = useRow("evidence", {
    columns: "customer_id,id,run_id,outcome,entries,created_at",
    where: [{ column: "run_id", op: "eq", value: row?.run_id ?? "" }, ...(owner ? [{ column: "customer_id", op: "eq" as const, value: owner }] : [])],
    enabled: Boolean(row?.run_id),
  });
  return (
    <RecordPage result={incident} one="incident" up={{ label: "Incidents", to: scope.to("/incidents") }}>
      {(incidentRow) => (
        <>
          <PageHeader
            title={incidentRow.title}
            up={{ label: "Incidents", to: scope.to("/incidents") }}
            badge={<StatusBadge of={incidentStates} value={incidentRow.state} />}
            meta={
              <Dots>
                {[
                  <span key="ref" className="font-mono">{incidentRow.reference}</span>,
                  <Link key="customer" to={paths.customer(incidentRow.customer_id)} className="hover:underline">{incidentRow.customer_name}</Link>,
                  <span key="opened">opened <Ago at={incidentRow.opened_at} /></span>,
                  incidentRow.resolved_at ? <span key="resolved">resolved <Ago at={incidentRow.resolved_at} /></span> : null,
                ]}
              </Dots>
            }
            actions={<IncidentActions row={incidentRow} />}
          />
          <TwoColumns
            main={
              <Card title="From signal to proof" aside={<StatusBadge of={severities} value={incidentRow.severity} />}>
                <ol className="px-3.5 py-1">
                  <Stage title="Alert" pending={alert.isPending} none="It was opened without an alert.">
                    {alert.row ? (
                      <>
                        <StatusBadge of={alertStates} value={alert.row.state} />
                        <span className="min-w-0 font-medium">{alert.row.title}</span>
                        <Note>
                          {alertKind(alert.row.kind)} from {vendorOf(alert.row.source).name}, reported {plural(alert.row.occurrences, "time")}, last <Ago at={alert.row.last_seen_at} />
                        </Note>
                      </>
                    ) : null}
                  </Stage>
                  <Stage title="Device" pending={device.isPending} none="It belongs to no device.">
                    {device.row ? (
                      <>
                        <DeviceCondition row={device.row} />
                        <Link to={scope.to(paths.device(device.row.customer_id, device.row.id))} className="font-medium hover:underline">{device.row.name}</Link>
                        <Note>
                          {device.row.os_name} · <Freshness observedAt={device.row.observed_at} complete={device.row.is_complete} staleAt={device.row.stale_at} />
                        </Note>
                      </>
                    ) : null}
                  </Stage>
                  <Stage title="Remediation" pending={run.isPending} none="No workflow has run. No rule answers this kind of condition, or it is switched off.">
                    {run.row ? (
                      <>
                        <StatusBadge of={runStates} value={run.row.state} />
                        <Link to={scope.to(paths.run(run.row.customer_id, run.row.id))} className="font-medium hover:underline">{run.row.title}</Link>
                        <Note>started <Ago at={run.row.created_at} />{run.row.ended_at ? <>, ended <Ago at={run.row.ended_at} /></> : null}</Note>
                      </>
                    ) : null}
                  </Stage>
                  <Stage title="Ticket" pending={ticket.isPending} none="No ticket yet.">
                    {ticket.row ? (
                      <>
                        <StatusBadge of={ticketStates} value={ticket.row.state} />
                        <Link to={scope.to(paths.ticket(ticket.row.customer_id, ticket.row.id))} className="font-medium hover:underline">
                          {ticket.row.reference} {ticket.row.subject}
                        </Link>
                        <Note>first response <StatusBadge of={slaStates} value={ticket.row.sla_state} /></Note>
                      </>
                    ) : null}
                  </Stage>
                  <Stage title="Evidence" pending={evidence.isPending} none="Signed when the run ends.">
                    {evidence.row ? (
                      <>
                        <span className="font-medium">{evidence.row.entries} signed entries</span>
                        <Note>outcome {evidence.row.outcome}, signed <Ago at={evidence.row.created_at} /></Note>
                        <span className="ml-auto">
                          <EvidenceLink size="sm" label="Download" customerId={evidence.row.customer_id} evidenceId={evidence.row.id} runId={evidence.row.run_id} />
                        </span>
                      </>
                    ) : null}
                  </Stage>
                </ol>
              </Card>
            }
            side={
              <Card title="Incident">
                <Facts>
                  <Fact name="State"><StatusBadge of={incidentStates} value={incidentRow.state} /></Fact>
                  <Fact name="Severity"><StatusBadge of={severities} value={incidentRow.severity} /></Fact>
                  <Fact name="Opened">{fullTime(incidentRow.opened_at)}</Fact>
                  {incidentRow.resolved_at ? <Fact name="Resolved">{fullTime(incidentRow.resolved_at)}</Fact> : null}
                  {decisions.rows.filter((decision) => decision.decided_by !== null).map((decision) => (
                    <Fact key={decision.id} name={words(decision.state)}>by {nameOf(decision.decided_by)}{decision.decided_at ? <>, <Ago at={decision.decided_at} /></> : null}</Fact>
                  ))}
                  <Fact name="How it ended">{incidentRow.resolution ?? "Still open"}</Fact>
                </Facts>
              </Card>
            }
          />
        </>
      )}
    </RecordPage>
  );
}

function Stage({ title, pending, none, children }: { title: string; pending: boolean; none: string; children: ReactNode }) {
  return (
    <li className="grid grid-cols-[92px_minmax(0,1fr)] gap-3 border-b border-line py-2.5 last:border-b-0 max-sm:grid-cols-1 max-sm:gap-1">
      <span className="pt-0.5 text-ink-2">{title}</span>
      {pending ? <SkeletonRows rows={1} /> : children ? <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">{children}</div> : <p className="pt-0.5 text-ink-3">{none}</p>}
    </li>
  );
}

function Note({ children }: { children: ReactNode }) {
  return <span className="flex basis-full flex-wrap items-center gap-1.5 text-sm text-ink-2">{children}</span>;
}

function IncidentActions({ row }: { row: IncidentListRow }) {
  const navigate = useNavigate();
  const scope = useScope();
  const { reason } = useCan();
  const open = row.run_state === "queued" || row.run_state === "running" || row.run_state === "waiting";
  const blocked = reason("incidents:write", row.customer_id) ?? (row.rule_id === null ? "No remediation rule answers this incident." : null);
  const start = (kind: "execute" | "dry_run") => async () => {
    const started = await remediate(kind, row.customer_id, row.id);
    void navigate(scope.to(paths.run(row.customer_id, started.runId)));
    return started.message;
  };
  const dry = useAction({ act: start("dry_run") });
  const execute = useAction({ act: start("execute") });
  return (
    <>
      {row.run_id ? <ButtonLink to={scope.to(paths.run(row.customer_id, row.run_id))}>Open run</ButtonLink> : null}
      <Button
        icon={<FlaskConical aria-hidden className="size-3.5" />}
        busy={dry.isBusy}
        title="Reads, plans and checks; changes nothing."
        reason={blocked}
        onClick={() => dry.run()}
      >
        Dry run
      </Button>
      <Button
        variant="primary"
        icon={<Wrench aria-hidden className="size-3.5" />}
        busy={execute.isBusy}
        title="Starts the rule's workflow: read, plan, guard, approval if asked, act, re-read."
        reason={blocked ?? (row.state === "resolved" ? "It is resolved already." : open ? "A run is already working on it." : null)}
        onClick={() => execute.run()}
      >
        Remediate
      </Button>
    </>
  );
}
