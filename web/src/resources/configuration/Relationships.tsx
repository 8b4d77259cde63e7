import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { removeRelationship } from "@/api/configuration";
import type { RowsResult } from "@/api/queries";
import type { ItemRow, RelationshipRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { sourceName } from "@/kit/changes";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Freshness } from "@/kit/Freshness";
import { useCan } from "@/kit/permissions";
import { useScope } from "@/kit/scope";
import { linkConfidence } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count } from "@/kit/time";
import { Button, IconButton } from "@/ui/Button";
import { Card } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";
import { SHOWN_FIRST, useGroupRows, type Group } from "./groups";
import { RelationshipEditor } from "./RelationshipEditor";
import { becauseOf, endPath, kindOf, ruleWords } from "./words";

const SHOWN_MORE = 100;

interface RelationshipsProps {
  item: ItemRow;
  groups: readonly Group[];
  pending: boolean;
}

/** Both ways, one group for each rule: what it depends on first. */
export function Relationships({ item, groups, pending }: RelationshipsProps) {
  const { reason } = useCan();
  const [entering, setEntering] = useState(false);
  return (
    <Card
      title="Relationships"
      aside={
        <Button size="sm" icon={<Plus aria-hidden className="size-3.5" />} reason={reason("configuration:write", item.customer_id)} onClick={() => setEntering(true)}>
          Enter a relationship
        </Button>
      }
      className="overflow-hidden"
    >
      {pending ? <SkeletonRows rows={4} /> : null}
      {!pending && groups.length === 0 ? <p className="px-3.5 py-4 text-ink-2">Nothing is known to hang together with it. What no rule says can be entered.</p> : null}
      {groups.map((group) => (
        <GroupRows key={`${group.direction} ${group.rule} ${group.otherKind}`} item={item} group={group} />
      ))}
      {entering ? <RelationshipEditor item={item} onClose={() => setEntering(false)} /> : null}
    </Card>
  );
}

function GroupRows({ item, group }: { item: ItemRow; group: Group }) {
  const [more, setMore] = useState(false);
  const rows = useGroupRows(item, group, more ? SHOWN_MORE : SHOWN_FIRST);
  return (
    <section aria-label={`${ruleWords(group.rule, group.direction)}, ${kindOf(group.otherKind).many}`} className="border-b border-line last:border-b-0">
      <h3 className="flex flex-wrap items-baseline gap-x-2 bg-mute-soft px-3.5 py-1.5 text-sm font-medium">
        {ruleWords(group.rule, group.direction)}
        <span className="font-normal text-ink-2">{count(group.items)} · because {becauseOf(group.rule)}</span>
      </h3>
      <Rows item={item} rows={rows} />
      {!more && group.items > SHOWN_FIRST ? (
        <p className="px-3.5 pb-2">
          <Button size="sm" variant="ghost" onClick={() => setMore(true)}>
            {group.items > SHOWN_MORE ? `Show ${SHOWN_MORE} of ${count(group.items)}` : `Show all ${group.items}`}
          </Button>
        </p>
      ) : null}
    </section>
  );
}

function Rows({ item, rows }: { item: ItemRow; rows: RowsResult<RelationshipRow> }) {
  if (rows.error) return <ErrorNotice error={rows.error} what="These relationships could not be read." retry={rows.refetch} />;
  if (rows.isPending) return <SkeletonRows rows={1} />;
  return (
    <ul>
      {rows.rows.map((row) => (
        <li key={`${row.other_id} ${row.relationship_id ?? ""}`} className="flex min-h-9 flex-wrap items-center gap-x-3 gap-y-1 px-3.5 py-1.5">
          <End item={item} row={row} />
          {row.confidence === "certain" ? null : <StatusBadge of={linkConfidence} value={row.confidence} />}
          <Freshness source={sourceName(row.source)} observedAt={row.observed_at} complete={row.is_complete} staleAt={row.stale_at} />
          {row.relationship_id === null ? null : <Remove item={item} id={row.relationship_id} name={row.other_name} />}
        </li>
      ))}
    </ul>
  );
}

function End({ item, row }: { item: ItemRow; row: RelationshipRow }) {
  const scope = useScope();
  const { one, icon: Icon } = kindOf(row.other_kind);
  const path = row.other_name === null ? null : endPath(row.other_kind, item.customer_id, row.other_id);
  const name = row.other_name ?? "one that is gone";
  return (
    <span className="flex min-w-0 flex-1 basis-56 items-center gap-1.5">
      <Icon role="img" aria-label={one} className="size-3.5 shrink-0 text-ink-3" />
      {path === null ? <span className="truncate">{name}</span> : <Link to={scope.to(path)} className="truncate font-medium hover:underline">{name}</Link>}
    </span>
  );
}

function Remove({ item, id, name }: { item: ItemRow; id: string; name: string | null }) {
  const { can } = useCan();
  const remove = useAction({ act: () => removeRelationship(item.customer_id, id) });
  if (!can("configuration:write", item.customer_id)) return null;
  return (
    <IconButton label={`Remove the relationship with ${name ?? "one that is gone"}`} aria-busy={remove.isBusy} onClick={() => remove.run()}>
      <Trash2 aria-hidden className="size-3.5" />
    </IconButton>
  );
}
