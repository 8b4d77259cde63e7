import { BellOff, Undo2, Wrench } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { correctLine, ignoreDifference, unignoreDifference } from "@/api/money";
import type { DifferenceRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { money, quantity } from "@/kit/money";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { useScope } from "@/kit/scope";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Diff } from "@/ui/Diff";
import { SelectField, TextField } from "@/ui/Field";
import { boundWords, isBound, untilDay } from "./commitment";

const DAY_MS = 86_400_000;
const IGNORE_DAYS = 30;
const IGNORE_DAYS_MAX = 365;

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

export function DifferenceActions({ row }: { row: DifferenceRow }) {
  const { reason } = useCan();
  const [open, setOpen] = useState<"correct" | "ignore" | null>(null);
  const unignore = useAction({ act: () => unignoreDifference(row) });
  const forbidden = reason("billing:manage", row.customer_id);
  if (row.state === "closed") return null;
  if (row.state === "ignored") {
    return (
      <Button icon={<Undo2 aria-hidden className="size-3.5" />} busy={unignore.isBusy} reason={forbidden} onClick={() => unignore.run()}>
        Open it again
      </Button>
    );
  }
  if (row.state !== "open") return null;
  return (
    <>
      <Button icon={<BellOff aria-hidden className="size-3.5" />} reason={forbidden} onClick={() => setOpen("ignore")}>
        Ignore…
      </Button>
      <Button variant="primary" icon={<Wrench aria-hidden className="size-3.5" />} reason={forbidden ?? whyNotByUs(row)} onClick={() => setOpen("correct")}>
        Correct the line…
      </Button>
      {open === "ignore" ? <IgnoreDialog row={row} onClose={() => setOpen(null)} /> : null}
      {open === "correct" ? <CorrectDialog row={row} onClose={() => setOpen(null)} /> : null}
    </>
  );
}

/** Lines are corrected here, not made: a new line needs a price that somebody agreed on. */
function whyNotByUs(row: DifferenceRow): string | null {
  if (row.stale_since) return "Its facts are not fresh and complete. Synchronize first.";
  if (row.line_id === null) return "There is no active line to correct. Add or reconnect it at Rev.io; the next comparison sees it.";
  return null;
}

function IgnoreDialog({ row, onClose }: { row: DifferenceRow; onClose: () => void }) {
  const [now] = useState(() => Date.now());
  const [until, setUntil] = useState(dayOf(now + IGNORE_DAYS * DAY_MS));
  const action = useAction({ quietError: true, onDone: onClose, act: (why: string) => ignoreDifference(row, why, `${until}T00:00:00Z`) });
  return (
    <ReasonDialog
      title="Ignore this difference?"
      says="It leaves the sums until the day below. It comes back earlier when the numbers change."
      confirm="Ignore"
      reasonLabel="Why is it right as it is?"
      reasonRequired
      hint="It is kept with the difference and in the audit log, with your name."
      busy={action.isBusy}
      error={action.error}
      onConfirm={(why) => action.run(why)}
      onClose={onClose}
    >
      <TextField type="date" label="Until" value={until} min={dayOf(now + DAY_MS)} max={dayOf(now + IGNORE_DAYS_MAX * DAY_MS)} required onChange={(event) => setUntil(event.target.value)} />
    </ReasonDialog>
  );
}

function CorrectDialog({ row, onClose }: { row: DifferenceRow; onClose: () => void }) {
  const navigate = useNavigate();
  const scope = useScope();
  const [proration, setProration] = useState<"" | "prorate" | "none">("");
  const [released, setReleased] = useState("");
  const bound = isBound(row) ? row : null;
  const action = useAction({
    quietError: true,
    act: async () => {
      const run = await correctLine(row, proration === "prorate" ? "prorate" : "none", bound?.committed_until ?? null);
      void navigate(scope.to(paths.run(row.customer_id, run)));
      return "The run is prepared. It changes nothing before its plan is approved.";
    },
  });
  const target = (row.line_quantity ?? 0) + row.difference;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Correct the line at Rev.io?"
      description="A run reads the line again, plans the change, asks for approval, changes it, and reads it back. The difference stays open until a bill carries the new quantity."
      footer={
        <>
          <Button onClick={onClose}>Back</Button>
          <Button variant="primary" busy={action.isBusy} reason={proration === "" ? "Say how the running month is billed." : bound && released !== untilDay(bound) ? `It is committed until ${untilDay(bound)}.` : null} onClick={() => action.run()}>
            Prepare the change
          </Button>
        </>
      }
    >
      <div className="grid gap-3 pb-2">
        <Diff
          label="What changes"
          lines={[
            { op: "head", text: `${row.customer_name}: ${row.product_name}, line ${row.line_ref ?? ""}` },
            { op: "remove", text: `quantity ${quantity(row.line_quantity ?? 0)}` },
            { op: "add", text: `quantity ${quantity(target)}`, note: row.money_per_month === null ? undefined : `${row.money_per_month > 0 ? "+" : ""}${money(row.money_per_month, row.currency)} a month` },
          ]}
        />
        <SelectField label="The running month" value={proration} onChange={(event) => setProration(event.target.value === "prorate" ? "prorate" : event.target.value === "none" ? "none" : "")} hint="Proration changes money at once: it is your decision, and stands in the plan.">
          <option value="">Choose…</option>
          <option value="none">From the next bill on, without proration</option>
          <option value="prorate">Prorate the rest of this month</option>
        </SelectField>
        {bound ? (
          <>
            <p className="rounded-md bg-wait-soft px-3 py-2">
              <span className="font-medium">Committed until {untilDay(bound)}:</span> {boundWords(row)}.
            </p>
            <TextField label={`Type ${untilDay(bound)} to let it go early`} value={released} autoComplete="off" onChange={(event) => setReleased(event.target.value)} hint="The plan and the audit log say that you did." />
          </>
        ) : null}
        {action.error ? <ErrorNotice error={action.error} what="The change was not prepared." kept="Nothing was changed." /> : null}
      </div>
    </Dialog>
  );
}
