import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { ButtonLink } from "@/ui/Button";
import { differencesByProduct } from "./sums";

export default function DifferencesByProduct() {
  const scope = useScope();
  return <ResourceList resource={differencesByProduct} actions={<ButtonLink to={scope.to("/differences")}>Each difference</ButtonLink>} />;
}
