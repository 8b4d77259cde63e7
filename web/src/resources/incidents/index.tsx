import { ResourceList } from "@/kit/ResourceList";
import { incidents } from "./columns";

export default function IncidentList() {
  return <ResourceList resource={incidents} />;
}
