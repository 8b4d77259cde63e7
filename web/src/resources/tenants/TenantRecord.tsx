import { ShieldCheck } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { rowKey, useRow, useRows } from "@/api/queries";
import type { AccessPolicyRow, TenantListRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Freshness } from "@/kit/Freshness";
import { History } from "@/kit/History";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { Provenance } from "@/kit/Provenance";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { RelatedTable } from "@/kit/RelatedTable";
import { RelationshipsLink } from "@/kit/RelationshipsLink";
import { scopedPath, useScope } from "@/kit/scope";
import { mfaOutcomes } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count, plural } from "@/kit/time";
import { Badge } from "@/ui/Badge";
import { ButtonLink } from "@/ui/Button";
import { Card, Fact, Facts } from "@/ui/Card";
import { EmptyState } from "@/ui/EmptyState";
import { SkeletonRows } from "@/ui/Skeleton";
import { licenses } from "../licenses";
import { people } from "../people/columns";
import { askedBy, Reading, splitOf, tenants } from "./columns";
import { TenantCoverage } from "../activity/CoverageNotes";
import { MfaBar } from "./MfaBar";
import { Parts } from "./Parts";

const PARTS: Readonly<Record<string, string>> = {
  organization: "The tenant",
  seats: "Licenses",
  people: "People",
  sign_ins: "Last sign-ins",
  registrations: "Registered methods",
  mfa_states: "Per-user MFA",
  managed_devices: "Enrolled devices",
  policies: "Access policies",
  roles: "Administrator roles",
  applications: "Secrets of applications",
  secure_score: "Secure score",
  directory_changes: "Changes of the directory",
  sign_in_log: "Log of sign-ins",
  security_alerts: "Security alerts",
  subscriptions: "Told of changes",
};
const READ = {
  names: PARTS,
  shut: { label: "Not offered", title: "The tenant does not have it." },
  grant: (right: ReactNode) => <>Give the app the permission {right} in this tenant.</>,
};
const OUTCOMES = ["gap", "unknown", "exempt", "protected"] as const;
const SHOWN_ROWS = 8;
const POLICIES_MAX = 200;

export default function TenantRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const up = { label: "Tenants", to: scope.to("/tenants") };
  const tenant = useRow(tenants.table, { where: rowKey(customerId, id) });
  const mine = [{ column: "tenant_id", op: "eq" as const, value: id }, ...(customerId ? [{ column: "customer_id", op: "eq" as const, value: customerId }] : [])];
  const parts = useRows("tenant_parts", { where: mine, order: [{ column: "part" }] });
  const policies = useRows("access_policies", {
    columns: "customer_id,id,tenant_id,name,state,modified_at,observed_at,is_complete,missing_since",
    where: [...mine, { column: "missing_since", op: "is", value: null }],
    order: [{ column: "name" }],
    limit: POLICIES_MAX,
  });
  const gaps = useRows(people.table, {
    where: [...mine, { column: "mfa_outcome", op: "in", values: ["gap", "unknown"] }],
    order: [{ column: "is_admin", descending: true }, { column: "display_name" }, { column: "id" }],
    limit: SHOWN_ROWS,
  });
  const held = useRows(licenses.table, { where: mine, order: [{ column: "name" }], limit: 50 });
  return (
    <RecordPage result={tenant} one="tenant" up={up}>
      {(row) => (
        <>
          <PageHeader
            title={row.name}
            up={up}
            badge={<Reading row={row} />}
            meta={
              <Dots>
                {[
                  <Freshness key="fresh" source="Microsoft 365" observedAt={row.observed_at} complete={row.is_complete} staleAt={row.stale_at} />,
                  <Link key="customer" to={paths.customer(row.customer_id)} className="hover:underline">{row.customer_name}</Link>,
                  row.default_domain,
                  plural(row.people, "person", "people"),
                ]}
              </Dots>
            }
            actions={
              <>
                <RelationshipsLink customerId={row.customer_id} id={row.id} />
                <ButtonLink to={scopedPath("/people", row.customer_id)}>All its people</ButtonLink>
              </>
            }
          />
          <TwoColumns
            main={
              <>
                <SecondFactor row={row} />
                <RelatedTable resource={people} title="Gaps and unknowns, administrators first" result={gaps} columns={["display_name", "account_enabled", "mfa_outcome", "last_sign_in_at"]} none="Nobody: everyone is asked for a second factor, or exempt for a reason." />
                <RelatedTable resource={licenses} title="Licenses" result={held} columns={["name", "purchased", "assigned", "unassigned", "assigned_disabled"]} none="No license is known." />
                <Card title="Conditional access policies" aside={policies.isPending ? "" : count(policies.rows.length)}>
                  {policies.error ? <ErrorNotice error={policies.error} what="The policies could not be read." retry={policies.refetch} /> : null}
                  {policies.isPending ? <SkeletonRows rows={3} /> : null}
                  {!policies.isPending && !policies.error && policies.rows.length === 0 ? (
                    <EmptyState icon={ShieldCheck} title="No policy">
                      {row.security_defaults ? "Security defaults are on: they stand in for policies." : "No policy is known for this tenant."}
                    </EmptyState>
                  ) : null}
                  <ul>
                    {policies.rows.map((policy) => (
                      <li key={policy.id} className="flex min-h-9 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3.5 py-1.5 last:border-b-0">
                        <span className="min-w-0 flex-1 basis-52 font-medium">{policy.name}</span>
                        <PolicyState policy={policy} />
                        {policy.modified_at ? <span className="text-sm text-ink-2">changed <Ago at={policy.modified_at} /></span> : null}
                      </li>
                    ))}
                  </ul>
                </Card>
                <Provenance kind="tenant" customerId={row.customer_id} id={row.id} />
                <History kind="tenant" customerId={row.customer_id} id={row.id} />
              </>
            }
            side={
              <>
                <Parts rows={parts.rows} pending={parts.isPending} of={READ} />
                <TenantCoverage customerId={row.customer_id} tenantId={id} />
                <Card title="Tenant">
                  <Facts>
                    <Fact name="Entra ID P1">{row.has_premium === null ? "unknown" : row.has_premium ? "yes" : "no"}</Fact>
                    <Fact name="Security defaults">{row.security_defaults === null ? "unknown" : row.security_defaults ? "on" : "off"}</Fact>
                    <Fact name="Tenant id" mono>{row.external_id}</Fact>
                  </Facts>
                </Card>
              </>
            }
          />
        </>
      )}
    </RecordPage>
  );
}

function SecondFactor({ row }: { row: TenantListRow }) {
  const split = splitOf(row);
  return (
    <Card title="Second factor" aside={`for everyone: ${askedBy(row)}`}>
      <div className="px-3.5 pt-3">
        <MfaBar {...split} />
      </div>
      <ul className="grid grid-cols-2 gap-x-3 px-3.5 py-3 sm:grid-cols-4">
        {OUTCOMES.map((outcome) => (
          <li key={outcome}>
            <Link to={scopedPath("/people", row.customer_id, { mfa: outcome })} className="block rounded-md py-1 hover:underline">
              <span className="block text-xl font-semibold tabular-nums">{count(split[outcome])}</span>
              <StatusBadge of={mfaOutcomes} value={outcome} />
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function PolicyState({ policy }: { policy: Pick<AccessPolicyRow, "state"> }) {
  if (policy.state === "enabled") return <Badge tone="ok">On</Badge>;
  if (policy.state === "enabledForReportingButNotEnforced") return <Badge tone="warn" title="It only writes to the log: it protects nobody.">Report only</Badge>;
  return <Badge tone="mute">Off</Badge>;
}
