import { Link } from "react-router";
import { useRows } from "@/api/queries";
import type { CoverageRow, CoverageState } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { paths } from "@/kit/paths";
import { useScope } from "@/kit/scope";
import { coverageStates } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count, fullTime } from "@/kit/time";
import { Card } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";
import { CoverageBar } from "./CoverageBar";
import { streams } from "./facts";

/** Tenants whose coverage one page counts. */
const TENANTS_MAX = 1_000;
const GAPS_SHOWN = 3;
const STATES: readonly CoverageState[] = ["gap", "lost", "waiting", "not_offered", "whole"];

/** Above a list of events: of how many tenants it is whole, and which are not. On a phone the way there only: what comes later would move the list. */
export function CoverageStrip({ stream }: { stream: CoverageRow["stream"] }) {
  const scope = useScope();
  const known = useRows("activity_coverage_list", {
    columns: "customer_id,id,tenant_name,stream,state,reason,permission,gap_from,covered_to",
    where: [...scope.where, { column: "stream", op: "eq", value: stream }],
    order: [{ column: "state_rank" }, { column: "tenant_name" }],
    limit: TENANTS_MAX,
  });
  if (known.error) return <ErrorNotice error={known.error} what="What was read could not be read." retry={known.refetch} />;
  const sums = STATES.map((state) => ({ state, tenants: known.rows.filter((row) => row.state === state).length }));
  const gaps = known.rows.filter((row) => row.state === "gap").slice(0, GAPS_SHOWN);
  return (
    <div className="grid gap-2 border-b border-line px-3.5 py-2.5" aria-busy={known.isPending}>
      <div className="flex flex-wrap items-center gap-x-6 gap-y-2">
        <ul className="flex flex-wrap gap-x-6 gap-y-2 max-md:hidden" aria-label="Tenants by what was read">
          {sums.filter((sum) => sum.tenants > 0 || sum.state === "whole").map((sum) => (
            <li key={sum.state} className="flex items-center gap-2">
              <span className="font-semibold tabular-nums">{known.isPending ? "…" : count(sum.tenants)}</span>
              <StatusBadge of={coverageStates} value={sum.state} />
            </li>
          ))}
        </ul>
        <Link to={scope.to("/log-coverage", { log: stream })} className="text-sm text-ink-2 hover:underline">What was read of each tenant</Link>
      </div>
      {gaps.length > 0 ? (
        <ul className="grid gap-0.5 text-sm max-md:hidden">
          {gaps.map((gap) => (
            <li key={gap.id} className="[overflow-wrap:anywhere]">
              <Link to={scope.to(paths.tenant(gap.customer_id, gap.id))} className="font-medium hover:underline">{gap.tenant_name}</Link>
              <span className="text-ink-2">{gap.gap_from ? <>: missing since <Ago at={gap.gap_from} />, </> : ": "}</span>
              <span className="text-warn">{gap.reason}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

/** How the two logs of one tenant were read. */
export const useTenantCoverage = (customerId: string, tenantId: string) =>
  useRows("activity_coverage_list", { where: [{ column: "customer_id", op: "eq", value: customerId }, { column: "id", op: "eq", value: tenantId }], order: [{ column: "stream" }] });

/** From when to when the two logs of one tenant were read. */
export function TenantCoverage({ customerId, tenantId }: { customerId: string; tenantId: string }) {
  const logs = useTenantCoverage(customerId, tenantId);
  return (
    <Card title="Logs, read without a gap">
      {logs.error ? <ErrorNotice error={logs.error} what="What was read could not be read." retry={logs.refetch} /> : null}
      {logs.isPending ? <SkeletonRows rows={2} /> : null}
      <ul>
        {logs.rows.map((log) => (
          <li key={log.stream} className="grid gap-1.5 border-b border-line px-3.5 py-2 last:border-b-0">
            <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <span className="min-w-0 flex-1 font-medium">{streams[log.stream]}</span>
              <StatusBadge of={coverageStates} value={log.state} />
            </div>
            <CoverageBar row={log} wide />
            <p className="text-sm text-ink-2">
              {log.covered_from && log.covered_to ? <>from {fullTime(log.covered_from)} to {fullTime(log.covered_to)}</> : "nothing was read"}
            </p>
            {log.reason ? (
              <p className="text-sm text-warn [overflow-wrap:anywhere]">
                {log.gap_from ? <>Missing since <Ago at={log.gap_from} />: </> : null}
                {log.reason}
                {log.permission ? <> Give the app the permission <span className="font-mono">{log.permission}</span> in this tenant.</> : null}
              </p>
            ) : null}
          </li>
        ))}
      </ul>
    </Card>
  );
}
