import { ResourceList } from "@/kit/ResourceList";
import { runs } from "./columns";

export default function RunList() {
  return <ResourceList resource={runs} />;
}
