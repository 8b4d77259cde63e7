import { ShieldCheck } from "lucide-react";
import { useState } from "react";
import { acceptFall } from "@/api/actions";
import type { SourceListRow, SyncPartRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { words } from "@/kit/status";
import { count } from "@/kit/time";
import { Button } from "@/ui/Button";
import { acceptedRowsMax, useSyncBlocked } from "./sync";

interface AcceptFallProps {
  source: Pick<SourceListRow, "id" | "vendor" | "name" | "enabled" | "last_state">;
  /** The held-back parts of one synchronization. */
  parts: SyncPartRow[];
}

/** The way out when so much is really gone: says what will be asked and what can come of it, takes the reason. */
export function AcceptFall({ source, parts }: AcceptFallProps) {
  const [open, setOpen] = useState(false);
  const run = parts[0]?.sync_run_id ?? "";
  const action = useAction({ quietError: true, onDone: () => setOpen(false), act: (text: string) => acceptFall(source, run, text) });
  const blocked = useSyncBlocked(source);
  return (
    <>
      <Button
        size="sm"
        icon={<ShieldCheck aria-hidden className="size-3.5" />}
        reason={blocked}
        onClick={() => {
          action.reset();
          setOpen(true);
        }}
      >
        Accept what is gone…
      </Button>
      {open ? (
        <ReasonDialog
          title="Is so much really gone?"
          says={`Accept it when you know why: a customer left, a monitor was switched off. ${source.name} is read completely once more, and asked for each missing row by its own id. Only what it answers “there is no such record” to is marked as gone; what exists stays.`}
          confirm="Accept and ask for each"
          reasonLabel="Why is it gone?"
          reasonRequired
          hint="It is kept with the synchronization and in the audit log, with your name."
          busy={action.isBusy}
          error={action.error}
          onConfirm={(text) => action.run(text)}
          onClose={() => setOpen(false)}
        >
          <table className="w-full text-left">
            <thead>
              <tr className="text-sm text-ink-2">
                <th className="py-1 font-medium">Part</th>
                <th className="py-1 text-right font-medium">Before</th>
                <th className="py-1 text-right font-medium">Now</th>
                <th className="py-1 text-right font-medium">To ask for</th>
              </tr>
            </thead>
            <tbody>
              {parts.map((part) => (
                <tr key={part.part} className="border-t border-line tabular-nums">
                  <th scope="row" className="py-1 font-medium">{words(part.part)}</th>
                  <td className="py-1 text-right">{part.rows_before === null ? "-" : count(part.rows_before)}</td>
                  <td className="py-1 text-right">{count(part.rows_read)}</td>
                  <td className="py-1 text-right font-semibold">{count(part.rows_to_ask ?? 0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p className="text-sm text-ink-2">
            {`If more than ${parts.map((part) => `${count(acceptedRowsMax(part.rows_to_ask ?? 0))} of ${words(part.part).toLowerCase()}`).join(" or ")} are missing by then, it is held back again. It takes about a second for every few rows, and goes on after a restart.`}
          </p>
        </ReasonDialog>
      ) : null}
    </>
  );
}
