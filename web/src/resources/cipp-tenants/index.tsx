import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { ButtonLink } from "@/ui/Button";
import { cippTenants } from "./columns";

export default function CippTenantList() {
  const scope = useScope();
  return <ResourceList resource={cippTenants} actions={<ButtonLink to={scope.to("/expiries")}>Expiry calendar</ButtonLink>} />;
}
