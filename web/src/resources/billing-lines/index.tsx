import { ResourceList } from "@/kit/ResourceList";
import { billingLines } from "./columns";

export default function BillingLineList() {
  return <ResourceList resource={billingLines} />;
}
