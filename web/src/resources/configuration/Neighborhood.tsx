import { Link } from "react-router";
import type { ItemRow } from "@/api/rows";
import { useScope } from "@/kit/scope";
import { count } from "@/kit/time";
import { Card } from "@/ui/Card";
import { SHOWN_FIRST, useGroupRows, type Group } from "./groups";
import { endPath, kindOf, ruleWords } from "./words";

const ROW_PX = 52;
const SIDE_MAX = 8;

/** Where the nth of several boxes stands, as the middle of its row in a column of `rows` rows. */
export function middleOf(nth: number, of: number, rows: number): number {
  return ((rows - of) / 2 + nth + 0.5) * ROW_PX;
}

/** The item between what depends on it and what it depends on. The list below says the same in words, so that nobody needs the picture. */
export function Neighborhood({ item, groups }: { item: ItemRow; groups: readonly Group[] }) {
  const [left, right] = [groups.filter((group) => group.direction === "in").slice(0, SIDE_MAX), groups.filter((group) => group.direction === "out").slice(0, SIDE_MAX)];
  const rows = Math.max(left.length, right.length, 1);
  if (groups.length === 0) return null;
  const { icon: Icon, one } = kindOf(item.kind);
  const height = rows * ROW_PX;
  return (
    <Card title="Around it" aside="left depends on it, right is what it needs" className="max-md:hidden">
      <div className="relative mx-3.5 my-3" style={{ height }}>
        <svg aria-hidden viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" className="absolute inset-0 size-full text-line">
          {left.map((group, nth) => (
            <Edge key={group.rule + group.otherKind} from={[33, middleOf(nth, left.length, rows)]} to={[39, height / 2]} />
          ))}
          {right.map((group, nth) => (
            <Edge key={group.rule + group.otherKind} from={[61, height / 2]} to={[67, middleOf(nth, right.length, rows)]} />
          ))}
        </svg>
        {left.map((group, nth) => (
          <Box key={group.rule + group.otherKind} item={item} group={group} side="left" top={middleOf(nth, left.length, rows)} />
        ))}
        <div className="absolute left-[39%] grid h-11 w-[22%] -translate-y-1/2 place-items-center rounded-md border border-accent bg-accent-soft px-2" style={{ top: height / 2 }}>
          <span className="flex max-w-full items-center gap-1.5 font-medium">
            <Icon role="img" aria-label={one} className="size-4 shrink-0 text-accent" />
            <span className="truncate" title={item.name}>{item.name}</span>
          </span>
        </div>
        {right.map((group, nth) => (
          <Box key={group.rule + group.otherKind} item={item} group={group} side="right" top={middleOf(nth, right.length, rows)} />
        ))}
      </div>
    </Card>
  );
}

function Edge({ from, to }: { from: readonly [number, number]; to: readonly [number, number] }) {
  const middle = (from[0] + to[0]) / 2;
  return (
    <path
      d={`M ${from[0]} ${from[1]} C ${middle} ${from[1]}, ${middle} ${to[1]}, ${to[0]} ${to[1]}`}
      fill="none"
      stroke="currentColor"
      strokeWidth={1.5}
      vectorEffect="non-scaling-stroke"
    />
  );
}

function Box({ item, group, side, top }: { item: ItemRow; group: Group; side: "left" | "right"; top: number }) {
  const scope = useScope();
  const rows = useGroupRows(item, group, SHOWN_FIRST);
  const { icon: Icon, many, one } = kindOf(group.otherKind);
  const only = group.items === 1 ? rows.rows[0] : undefined;
  const path = only ? endPath(only.other_kind, item.customer_id, only.other_id) : null;
  const name = only?.other_name ?? (group.items === 1 ? one : `${count(group.items)} ${many}`);
  return (
    <div className="absolute h-11 w-[33%] -translate-y-1/2 rounded-md border border-line bg-raised px-2.5 py-1" style={side === "left" ? { top, left: 0 } : { top, right: 0 }}>
      <span className="flex items-center gap-1.5">
        <Icon aria-hidden className="size-3.5 shrink-0 text-ink-3" />
        {path ? <Link to={scope.to(path)} className="truncate font-medium hover:underline" title={name}>{name}</Link> : <span className="truncate font-medium" title={name}>{name}</span>}
      </span>
      <span className="block truncate text-xs text-ink-2">{ruleWords(group.rule, group.direction)}</span>
    </div>
  );
}
