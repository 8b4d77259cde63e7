import { ResourceList } from "@/kit/ResourceList";
import { coverage } from "./columns";

export default function CoverageList() {
  return <ResourceList resource={coverage} />;
}
