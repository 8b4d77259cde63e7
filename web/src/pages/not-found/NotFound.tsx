import { Compass } from "lucide-react";
import { useEffect } from "react";
import { ButtonLink } from "@/ui/Button";
import { EmptyState } from "@/ui/EmptyState";

export function NotFound() {
  // Follows document.title, which belongs to the browser.
  useEffect(() => {
    document.title = "Not found · OberaConnect";
  }, []);
  return (
    <div className="rounded-lg border border-line bg-surface shadow-1">
      <EmptyState icon={Compass} heading="h1" title="There is no such page" action={<ButtonLink to="/" variant="primary">Go to overview</ButtonLink>}>
        The address may be mistyped, or the page has moved. Ctrl-K finds pages, devices, customers and tickets.
      </EmptyState>
    </div>
  );
}
