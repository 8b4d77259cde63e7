import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { ButtonLink } from "@/ui/Button";
import { postureFindings } from "./columns";

export default function PostureFindings() {
  const scope = useScope();
  return (
    <ResourceList
      resource={postureFindings}
      actions={
        <>
          <ButtonLink to={scope.to("/posture")}>By tenant</ButtonLink>
          <ButtonLink to={scope.to("/posture/checks")}>Each check</ButtonLink>
        </>
      }
    />
  );
}
