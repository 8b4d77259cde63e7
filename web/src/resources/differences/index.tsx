import { History, RefreshCw } from "lucide-react";
import { reconcile } from "@/api/money";
import { useAction } from "@/kit/action";
import { useCan } from "@/kit/permissions";
import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { Button, ButtonLink } from "@/ui/Button";
import { differences } from "./columns";
import { MoneyStrip } from "./MoneyStrip";

export default function DifferenceList() {
  const scope = useScope();
  const { reason } = useCan();
  const compare = useAction({ act: () => reconcile(scope.customerId) });
  return (
    <ResourceList
      resource={differences}
      banner={<MoneyStrip />}
      actions={
        <>
          <ButtonLink to={scope.to("/differences/customers")}>By customer</ButtonLink>
          <ButtonLink to={scope.to("/differences/products")}>By product</ButtonLink>
          <ButtonLink to={scope.to("/differences/closed")} icon={<History aria-hidden className="size-3.5" />}>
            Closed
          </ButtonLink>
          <Button
            variant="primary"
            icon={<RefreshCw aria-hidden className="size-3.5" />}
            title="Compares counts and lines as they were last read."
            busy={compare.isBusy}
            reason={reason("billing:manage", scope.customerId)}
            onClick={() => compare.run()}
          >
            Reconcile now
          </Button>
        </>
      }
    />
  );
}
