import { CalendarClock } from "lucide-react";
import { Link } from "react-router";
import { paths } from "@/kit/paths";
import { defineResource } from "@/kit/resource";
import { ResourceList } from "@/kit/ResourceList";
import { expiryStates } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { Ago } from "@/kit/Ago";
import { Badge } from "@/ui/Badge";
import { EndsAt } from "./EndsAt";

const KINDS: Readonly<Record<string, string>> = {
  gdap: "Delegated access (GDAP)",
  consent: "Consent",
  secret: "Our credentials",
  token: "Token",
  app_secret: "Secret of an application",
  app_certificate: "Certificate of an application",
};

const expiries = defineResource("expiry_list", {
  name: "expiries",
  title: "Expiry calendar",
  one: "Expiry",
  many: "expiries",
  icon: CalendarClock,
  columns: (c) => [
    c.title("subject", { label: "What ends", aside: (row) => `${KINDS[row.kind] ?? row.kind} · ${row.integration_name}`, className: "max-w-72" }),
    c.custom("state", { label: "State", sort: false, phone: "badge" }, (row) =>
      row.renews ? <Badge tone="ok" title="The relationship extends itself at the vendor.">Renews itself</Badge> : <StatusBadge of={expiryStates} value={row.state} />,
    ),
    c.custom("ends_at", { label: "Ends" }, (row) => <EndsAt at={row.ends_at} renews={row.renews} />),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.custom("ticket_id", { label: "Renewal", sort: false, phone: "hide" }, (row) =>
      row.ticket_id && row.customer_id ? <Link to={paths.ticket(row.customer_id, row.ticket_id)} className="font-medium hover:underline">Open ticket</Link> : <span className="text-ink-3">-</span>,
    ),
    c.custom("last_proved_at", { label: "Last seen to work" }, (row) => (row.last_proved_at ? <Ago at={row.last_proved_at} brief /> : <span className="text-ink-3">{row.kind.startsWith("app_") ? "-" : "never"}</span>)),
    c.freshness((row) => ({ observedAt: row.observed_at, staleAt: row.stale_at }), "observed_at"),
  ],
  search: ["subject", "customer_name"],
  filters: [
    {
      id: "state",
      label: "State",
      options: Object.entries(expiryStates).map(([value, status]) => ({ value, label: status.label.toLowerCase(), status })),
      where: (values) => [{ column: "state", op: "in", values }],
    },
    {
      id: "kind",
      label: "Kind",
      options: Object.entries(KINDS).map(([value, label]) => ({ value, label: label.toLowerCase() })),
      where: (values) => [{ column: "kind", op: "in", values }],
    },
    {
      id: "renews",
      label: "Renewal",
      single: true,
      options: [
        { value: "hand", label: "has to be renewed by hand" },
        { value: "self", label: "renews itself" },
      ],
      where: ([value]) => [{ column: "renews", op: "is", value: value === "self" }],
    },
  ],
  defaultSort: "ends_at",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: null,
  rowKey: (row) => row.id,
  empty: { title: "Nothing ends", next: "Consents are asked for every hour. Ends of delegated access come with the tenants of CIPP, and those of secrets of applications with Microsoft 365: connect them under Integrations, then synchronize." },
});

export default function ExpiryCalendar() {
  return <ResourceList resource={expiries} />;
}
