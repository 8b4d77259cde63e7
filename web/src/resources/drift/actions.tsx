import { Ban, Undo2, Wrench, CirclePause } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { acceptDrift, denyDrift, remediateDrift, withdrawDecision } from "@/api/drift";
import type { DriftListRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { useScope } from "@/kit/scope";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Diff } from "@/ui/Diff";
import { SelectField, TextField } from "@/ui/Field";

const DAY_MS = 86_400_000;
const ACCEPT_DAYS = 90;
const ACCEPT_DAYS_MAX = 365;

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

export function DriftActions({ row }: { row: DriftListRow }) {
  const { reason } = useCan();
  const [open, setOpen] = useState<"accept" | "deny" | "remediate" | null>(null);
  const withdraw = useAction({ act: () => withdrawDecision(row) });
  const forbidden = reason("drift:manage", row.customer_id);
  const close = () => setOpen(null);
  if (row.state === "closed" || row.state === "unknown" || row.state === "remediating") return null;
  return (
    <>
      {row.state === "accepted" || row.state === "denied" ? (
        <Button icon={<Undo2 aria-hidden className="size-3.5" />} busy={withdraw.isBusy} reason={forbidden} onClick={() => withdraw.run()}>
          {row.state === "accepted" ? "End the acceptance" : "Take it back"}
        </Button>
      ) : null}
      {row.state === "open" || row.state === "denied" ? (
        <Button icon={<CirclePause aria-hidden className="size-3.5" />} reason={forbidden} onClick={() => setOpen("accept")}>
          Accept…
        </Button>
      ) : null}
      {row.state === "open" ? (
        <Button icon={<Ban aria-hidden className="size-3.5" />} reason={forbidden} onClick={() => setOpen("deny")}>
          Deny…
        </Button>
      ) : null}
      {row.state === "open" || row.state === "denied" ? (
        <Button variant="primary" icon={<Wrench aria-hidden className="size-3.5" />} reason={forbidden} onClick={() => setOpen("remediate")}>
          Remediate…
        </Button>
      ) : null}
      {open === "accept" ? <AcceptDialog row={row} onClose={close} /> : null}
      {open === "deny" ? <DenyDialog row={row} onClose={close} /> : null}
      {open === "remediate" ? <RemediateDialog row={row} onClose={close} /> : null}
    </>
  );
}

function AcceptDialog({ row, onClose }: { row: DriftListRow; onClose: () => void }) {
  const [now] = useState(() => Date.now());
  const [until, setUntil] = useState(dayOf(now + ACCEPT_DAYS * DAY_MS));
  const [value, setValue] = useState<"this" | "any">("this");
  const action = useAction({ quietError: true, onDone: onClose, act: (why: string) => acceptDrift(row, why, `${until}T00:00:00Z`, value) });
  return (
    <ReasonDialog
      title="Accept this drift?"
      says={`${row.setting_name} stays ${row.actual_text ?? "as it is"} at ${row.tenant_name} until the day below. Nothing is changed there.`}
      confirm="Accept"
      reasonLabel="Why is it right here?"
      reasonRequired
      hint="It is kept with the exception and in the audit log, with your name."
      busy={action.isBusy}
      error={action.error}
      onConfirm={(why) => action.run(why)}
      onClose={onClose}
    >
      <TextField type="date" label="Until" value={until} min={dayOf(now + DAY_MS)} max={dayOf(now + ACCEPT_DAYS_MAX * DAY_MS)} required onChange={(event) => setUntil(event.target.value)} />
      <SelectField label="Which value" value={value} onChange={(event) => setValue(event.target.value === "any" ? "any" : "this")}>
        <option value="this">Only “{row.actual_text ?? "not set"}”: another value is a drift again</option>
        <option value="any">Any value</option>
      </SelectField>
    </ReasonDialog>
  );
}

function DenyDialog({ row, onClose }: { row: DriftListRow; onClose: () => void }) {
  const action = useAction({ quietError: true, onDone: onClose, act: (why: string) => denyDrift(row, why) });
  return (
    <ReasonDialog
      title="Say that it must go?"
      says="Nothing is changed yet: it stays a drift, and everybody sees that it is not accepted."
      confirm="It must go"
      variant="danger"
      reasonLabel="Why is it not accepted?"
      reasonRequired
      hint="It is kept with the drift and in the audit log, with your name."
      busy={action.isBusy}
      error={action.error}
      onConfirm={(why) => action.run(why)}
      onClose={onClose}
    />
  );
}

function RemediateDialog({ row, onClose }: { row: DriftListRow; onClose: () => void }) {
  const navigate = useNavigate();
  const scope = useScope();
  const action = useAction({
    quietError: true,
    act: async () => {
      const run = await remediateDrift(row);
      void navigate(scope.to(paths.run(row.customer_id, run)));
      return "The run is prepared. It changes nothing before its plan is approved.";
    },
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Remediate this drift?"
      description="A run reads the setting again, plans the change, asks for approval, sets it through CIPP, and reads it back. The drift closes only when the reading shows the demanded value."
      footer={
        <>
          <Button onClick={onClose}>Back</Button>
          <Button variant="primary" busy={action.isBusy} onClick={() => action.run()}>
            Prepare the change
          </Button>
        </>
      }
    >
      <div className="grid gap-3 pb-2">
        <Diff
          label="What changes"
          lines={[
            { op: "head", text: `${row.tenant_name}: ${row.setting_name}` },
            { op: "remove", text: row.actual_text ?? "not set" },
            { op: "add", text: row.desired_text },
          ]}
        />
        {action.error ? <ErrorNotice error={action.error} what="The change was not prepared." kept="Nothing was changed." /> : null}
      </div>
    </Dialog>
  );
}
