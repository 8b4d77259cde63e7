import { CircleCheck, CircleX, History } from "lucide-react";
import { count } from "@/kit/time";
import { Badge } from "@/ui/Badge";
import { Card, Fact, Facts } from "@/ui/Card";

export interface Answered {
  /** 0: nothing came. */
  status: number;
  requestId: string | null;
  durationMs: number;
  isReplayed: boolean;
  body: string;
}

export function AnswerCard({ answered }: { answered: Answered }) {
  const isGood = answered.status >= 200 && answered.status < 300;
  return (
    <Card
      title="Answer"
      aside={
        <span role="status" className="inline-flex flex-wrap items-center gap-2">
          {answered.isReplayed ? <Badge tone="info" icon={History} title="The stored answer of the first call under this key">replayed</Badge> : null}
          <Badge tone={isGood ? "ok" : "bad"} icon={isGood ? CircleCheck : CircleX}>{answered.status === 0 ? "no answer" : String(answered.status)}</Badge>
        </span>
      }
    >
      <Facts>
        <Fact name="Took">{count(answered.durationMs)} ms</Fact>
        <Fact name="Request" mono>{answered.requestId ?? "no id"}</Fact>
      </Facts>
      <pre tabIndex={0} aria-label="Body of the answer" className="max-h-96 overflow-auto border-t border-line px-3.5 py-3 font-mono text-sm break-words whitespace-pre-wrap">{answered.body}</pre>
    </Card>
  );
}
