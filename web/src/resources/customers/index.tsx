import { ResourceList } from "@/kit/ResourceList";
import { customers } from "./columns";

export default function CustomerList() {
  return <ResourceList resource={customers} />;
}
