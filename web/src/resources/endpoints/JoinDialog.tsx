import { useState } from "react";
import { joinMachines } from "@/api/identity";
import { useRows } from "@/api/queries";
import type { EndpointRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { endpointCoverage } from "@/kit/status";
import { SelectField, TextField } from "@/ui/Field";

const CHOICES_MAX = 30;

/** Two machines of one customer that are one: the other is found by its name or serial number. */
export function JoinDialog({ endpoint, onClose }: { endpoint: EndpointRow; onClose: () => void }) {
  const [text, setText] = useState("");
  const [other, setOther] = useState("");
  const choices = useRows("endpoint_list", {
    where: [
      { column: "customer_id", op: "eq", value: endpoint.customer_id },
      { column: "id", op: "neq", value: endpoint.id },
      ...(text.trim() ? [{ columns: ["name", "serial_number"], op: "search" as const, text }] : []),
    ],
    order: [{ column: "name" }, { column: "id" }],
    limit: CHOICES_MAX,
  });
  const chosen = choices.rows.find((row) => row.id === other)?.id ?? choices.rows[0]?.id;
  const action = useAction({
    quietError: true,
    onDone: onClose,
    act: (why: string) => (chosen === undefined ? Promise.reject(new Error("Choose another machine first.")) : joinMachines(endpoint, chosen, why)),
  });
  return (
    <ReasonDialog
      title={`Join ${endpoint.name} with another machine`}
      says="All records of both become one machine. The older of the two keeps its history; nothing is lost, and it can be taken back."
      confirm="Join"
      reasonLabel="How do you know that they are one?"
      reasonRequired
      hint="It is kept with the machine and in the audit log, with your name."
      busy={action.isBusy}
      error={action.error}
      onConfirm={(why) => action.run(why)}
      onClose={onClose}
    >
      <TextField label="Find by name or serial number" value={text} onChange={(event) => setText(event.target.value)} />
      <SelectField label="The other machine" value={chosen ?? ""} onChange={(event) => setOther(event.target.value)} hint={choices.rows.length === CHOICES_MAX ? `The first ${CHOICES_MAX}; write more of the name to find others.` : undefined}>
        {choices.rows.length === 0 ? <option value="">none found</option> : null}
        {choices.rows.map((row) => (
          <option key={row.id} value={row.id}>
            {row.name} · {row.serial_number ?? "no serial number"} · {endpointCoverage[row.coverage].label}
          </option>
        ))}
      </SelectField>
    </ReasonDialog>
  );
}
