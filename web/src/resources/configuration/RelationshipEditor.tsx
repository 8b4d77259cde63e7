import { useState } from "react";
import { enterRelationship } from "@/api/configuration";
import { useRows } from "@/api/queries";
import type { EnteredRelationship, ItemRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { SelectField, TextAreaField, TextField } from "@/ui/Field";
import { enteredRelationships, kindOf, ruleWords } from "./words";

const CHOICES_MAX = 50;

/** From this item to another of the same customer, in either direction. */
export function RelationshipEditor({ item, onClose }: { item: ItemRow; onClose: () => void }) {
  const [said, setSaid] = useState("out depends_on");
  const [search, setSearch] = useState("");
  const [other, setOther] = useState("");
  const [note, setNote] = useState("");
  const choices = useRows("configuration_item_list", {
    columns: "customer_id,id,kind,name,detail",
    where: [
      { column: "customer_id", op: "eq", value: item.customer_id },
      { column: "id", op: "neq", value: item.id },
      ...(search.trim() === "" ? [] : [{ columns: ["name", "detail"], op: "search" as const, text: search }]),
    ],
    order: [{ column: "name" }, { column: "id" }],
    limit: CHOICES_MAX,
    keep: true,
  });
  const chosen = choices.rows.find((row) => row.id === other) ?? null;
  const [direction = "out", rule = "depends_on"] = said.split(" ");
  const save = useAction({
    quietError: true,
    onDone: onClose,
    act: () => {
      const kind: EnteredRelationship = enteredRelationships.find((each) => each === rule) ?? "depends_on";
      const [here, there] = [{ kind: item.kind, id: item.id }, { kind: chosen?.kind ?? "", id: other }];
      return direction === "out" ? enterRelationship(item.customer_id, here, kind, there, note) : enterRelationship(item.customer_id, there, kind, here, note);
    },
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Enter a relationship of ${item.name}`}
      description="What no rule can say. It carries your name, and no synchronization removes it."
      footer={
        <>
          <Button onClick={onClose}>Back</Button>
          <Button variant="primary" busy={save.isBusy} reason={chosen === null ? "Choose the other item." : null} onClick={() => save.run()}>
            Save
          </Button>
        </>
      }
    >
      <div className="grid gap-3 pb-2">
        <SelectField label={`${item.name}…`} value={said} onChange={(event) => setSaid(event.target.value)}>
          {enteredRelationships.flatMap((kind) =>
            (kind === "connected_to" ? (["out"] as const) : (["out", "in"] as const)).map((way) => (
              <option key={`${way} ${kind}`} value={`${way} ${kind}`}>{ruleWords(kind, way).toLowerCase()}</option>
            )),
          )}
        </SelectField>
        <TextField label="Find the other item" value={search} placeholder="Part of its name" onChange={(event) => setSearch(event.target.value)} />
        <SelectField label="Other item" value={chosen ? other : ""} onChange={(event) => setOther(event.target.value)} hint={choices.error ? "The items could not be read." : choices.rows.length === CHOICES_MAX ? `The first ${CHOICES_MAX}; write more of the name to find others.` : undefined}>
          <option value="">Choose…</option>
          {choices.rows.map((row) => (
            <option key={`${row.kind} ${row.id}`} value={row.id}>{row.name} · {kindOf(row.kind).one}</option>
          ))}
        </SelectField>
        <TextAreaField label="Note" rows={2} maxLength={2000} value={note} onChange={(event) => setNote(event.target.value)} />
        {save.error ? <ErrorNotice error={save.error} what="The server refused." kept="What you entered is still here." /> : null}
      </div>
    </Dialog>
  );
}
