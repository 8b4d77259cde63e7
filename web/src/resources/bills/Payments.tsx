import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { ButtonLink } from "@/ui/Button";
import { payments } from "./columns";

export default function PaymentList() {
  const scope = useScope();
  return (
    <ResourceList
      resource={payments}
      actions={<ButtonLink to={scope.to("/bills")}>Bills</ButtonLink>}
      banner={<p className="border-b border-line px-3.5 py-2 text-ink-2">Rev.io says which account paid, not which bill: what is left of a bill stands with the bill.</p>}
    />
  );
}
