import { useState, type FormEvent } from "react";
import { useNavigate } from "react-router";
import { createTicket } from "@/api/actions";
import { useRows } from "@/api/queries";
import type { TicketPriority } from "@/api/rows";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { paths } from "@/kit/paths";
import { useScope } from "@/kit/scope";
import { priorities } from "@/kit/status";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { SelectField, TextAreaField, TextField } from "@/ui/Field";

const CUSTOMERS_MAX = 1_000;
const DEVICES_MAX = 1_000;
const LEVELS: TicketPriority[] = ["p1", "p2", "p3", "p4"];

interface NewTicketProps {
  customerId: string | null;
  deviceId: string | null;
  onClose: () => void;
}

export function NewTicket({ customerId, deviceId, onClose }: NewTicketProps) {
  const navigate = useNavigate();
  const scope = useScope();
  const customers = useRows("customer_list", { columns: "id,name", order: [{ column: "name" }], limit: CUSTOMERS_MAX, every: false });
  const only = customers.rows.length === 1 ? (customers.rows[0]?.id ?? "") : "";
  const [chosen, setChosen] = useState(customerId ?? "");
  const customer = chosen || only;
  const devices = useRows("device_list", {
    columns: "id,name",
    where: [{ column: "customer_id", op: "eq", value: customer }, { column: "missing_since", op: "is", value: null }],
    order: [{ column: "name" }],
    limit: DEVICES_MAX,
    enabled: customer !== "",
    every: false,
  });
  const [device, setDevice] = useState(deviceId ?? "");
  const [priority, setPriority] = useState<TicketPriority>("p3");
  const [missing, setMissing] = useState<{ customer?: string; subject?: string }>({});
  const action = useAction({
    quietError: true,
    act: async (input: { subject: string; description: string }) => {
      const made = await createTicket({ customer_id: customer, ...input, priority, device_id: device || null });
      void navigate(scope.to(paths.ticket(customer, made.id)));
      return `Ticket ${made.number} is open; its first-response clock runs.`;
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const read = (name: string) => {
      const value = form.get(name);
      return typeof value === "string" ? value.trim() : "";
    };
    const subject = read("subject");
    const lacks = { ...(customer ? {} : { customer: "Choose the customer." }), ...(subject ? {} : { subject: "Say in a few words what is wrong." }) };
    setMissing(lacks);
    if (Object.keys(lacks).length === 0) action.run({ subject, description: read("description") });
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="New ticket"
      description="Opens a ticket and starts its first-response clock."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" type="submit" form="new-ticket" busy={action.isBusy}>
            Open ticket
          </Button>
        </>
      }
    >
      <form id="new-ticket" onSubmit={submit} noValidate className="grid gap-3 pb-2">
        {only && !customerId ? null : (
          <SelectField
            label="Customer"
            value={customer}
            error={missing.customer ?? null}
            onChange={(event) => {
              setChosen(event.target.value);
              setDevice("");
            }}
          >
            <option value="">{customers.isPending ? "Reading…" : "Choose"}</option>
            {customers.rows.map((row) => (
              <option key={row.id} value={row.id}>
                {row.name}
              </option>
            ))}
          </SelectField>
        )}
        <TextField label="Subject" name="subject" maxLength={300} autoFocus error={missing.subject ?? null} />
        <TextAreaField label="Description" name="description" maxLength={20_000} rows={5} />
        <div className="grid gap-3 sm:grid-cols-2">
          <SelectField
            label="Priority"
            value={priority}
            hint={priorities[priority].says}
            onChange={(event) => setPriority(LEVELS.find((level) => level === event.target.value) ?? "p3")}
          >
            {LEVELS.map((level) => (
              <option key={level} value={level}>
                {priorities[level].label}
              </option>
            ))}
          </SelectField>
          <SelectField label="Device (optional)" value={device} onChange={(event) => setDevice(event.target.value)}>
            <option value="">{customer === "" ? "Choose a customer first" : "None"}</option>
            {devices.rows.map((row) => (
              <option key={row.id} value={row.id}>
                {row.name}
              </option>
            ))}
          </SelectField>
        </div>
        {action.error ? <ErrorNotice error={action.error} what="The ticket was not opened." kept="Your text is still here." /> : null}
      </form>
    </Dialog>
  );
}
