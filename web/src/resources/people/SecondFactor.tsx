import { Check, CircleHelp, Minus, ShieldMinus, TriangleAlert, Undo2, X, type LucideIcon } from "lucide-react";
import { useState } from "react";
import { acceptGap, readChain, withdrawAcceptance, type ChainLink } from "@/api/mfa";
import { useRow, useRows } from "@/api/queries";
import type { PersonListRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { Ago } from "@/kit/Ago";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Freshness } from "@/kit/Freshness";
import { usePeople } from "@/kit/people";
import { useCan } from "@/kit/permissions";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { mfaOutcomes, words } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { fullTime } from "@/kit/time";
import { toneText, type Tone } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Card";
import { cx } from "@/ui/cx";
import { TextField } from "@/ui/Field";
import { SkeletonRows } from "@/ui/Skeleton";

const DAY_MS = 86_400_000;
const ACCEPT_DAYS = 30;
const ACCEPT_DAYS_MAX = 365;

const protects = { tone: "ok", icon: Check } as const;
const inPart = { tone: "warn", icon: TriangleAlert } as const;
const opens = { tone: "bad", icon: X } as const;
const nothing = { tone: "mute", icon: Minus } as const;
/** What a reason does for the person, in a color and an icon; its sentence says the same. */
const effects: Readonly<Record<string, { tone: Tone; icon: LucideIcon } | undefined>> = {
  protects,
  blocks: protects,
  partial: inPart,
  other_grant: inPart,
  not_enforced: inPart,
  excludes: opens,
  opens,
  does_not_apply: nothing,
  exempts: nothing,
  neutral: nothing,
};

/** Whether this person is asked for a second factor, and every reason for the answer. */
export function SecondFactor({ row }: { row: PersonListRow }) {
  const { nameOf } = usePeople();
  const key = [{ column: "customer_id", op: "eq" as const, value: row.customer_id }, { column: "person_id", op: "eq" as const, value: row.id }];
  const result = useRow("mfa_results", { where: key });
  const exception = useRows("mfa_exceptions", { where: [...key, { column: "ended_at", op: "is", value: null }], limit: 1 });
  const verdict = result.row;
  const accepted = exception.rows[0] ?? null;
  return (
    <Card title="Second factor" aside={verdict ? <StatusBadge of={mfaOutcomes} value={verdict.outcome} /> : null}>
      {result.error ? <ErrorNotice error={result.error} what="The answer could not be read." retry={result.refetch} /> : null}
      {result.isPending ? <SkeletonRows rows={3} /> : null}
      {!result.isPending && !result.error && !verdict ? <p className="px-3.5 py-4 text-ink-2">It has not been worked out yet: that happens after the next reading of the tenant.</p> : null}
      {verdict ? (
        <>
          <div className="grid gap-1 border-b border-line px-3.5 py-2.5">
            <p className="font-medium [overflow-wrap:anywhere]">{verdict.reason_text}</p>
            {verdict.fix ? <p className="[overflow-wrap:anywhere]"><span className="text-ink-2">Smallest fix: </span>{verdict.fix}</p> : null}
            <p className="text-sm text-ink-2">
              so since <Ago at={verdict.since} />, from facts read <Freshness observedAt={verdict.observed_at} staleAt={staleAt(row, verdict.observed_at)} />
            </p>
          </div>
          {verdict.missing.length > 0 ? (
            <p className="border-b border-line bg-warn-soft px-3.5 py-2 text-warn">
              Not read: {verdict.missing.map((read) => words(read).toLowerCase()).join(", ")}. {verdict.outcome === "unknown" ? "It could change the answer." : "It would not change the answer."}
            </p>
          ) : null}
          {accepted ? (
            <p className="border-b border-line bg-info-soft px-3.5 py-2 [overflow-wrap:anywhere]">
              Accepted by {nameOf(accepted.created_by) ?? "somebody"} until {fullTime(accepted.until)}: “{accepted.reason}”
            </p>
          ) : null}
          <ul aria-label="Why">
            {readChain(verdict.chain).map((link, index) => (
              <Reason key={index} link={link} />
            ))}
          </ul>
          {verdict.outcome === "gap" || accepted ? <Acceptance row={row} accepted={accepted !== null} /> : null}
        </>
      ) : null}
    </Card>
  );
}

/** The oldest fact behind an answer is stale when the account's own row would be at its age. */
function staleAt(row: PersonListRow, observedAt: string): string | null {
  if (row.stale_at === null) return null;
  return new Date(Date.parse(observedAt) + Date.parse(row.stale_at) - Date.parse(row.observed_at)).toISOString();
}

function Reason({ link }: { link: ChainLink }) {
  const look = effects[link.effect] ?? { tone: "warn" as const, icon: CircleHelp };
  return (
    <li className="flex items-start gap-2.5 border-b border-line px-3.5 py-2 last:border-b-0">
      <look.icon aria-hidden strokeWidth={2.2} className={cx("mt-0.5 size-3.5 shrink-0", toneText[look.tone])} />
      <span className="min-w-0 [overflow-wrap:anywhere]">{link.text}</span>
    </li>
  );
}

/** A gap can be borne for a time, by a person with a name. */
function Acceptance({ row, accepted }: { row: PersonListRow; accepted: boolean }) {
  const { reason } = useCan();
  const [open, setOpen] = useState(false);
  const withdraw = useAction({ act: () => withdrawAcceptance(row) });
  const forbidden = reason("mfa:manage", row.customer_id);
  return (
    <div className="flex justify-end border-t border-line px-3.5 py-2">
      {accepted ? (
        <Button icon={<Undo2 aria-hidden className="size-3.5" />} busy={withdraw.isBusy} reason={forbidden} onClick={() => withdraw.run()}>
          Withdraw the acceptance
        </Button>
      ) : (
        <Button icon={<ShieldMinus aria-hidden className="size-3.5" />} reason={forbidden} onClick={() => setOpen(true)}>
          Accept for a time…
        </Button>
      )}
      {open ? <AcceptDialog row={row} onClose={() => setOpen(false)} /> : null}
    </div>
  );
}

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

function AcceptDialog({ row, onClose }: { row: PersonListRow; onClose: () => void }) {
  const [now] = useState(() => Date.now());
  const [until, setUntil] = useState(dayOf(now + ACCEPT_DAYS * DAY_MS));
  const action = useAction({ quietError: true, onDone: onClose, act: (why: string) => acceptGap(row, why, `${until}T00:00:00Z`) });
  return (
    <ReasonDialog
      title={`Accept that ${row.display_name} signs in with a password alone?`}
      says="It counts as exempt until the day below, with your name and reason. It protects nobody."
      confirm="Accept"
      variant="danger"
      reasonLabel="Why is it borne?"
      reasonRequired
      hint="It is kept with the person and in the audit log, with your name."
      busy={action.isBusy}
      error={action.error}
      onConfirm={(why) => action.run(why)}
      onClose={onClose}
    >
      <TextField type="date" label="Until" value={until} min={dayOf(now + DAY_MS)} max={dayOf(now + ACCEPT_DAYS_MAX * DAY_MS)} required onChange={(event) => setUntil(event.target.value)} />
    </ReasonDialog>
  );
}
