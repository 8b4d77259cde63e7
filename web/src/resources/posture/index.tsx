import { useRow } from "@/api/queries";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { postureOutcomes } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count } from "@/kit/time";
import { ButtonLink } from "@/ui/Button";
import { StackedBar } from "@/ui/charts";
import { postureTenants } from "./columns";

export default function PostureTenants() {
  const scope = useScope();
  return (
    <ResourceList
      resource={postureTenants}
      banner={<Sums />}
      actions={
        <>
          <ButtonLink to={scope.to("/posture/checks")}>Each check</ButtonLink>
          <ButtonLink to={scope.to("/posture/findings")}>Each finding</ButtonLink>
        </>
      }
    />
  );
}

/** All checks in three parts. */
function Sums() {
  const scope = useScope();
  // The row without a customer is the sum.
  const sums = useRow("posture_overview", { where: scope.customerId ? scope.where : [{ column: "customer_id", op: "is", value: null }] });
  if (sums.error) return <ErrorNotice error={sums.error} what="The sums could not be read." retry={sums.refetch} />;
  // The same place whether the numbers are there or not: the list below stays where it is.
  const row = sums.row;
  const [passed, failed, unknown] = [row?.passed ?? 0, row?.failed ?? 0, row?.unknown ?? 0];
  return (
    <div className="grid gap-2 border-b border-line px-3.5 py-2.5" aria-busy={sums.isPending}>
      <ul className="grid grid-cols-2 gap-y-2 sm:flex sm:gap-x-8">
        {(["failed", "unknown", "passed"] as const).map((outcome) => (
          <li key={outcome} className="flex items-center gap-2">
            <span className="text-lg font-semibold tabular-nums">{row ? count(row[outcome]) : sums.isPending ? "…" : "0"}</span>
            <StatusBadge of={postureOutcomes} value={outcome} />
          </li>
        ))}
      </ul>
      <StackedBar
        label={`${count(passed)} checks passed, ${count(unknown)} unknown, ${count(failed)} failed`}
        parts={[
          { value: passed, tone: "ok" },
          { value: unknown, tone: "warn" },
          { value: failed, tone: "bad" },
        ]}
      />
    </div>
  );
}
