import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { ButtonLink } from "@/ui/Button";
import { differencesByCustomer } from "./sums";

export default function DifferencesByCustomer() {
  const scope = useScope();
  return <ResourceList resource={differencesByCustomer} actions={<ButtonLink to={scope.to("/differences")}>Each difference</ButtonLink>} />;
}
