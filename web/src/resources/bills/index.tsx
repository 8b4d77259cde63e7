import { Banknote, MessageSquareText } from "lucide-react";
import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { ButtonLink } from "@/ui/Button";
import { bills } from "./columns";

export default function BillList() {
  const scope = useScope();
  return (
    <ResourceList
      resource={bills}
      actions={
        <>
          <ButtonLink to={scope.to("/bills/tickets")} icon={<MessageSquareText aria-hidden className="size-3.5" />}>
            Billing tickets
          </ButtonLink>
          <ButtonLink to={scope.to("/bills/payments")} icon={<Banknote aria-hidden className="size-3.5" />}>
            Payments
          </ButtonLink>
        </>
      }
    />
  );
}
