import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { ButtonLink } from "@/ui/Button";
import { driftTenants } from "./columns";

export default function DriftTenants() {
  const scope = useScope();
  return (
    <ResourceList
      resource={driftTenants}
      actions={
        <>
          <ButtonLink to={scope.to("/drift")}>Each drift</ButtonLink>
          <ButtonLink to={scope.to("/baselines")}>Baselines</ButtonLink>
        </>
      }
    />
  );
}
