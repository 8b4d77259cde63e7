import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { impactOf, type Impact } from "@/api/configuration";
import { toApiError } from "@/api/errors";
import type { ItemRow } from "@/api/rows";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { useScope } from "@/kit/scope";
import { count, plural } from "@/kit/time";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";
import { endPath, kindOf, ruleWords } from "./words";

/** "412 people, 37 endpoints": the records of machines are left out, their endpoints say the same. */
export function kindsText(kinds: Impact["kinds"]): string {
  return kinds
    .filter(({ kind }) => kind !== "rmm_device" && kind !== "intune_device")
    .map(({ kind, items }) => plural(items, kindOf(kind).one.toLowerCase(), kindOf(kind).many))
    .join(", ");
}

/** What would be touched if this item failed, directly or over others; or what it needs itself. */
export function ImpactCard({ item }: { item: ItemRow }) {
  const [direction, setDirection] = useState<"in" | "out">("in");
  const answer = useQuery({
    queryKey: ["configuration_impact", item.customer_id, item.id, direction],
    queryFn: ({ signal }) => impactOf(item, direction, signal),
  });
  return (
    <Card
      title="Impact"
      aside={
        <Button size="sm" onClick={() => setDirection(direction === "in" ? "out" : "in")}>
          {direction === "in" ? "Show what it depends on" : "Show what depends on it"}
        </Button>
      }
    >
      {answer.isPending ? <SkeletonRows rows={3} label="Walking the relationships" /> : null}
      {answer.error ? <ErrorNotice error={toApiError(answer.error)} what="The impact could not be worked out." retry={() => void answer.refetch()} /> : null}
      {answer.data ? <Found item={item} impact={answer.data} direction={direction} /> : null}
    </Card>
  );
}

function Found({ item, impact, direction }: { item: ItemRow; impact: Impact; direction: "in" | "out" }) {
  const scope = useScope();
  const text = kindsText(impact.kinds);
  const rows = impact.rows.filter((row) => row.kind !== "rmm_device" && row.kind !== "intune_device");
  const all = impact.kinds.reduce((sum, { kind, items }) => (kind === "rmm_device" || kind === "intune_device" ? sum : sum + items), 0);
  if (text === "") return <p className="px-3.5 py-4 text-ink-2">{direction === "in" ? "Nothing is known to depend on it." : "It is not known to depend on anything."}</p>;
  return (
    <>
      <p className="border-b border-line px-3.5 py-2.5">
        {direction === "in" ? "If it fails, this is touched: " : "It needs: "}
        <b className="font-semibold">{text}</b>
        {impact.isWhole ? "." : ", and more beyond."}
      </p>
      <div role="region" tabIndex={0} aria-label={direction === "in" ? "What depends on it" : "What it depends on"} className="max-h-96 overflow-y-auto">
        <ul>
          {rows.map((row) => {
            const path = endPath(row.kind, item.customer_id, row.id);
            const { one, icon: Icon } = kindOf(row.kind);
            return (
              <li key={row.id} className="flex min-h-8 items-center gap-1.5 border-b border-line py-1 pr-3.5 last:border-b-0" style={{ paddingLeft: `${0.875 + (Math.min(row.level, 6) - 1) * 1}rem` }}>
                <Icon role="img" aria-label={one} className="size-3.5 shrink-0 text-ink-3" />
                <span className="min-w-0 flex-1 truncate">
                  {path === null ? row.name : <Link to={scope.to(path)} className="font-medium hover:underline">{row.name ?? "without a name"}</Link>}
                  {row.level > 1 ? <span className="ml-1.5 text-sm text-ink-2">over {row.throughName ?? "another"}</span> : null}
                </span>
                <span className="text-sm whitespace-nowrap text-ink-2">{ruleWords(row.rule, direction === "in" ? "out" : "in").toLowerCase()}</span>
              </li>
            );
          })}
        </ul>
      </div>
      {all > rows.length ? <p className="border-t border-line px-3.5 py-2 text-sm text-ink-2">The nearest {count(rows.length)} of {count(all)} are listed.</p> : null}
    </>
  );
}
