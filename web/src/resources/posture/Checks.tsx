import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { ButtonLink } from "@/ui/Button";
import { postureChecks } from "./columns";

export default function PostureChecks() {
  const scope = useScope();
  return (
    <ResourceList
      resource={postureChecks}
      actions={
        <>
          <ButtonLink to={scope.to("/posture")}>By tenant</ButtonLink>
          <ButtonLink to={scope.to("/posture/findings")}>Each finding</ButtonLink>
        </>
      }
    />
  );
}
