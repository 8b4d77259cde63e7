import { useState } from "react";
import { Unlink } from "lucide-react";
import { readSentences, sourceNames, splitRecord } from "@/api/identity";
import type { EndpointRecordRow, EndpointRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { Ago } from "@/kit/Ago";
import { useCan } from "@/kit/permissions";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { linkConfidence, linkKinds } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";

interface LinksProps {
  endpoint: EndpointRow;
  records: readonly EndpointRecordRow[];
  pending: boolean;
}

/** Why the records of a machine are of one, in sentences; and the way out where they are not. */
export function Links({ endpoint, records, pending }: LinksProps) {
  const { reason } = useCan();
  const [splitting, setSplitting] = useState<EndpointRecordRow | null>(null);
  const linked = records.filter((row) => row.link_kind !== null);
  const forbidden = reason("estate:manage", endpoint.customer_id);
  return (
    <Card title="Why they are one machine">
      {pending ? <SkeletonRows rows={2} /> : null}
      {!pending && linked.length === 0 ? <p className="px-3.5 py-4 text-ink-2">One source alone knows this machine: nothing was joined.</p> : null}
      <ul>
        {linked.map((row) => (
          <li key={row.id} className="grid gap-1 border-b border-line px-3.5 py-2.5 last:border-b-0">
            <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <span className="font-medium">
                {sourceNames[row.source]}: {row.name ?? "without a name"}
              </span>
              <span className="text-ink-2">{linkKinds[row.link_kind ?? ""] ?? row.link_kind}</span>
              {row.confidence ? <StatusBadge of={linkConfidence} value={row.confidence} /> : null}
              <span className="text-sm text-ink-2">since <Ago at={row.since} /></span>
              <Button size="sm" className="ml-auto" icon={<Unlink aria-hidden className="size-3.5" />} reason={forbidden} onClick={() => setSplitting(row)}>
                Keep apart…
              </Button>
            </div>
            {readSentences(row.evidence).map((sentence) => (
              <p key={sentence} className="max-w-prose text-ink-2 [overflow-wrap:anywhere]">{sentence}</p>
            ))}
          </li>
        ))}
      </ul>
      {splitting ? <SplitDialog endpoint={endpoint} record={splitting} onClose={() => setSplitting(null)} /> : null}
    </Card>
  );
}

function SplitDialog({ endpoint, record, onClose }: { endpoint: EndpointRow; record: EndpointRecordRow; onClose: () => void }) {
  const action = useAction({ quietError: true, onDone: onClose, act: (why: string) => splitRecord(endpoint, record.id, why) });
  return (
    <ReasonDialog
      title={`Keep ${record.name ?? "this record"} of ${sourceNames[record.source] ?? record.source} apart?`}
      says="It becomes a machine of its own. No later reading joins them again, until somebody takes this back."
      confirm="Keep apart"
      variant="danger"
      reasonLabel="Why are they different machines?"
      reasonRequired
      hint="It is kept with the machine and in the audit log, with your name."
      busy={action.isBusy}
      error={action.error}
      onConfirm={(why) => action.run(why)}
      onClose={onClose}
    />
  );
}
