import { UserRoundX } from "lucide-react";
import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { ButtonLink } from "@/ui/Button";
import { people } from "./columns";

export default function PersonList() {
  const scope = useScope();
  return (
    <ResourceList
      resource={people}
      actions={
        <ButtonLink to={scope.to("/people/leavers")} icon={<UserRoundX aria-hidden className="size-3.5" />}>
          Leavers
        </ButtonLink>
      }
    />
  );
}
