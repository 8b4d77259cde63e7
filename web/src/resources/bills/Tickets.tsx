import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { ButtonLink } from "@/ui/Button";
import { billingTickets } from "./columns";

export default function BillingTicketList() {
  const scope = useScope();
  return (
    <ResourceList
      resource={billingTickets}
      actions={<ButtonLink to={scope.to("/bills")}>Bills</ButtonLink>}
      banner={<p className="border-b border-line px-3.5 py-2 text-ink-2">Open in Rev.io, where they are answered: these are no tickets of the service desk.</p>}
    />
  );
}
