import { Lock, LockOpen, ShieldCheck, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { liftFreeze } from "@/api/actions";
import { useRows } from "@/api/queries";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { useCan } from "@/kit/permissions";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { relative, useNow } from "@/kit/time";
import { toneText } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { Skeleton } from "@/ui/Skeleton";
import { cx } from "@/ui/cx";
import { probeWord } from "./status";

/** As the database takes it. */
const REASON_CHARS_MAX = 500;

/** Above the alerts: whether the isolation is known to hold, and whether exports are frozen. */
export function StatusCard() {
  const { rows, error, refetch, isPending } = useRows("security_status");
  const now = useNow();
  if (error) return <ErrorNotice error={error} what="What the probe saw could not be read." retry={refetch} />;
  // Two lines of a phone, one of a desk: what follows stays where it is.
  const line = "flex min-h-[3.75rem] items-start gap-2 border-b border-line px-3.5 py-2.5 md:min-h-10";
  if (isPending) {
    return (
      <div className={line}>
        <Skeleton className="mt-1 h-3 w-64 max-w-full" />
      </div>
    );
  }
  const status = rows[0];
  if (status === undefined) return null;
  const word = probeWord(status, (at) => relative(at, now));
  const Icon = word.tone === "ok" ? ShieldCheck : TriangleAlert;
  return (
    <>
      <p className={line}>
        <Icon aria-hidden className={cx("mt-0.5 size-4 shrink-0", toneText[word.tone])} />
        <span>
          {word.text}
          {status.last_error ? <span className="block text-sm [overflow-wrap:anywhere] text-ink-2">{status.last_error}</span> : null}
        </span>
      </p>
      {status.freeze_id === null ? null : <Freeze id={status.freeze_id} why={status.freeze_reason ?? ""} since={relative(status.frozen_at ?? "", now)} />}
    </>
  );
}

function Freeze({ id, why, since }: { id: string; why: string; since: string }) {
  const { reason } = useCan();
  const [open, setOpen] = useState(false);
  const action = useAction({ act: (text: string) => liftFreeze(id, text), onDone: () => setOpen(false), quietError: true });
  return (
    <div role="alert" className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-bad-soft px-3.5 py-2.5 text-bad">
      <Lock aria-hidden className="size-4 shrink-0" />
      <span className="min-w-0 flex-1 basis-72">
        <b className="font-semibold">Exports are frozen</b> since {since}. {why}
      </span>
      <Button icon={<LockOpen aria-hidden className="size-3.5" />} reason={reason("security:write")} onClick={() => setOpen(true)}>
        Lift the freeze
      </Button>
      {open ? (
        <ReasonDialog
          title="Lift the freeze of exports"
          says="CSV answers, bundles of evidence and exports of the audit log go on at once. Do this when the hole is closed; the next probe freezes them again if it is not."
          confirm="Lift the freeze"
          variant="danger"
          reasonLabel="Why it is safe"
          reasonRequired
          reasonCharsMax={REASON_CHARS_MAX}
          hint="It is kept in the audit log, with your name."
          busy={action.isBusy}
          error={action.error}
          onConfirm={(text) => action.run(text)}
          onClose={() => setOpen(false)}
        />
      ) : null}
    </div>
  );
}
