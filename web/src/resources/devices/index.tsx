import { useFigures } from "@/app/useFigures";
import { Freshness } from "@/kit/Freshness";
import { ResourceList } from "@/kit/ResourceList";
import { devices } from "./columns";

export default function DeviceList() {
  // The oldest fact on this screen is what the whole list can be trusted by.
  const { oldestAt, oldestStaleAt, partial } = useFigures();
  return (
    <ResourceList
      resource={devices}
      meta={oldestAt ? <Freshness source="Oldest fact" observedAt={oldestAt} complete={(partial ?? 0) === 0} staleAt={oldestStaleAt} /> : null}
    />
  );
}
