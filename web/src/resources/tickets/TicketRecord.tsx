import { ArrowUpRight, Bot, CircleDot, FileCheck2, MessageSquare, Paperclip, RefreshCw, Send, TriangleAlert, type LucideIcon } from "lucide-react";
import { useState, type FormEvent } from "react";
import { Link } from "react-router";
import { commentTicket, ticketAtVendor, updateTicket } from "@/api/actions";
import { isRecord, stringOrNull } from "@/api/errors";
import { rowKey, useRow, useRows } from "@/api/queries";
import type { EvidenceRow, TicketEventRow, TicketListRow, TicketRow, TicketState } from "@/api/rows";
import { useAction } from "@/kit/action";
import { Ago } from "@/kit/Ago";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { EvidenceLink } from "@/kit/EvidenceLink";
import { History as Changes } from "@/kit/History";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { usePeople } from "@/kit/people";
import { useCan } from "@/kit/permissions";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { RelatedTable } from "@/kit/RelatedTable";
import { useScope } from "@/kit/scope";
import { priorities, statusOf, ticketStates, words } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { fullTime } from "@/kit/time";
import { Button } from "@/ui/Button";
import { Card, Fact, Facts } from "@/ui/Card";
import { CheckField, TextAreaField } from "@/ui/Field";
import { SkeletonRows } from "@/ui/Skeleton";
import { cx } from "@/ui/cx";
import { Attachments } from "./Attachments";
import { bills } from "../bills/columns";
import { SlaClock, tickets } from "./columns";

const EVENTS_MAX = 500;
const UNPAID_SHOWN = 3;
const EVENT_MS = 5_000;
const NEXT_STATES: readonly TicketState[] = ["assigned", "in_progress", "waiting_on_customer", "resolved"];
const NOT_STAFF = "The provider's people move tickets on. Write a comment instead.";

export default function TicketRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const key = rowKey(customerId, id);
  const ticket = useRow(tickets.table, { where: key, every: EVENT_MS });
  const detail = useRow("tickets", { where: key, columns: "customer_id,id,description,resolution,opened_by,external_ref" });
  const owner = ticket.row?.customer_id ?? customerId;
  const mine = [{ column: "ticket_id", op: "eq" as const, value: id }, ...(owner ? [{ column: "customer_id", op: "eq" as const, value: owner }] : [])];
  const events = useRows("ticket_events", { where: mine, order: [{ column: "at" }, { column: "id" }], limit: EVENTS_MAX, every: EVENT_MS });
  const evidenceIds = events.rows.flatMap((event) => event.evidence_id ?? []);
  const evidence = useRows("evidence", {
    columns: "customer_id,id,run_id,outcome,entries,created_at",
    where: [...(owner ? [{ column: "customer_id", op: "eq" as const, value: owner }] : []), { column: "id", op: "in", values: evidenceIds }],
    enabled: evidenceIds.length > 0,
  });
  return (
    <RecordPage result={ticket} one="ticket" up={{ label: "Tickets", to: scope.to("/tickets") }}>
      {(row) => (
        <>
          <PageHeader
            title={row.subject}
            up={{ label: "Tickets", to: scope.to("/tickets") }}
            badge={<StatusBadge of={ticketStates} value={row.state} />}
            meta={
              <Dots>
                {[
                  <span key="ref" className="font-mono">{row.reference}</span>,
                  <Link key="customer" to={paths.customer(row.customer_id)} className="hover:underline">{row.customer_name}</Link>,
                  <span key="opened">opened <Ago at={row.opened_at} /></span>,
                  `by ${row.source}`,
                ]}
              </Dots>
            }
            actions={<TicketActions row={row} />}
          />
          <TwoColumns
            main={
              <>
                {row.escalated_at ? (
                  <div className="flex items-start gap-2.5 rounded-lg border border-warn/40 bg-warn-soft px-3.5 py-2.5 text-warn">
                    <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
                    <p>
                      <b>Escalated <Ago at={row.escalated_at} />.</b> {row.escalation_reason}
                    </p>
                  </div>
                ) : null}
                <Card title="Description">
                  {detail.isPending ? <SkeletonRows rows={2} /> : <p className="px-3.5 py-3 whitespace-pre-wrap [overflow-wrap:anywhere]">{detail.row?.description || <span className="text-ink-3">None was given.</span>}</p>}
                </Card>
                <Attachments row={row} />
                <Card title="History" aside={events.isPending ? "" : `${events.rows.length} events`}>
                  {events.error ? <ErrorNotice error={events.error} what="The history could not be read." retry={events.refetch} /> : null}
                  {events.isPending ? <SkeletonRows rows={4} /> : <History events={events.rows} evidence={evidence.rows} />}
                  <CommentForm row={row} />
                </Card>
                <Changes kind="ticket" customerId={row.customer_id} id={row.id} />
              </>
            }
            side={<Side row={row} detail={detail.row} />}
          />
        </>
      )}
    </RecordPage>
  );
}

function Side({ row, detail }: { row: TicketListRow; detail: TicketRow | null }) {
  const scope = useScope();
  const { nameOf } = usePeople();
  return (
    <>
      <Card title="Service level" aside={<SlaClock row={row} />}>
        <Facts>
          <Fact name="Priority"><StatusBadge of={priorities} value={row.priority} /></Fact>
          <Fact name="First response due"><time dateTime={row.first_response_due_at}>{fullTime(row.first_response_due_at)}</time></Fact>
          <Fact name="First response">{row.first_response_at ? <Ago at={row.first_response_at} /> : "Not yet"}</Fact>
        </Facts>
      </Card>
      <Card title="Ticket">
        <Facts>
          <Fact name="Assigned to"><Assignee row={row} /></Fact>
          <Fact name="Opened by">{detail ? (nameOf(detail.opened_by) ?? words(row.source)) : "…"}</Fact>
          <Fact name="Device">
            {row.device_id ? (
              <Link to={scope.to(paths.device(row.customer_id, row.device_id))} className="font-medium hover:underline">{row.device_name ?? "device"}</Link>
            ) : "None"}
          </Fact>
          <Fact name="Incident">
            {row.incident_id ? (
              <Link to={scope.to(paths.incident(row.customer_id, row.incident_id))} className="font-medium hover:underline">Open incident</Link>
            ) : "None"}
          </Fact>
          {row.closed_at ? <Fact name="Closed"><Ago at={row.closed_at} /></Fact> : null}
          {detail?.resolution ? <Fact name="Resolution">{detail.resolution}</Fact> : null}
        </Facts>
      </Card>
      <UnpaidBills customerId={row.customer_id} />
      <VendorTicket row={row} externalRef={detail?.external_ref ?? null} />
    </>
  );
}

/** What the customer owes, beside the work that is asked for. */
function UnpaidBills({ customerId }: { customerId: string }) {
  const { can } = useCan();
  const scope = useScope();
  const owed = useRows(bills.table, {
    enabled: can("billing:read", customerId),
    where: [{ column: "customer_id", op: "eq", value: customerId }, { column: "payment_state", op: "in", values: ["overdue", "open"] }],
    order: [{ column: "due_at" }, { column: "id" }],
    limit: UNPAID_SHOWN,
    count: true,
  });
  if (owed.rows.length === 0) return null;
  return (
    <RelatedTable
      resource={bills}
      title="Unpaid bills"
      result={owed}
      columns={["number", "payment_state", "open_amount"]}
      aside={<Link to={scope.to("/bills")} className="hover:underline">{owed.total} in all</Link>}
      none="Nothing is left to pay."
    />
  );
}

function Assignee({ row }: { row: TicketListRow }) {
  const { people, nameOf } = usePeople();
  const { isProvider, can } = useCan();
  const assign = useAction({
    act: async (person: string) => {
      await updateTicket(row.customer_id, row.id, { assigned_to: person || null, ...(row.state === "open" && person ? { state: "assigned" } : {}) });
      return person ? `Assigned to ${nameOf(person) ?? "them"}.` : "Nobody is assigned now.";
    },
  });
  if (!isProvider || !can("tickets:write", row.customer_id) || row.state === "closed") return <>{nameOf(row.assigned_to) ?? "Nobody yet"}</>;
  return (
    <select
      aria-label="Assigned to"
      value={row.assigned_to ?? ""}
      disabled={assign.isBusy}
      onChange={(event) => assign.run(event.target.value)}
      className="h-7 max-w-44 rounded-md border border-field-line bg-raised px-1.5 max-md:h-9"
    >
      <option value="">Nobody yet</option>
      {people.filter((person) => person.kind === "staff").map((person) => (
        <option key={person.id} value={person.id}>
          {person.display_name}
        </option>
      ))}
    </select>
  );
}

function VendorTicket({ row, externalRef }: { row: TicketListRow; externalRef: unknown }) {
  const { isProvider, reason } = useCan();
  const known = isRecord(externalRef) ? externalRef : null;
  const action = useAction({ act: () => ticketAtVendor(known ? "sync" : "create", row.customer_id, row.id) });
  if (!isProvider) return null;
  return (
    <Card title="At NinjaOne">
      <div className="grid gap-2.5 px-3.5 py-3">
        <p className="text-ink-2">
          {known ? `Ticket ${stringOrNull(known.id) ?? ""} ${stringOrNull(known.status) ? `(${stringOrNull(known.status) ?? ""})` : ""}` : "Not written to NinjaOne's ticketing."}
        </p>
        <div>
          <Button
            size="sm"
            busy={action.isBusy}
            icon={known ? <RefreshCw aria-hidden className="size-3.5" /> : <ArrowUpRight aria-hidden className="size-3.5" />}
            reason={reason("tickets:write", row.customer_id)}
            onClick={() => action.run()}
          >
            {known ? "Read its state" : "Write it there"}
          </Button>
        </div>
      </div>
    </Card>
  );
}

function TicketActions({ row }: { row: TicketListRow }) {
  const { isProvider, reason } = useCan();
  const [closing, setClosing] = useState(false);
  const blocked = reason("tickets:write", row.customer_id) ?? (isProvider ? null : NOT_STAFF) ?? (row.state === "closed" ? "A closed ticket stays closed. Open a new one that refers to it." : null);
  const move = useAction({
    act: async (state: TicketState) => {
      await updateTicket(row.customer_id, row.id, { state });
      return `The ticket is ${statusOf(ticketStates, state).label.toLowerCase()}.`;
    },
  });
  const close = useAction({
    quietError: true,
    onDone: () => setClosing(false),
    act: async (resolution: string) => {
      await updateTicket(row.customer_id, row.id, { state: "closed", resolution });
      return "The ticket is closed.";
    },
  });
  return (
    <>
      {blocked ? (
        <Button reason={blocked}>Set state</Button>
      ) : (
        <select
          aria-label="Set state"
          value=""
          disabled={move.isBusy}
          onChange={(event) => {
            const next = NEXT_STATES.find((state) => state === event.target.value);
            if (next) move.run(next);
          }}
          className="h-8 rounded-md border border-line-strong bg-raised px-2 shadow-1 max-md:h-9"
        >
          <option value="">Set state…</option>
          {NEXT_STATES.filter((state) => state !== row.state).map((state) => (
            <option key={state} value={state}>
              {ticketStates[state].label}
            </option>
          ))}
        </select>
      )}
      <Button variant="primary" reason={blocked} onClick={() => { close.reset(); setClosing(true); }}>
        Close ticket
      </Button>
      {closing ? (
        <ReasonDialog
          title={`Close ${row.reference}?`}
          says="Closing is final: a closed ticket stays closed. The customer sees the resolution."
          confirm="Close ticket"
          reasonLabel="Resolution"
          reasonRequired
          busy={close.isBusy}
          error={close.error}
          onConfirm={(text) => close.run(text)}
          onClose={() => setClosing(false)}
        />
      ) : null}
    </>
  );
}

const eventIcons: Record<TicketEventRow["kind"], LucideIcon> = {
  opened: CircleDot, comment: MessageSquare, state: RefreshCw, escalation: TriangleAlert, evidence: FileCheck2, automation: Bot, attachment: Paperclip,
};

function History({ events, evidence }: { events: TicketEventRow[]; evidence: EvidenceRow[] }) {
  const { nameOf } = usePeople();
  return (
    <ol className="px-3.5 py-1">
      {events.map((event) => {
        const Icon = eventIcons[event.kind];
        const proof = evidence.find((row) => row.id === event.evidence_id);
        return (
          <li key={event.id} className="relative grid grid-cols-[22px_minmax(0,1fr)] gap-3 py-2.5 before:absolute before:top-8 before:bottom-[-6px] before:left-[10.5px] before:w-px before:bg-line-strong last:before:hidden">
            <span className={cx("grid size-5.5 place-items-center rounded-full", event.kind === "escalation" ? "bg-warn-soft text-warn" : event.kind === "evidence" ? "bg-ok-soft text-ok" : "bg-mute-soft text-ink-3")}>
              <Icon aria-hidden className="size-3" />
            </span>
            <div className="min-w-0">
              <p className="flex flex-wrap items-baseline gap-x-1.5 text-sm text-ink-2">
                <b className="text-ink">{nameOf(event.actor_id) ?? "OberaConnect"}</b>
                {event.kind === "comment" ? (event.is_internal ? "wrote an internal note" : "commented") : event.kind === "opened" ? "opened it" : event.kind === "state" ? "changed the state" : event.kind === "attachment" ? "attached a file" : event.kind === "automation" && event.actor_id ? "decided about the automation" : words(event.kind).toLowerCase()}
                <Ago at={event.at} />
              </p>
              <p className={cx("mt-0.5 whitespace-pre-wrap [overflow-wrap:anywhere]", event.is_internal && "rounded-md border border-dashed border-line-strong bg-warn-soft/40 px-2.5 py-1.5")}>{event.body}</p>
              {event.evidence_id && proof ? (
                <div className="mt-1.5">
                  <EvidenceLink size="sm" label={`Evidence: ${proof.outcome}, ${proof.entries} entries`} customerId={proof.customer_id} evidenceId={proof.id} runId={proof.run_id} />
                </div>
              ) : null}
            </div>
          </li>
        );
      })}
    </ol>
  );
}

function CommentForm({ row }: { row: TicketListRow }) {
  const { isProvider, reason } = useCan();
  const [body, setBody] = useState("");
  const [internal, setInternal] = useState(false);
  const action = useAction({
    act: () => commentTicket(row.customer_id, row.id, body.trim(), internal, isProvider),
    onDone: () => setBody(""),
  });
  const blocked = reason("tickets:write", row.customer_id);
  return (
    <form
      className="grid gap-2 border-t border-line px-3.5 py-3"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        if (body.trim() !== "" && !blocked) action.run();
      }}
    >
      <TextAreaField label="Comment" rows={3} maxLength={20_000} value={body} onChange={(event) => setBody(event.target.value)} hint={internal ? "Only the provider's people see it." : "The customer's people see it."} />
      <div className="flex flex-wrap items-center gap-3">
        {isProvider ? <CheckField label="Internal note" checked={internal} onChange={(event) => setInternal(event.target.checked)} /> : null}
        <span className="ml-auto">
          <Button type="submit" icon={<Send aria-hidden className="size-3.5" />} busy={action.isBusy} reason={blocked ?? (body.trim() === "" ? "Write something first." : null)}>
            {internal ? "Add note" : "Add comment"}
          </Button>
        </span>
      </div>
    </form>
  );
}
