import { useQuery } from "@tanstack/react-query";
import { ArrowLeftRight } from "lucide-react";
import { useSearchParams } from "react-router";
import { compareTenants, type Comparison, type Side } from "@/api/drift";
import { toApiError } from "@/api/errors";
import { useRows } from "@/api/queries";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Freshness } from "@/kit/Freshness";
import { PageHeader } from "@/kit/PageHeader";
import { useScope } from "@/kit/scope";
import { plural } from "@/kit/time";
import { Badge } from "@/ui/Badge";
import { Card } from "@/ui/Card";
import { EmptyState } from "@/ui/EmptyState";
import { CheckField, SelectField } from "@/ui/Field";
import { SkeletonRows } from "@/ui/Skeleton";

const TENANTS_MAX = 1_000;

/** Two tenants side by side; both, and whether all is shown, are in the URL. */
export default function CompareTenants() {
  const scope = useScope();
  const [params, setParams] = useSearchParams();
  const left = params.get("left") ?? "";
  const right = params.get("right") ?? "";
  const all = params.get("all") === "1";
  const tenants = useRows("drift_tenant_list", { columns: "id,name,customer_name", order: [{ column: "name" }, { column: "id" }], limit: TENANTS_MAX });
  const comparison = useQuery({
    queryKey: ["drift", "compare", left, right],
    enabled: left !== "" && right !== "",
    queryFn: () => compareTenants(left, right),
  });
  const choose = (name: "left" | "right" | "all", value: string) =>
    setParams(
      (known) => {
        const next = new URLSearchParams(known);
        if (value === "") next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  const options = tenants.rows.map((row) => (
    <option key={row.id} value={row.id}>
      {row.name}
      {row.customer_name === row.name ? "" : ` (${row.customer_name})`}
    </option>
  ));
  return (
    <>
      <PageHeader title="Compare tenants" up={{ label: "Drift", to: scope.to("/drift") }} />
      <Card title="Tenants">
        <div className="grid gap-3 px-3.5 py-3 sm:grid-cols-2">
          <SelectField label="Left" value={left} onChange={(event) => choose("left", event.target.value)} hint={tenants.error ? "The tenants could not be read." : undefined}>
            <option value="">Choose…</option>
            {options}
          </SelectField>
          <SelectField label="Right" value={right} onChange={(event) => choose("right", event.target.value)}>
            <option value="">Choose…</option>
            {options}
          </SelectField>
          <CheckField label="Show what is alike, too" checked={all} onChange={(event) => choose("all", event.target.checked ? "1" : "")} />
        </div>
      </Card>
      {comparison.error ? <ErrorNotice error={toApiError(comparison.error)} what="The tenants could not be compared." retry={() => void comparison.refetch()} /> : null}
      {comparison.isLoading ? <SkeletonRows rows={6} /> : null}
      {comparison.data ? (
        <Result of={comparison.data} all={all} />
      ) : left === "" || right === "" ? (
        <EmptyState icon={ArrowLeftRight} title="Choose two tenants">A tenant that is set up well makes a good left side.</EmptyState>
      ) : null}
    </>
  );
}

function Result({ of, all }: { of: Comparison; all: boolean }) {
  const differing = of.settings.filter((setting) => setting.likeness === "differs").length;
  const unknown = of.settings.filter((setting) => setting.likeness === "unknown").length;
  const shown = of.settings.filter((setting) => all || setting.likeness !== "same");
  return (
    <Card title={`${plural(differing, "difference")}, ${of.settings.length - differing - unknown} alike`} aside={unknown > 0 ? `${unknown} unknown on one side` : ""}>
      <div className="overflow-x-auto">
        <table className="w-full text-left max-md:min-w-140">
          <thead>
            <tr className="border-b border-line align-top">
              <th scope="col" className="px-3.5 py-2 font-medium text-ink-2">Setting</th>
              <Head side={of.left} />
              <Head side={of.right} />
            </tr>
          </thead>
          <tbody>
            {shown.map((setting) => (
              <tr key={setting.setting} className="border-b border-line align-top last:border-b-0">
                <th scope="row" className="px-3.5 py-2 font-medium" title={setting.setting}>
                  {setting.name}
                  {setting.category ? <span className="block text-sm font-normal text-ink-2">{setting.category}</span> : null}
                </th>
                <Cell value={setting.left} differs={setting.likeness === "differs"} />
                <Cell value={setting.right} differs={setting.likeness === "differs"} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shown.length === 0 ? <p className="px-3.5 py-4 text-ink-2">{of.settings.length === 0 ? "Nothing was read of either tenant yet." : "Both have the same settings."}</p> : null}
    </Card>
  );
}

function Head({ side }: { side: Side }) {
  return (
    <th scope="col" className="px-3.5 py-2 font-medium">
      {side.name}
      <span className="block text-sm font-normal text-ink-2">
        {side.observedAt === null ? "never read completely" : <Freshness observedAt={side.observedAt} staleAt={null} brief />}
      </span>
    </th>
  );
}

function Cell({ value, differs }: { value: string | null; differs: boolean }) {
  if (value === null) {
    return (
      <td className="px-3.5 py-2">
        <Badge tone="warn">Unknown</Badge>
      </td>
    );
  }
  return <td className={differs ? "px-3.5 py-2 font-medium [overflow-wrap:anywhere]" : "px-3.5 py-2 text-ink-2 [overflow-wrap:anywhere]"}>{value}</td>;
}
