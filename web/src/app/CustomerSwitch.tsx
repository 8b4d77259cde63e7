import { ChevronDown } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { rowKey, useRows } from "@/api/queries";
import { useCan } from "@/kit/permissions";
import { useScope } from "@/kit/scope";
import { Skeleton } from "@/ui/Skeleton";

const CustomerMenu = lazy(() => import("./CustomerMenu"));

/** All customers or one, for every screen. A person of one customer sees its name instead. */
export function CustomerSwitch() {
  const { customerId } = useScope();
  const { isProvider, isPending } = useCan();
  const [armed, setArmed] = useState(false);
  const one = useRows("customer_list", {
    columns: "id,name",
    limit: 2,
    where: customerId ? rowKey(null, customerId) : [],
    enabled: customerId !== null || (!isPending && !isProvider),
  });
  if (isPending) return <Skeleton className="h-8 w-32" />;
  if (!isProvider && one.rows.length <= 1 && customerId === null) {
    return <span className="min-w-0 truncate font-semibold">{one.rows[0]?.name ?? ""}</span>;
  }
  const label = customerId === null ? "All customers" : (one.rows[0]?.name ?? (one.isPending ? "…" : "Unknown customer"));
  const button = (
    <button
      type="button"
      aria-haspopup="dialog"
      aria-expanded={false}
      onClick={() => setArmed(true)}
      className="inline-flex h-8 max-w-56 min-w-0 items-center gap-2 rounded-md border border-line-strong bg-raised px-2.5 shadow-1 hover:bg-hover max-md:h-9"
    >
      <span className="truncate">{label}</span>
      <ChevronDown aria-hidden className="size-3.5 shrink-0 text-ink-3" />
    </button>
  );
  if (!armed) return button;
  return (
    <Suspense fallback={button}>
      <CustomerMenu defaultOpen label={label} />
    </Suspense>
  );
}
