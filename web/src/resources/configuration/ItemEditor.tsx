import { Plus, X } from "lucide-react";
import { useState } from "react";
import { changeItem, enterItem, type ItemDraft } from "@/api/configuration";
import { isRecord } from "@/api/errors";
import { useRows } from "@/api/queries";
import type { EnteredItemRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Button, IconButton } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { SelectField, TextAreaField, TextField } from "@/ui/Field";
import { enteredKinds, itemStates, kindOf } from "./words";

const CUSTOMERS_MAX = 500;
const ATTRIBUTES_MAX = 30;
const STATUSES = ["planned", "in_use", "retired"] as const;

interface Pair {
  name: string;
  value: string;
}

export function pairsOf(attributes: unknown): Pair[] {
  return Object.entries(isRecord(attributes) ? attributes : {}).map(([name, value]) => ({ name, value: typeof value === "string" ? value : JSON.stringify(value) }));
}

interface ItemEditorProps {
  /** Null: a new one. */
  item: EnteredItemRow | null;
  customerId: string | null;
  onClose: () => void;
  onEntered?: (customerId: string, id: string) => void;
}

/** What no source reports. No synchronization ever writes what is entered here. */
export function ItemEditor({ item, customerId, onClose, onEntered }: ItemEditorProps) {
  const [customer, setCustomer] = useState(item?.customer_id ?? customerId ?? "");
  const [draft, setDraft] = useState<Omit<ItemDraft, "attributes">>({
    kind: item?.kind ?? "application",
    name: item?.name ?? "",
    description: item?.description ?? "",
    status: item?.status ?? "in_use",
  });
  const [pairs, setPairs] = useState<Pair[]>(() => pairsOf(item?.attributes));
  const customers = useRows("customers", { enabled: item === null, columns: "id,slug,code,name", where: [{ column: "archived_at", op: "is", value: null }], order: [{ column: "name" }], limit: CUSTOMERS_MAX });
  const change = (next: Partial<typeof draft>) => setDraft((current) => ({ ...current, ...next }));
  const changePair = (at: number, next: Partial<Pair>) => setPairs((current) => current.map((pair, index) => (index === at ? { ...pair, ...next } : pair)));
  const named = pairs.filter((pair) => pair.name.trim() !== "");
  const problem = customer === "" ? "Choose the customer." : draft.name.trim() === "" ? "It needs a name." : new Set(named.map((pair) => pair.name.trim())).size < named.length ? "Two attributes have the same name." : null;
  const save = useAction({
    quietError: true,
    onDone: onClose,
    act: async () => {
      const whole = { ...draft, attributes: Object.fromEntries(named.map((pair) => [pair.name.trim(), pair.value.trim()])) };
      if (item) return changeItem(item, whole);
      const id = await enterItem(customer, whole);
      onEntered?.(customer, id);
      return "Entered. No synchronization writes it.";
    },
  });
  return (
    <Dialog
      open
      wide
      onOpenChange={(open) => !open && onClose()}
      title={item ? `Edit ${item.name}` : "Enter an item"}
      description="What no source reports. It carries your name, and no synchronization writes it."
      footer={
        <>
          <Button onClick={onClose}>Back</Button>
          <Button variant="primary" busy={save.isBusy} reason={problem} onClick={() => save.run()}>
            Save
          </Button>
        </>
      }
    >
      <div className="grid gap-3 pb-2">
        {item === null ? (
          <SelectField label="Customer" value={customer} onChange={(event) => setCustomer(event.target.value)} hint={customers.error ? "The customers could not be read." : undefined}>
            <option value="">Choose…</option>
            {customers.rows.map((row) => (
              <option key={row.id} value={row.id}>{row.name}</option>
            ))}
          </SelectField>
        ) : null}
        <div className="grid gap-3 sm:grid-cols-2">
          <SelectField label="Kind" value={draft.kind} onChange={(event) => change({ kind: enteredKinds.find((kind) => kind === event.target.value) ?? "other" })}>
            {enteredKinds.map((kind) => (
              <option key={kind} value={kind}>{kindOf(kind).one}</option>
            ))}
          </SelectField>
          <SelectField label="Status" value={draft.status} onChange={(event) => change({ status: STATUSES.find((status) => status === event.target.value) ?? "in_use" })}>
            {STATUSES.map((status) => (
              <option key={status} value={status}>{itemStates[status].label}</option>
            ))}
          </SelectField>
        </div>
        <TextField label="Name" value={draft.name} maxLength={200} onChange={(event) => change({ name: event.target.value })} />
        <TextAreaField label="Description" rows={2} value={draft.description} maxLength={4000} onChange={(event) => change({ description: event.target.value })} />
        <fieldset className="grid gap-2">
          <legend className="mb-1 font-medium">Attributes</legend>
          {pairs.map((pair, index) => (
            <div key={index} className="grid grid-cols-[1fr_1.4fr_auto] items-end gap-2">
              <TextField label="Name" aria-label={`Name of attribute ${index + 1}`} value={pair.name} maxLength={100} placeholder="Provider" onChange={(event) => changePair(index, { name: event.target.value })} />
              <TextField label="Value" aria-label={`Value of attribute ${index + 1}`} value={pair.value} maxLength={1000} onChange={(event) => changePair(index, { value: event.target.value })} />
              <IconButton label={`Remove attribute ${index + 1}`} className="mb-0.5" onClick={() => setPairs((current) => current.filter((_, other) => other !== index))}>
                <X aria-hidden className="size-4" />
              </IconButton>
            </div>
          ))}
          <span>
            <Button size="sm" icon={<Plus aria-hidden className="size-3.5" />} reason={pairs.length >= ATTRIBUTES_MAX ? `At most ${ATTRIBUTES_MAX}.` : null} onClick={() => setPairs((current) => [...current, { name: "", value: "" }])}>
              Add an attribute
            </Button>
          </span>
        </fieldset>
        {save.error ? <ErrorNotice error={save.error} what="The server refused." kept="What you entered is still here." /> : null}
      </div>
    </Dialog>
  );
}
