import { KeyRound, ListChecks } from "lucide-react";
import { useState } from "react";
import { checkConnection, renew, type Tried } from "@/api/connections";
import type { SourceListRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { useCan } from "@/kit/permissions";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Checks, summary } from "./Checks";
import { connectForms, credentialsOf, missing } from "./connect";
import { CredentialFields } from "./CredentialFields";

type Source = Pick<SourceListRow, "id" | "vendor" | "name" | "base_url">;

/** Check what the credentials may do, or give the source new ones. */
export function ConnectionButtons({ source }: { source: Source }) {
  const { reason } = useCan();
  const [renewing, setRenewing] = useState(false);
  const [tried, setTried] = useState<Tried | null>(null);
  const check = useAction({
    act: async () => {
      const outcome = await checkConnection(source.id);
      setTried(outcome);
      return null;
    },
  });
  return (
    <div className="grid gap-3 border-t border-line px-3.5 py-3">
      <div className="flex flex-wrap gap-2">
        <Button icon={<ListChecks aria-hidden className="size-3.5" />} busy={check.isBusy} reason={reason("integrations:sync")} onClick={() => check.run()}>
          Check the rights
        </Button>
        {connectForms[source.vendor] ? (
          <Button icon={<KeyRound aria-hidden className="size-3.5" />} reason={reason("integrations:write")} onClick={() => setRenewing(true)}>
            New credentials…
          </Button>
        ) : null}
      </div>
      {tried ? (
        <>
          <p role="status" className={tried.canRead ? "text-ok" : "text-warn"}>{summary(tried)}</p>
          <Checks tried={tried} />
        </>
      ) : null}
      {renewing ? <RenewDialog source={source} onClose={() => setRenewing(false)} /> : null}
    </div>
  );
}

function RenewDialog({ source, onClose }: { source: Source; onClose: () => void }) {
  const [values, setValues] = useState<Record<string, string>>({});
  const [tried, setTried] = useState<Tried | null>(null);
  const form = connectForms[source.vendor];
  const action = useAction({
    quietError: true,
    act: async () => {
      if (!form) return null;
      const outcome = await renew(source.id, credentialsOf(source.vendor, form, values));
      setTried(outcome);
      if (outcome.integrationId !== null) setValues({});
      return null;
    },
  });
  const done = tried !== null && tried.integrationId !== null;
  if (!form) return null;
  return (
    <Dialog
      open
      wide
      onOpenChange={(open) => !open && onClose()}
      title={`New credentials for ${source.name}`}
      description={`They are tried out at ${source.base_url}. Only when the vendor takes them do they replace the old ones.`}
      footer={
        done ? (
          <Button variant="primary" onClick={onClose}>
            Close
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>Back</Button>
            <Button variant="primary" busy={action.isBusy} reason={missing(form, values)} onClick={() => action.run()}>
              Try and replace
            </Button>
          </>
        )
      }
    >
      <div className="grid gap-3 pb-2">
        {done ? null : <CredentialFields form={form} values={values} onChange={setValues} />}
        {tried ? (
          <>
            <p role="status" className={done ? "text-ok" : "text-warn"}>
              {done ? `They are in use. ${summary(tried)}` : "The vendor does not take these credentials. The old ones are still in use."}
            </p>
            <Checks tried={tried} />
          </>
        ) : null}
        {action.error ? <ErrorNotice error={action.error} what="They were not replaced." kept="The old credentials are still in use." /> : null}
      </div>
    </Dialog>
  );
}
