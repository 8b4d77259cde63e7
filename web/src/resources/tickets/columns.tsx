import { LifeBuoy } from "lucide-react";
import type { TicketListRow } from "@/api/rows";
import { paths } from "@/kit/paths";
import { defineResource, statusFilter } from "@/kit/resource";
import { priorities, slaStates, ticketStates } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { shortSpan, useNow } from "@/kit/time";

/** The first-response clock: how long is left, how late it is, or that it was met. */
export function SlaClock({ row }: { row: Pick<TicketListRow, "sla_state" | "first_response_due_at" | "first_response_at"> }) {
  const now = useNow(1_000);
  if (row.sla_state !== "running" || row.first_response_at) return <StatusBadge of={slaStates} value={row.sla_state} />;
  const left = Date.parse(row.first_response_due_at) - now;
  return left > 0 ? (
    <StatusBadge of={slaStates} value="running" label={`${shortSpan(left)} left`} />
  ) : (
    <StatusBadge of={slaStates} value="breached" label={`${shortSpan(-left)} late`} />
  );
}

export const tickets = defineResource("ticket_list", {
  name: "tickets",
  title: "Tickets",
  one: "Ticket",
  icon: LifeBuoy,
  columns: (c) => [
    c.title("subject", { label: "Ticket", aside: (row) => row.reference, className: "max-w-96" }),
    c.badge("priority", priorities),
    c.badge("state", ticketStates),
    c.custom("sla_state", { label: "Response", sort: false }, (row) => <SlaClock row={row} />),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.text("device_name", { label: "Device", phone: "hide" }),
    c.ago("opened_at", { label: "Opened", className: "text-sm text-ink-2" }),
    c.ago("updated_at", { label: "Updated", phone: "hide", className: "text-sm text-ink-2" }),
  ],
  search: ["subject", "reference", "customer_name", "device_name"],
  finder: "search_tickets",
  filters: [
    statusFilter("state", "State", ticketStates),
    statusFilter("priority", "Priority", priorities),
    statusFilter("sla", "First response", slaStates, "sla_state"),
    {
      id: "escalated",
      label: "Escalated",
      single: true,
      options: [{ value: "yes", label: "yes" }],
      where: () => [{ column: "escalated_at", op: "not_null" }],
    },
  ],
  defaultSort: "-opened_at",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.ticket(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "No tickets", next: "Open one with “New ticket”. Incidents open theirs by themselves." },
});
