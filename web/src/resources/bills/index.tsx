import { ResourceList } from "@/kit/ResourceList";
import { bills } from "./columns";

export default function BillList() {
  return <ResourceList resource={bills} />;
}
