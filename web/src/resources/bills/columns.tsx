import { Banknote, FileText, MessageSquareText } from "lucide-react";
import { defineResource, statusFilter } from "@/kit/resource";
import { billingTicketStates, paymentStates } from "@/kit/status";

export const bills = defineResource("bill_list", {
  name: "bills",
  title: "Bills",
  one: "Bill",
  icon: FileText,
  columns: (c) => [
    c.title("number", { label: "Bill" }),
    c.badge("payment_state", paymentStates, { label: "Payment", sort: false }),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.money("total_amount", (row) => row.currency, { label: "Total" }),
    c.money("open_amount", (row) => row.currency, { label: "Left to pay" }),
    c.ago("billed_at", { label: "Billed" }),
    c.custom("due_at", { label: "Due" }, (row) => <span className="whitespace-nowrap tabular-nums">{row.due_at?.slice(0, 10) ?? "-"}</span>),
    c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at"),
  ],
  search: ["number", "customer_name"],
  filters: [statusFilter("payment_state", "Payment", paymentStates)],
  defaultSort: "-billed_at",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: null,
  rowKey: (row) => row.id,
  empty: { title: "No bills yet", next: "They come from Rev.io: map its accounts to customers under Integrations, then synchronize." },
});

export const payments = defineResource("payment_list", {
  name: "payments",
  title: "Payments",
  one: "Payment",
  icon: Banknote,
  columns: (c) => [
    c.title("reference", { label: "Payment" }),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.text("account_ref", { label: "Account" }),
    c.money("amount", (row) => row.currency, { label: "Amount" }),
    c.text("status", { label: "State" }),
    c.ago("paid_at", { label: "Paid" }),
    c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at"),
  ],
  search: ["reference", "customer_name", "account_ref"],
  filters: [],
  defaultSort: "-paid_at",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: null,
  rowKey: (row) => row.id,
  empty: { title: "No payments yet", next: "They come from Rev.io, where the role of the API user may read payments: see the integration's last synchronization." },
});

/** What the billing system does not call closed. */
export const billingTickets = defineResource("billing_ticket_list", {
  name: "billing-tickets",
  title: "Billing tickets",
  one: "Billing ticket",
  icon: MessageSquareText,
  columns: (c) => [
    c.title("subject", { label: "Ticket" }),
    c.badge("state", billingTicketStates, { sort: false }),
    c.text("status", { label: "Rev.io says" }),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.text("account_ref", { label: "Account" }),
    c.ago("opened_at", { label: "Opened" }),
    c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at"),
  ],
  search: ["subject", "customer_name", "account_ref"],
  defaultSort: "-opened_at",
  tieBreak: "id",
  scopeColumn: "customer_id",
  where: [{ column: "state", op: "in", values: ["open", "unknown"] }],
  path: null,
  rowKey: (row) => row.id,
  empty: { title: "No open billing tickets", next: "They come from Rev.io, where the client keeps tickets and the role of the API user may read them: see the integration's last synchronization." },
});
