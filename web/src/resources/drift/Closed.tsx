import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { ButtonLink } from "@/ui/Button";
import { closedDrifts } from "./columns";

export default function ClosedDrifts() {
  const scope = useScope();
  return <ResourceList resource={closedDrifts} actions={<ButtonLink to={scope.to("/drift")}>Open ones</ButtonLink>} />;
}
