import { Plug, Plus } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { connect, type Tried } from "@/api/connections";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { vendorOf } from "@/kit/vendors";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { SelectField, TextField } from "@/ui/Field";
import { Checks, summary } from "./Checks";
import { connectForms, credentialsOf, missing } from "./connect";
import { CredentialFields } from "./CredentialFields";

const VENDORS = Object.keys(connectForms);

export function ConnectButton() {
  const { reason } = useCan();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button variant="primary" icon={<Plus aria-hidden className="size-3.5" />} reason={reason("integrations:write")} onClick={() => setOpen(true)}>
        Connect a source
      </Button>
      {open ? <ConnectDialog onClose={() => setOpen(false)} /> : null}
    </>
  );
}

/** Credentials, then what they may do, then on to the mapping. */
function ConnectDialog({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const [vendor, setVendor] = useState(VENDORS[0] ?? "ninjaone");
  const [name, setName] = useState("");
  const [baseUrl, setBaseUrl] = useState("");
  const [values, setValues] = useState<Record<string, string>>({});
  const [tried, setTried] = useState<Tried | null>(null);
  const form = connectForms[vendor];
  const words = vendorOf(vendor);
  const action = useAction({
    quietError: true,
    act: async () => {
      if (!form) return null;
      const outcome = await connect(name.trim() || words.name, baseUrl.trim() || form.baseUrl, credentialsOf(vendor, form, values));
      setTried(outcome);
      if (outcome.integrationId !== null) setValues({});
      return null;
    },
  });
  const kept = tried?.integrationId ?? null;
  if (!form) return null;
  return (
    <Dialog
      open
      wide
      onOpenChange={(open) => !open && onClose()}
      title={kept ? `${words.name} is connected` : "Connect a source"}
      description={kept ? `Next: say which ${words.account} is which customer. Nothing of an unmapped ${words.account} is kept.` : "The credentials are tried out, then sealed with a key outside of the database. Nobody can read them again."}
      footer={
        kept ? (
          <Button variant="primary" onClick={() => void navigate(paths.integration(kept))}>
            Map its {words.account}s
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>Back</Button>
            <Button variant="primary" icon={<Plug aria-hidden className="size-3.5" />} busy={action.isBusy} reason={missing(form, values)} onClick={() => action.run()}>
              Try and keep
            </Button>
          </>
        )
      }
    >
      <div className="grid gap-3 pb-2">
        {kept ? null : (
          <>
            <SelectField
              label="Vendor"
              value={vendor}
              onChange={(event) => {
                setVendor(event.target.value);
                setValues({});
                setBaseUrl("");
                setTried(null);
              }}
              hint={form.before}
            >
              {VENDORS.map((each) => (
                <option key={each} value={each}>
                  {vendorOf(each).name}
                </option>
              ))}
            </SelectField>
            <div className="grid gap-3 sm:grid-cols-2">
              <TextField label="Name" value={name} maxLength={100} placeholder={words.name} hint="How it is called in the console." onChange={(event) => setName(event.target.value)} />
              <TextField label="Address" value={baseUrl} maxLength={500} placeholder={form.baseUrl} hint={form.baseUrlHint} onChange={(event) => setBaseUrl(event.target.value)} />
            </div>
            <CredentialFields form={form} values={values} onChange={setValues} />
          </>
        )}
        {tried ? (
          <>
            <p role="status" className={tried.integrationId === null || !tried.canRead ? "text-warn" : "text-ok"}>
              {summary(tried)}
            </p>
            <Checks tried={tried} />
          </>
        ) : null}
        {action.error ? <ErrorNotice error={action.error} what="It was not connected." kept="What you entered is still here; nothing was kept at the server." /> : null}
      </div>
    </Dialog>
  );
}
