import { useState } from "react";
import { GitMerge } from "lucide-react";
import { Link } from "react-router";
import { rowKey, useRow, useRows } from "@/api/queries";
import type { EndpointRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { Freshness } from "@/kit/Freshness";
import { History } from "@/kit/History";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { RelationshipsLink } from "@/kit/RelationshipsLink";
import { useScope } from "@/kit/scope";
import { deviceClasses, endpointCoverage } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { Button } from "@/ui/Button";
import { Card, Fact, Facts } from "@/ui/Card";
import { endpoints, Sources, ToDecide } from "./columns";
import { ConflictCard } from "./ConflictCard";
import { Decisions } from "./Decisions";
import { JoinDialog } from "./JoinDialog";
import { Links } from "./Links";
import { SideBySide } from "./SideBySide";

const RECORDS_MAX = 50;
const CONFLICTS_MAX = 10;

export default function EndpointRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const { reason, isProvider } = useCan();
  const [joining, setJoining] = useState(false);
  const up = { label: "Endpoints", to: scope.to("/endpoints") };
  const endpoint = useRow(endpoints.table, { where: rowKey(customerId, id) });
  const ofCustomer = customerId ? [{ column: "customer_id", op: "eq" as const, value: customerId }] : [];
  const mine = [...ofCustomer, { column: "endpoint_id", op: "eq" as const, value: id }];
  const records = useRows("endpoint_record_list", { where: mine, order: [{ column: "place" }, { column: "since" }], limit: RECORDS_MAX });
  const attributes = useRows("endpoint_attributes", { where: mine, limit: RECORDS_MAX });
  const conflicts = useRows("endpoint_conflict_list", { enabled: isProvider, where: ofCustomer, order: [{ column: "since" }], limit: RECORDS_MAX * CONFLICTS_MAX });
  const open = conflicts.rows.filter((row) => row.endpoint_ids.includes(id)).slice(0, CONFLICTS_MAX);
  const active = records.rows.filter((row) => row.ended_at === null);
  return (
    <RecordPage result={endpoint} one="endpoint" up={up}>
      {(row) => (
        <>
          <PageHeader
            title={row.name}
            up={up}
            badge={
              <>
                <StatusBadge of={endpointCoverage} value={row.coverage} />
                <ToDecide row={row} />
              </>
            }
            meta={
              <Dots>
                {[
                  <Freshness key="fresh" source="Oldest fact" observedAt={row.observed_at} complete={row.is_complete} staleAt={row.stale_at} />,
                  <Link key="customer" to={paths.customer(row.customer_id)} className="hover:underline">{row.customer_name}</Link>,
                  row.site_name,
                  row.os_name,
                ]}
              </Dots>
            }
            actions={
              <>
                <RelationshipsLink customerId={row.customer_id} id={row.id} />
                <Button icon={<GitMerge aria-hidden className="size-3.5" />} reason={reason("estate:manage", row.customer_id)} onClick={() => setJoining(true)}>
                  Join with…
                </Button>
              </>
            }
          />
          <TwoColumns
            main={
              <>
                {open.map((conflict) => (
                  <ConflictCard key={conflict.id} conflict={conflict} here={id} />
                ))}
                <SideBySide records={active} attributes={attributes.rows} pending={records.isPending || attributes.isPending} />
                <Links endpoint={row} records={active} pending={records.isPending} />
                <History kind="endpoint" customerId={row.customer_id} id={row.id} />
              </>
            }
            side={
              <>
                <Machine row={row} />
                <Decisions endpoint={row} records={records.rows} />
              </>
            }
          />
          {joining ? <JoinDialog endpoint={row} onClose={() => setJoining(false)} /> : null}
        </>
      )}
    </RecordPage>
  );
}

function Machine({ row }: { row: EndpointRow }) {
  const scope = useScope();
  return (
    <Card title="Machine">
      <Facts>
        <Fact name="Class">{deviceClasses[row.class]}</Fact>
        <Fact name="Known by"><Sources of={row.sources} /></Fact>
        <Fact name="Serial number" mono>{row.serial_number ?? "-"}</Fact>
        <Fact name="Person">
          {row.person_id ? (
            <Link to={scope.to(paths.person(row.customer_id, row.person_id))} className="font-medium hover:underline" title={row.person_user_principal_name ?? undefined}>
              {row.person_name ?? row.person_user_principal_name}
            </Link>
          ) : (
            "not known"
          )}
        </Fact>
        <Fact name="Site">{row.site_name ?? "-"}</Fact>
        <Fact name="Last seen">{row.last_seen_at ? <Ago at={row.last_seen_at} /> : "never"}</Fact>
        <Fact name="Known here since"><Ago at={row.created_at} /></Fact>
      </Facts>
      <p className="border-t border-line px-3.5 py-2.5 text-sm text-ink-2">{endpointCoverage[row.coverage].says}</p>
    </Card>
  );
}
