import { Link } from "react-router";
import { rowKey, useRow, useRows } from "@/api/queries";
import type { PersonListRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { Freshness } from "@/kit/Freshness";
import { History } from "@/kit/History";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { Provenance } from "@/kit/Provenance";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { RelatedTable } from "@/kit/RelatedTable";
import { RelationshipsLink } from "@/kit/RelationshipsLink";
import { useScope } from "@/kit/scope";
import { words } from "@/kit/status";
import { count } from "@/kit/time";
import { Card, Fact, Facts } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";
import { AccountEvents } from "../activity/AccountEvents";
import { TenantCoverage } from "../activity/CoverageNotes";
import { endpoints } from "../endpoints/columns";
import { people, Standing } from "./columns";
import { readHolds, type Held } from "./holds";
import { SecondFactor } from "./SecondFactor";

const LICENSES_MAX = 100;
const MACHINES_MAX = 20;

export default function PersonRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const { isProvider } = useCan();
  const up = { label: "People", to: scope.to("/people") };
  const person = useRow(people.table, { where: rowKey(customerId, id) });
  const mine = [{ column: "person_id", op: "eq" as const, value: id }, ...(customerId ? [{ column: "customer_id", op: "eq" as const, value: customerId }] : [])];
  const held = useRows("person_license_list", { where: [...mine, { column: "missing_since", op: "is", value: null }], order: [{ column: "name" }], limit: LICENSES_MAX });
  const machines = useRows(endpoints.table, { where: mine, order: [{ column: "name" }, { column: "id" }], limit: MACHINES_MAX });
  const leaver = useRow("leaver_list", { where: rowKey(customerId, id) });
  return (
    <RecordPage result={person} one="person" up={up}>
      {(row) => (
        <>
          <PageHeader
            title={row.display_name}
            up={up}
            badge={<Standing row={row} />}
            meta={
              <Dots>
                {[
                  <Freshness key="fresh" source="Microsoft 365" observedAt={row.observed_at} complete={row.is_complete} staleAt={row.stale_at} />,
                  <Link key="customer" to={paths.customer(row.customer_id)} className="hover:underline">{row.customer_name}</Link>,
                  <span key="upn" className="[overflow-wrap:anywhere]">{row.user_principal_name}</span>,
                ]}
              </Dots>
            }
            actions={<RelationshipsLink customerId={row.customer_id} id={row.id} />}
          />
          <TwoColumns
            main={
              <>
                <SecondFactor row={row} />
                {leaver.row ? <Holds holds={readHolds(leaver.row.holds)} /> : null}
                <Card title="Licenses" aside={held.isPending ? "" : count(held.rows.length)}>
                  {held.isPending ? <SkeletonRows rows={2} /> : null}
                  {!held.isPending && held.rows.length === 0 ? <p className="px-3.5 py-4 text-ink-2">No license is assigned.</p> : null}
                  <ul>
                    {held.rows.map((license) => (
                      <li key={license.id} className="flex min-h-9 flex-wrap items-center gap-x-3 border-b border-line px-3.5 py-1.5 last:border-b-0">
                        <span className="min-w-0 flex-1 basis-48 font-medium">{license.name}</span>
                        {license.by_group ? <span className="text-sm text-ink-2">by a group</span> : null}
                        {license.error ? <span className="text-sm text-warn">{license.error}</span> : null}
                        {license.assigned_at ? <span className="text-sm text-ink-2">since <Ago at={license.assigned_at} /></span> : null}
                      </li>
                    ))}
                  </ul>
                </Card>
                <RelatedTable resource={endpoints} title="Endpoints" result={machines} columns={["name", "coverage", "sources", "last_seen_at"]} none="Intune names this person on no device." />
                {isProvider ? <AccountEvents row={row} /> : null}
                {isProvider ? <Provenance kind="person" customerId={row.customer_id} id={row.id} /> : null}
                <History kind="person" customerId={row.customer_id} id={row.id} />
              </>
            }
            side={
              <>
                <Account row={row} />
                {isProvider ? <TenantCoverage customerId={row.customer_id} tenantId={row.tenant_id} /> : null}
              </>
            }
          />
        </>
      )}
    </RecordPage>
  );
}

function Account({ row }: { row: PersonListRow }) {
  return (
    <Card title="Account">
      <Facts>
        <Fact name="Sign-in">{row.account_enabled ? "allowed" : "blocked"}</Fact>
        <Fact name="Kind">{row.user_type === "guest" ? "guest" : "member"}</Fact>
        <Fact name="Mail">{row.mail ?? "-"}</Fact>
        <Fact name="Department">{row.department ?? "-"}</Fact>
        <Fact name="Job title">{row.job_title ?? "-"}</Fact>
        <Fact name="From on premises">{row.is_synced ? "yes" : "no"}</Fact>
        <Fact name="Last sign-in">{row.last_sign_in_at ? <Ago at={row.last_sign_in_at} /> : "not known"}</Fact>
        <Fact name="Created">{row.created_in_vendor_at ? <Ago at={row.created_in_vendor_at} /> : "-"}</Fact>
        <Fact name="Administrator roles">{row.roles.length === 0 ? "none" : row.roles.join(", ")}</Fact>
        <Fact name="Registered methods">{row.methods === null ? "not known" : row.methods.length === 0 ? "none" : row.methods.map((method) => words(method.replaceAll(/([a-z])([A-Z])/g, "$1 $2")).toLowerCase()).join(", ")}</Fact>
      </Facts>
    </Card>
  );
}

/** What somebody who left still holds, and what would have to be done about each. */
function Holds({ holds }: { holds: Held[] }) {
  return (
    <Card title="Sign-in is blocked, and still held" aside={count(holds.length)}>
      <ul>
        {holds.map((held, index) => (
          <li key={index} className="grid gap-x-4 border-b border-line px-3.5 py-2 last:border-b-0 sm:grid-cols-2">
            <span className="font-medium">
              {held.what}
            </span>
            <span className="text-ink-2">{held.todo}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
