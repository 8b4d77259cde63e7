import { ResourceList } from "@/kit/ResourceList";
import { access } from "./columns";

export default function AccessList() {
  return <ResourceList resource={access} />;
}
