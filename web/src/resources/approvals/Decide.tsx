import { Check, X } from "lucide-react";
import { useState } from "react";
import { approve, reject } from "@/api/actions";
import { readPlan } from "@/api/plan";
import type { ApprovalRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { reach } from "@/kit/facts";
import { useCan } from "@/kit/permissions";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { useNow } from "@/kit/time";
import { Button } from "@/ui/Button";
import { Diff } from "@/ui/Diff";

/** Approve or reject, with the whole plan in sight before the decision. */
export function Decide({ row, size = "md" }: { row: ApprovalRow; size?: "sm" | "md" }) {
  const [open, setOpen] = useState<"approve" | "reject" | null>(null);
  const { reason } = useCan();
  const now = useNow();
  const close = () => setOpen(null);
  const yes = useAction({ act: (text: string) => approve(row, text), onDone: close, quietError: true });
  const no = useAction({ act: (text: string) => reject(row, text), onDone: close, quietError: true });
  const plan = readPlan(row.plan);
  const blocked =
    reason("approvals:decide", row.customer_id) ?? (Date.parse(row.expires_at) < now ? "It has expired. Start the run again for a new plan." : null);
  return (
    <>
      <Button
        variant="primary"
        size={size}
        icon={<Check aria-hidden className="size-3.5" />}
        reason={blocked}
        aria-label={`Approve and run: ${row.title}`}
        onClick={() => {
          yes.reset();
          setOpen("approve");
        }}
      >
        Approve and run
      </Button>
      <Button
        variant="danger"
        size={size}
        icon={<X aria-hidden className="size-3.5" />}
        reason={blocked}
        aria-label={`Reject: ${row.title}`}
        onClick={() => {
          no.reset();
          setOpen("reject");
        }}
      >
        Reject
      </Button>
      {open === null ? null : (
        <ReasonDialog
          title={open === "approve" ? `Approve “${row.title}”?` : `Reject “${row.title}”?`}
          says={
            open === "approve"
              ? `The plan below is carried out at once at ${row.customer_name}, then read back.`
              : "The run ends here and changes nothing. Whoever started it is told why."
          }
          confirm={open === "approve" ? "Approve and run" : "Reject"}
          variant={open === "approve" ? "primary" : "danger"}
          reasonLabel={open === "approve" ? "Note (optional)" : "Why not?"}
          reasonRequired={open === "reject"}
          busy={yes.isBusy || no.isBusy}
          error={open === "approve" ? yes.error : no.error}
          onConfirm={(text) => (open === "approve" ? yes.run(text) : no.run(text))}
          onClose={close}
        >
          {plan ? <Diff lines={plan.lines} label="The plan" /> : <p className="text-ink-2">The run gave no plan. Reject it unless you know what it does.</p>}
          <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
            <dt className="text-ink-2">Reaches</dt>
            <dd>{reach(plan?.blast ?? null, "unknown")}</dd>
            <dt className="text-ink-2">Undo</dt>
            <dd>{plan?.undo ?? "unknown"}</dd>
            <dt className="text-ink-2">Verified by</dt>
            <dd>{plan?.verifiedBy ?? "not said"}</dd>
            <dt className="text-ink-2">Asked because</dt>
            <dd>{row.policy}</dd>
          </dl>
        </ReasonDialog>
      )}
    </>
  );
}
