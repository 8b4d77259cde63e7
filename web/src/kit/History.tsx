import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { asOf, readNamesOf, type AsOf } from "@/api/configuration";
import { isRecord, toApiError } from "@/api/errors";
import { useRows } from "@/api/queries";
import type { ChangeEntryRow } from "@/api/rows";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Card";
import { TextField } from "@/ui/Field";
import { SkeletonRows } from "@/ui/Skeleton";
import { Ago } from "./Ago";
import { attributeName, sourceName, valueText } from "./changes";
import { ErrorNotice } from "./ErrorNotice";
import { useCan } from "./permissions";
import { fullTime, plural } from "./time";

const SHOWN_FIRST = 8;
const SHOWN_MAX = 200;

interface HistoryProps {
  /** What history calls it: "device", "person". */
  kind: string;
  customerId: string;
  id: string;
}

/** How a record changed, by which synchronization or person, and the record as it was on a day. */
export function History({ kind, customerId, id }: HistoryProps) {
  const [all, setAll] = useState(false);
  const [instant, setInstant] = useState("");
  const changes = useRows("object_change_list", {
    where: [
      { column: "customer_id", op: "eq", value: customerId },
      { column: "object_id", op: "eq", value: id },
      { column: "kind", op: "eq", value: kind },
    ],
    order: [{ column: "at", descending: true }, { column: "id", descending: true }],
    limit: all ? SHOWN_MAX : SHOWN_FIRST,
    count: true,
    keep: true,
  });
  const at = instant === "" || Number.isNaN(Date.parse(instant)) ? null : new Date(instant).toISOString();
  return (
    <Card
      id="history"
      title="Changes"
      aside={changes.isPending || changes.error ? "" : plural(changes.total, "change")}
      className="overflow-hidden"
    >
      <form className="flex flex-wrap items-end gap-2 border-b border-line px-3.5 py-2.5" onSubmit={(event) => event.preventDefault()}>
        <TextField label="Show as of" type="datetime-local" value={instant} onChange={(event) => setInstant(event.target.value)} className="w-56" />
        {instant === "" ? null : <Button onClick={() => setInstant("")}>Back to now</Button>}
      </form>
      {at === null ? null : <State kind={kind} customerId={customerId} id={id} at={at} />}
      {changes.error ? <ErrorNotice error={changes.error} what="The changes could not be read." retry={changes.refetch} /> : null}
      {changes.isPending ? <SkeletonRows rows={3} /> : null}
      {!changes.isPending && !changes.error && changes.rows.length === 0 ? (
        <p className="px-3.5 py-4 text-ink-2">Nothing changed since changes are kept. Measurements (online, last contact, disk use, last sign-in) have no history.</p>
      ) : null}
      <ol>
        {changes.rows.map((row) => (
          <Entry key={row.id} row={row} />
        ))}
      </ol>
      {!all && changes.total > SHOWN_FIRST ? (
        <p className="border-t border-line px-3.5 py-2">
          <Button size="sm" onClick={() => setAll(true)}>
            Show {changes.total > SHOWN_MAX ? `the last ${SHOWN_MAX}` : `all ${changes.total}`}
          </Button>
        </p>
      ) : null}
    </Card>
  );
}

function Who({ row }: { row: ChangeEntryRow }) {
  const { isProvider } = useCan();
  if (row.actor_kind === "person") return <>by {row.actor_name ?? "a person"}</>;
  if (row.actor_kind === "system") return <>by OberaConnect</>;
  if (row.source === "rules") return <>by the rules of joining</>;
  const text = `by a synchronization with ${sourceName(row.source)}`;
  return isProvider && row.sync_run_id ? (
    <Link to="/integrations" title={`Synchronization ${row.sync_run_id}`} className="hover:underline">{text}</Link>
  ) : (
    <>{text}</>
  );
}

function Entry({ row }: { row: ChangeEntryRow }) {
  const names = readNamesOf(row.names);
  const [before, after] = [isRecord(row.before) ? row.before : {}, isRecord(row.after) ? row.after : {}];
  return (
    <li className="grid gap-1 border-b border-line px-3.5 py-2 last:border-b-0">
      <p className="text-sm text-ink-2">
        <Ago at={row.at} /> <Who row={row} />
      </p>
      {row.verb === "delete" ? (
        <p className="font-medium">Removed</p>
      ) : (
        <ul>
          {Object.keys(after).map((column) => (
            <li key={column} className="[overflow-wrap:anywhere]">
              <span className="font-medium">{attributeName(column)}</span>: <del className="text-ink-2">{valueText(before[column], names)}</del> <span aria-hidden>→</span>{" "}
              <ins className="no-underline">{valueText(after[column], names)}</ins>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

const day = (at: string | null) => (at === null ? "an unknown time" : fullTime(at));

/** Why there is no state to show, in a sentence. */
export function outcomeText(answer: Pick<AsOf, "outcome" | "reachesBackTo" | "firstSeenAt">): string | null {
  switch (answer.outcome) {
    case "known":
      return null;
    case "not_yet":
      return `It was not known then: it was first seen on ${day(answer.firstSeenAt)}.`;
    case "gone":
      return "It had been removed by then.";
    case "before_history":
      return `Nobody knows: changes are kept since ${day(answer.reachesBackTo)}.`;
    case "too_many_changes":
      return "It changed too often since then to be worked out. Choose a later time.";
  }
}

function State({ kind, customerId, id, at }: HistoryProps & { at: string }) {
  const answer = useQuery({
    queryKey: ["as_of", kind, customerId, id, at],
    queryFn: ({ signal }) => asOf(kind, { customer_id: customerId, id }, at, signal),
  });
  if (answer.isPending) return <SkeletonRows rows={4} label="Looking back" />;
  if (answer.error) return <ErrorNotice error={toApiError(answer.error)} what="The state then could not be read." retry={() => void answer.refetch()} />;
  const then = answer.data;
  const why = outcomeText(then);
  return (
    <section aria-label="As it was" className="border-b border-line bg-mute-soft px-3.5 py-2.5">
      <p className="mb-1 font-medium">
        As of <time dateTime={at}>{fullTime(at)}</time>
        {why === null ? <span className="font-normal text-ink-2">, {plural(then.changesSince, "change")} ago</span> : null}
      </p>
      {why !== null ? <p className="text-ink-2">{why}</p> : null}
      {why === null ? (
        <dl className="grid gap-x-6 gap-y-1 sm:grid-cols-2">
          {Object.entries(then.state).map(([column, value]) => (
            <div key={column} className="flex flex-wrap items-baseline justify-between gap-x-3 border-b border-line/60 py-0.5">
              <dt className="text-ink-2">{attributeName(column)}</dt>
              <dd className="text-right [overflow-wrap:anywhere]" title={then.since[column] ? `since ${fullTime(then.since[column])}` : "since before the history begins"}>
                {valueText(value, then.names)}
              </dd>
            </div>
          ))}
        </dl>
      ) : null}
    </section>
  );
}
