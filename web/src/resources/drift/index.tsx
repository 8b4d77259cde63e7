import { ArrowLeftRight, History } from "lucide-react";
import { useRow } from "@/api/queries";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { driftStates } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count, plural } from "@/kit/time";
import { Badge } from "@/ui/Badge";
import { ButtonLink } from "@/ui/Button";
import { drifts } from "./columns";
import { DriftBar } from "./DriftBar";

export default function DriftList() {
  const scope = useScope();
  return (
    <ResourceList
      resource={drifts}
      banner={<Standing />}
      actions={
        <>
          <ButtonLink to={scope.to("/drift/tenants")}>By tenant</ButtonLink>
          <ButtonLink to={scope.to("/drift/compare")} icon={<ArrowLeftRight aria-hidden className="size-3.5" />}>
            Compare tenants
          </ButtonLink>
          <ButtonLink to={scope.to("/drift/closed")} icon={<History aria-hidden className="size-3.5" />}>
            Closed
          </ButtonLink>
        </>
      }
    />
  );
}

const NOTHING = { in_order: 0, accepted: 0, unknown: 0, drifted: 0 };

/** All that is demanded, in four parts, and who is not watched. */
function Standing() {
  const scope = useScope();
  // The row without a customer is the sum.
  const sums = useRow("drift_overview", { where: scope.customerId ? scope.where : [{ column: "customer_id", op: "is", value: null }] });
  if (sums.error) return <ErrorNotice error={sums.error} what="The sums could not be read." retry={sums.refetch} />;
  const row = sums.row;
  const number = (value: number | undefined) => (row ? count(value ?? 0) : sums.isPending ? "…" : "0");
  return (
    <div className="grid gap-2 border-b border-line px-3.5 py-2.5" aria-busy={sums.isPending}>
      <ul className="grid grid-cols-2 gap-y-2 sm:flex sm:flex-wrap sm:gap-x-8">
        <li className="flex items-center gap-2">
          <span className="text-lg font-semibold tabular-nums">{number(row?.drifted)}</span>
          <StatusBadge of={driftStates} value="open" />
        </li>
        <li className="flex items-center gap-2">
          <span className="text-lg font-semibold tabular-nums">{number(row?.unknown)}</span>
          <StatusBadge of={driftStates} value="unknown" />
        </li>
        <li className="flex items-center gap-2">
          <span className="text-lg font-semibold tabular-nums">{number(row?.accepted)}</span>
          <StatusBadge of={driftStates} value="accepted" />
        </li>
        <li className="flex items-center gap-2">
          <span className="text-lg font-semibold tabular-nums">{number(row?.in_order)}</span>
          <Badge tone="ok">In order</Badge>
        </li>
        {row && row.tenants_silent > 0 ? (
          <li className="flex items-center gap-2">
            <ButtonLink size="sm" to={scope.to("/drift/tenants", { state: "silent" })}>
              {plural(row.tenants_silent, "tenant")} not evaluated for a day
            </ButtonLink>
          </li>
        ) : null}
      </ul>
      <DriftBar row={row ?? NOTHING} />
    </div>
  );
}
