import { Link } from "react-router";
import { isRecord, stringOrNull } from "@/api/errors";
import { rowKey, useRow } from "@/api/queries";
import type { DriftListRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { Freshness } from "@/kit/Freshness";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { usePeople } from "@/kit/people";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { useScope } from "@/kit/scope";
import { driftSeverities, driftStates, layerWords } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { fullTime } from "@/kit/time";
import { ButtonLink } from "@/ui/Button";
import { Card, Fact, Facts } from "@/ui/Card";
import { Diff } from "@/ui/Diff";
import { DriftActions } from "./actions";
import { causeWords, closeWords } from "./columns";

const OPEN_MS = 3_000;
const CALM_MS = 15_000;

export default function DriftRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const up = { label: "Drift", to: scope.to("/drift") };
  const drift = useRow("drift_list", { where: rowKey(customerId, id), every: (rows) => (rows[0]?.state === "remediating" ? OPEN_MS : CALM_MS) });
  return (
    <RecordPage result={drift} one="drift" up={up}>
      {(row) => (
        <>
          <PageHeader
            title={row.setting_name}
            up={up}
            badge={<StatusBadge of={driftStates} value={row.state} />}
            meta={
              <Dots>
                {[
                  <Freshness key="fresh" source="CIPP" observedAt={row.observed_at} staleAt={row.stale_at} />,
                  <Link key="customer" to={paths.customer(row.customer_id)} className="hover:underline">{row.customer_name}</Link>,
                  row.default_domain ?? row.tenant_name,
                  <span key="since">since <Ago at={row.since} /></span>,
                ]}
              </Dots>
            }
            actions={<DriftActions row={row} />}
          />
          <TwoColumns main={<Main row={row} />} side={<Side row={row} />} />
        </>
      )}
    </RecordPage>
  );
}

function Main({ row }: { row: DriftListRow }) {
  const scope = useScope();
  const actual = row.actual_text ?? "not known";
  return (
    <>
      <Card title="Is, and should be" aside={<StatusBadge of={driftSeverities} value={row.severity} />}>
        {row.state_text ? <p className="border-b border-line bg-info-soft px-3.5 py-2 [overflow-wrap:anywhere]">{row.state_text}</p> : null}
        <div className="px-3.5 py-3">
          <Diff
            label="Is, and should be"
            lines={[
              { op: "head", text: `${row.tenant_name}: ${row.setting}` },
              { op: row.state === "unknown" ? "keep" : "remove", text: row.state === "unknown" ? `last known: ${actual}` : actual },
              { op: "add", text: row.desired_text },
            ]}
          />
        </div>
        {row.run_id ? (
          <p className="border-t border-line px-3.5 py-2.5">
            <ButtonLink to={scope.to(paths.run(row.customer_id, row.run_id))}>{row.state === "remediating" ? "Open the run" : "The last run"}</ButtonLink>
          </p>
        ) : null}
      </Card>
      <Card title="Why it matters">
        {row.what ? <p className="border-b border-line px-3.5 py-2.5">{row.what}</p> : null}
        <p className="px-3.5 py-2.5">{row.why === "" ? "The baseline gives no reason." : row.why}</p>
      </Card>
    </>
  );
}

function Side({ row }: { row: DriftListRow }) {
  const scope = useScope();
  const { nameOf } = usePeople();
  const seen = isRecord(row.cause) ? stringOrNull(row.cause.seen_at) : null;
  return (
    <>
      <Card title="Demanded by">
        <Facts>
          <Fact name="Layer">{layerWords[row.layer]}</Fact>
          <Fact name="Baseline">{row.baseline_id ? <Link to={paths.baseline(row.baseline_id)} className="underline">{row.layer_name}</Link> : <Link to={paths.customerBaseline(row.customer_id)} className="underline">{row.layer_name}</Link>}</Fact>
          <Fact name="Cause">{row.state === "unknown" ? "-" : causeWords(row.cause)}</Fact>
          {seen && row.state !== "unknown" ? <Fact name="Seen">{fullTime(seen)}</Fact> : null}
          <Fact name="First seen"><Ago at={row.first_seen_at} /></Fact>
          {row.closed_at ? <Fact name="Closed">{closeWords(row.close_reason)}, <Ago at={row.closed_at} /></Fact> : null}
          {row.ticket_id ? <Fact name="Ticket"><Link to={scope.to(paths.ticket(row.customer_id, row.ticket_id))} className="underline">Open the ticket</Link></Fact> : null}
        </Facts>
      </Card>
      {row.state === "accepted" ? (
        <Card title="Accepted">
          <Facts>
            <Fact name="By">{nameOf(row.accepted_by) ?? "-"}</Fact>
            <Fact name="Until">{row.accepted_until ? fullTime(row.accepted_until) : "-"}</Fact>
            <Fact name="Because">{row.accepted_reason ?? "-"}</Fact>
          </Facts>
        </Card>
      ) : null}
      {row.denied_at ? (
        <Card title="Must go">
          <Facts>
            <Fact name="Said by">{nameOf(row.denied_by) ?? "-"}</Fact>
            <Fact name="When"><Ago at={row.denied_at} /></Fact>
            <Fact name="Because">{row.denied_reason ?? "-"}</Fact>
          </Facts>
        </Card>
      ) : null}
    </>
  );
}
