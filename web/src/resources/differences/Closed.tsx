import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { ButtonLink } from "@/ui/Button";
import { closedDifferences } from "./columns";

export default function ClosedDifferences() {
  const scope = useScope();
  return <ResourceList resource={closedDifferences} actions={<ButtonLink to={scope.to("/differences")}>Open ones</ButtonLink>} />;
}
