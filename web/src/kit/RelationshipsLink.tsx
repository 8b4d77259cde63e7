import { ButtonLink } from "@/ui/Button";
import { paths } from "./paths";
import { useCan } from "./permissions";
import { useScope } from "./scope";

/** From a record to the same as a configuration item: what it depends on, and what depends on it. */
export function RelationshipsLink({ customerId, id }: { customerId: string; id: string }) {
  const scope = useScope();
  const { can, isProvider } = useCan();
  return isProvider && can("configuration:read", customerId) ? <ButtonLink to={scope.to(paths.configurationItem(customerId, id))}>Relationships</ButtonLink> : null;
}
