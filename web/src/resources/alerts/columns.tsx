import { BellRing } from "lucide-react";
import { paths } from "@/kit/paths";
import { defineResource, statusFilter } from "@/kit/resource";
import { alertStates, muteOutcomes, severities } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { vendorOf } from "@/kit/vendors";

export const alerts = defineResource("alert_list", {
  name: "alerts",
  title: "Alerts",
  one: "Alert",
  icon: BellRing,
  columns: (c) => [
    c.title("title", { label: "Alert" }),
    c.badge("severity", severities),
    c.custom("state", { label: "State", phone: "badge" }, (row) => row.muted_at ? <StatusBadge of={muteOutcomes} value="muted" /> : <StatusBadge of={alertStates} value={row.state} />),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.text("device_name", { label: "Device" }),
    c.custom("source", { label: "Source", phone: "hide", className: "text-sm text-ink-2" }, (row) => vendorOf(row.source).name),
    c.count("occurrences", { label: "Times", phone: "hide" }),
    c.ago("first_seen_at", { label: "First", phone: "hide", className: "text-sm text-ink-2" }),
    c.ago("last_seen_at", { label: "Last", className: "text-sm text-ink-2" }),
  ],
  search: ["title", "device_name", "customer_name"],
  filters: [statusFilter("state", "State", alertStates), statusFilter("severity", "Severity", severities), {
    id: "muted",
    label: "Muted",
    single: true,
    options: [{ value: "yes", label: "muted by maintenance" }, { value: "no", label: "not muted" }],
    where: ([value]) => [value === "yes" ? { column: "muted_at", op: "not_null" } : { column: "muted_at", op: "is", value: null }],
  }],
  defaultSort: "-last_seen_at",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) =>
    row.incident_id ? paths.incident(row.customer_id, row.incident_id) : row.device_id ? paths.device(row.customer_id, row.device_id) : paths.customer(row.customer_id),
  rowKey: (row) => row.id,
  empty: { title: "No alerts", next: "Conditions that the RMM reports, security alerts of Microsoft 365 and what CIPP's checks find become alerts here, once per cause." },
});
