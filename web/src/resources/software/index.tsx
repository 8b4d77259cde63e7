import { useRow } from "@/api/queries";
import { Freshness } from "@/kit/Freshness";
import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { software } from "./columns";

export default function SoftwareList() {
  const scope = useScope();
  // The oldest reading is what the counts can be trusted by.
  const { row } = useRow("device_fact_overview", {
    where: [{ column: "part", op: "eq", value: "software" }, scope.customerId === null ? { column: "customer_id", op: "is", value: null } : { column: "customer_id", op: "eq", value: scope.customerId }],
    order: [{ column: "part" }],
  });
  return (
    <ResourceList
      resource={software}
      meta={row ? <Freshness source="Oldest reading" observedAt={row.observed_at} complete={row.is_complete} staleAt={row.stale_at} /> : null}
    />
  );
}
