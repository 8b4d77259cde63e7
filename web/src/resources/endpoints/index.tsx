import { useRow } from "@/api/queries";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { endpointCoverage } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count } from "@/kit/time";
import { ButtonLink } from "@/ui/Button";
import { StackedBar } from "@/ui/charts";
import { endpoints } from "./columns";

export default function EndpointList() {
  const scope = useScope();
  return <ResourceList resource={endpoints} banner={<Coverage />} actions={<ButtonLink to={scope.to("/endpoints/to-decide")}>To decide</ButtonLink>} />;
}

const ORDER = ["mdm_only", "stale", "rmm_only", "covered"] as const;

/** All machines by who knows them. */
function Coverage() {
  const scope = useScope();
  // The row without a customer is the sum.
  const sums = useRow("endpoint_overview", { where: scope.customerId ? scope.where : [{ column: "customer_id", op: "is", value: null }] });
  if (sums.error) return <ErrorNotice error={sums.error} what="The sums could not be read." retry={sums.refetch} />;
  const row = sums.row;
  const of = (coverage: (typeof ORDER)[number]) => row?.[coverage] ?? 0;
  // The same place whether the numbers are there or not: the list below stays where it is.
  return (
    <div className="grid gap-2 border-b border-line px-3.5 py-2.5" aria-busy={sums.isPending}>
      <ul className="grid gap-y-1 sm:flex sm:gap-x-8">
        {ORDER.map((coverage) => (
          <li key={coverage} className="flex items-center gap-2">
            <span className="text-lg font-semibold tabular-nums">{sums.isPending ? "…" : count(of(coverage))}</span>
            <StatusBadge of={endpointCoverage} value={coverage} />
          </li>
        ))}
      </ul>
      <StackedBar
        label={`${count(of("covered"))} managed and enrolled, ${count(of("rmm_only"))} in the RMM only, ${count(of("mdm_only"))} uncovered, ${count(of("stale"))} silent`}
        parts={[
          { value: of("covered"), tone: "ok" },
          { value: of("rmm_only"), tone: "info" },
          { value: of("stale"), tone: "warn" },
          { value: of("mdm_only"), tone: "bad" },
        ]}
      />
    </div>
  );
}
