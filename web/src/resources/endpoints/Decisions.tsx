import { useState } from "react";
import { readNames, sourceNames, undoDecision } from "@/api/identity";
import { useRows } from "@/api/queries";
import type { EndpointDecisionRow, EndpointRecordRow, EndpointRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { Ago } from "@/kit/Ago";
import { useCan } from "@/kit/permissions";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Card";
import { cx } from "@/ui/cx";

const DECISIONS_MAX = 500;

/** What people decided about the records of this machine, and which records it had before. */
export function Decisions({ endpoint, records }: { endpoint: EndpointRow; records: readonly EndpointRecordRow[] }) {
  const { reason, isProvider } = useCan();
  const [undoing, setUndoing] = useState<EndpointDecisionRow | null>(null);
  const all = useRows("endpoint_decision_list", {
    enabled: isProvider,
    where: [{ column: "customer_id", op: "eq", value: endpoint.customer_id }],
    order: [{ column: "created_at", descending: true }],
    limit: DECISIONS_MAX,
  });
  const mine = new Set(records.map((row) => row.record_id));
  const decisions = all.rows.filter((row) => row.record_ids.some((id) => mine.has(id)));
  const past = records.filter((row) => row.ended_at !== null);
  const forbidden = reason("estate:manage", endpoint.customer_id);
  return (
    <Card title="Decisions and history">
      {!all.isPending && decisions.length === 0 && past.length === 0 ? <p className="px-3.5 py-4 text-ink-2">Nobody had to decide anything, and its records were always the same.</p> : null}
      <ul>
        {decisions.map((row) => (
          <li key={row.id} className={cx("grid gap-1 border-b border-line px-3.5 py-2.5 last:border-b-0", row.ended_at && "text-ink-2")}>
            <div className="flex flex-wrap items-center gap-x-2">
              <b className="font-medium">{row.verdict === "together" ? "One machine" : "Different machines"}</b>
              <span className="text-sm text-ink-2">
                {row.created_by_name ?? "somebody"}, <Ago at={row.created_at} />
              </span>
              {row.ended_at === null ? (
                <Button size="sm" className="ml-auto" reason={forbidden} onClick={() => setUndoing(row)}>
                  Undo…
                </Button>
              ) : (
                <span className="ml-auto text-sm">taken back <Ago at={row.ended_at} /></span>
              )}
            </div>
            <p className="text-sm text-ink-2 [overflow-wrap:anywhere]">{readNames(row.facts).join(", ")}</p>
            <p className="[overflow-wrap:anywhere]">“{row.reason}”</p>
            {row.end_reason ? <p className="text-sm [overflow-wrap:anywhere]">Taken back: “{row.end_reason}”</p> : null}
          </li>
        ))}
        {past.map((row) => (
          <li key={row.id} className="border-b border-line px-3.5 py-2 text-sm text-ink-2 last:border-b-0">
            {sourceNames[row.source]} {row.name ?? "without a name"} was of it from <Ago at={row.since} />
            {row.ended_at ? <> until <Ago at={row.ended_at} /></> : null}.
          </li>
        ))}
      </ul>
      {undoing ? <UndoDialog decision={undoing} onClose={() => setUndoing(null)} /> : null}
    </Card>
  );
}

function UndoDialog({ decision, onClose }: { decision: EndpointDecisionRow; onClose: () => void }) {
  const action = useAction({ quietError: true, onDone: onClose, act: (why: string) => undoDecision(decision, why) });
  return (
    <ReasonDialog
      title="Take the decision back?"
      says="The rules say again which records are one machine. The decision stays in the history."
      confirm="Take back"
      variant="danger"
      reasonLabel="Why?"
      reasonRequired
      hint="It is kept with the decision and in the audit log, with your name."
      busy={action.isBusy}
      error={action.error}
      onConfirm={(why) => action.run(why)}
      onClose={onClose}
    />
  );
}
