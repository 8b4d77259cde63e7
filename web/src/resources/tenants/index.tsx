import { ResourceList } from "@/kit/ResourceList";
import { tenants } from "./columns";

export default function TenantList() {
  return <ResourceList resource={tenants} />;
}
