import { Link } from "react-router";
import { rowKey, useRow } from "@/api/queries";
import { Ago } from "@/kit/Ago";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { useScope } from "@/kit/scope";
import { changeOutcomes } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count, fullTime } from "@/kit/time";
import { Card, Fact, Facts } from "@/ui/Card";
import { directoryChanges } from "./columns";
import { TenantCoverage } from "./CoverageNotes";
import { licenseWords, propertiesOf } from "./facts";

export default function DirectoryChangeRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const up = { label: "Directory changes", to: scope.to("/directory-changes") };
  const change = useRow(directoryChanges.table, { where: rowKey(customerId, id) });
  return (
    <RecordPage result={change} one="change" up={up}>
      {(row) => {
        const properties = propertiesOf(row.properties);
        const licenses = licenseWords(row);
        return (
          <>
            <PageHeader
              title={row.activity}
              up={up}
              badge={<StatusBadge of={changeOutcomes} value={row.outcome} />}
              meta={
                <Dots>
                  {[
                    <Ago key="at" at={row.happened_at} />,
                    <Link key="tenant" to={paths.tenant(row.customer_id, row.tenant_id)} className="hover:underline">{row.tenant_name}</Link>,
                    <Link key="customer" to={paths.customer(row.customer_id)} className="hover:underline">{row.customer_name}</Link>,
                  ]}
                </Dots>
              }
            />
            <TwoColumns
              main={
                <Card title="What was changed" aside={count(properties.length)}>
                  {licenses === "" ? null : <p className="border-b border-line px-3.5 py-2.5 font-medium">{licenses}</p>}
                  {properties.length === 0 ? <p className="px-3.5 py-4 text-ink-2">Microsoft names no property.</p> : null}
                  <ul>
                    {properties.map((property, index) => (
                      <li key={index} className="grid gap-x-4 gap-y-1 border-b border-line px-3.5 py-2 last:border-b-0 sm:grid-cols-3">
                        <span className="font-medium [overflow-wrap:anywhere]">{property.name}</span>
                        <Value label="before" text={property.before} />
                        <Value label="after" text={property.after} />
                      </li>
                    ))}
                  </ul>
                </Card>
              }
              side={
                <>
                  <Card title="Who and whom">
                    <Facts>
                      <Fact name="By">{row.actor_name}</Fact>
                      <Fact name="That is">{row.actor_kind === "person" ? "a person" : row.actor_kind === "application" ? "an application" : "not said"}</Fact>
                      <Fact name="From">{row.actor_ip ?? "-"}</Fact>
                      <Fact name={row.target_kind ?? "To"}>
                        {row.person_id === null ? (row.target_name ?? "-") : <Link to={scope.to(paths.person(row.customer_id, row.person_id))} className="hover:underline">{row.target_name ?? "a person"}</Link>}
                      </Fact>
                      {row.further_targets > 0 ? <Fact name="And more">{count(row.further_targets)}</Fact> : null}
                      <Fact name="When">{fullTime(row.happened_at)}</Fact>
                      <Fact name="Category">{row.category}</Fact>
                      <Fact name="Service">{row.service ?? "-"}</Fact>
                      {row.outcome_reason ? <Fact name="Reason">{row.outcome_reason}</Fact> : null}
                    </Facts>
                  </Card>
                  <TenantCoverage customerId={row.customer_id} tenantId={row.tenant_id} />
                </>
              }
            />
          </>
        );
      }}
    </RecordPage>
  );
}

function Value({ label, text }: { label: string; text: string | null }) {
  return (
    <span className="text-sm">
      <span className="text-ink-2">{label} </span>
      <code className="font-mono [overflow-wrap:anywhere]">{text ?? "nothing"}</code>
    </span>
  );
}
