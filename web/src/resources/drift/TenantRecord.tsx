import { ArrowLeftRight } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { rowKey, useRow, useRows } from "@/api/queries";
import type { DriftTenantRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { RelatedTable } from "@/kit/RelatedTable";
import { useScope } from "@/kit/scope";
import { driftTenantStates } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count } from "@/kit/time";
import { Button, ButtonLink } from "@/ui/Button";
import { Card, Fact, Facts } from "@/ui/Card";
import { Sparkline } from "@/ui/charts";
import { drifts, scoresOf } from "./columns";
import { DriftBar } from "./DriftBar";
import { TierDialog } from "./TierDialog";

const ROWS_MAX = 100;

/** How one tenant stands: score, trend, and what is not in order or not known. */
export default function DriftTenantRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const { reason } = useCan();
  const [choosing, setChoosing] = useState(false);
  const up = { label: "Tenants against their baselines", to: scope.to("/drift/tenants") };
  const tenant = useRow("drift_tenant_list", { where: rowKey(customerId, id) });
  const live = useRows("drift_list", {
    where: [{ column: "cipp_tenant_id", op: "eq", value: id }, ...(customerId ? [{ column: "customer_id", op: "eq" as const, value: customerId }] : []), ...drifts.where],
    order: [{ column: "severity_rank" }, { column: "id" }],
    limit: ROWS_MAX,
  });
  return (
    <RecordPage result={tenant} one="tenant" up={up}>
      {(row) => (
        <>
          <PageHeader
            title={row.name}
            up={up}
            badge={<StatusBadge of={driftTenantStates} value={row.state} />}
            meta={
              <Dots>
                {[
                  row.evaluated_at ? <span key="evaluated">evaluated on complete facts <Ago at={row.evaluated_at} /></span> : "never evaluated on complete facts",
                  <Link key="customer" to={paths.customer(row.customer_id)} className="hover:underline">{row.customer_name}</Link>,
                  row.default_domain,
                ]}
              </Dots>
            }
            actions={
              <>
                <ButtonLink to={paths.compareTenants(row.id)} icon={<ArrowLeftRight aria-hidden className="size-3.5" />}>
                  Compare
                </ButtonLink>
                <ButtonLink to={paths.customerBaseline(row.customer_id)}>Own entries</ButtonLink>
                <Button reason={reason("baselines:write")} onClick={() => setChoosing(true)}>
                  Tier…
                </Button>
              </>
            }
          />
          <TwoColumns
            main={<RelatedTable resource={drifts} title="Not in order, or not known" result={live} columns={["setting_name", "severity", "actual_text", "state", "since"]} none="Every setting that is demanded is in order." />}
            side={<Side row={row} />}
          />
          {choosing ? <TierDialog row={row} onClose={() => setChoosing(false)} /> : null}
        </>
      )}
    </RecordPage>
  );
}

function Side({ row }: { row: DriftTenantRow }) {
  const scores = scoresOf(row.days);
  return (
    <>
      <Card title="Score" aside={row.tier_name ?? "no tier"}>
        <div className="grid gap-3 px-3.5 py-3">
          <p>
            <span className="text-2xl font-bold tabular-nums">{row.score_percent === null ? "-" : `${row.score_percent} %`}</span>
            <span className="text-sm text-ink-2"> of what is known is in order or accepted</span>
          </p>
          <DriftBar row={row} />
          {scores.length > 1 ? (
            <span className="block h-7.5">
              <Sparkline values={scores} label={`Score of the last ${scores.length} days: ${scores.join(", ")} %`} />
            </span>
          ) : (
            <p className="text-sm text-ink-2">The trend begins with the second day.</p>
          )}
        </div>
      </Card>
      <Card title="Settings">
        <Facts>
          <Fact name="Demanded">{count(row.settings_demanded ?? 0)}</Fact>
          <Fact name="In order">{count(row.in_order ?? 0)}</Fact>
          <Fact name="Drifting">{count(row.drifted ?? 0)}</Fact>
          <Fact name="Accepted">{count(row.accepted ?? 0)}</Fact>
          <Fact name="Unknown">{count(row.unknown ?? 0)}</Fact>
          {row.reason ? <Fact name="Because">{row.reason}</Fact> : null}
          {row.attempted_at ? <Fact name="Last look"><Ago at={row.attempted_at} /></Fact> : null}
        </Facts>
      </Card>
    </>
  );
}
