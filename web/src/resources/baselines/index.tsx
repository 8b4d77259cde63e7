import { Plus } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { addBaseline } from "@/api/drift";
import { useRows } from "@/api/queries";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { Button, ButtonLink } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { SelectField, TextAreaField, TextField } from "@/ui/Field";
import { baselines } from "./columns";

export default function BaselineList() {
  const scope = useScope();
  const { reason } = useCan();
  const [adding, setAdding] = useState(false);
  return (
    <>
      <ResourceList
        resource={baselines}
        actions={
          <>
            <ButtonLink to={scope.to("/drift/tenants")}>Tenants and tiers</ButtonLink>
            <Button variant="primary" icon={<Plus aria-hidden className="size-3.5" />} reason={reason("baselines:write")} onClick={() => setAdding(true)}>
              New baseline
            </Button>
          </>
        }
      />
      {adding ? <NewBaseline onClose={() => setAdding(false)} /> : null}
    </>
  );
}

function NewBaseline({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const known = useRows("baseline_list", { columns: "id,kind", where: [{ column: "kind", op: "eq", value: "provider" }, { column: "archived_at", op: "is", value: null }] });
  const hasProvider = known.rows.length > 0;
  const [kind, setKind] = useState<"provider" | "tier" | null>(null);
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const chosen = kind ?? (hasProvider ? "tier" : "provider");
  const save = useAction({
    quietError: true,
    act: async () => {
      const id = await addBaseline(chosen, name, description);
      void navigate(paths.baseline(id));
      return "The baseline is there. It demands nothing yet.";
    },
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="New baseline"
      description="A baseline is a set of demands. A tier's demand replaces that of the baseline for everybody, for the customers that follow the tier."
      footer={
        <>
          <Button onClick={onClose}>Back</Button>
          <Button variant="primary" busy={save.isBusy} reason={name.trim() === "" ? "Give it a name." : null} onClick={() => save.run()}>
            Make it
          </Button>
        </>
      }
    >
      <div className="grid gap-3 pb-2">
        <SelectField label="For" value={chosen} onChange={(event) => setKind(event.target.value === "provider" ? "provider" : "tier")} hint={hasProvider ? "There is one for everybody already." : undefined}>
          {hasProvider ? null : <option value="provider">Everybody</option>}
          <option value="tier">A tier of customers</option>
        </SelectField>
        <TextField label="Name" value={name} maxLength={200} onChange={(event) => setName(event.target.value)} />
        <TextAreaField label="What it is for" rows={2} maxLength={2_000} value={description} onChange={(event) => setDescription(event.target.value)} />
        {save.error ? <ErrorNotice error={save.error} what="The server refused." kept="What you entered is still here." /> : null}
      </div>
    </Dialog>
  );
}
