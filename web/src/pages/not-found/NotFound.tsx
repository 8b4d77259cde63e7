import { Compass } from "lucide-react";
import { useTitle } from "@/kit/title";
import { ButtonLink } from "@/ui/Button";
import { EmptyState } from "@/ui/EmptyState";

export function NotFound() {
  useTitle("Not found");
  return (
    <div className="rounded-lg border border-line bg-surface shadow-1">
      <EmptyState icon={Compass} heading="h1" title="There is no such page" action={<ButtonLink to="/" variant="primary">Go to overview</ButtonLink>}>
        The address may be mistyped, or the page has moved. Ctrl-K finds pages, devices, customers and tickets.
      </EmptyState>
    </div>
  );
}
