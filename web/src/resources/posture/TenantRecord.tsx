import { Link } from "react-router";
import { rowKey, useRow, useRows } from "@/api/queries";
import type { PostureTenantRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { Freshness } from "@/kit/Freshness";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { RelatedTable } from "@/kit/RelatedTable";
import { useScope } from "@/kit/scope";
import { postureTenantStates } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count } from "@/kit/time";
import { Card, Fact, Facts } from "@/ui/Card";
import { Sparkline } from "@/ui/charts";
import { checksOfTenant } from "./columns";
import { findingsOf } from "./facts";

const CHECKS_MAX = 50;

/** Every check of one tenant: what failed, what nobody knows and why, what passed. */
export default function PostureTenantRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const up = { label: "Posture", to: scope.to("/posture") };
  const tenant = useRow("posture_tenant_list", { where: rowKey(customerId, id) });
  const checks = useRows("posture_check_list", {
    where: [{ column: "posture_tenant_id", op: "eq", value: id }, ...(customerId ? [{ column: "customer_id", op: "eq" as const, value: customerId }] : [])],
    order: [{ column: "outcome_rank" }, { column: "severity_rank" }, { column: "check_key" }],
    limit: CHECKS_MAX,
  });
  return (
    <RecordPage result={tenant} one="tenant" up={up}>
      {(row) => (
        <>
          <PageHeader
            title={row.name}
            up={up}
            badge={<StatusBadge of={postureTenantStates} value={row.state} />}
            meta={
              <Dots>
                {[
                  <Freshness key="fresh" source="Readings" observedAt={row.observed_at} staleAt={row.stale_at} complete={row.is_complete ?? false} />,
                  <Link key="customer" to={paths.customer(row.customer_id)} className="hover:underline">{row.customer_name}</Link>,
                  row.evaluated_at ? <span key="evaluated">checked <Ago at={row.evaluated_at} /></span> : "not checked yet",
                ]}
              </Dots>
            }
          />
          <TwoColumns
            main={<RelatedTable resource={checksOfTenant} title="Checks" result={checks} columns={["title", "outcome", "severity", "findings", "days"]} none="Nothing was checked yet." />}
            side={<Side row={row} />}
          />
        </>
      )}
    </RecordPage>
  );
}

function Side({ row }: { row: PostureTenantRow }) {
  const values = findingsOf(row.days);
  return (
    <>
      <Card title="Findings">
        <div className="grid gap-3 px-3.5 py-3">
          <p>
            <span className="text-2xl font-bold tabular-nums">{count(row.findings ?? 0)}</span>
            <span className="text-sm text-ink-2"> in all checks together, as last known</span>
          </p>
          {values.length > 1 ? (
            <span className="block h-7.5">
              <Sparkline values={values} label={`Findings of the last ${values.length} days: ${values.join(", ")}`} />
            </span>
          ) : (
            <p className="text-sm text-ink-2">The trend begins with the second day.</p>
          )}
        </div>
      </Card>
      <Card title="Checks">
        <Facts>
          <Fact name="Failed">{count(row.failed ?? 0)}</Fact>
          <Fact name="Unknown">{count(row.unknown ?? 0)}</Fact>
          <Fact name="Passed">{count(row.passed ?? 0)}</Fact>
          <Fact name="Tenant id" mono>{row.external_id}</Fact>
        </Facts>
      </Card>
    </>
  );
}
