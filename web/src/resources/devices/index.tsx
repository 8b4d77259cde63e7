import { useRow } from "@/api/queries";
import { Freshness } from "@/kit/Freshness";
import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { devices } from "./columns";

export default function DeviceList() {
  const scope = useScope();
  // The oldest fact on this screen is what the whole list can be trusted by.
  const oldest = useRow(devices.table, {
    columns: "id,observed_at,is_complete",
    where: [...scope.where, { column: "missing_since", op: "is", value: null }],
    order: [{ column: "is_complete" }, { column: "observed_at" }],
  });
  return (
    <ResourceList
      resource={devices}
      meta={oldest.row ? <Freshness row source="Oldest fact" observedAt={oldest.row.observed_at} complete={oldest.row.is_complete} /> : null}
    />
  );
}
