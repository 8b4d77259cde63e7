import { useState } from "react";
import { Link } from "react-router";
import { confirmMachine, keepApart, readDoubt, readSentences, sourceNames, type DoubtRecord } from "@/api/identity";
import type { EndpointConflictRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { Ago } from "@/kit/Ago";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { useScope } from "@/kit/scope";
import { conflictKinds } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Card";

/** What no rule can say: the records in question, and the two answers. */
export function ConflictCard({ conflict, here }: { conflict: EndpointConflictRow; here: string }) {
  const scope = useScope();
  const { reason } = useCan();
  const records = readDoubt(conflict.records);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [answer, setAnswer] = useState<"one" | "apart" | null>(null);
  const forbidden = reason("estate:manage", conflict.customer_id);
  const toggle = (id: string) => setChosen((now) => new Set(now.has(id) ? [...now].filter((it) => it !== id) : [...now, id]));
  // A decision that the facts contradict is told in its own words.
  const sentences = conflict.kind === "contradicted" ? readSentences(conflict.evidence).slice(0, 1) : [conflictKinds[conflict.kind].says ?? ""];
  return (
    <Card title="To decide" aside={<StatusBadge of={conflictKinds} value={conflict.kind} />}>
      <div className="px-3.5 pt-2.5 text-ink-2">
        {sentences.map((sentence) => (
          <p key={sentence} className="max-w-prose">{sentence}</p>
        ))}
        <p className="max-w-prose">Choose the records that are one machine, or keep all of them apart.</p>
      </div>
      <ul className="mt-1.5">
        {records.map((record) => (
          <li key={record.recordId} className="border-b border-line px-3.5 py-2">
            <label className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <input type="checkbox" className="size-4 accent-accent" checked={chosen.has(record.recordId)} onChange={() => toggle(record.recordId)} />
              <span className="w-20 text-ink-2">{sourceNames[record.source] ?? record.source}</span>
              <b className="font-medium [overflow-wrap:anywhere]">{record.name ?? "without a name"}</b>
              <span className="font-mono text-sm">{record.serialNumber ?? "no serial number"}</span>
              {record.person ? <span className="text-sm text-ink-2">{record.person}</span> : null}
              <span className="ml-auto text-sm text-ink-2">{record.lastSeenAt ? <>seen <Ago at={record.lastSeenAt} /></> : "never seen"}</span>
            </label>
            {record.endpointId === here ? null : (
              <Link to={scope.to(paths.endpoint(conflict.customer_id, record.endpointId))} className="ml-7 text-sm text-ink-2 hover:underline">
                Open its machine
              </Link>
            )}
          </li>
        ))}
      </ul>
      <div className="flex flex-wrap justify-end gap-2 px-3.5 py-2.5">
        <Button reason={forbidden} onClick={() => setAnswer("apart")}>Keep apart…</Button>
        <Button variant="primary" reason={forbidden ?? (chosen.size < 2 ? "Choose two records or more." : null)} onClick={() => setAnswer("one")}>
          Confirm: one machine…
        </Button>
      </div>
      {answer ? <AnswerDialog conflict={conflict} answer={answer} records={records.filter((it) => chosen.has(it.recordId))} onClose={() => setAnswer(null)} /> : null}
    </Card>
  );
}

interface AnswerDialogProps {
  conflict: EndpointConflictRow;
  answer: "one" | "apart";
  records: readonly DoubtRecord[];
  onClose: () => void;
}

function AnswerDialog({ conflict, answer, records, onClose }: AnswerDialogProps) {
  const isOne = answer === "one";
  const ids = records.map((record) => record.recordId);
  const action = useAction({ quietError: true, onDone: onClose, act: (why: string) => (isOne ? confirmMachine(conflict, ids, why) : keepApart(conflict, why)) });
  const names = records.map((record) => `${record.name ?? "without a name"} (${sourceNames[record.source] ?? record.source})`).join(", ");
  return (
    <ReasonDialog
      title={isOne ? "Are these one machine?" : "Are all of them different machines?"}
      says={isOne ? `${names} become one machine; the other records are kept from it.` : "They stay machines of their own."}
      confirm={isOne ? "Confirm" : "Keep apart"}
      reasonLabel="How do you know?"
      reasonRequired
      hint="It is kept with the machine and in the audit log, with your name. No later reading overrules it; if facts contradict it, that is shown."
      busy={action.isBusy}
      error={action.error}
      onConfirm={(why) => action.run(why)}
      onClose={onClose}
    />
  );
}
