import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { ButtonLink } from "@/ui/Button";
import { leavers } from "./columns";

export default function LeaverList() {
  const scope = useScope();
  return <ResourceList resource={leavers} actions={<ButtonLink to={scope.to("/people")}>All people</ButtonLink>} />;
}
