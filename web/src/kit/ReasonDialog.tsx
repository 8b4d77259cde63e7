import { useState, type ReactNode } from "react";
import type { ApiError } from "@/api/errors";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { TextAreaField } from "@/ui/Field";
import { ErrorNotice } from "./ErrorNotice";

interface ReasonDialogProps {
  title: string;
  /** What will happen, before it happens. */
  says: ReactNode;
  confirm: string;
  variant?: "primary" | "danger";
  reasonLabel: string;
  reasonRequired?: boolean;
  /** Where the reason is kept. */
  reasonHint?: string;
  children?: ReactNode;
  busy: boolean;
  error: ApiError | null;
  onConfirm: (reason: string) => void;
  onClose: () => void;
}

const REASON_CHARS_MAX = 2_000;

/** Says what an action will do, takes the reason, and keeps the text when the server refuses. */
export function ReasonDialog({ title, says, confirm, variant = "primary", reasonLabel, reasonRequired = false, reasonHint = "It is kept with the run and in its evidence.", children, busy, error, onConfirm, onClose }: ReasonDialogProps) {
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={title}
      description={says}
      footer={
        <>
          <Button onClick={onClose}>Back</Button>
          <Button
            variant={variant}
            busy={busy}
            onClick={() => {
              const text = reason.trim();
              if (reasonRequired && text === "") setMissing(true);
              else onConfirm(text);
            }}
          >
            {confirm}
          </Button>
        </>
      }
    >
      <div className="grid gap-3 pb-2">
        {children}
        <TextAreaField
          label={reasonLabel}
          rows={3}
          maxLength={REASON_CHARS_MAX}
          value={reason}
          onChange={(event) => {
            setReason(event.target.value);
            setMissing(false);
          }}
          hint={reasonHint}
          error={missing ? "A reason is needed." : null}
        />
        {error ? (
          <div className="-mx-3.5">
            <ErrorNotice error={error} what="The server refused." kept="Your text is still here." />
          </div>
        ) : null}
      </div>
    </Dialog>
  );
}
