import { Siren } from "lucide-react";
import { paths } from "@/kit/paths";
import { defineResource, statusFilter } from "@/kit/resource";
import { incidentStates, runStates, severities } from "@/kit/status";

export const incidents = defineResource("incident_list", {
  name: "incidents",
  title: "Incidents",
  one: "Incident",
  icon: Siren,
  columns: (c) => [
    c.title("title", { label: "Incident", aside: (row) => row.reference }),
    c.badge("state", incidentStates),
    c.badge("severity", severities),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.text("device_name", { label: "Device" }),
    c.badge("run_state", runStates, { label: "Remediation", phone: "hide" }),
    c.text("ticket_reference", { label: "Ticket", phone: "hide", className: "text-sm text-ink-2" }),
    c.ago("opened_at", { label: "Opened", className: "text-sm text-ink-2" }),
  ],
  search: ["title", "reference", "device_name", "customer_name"],
  filters: [statusFilter("state", "State", incidentStates), statusFilter("severity", "Severity", severities), statusFilter("run_state", "Remediation", runStates)],
  defaultSort: "-opened_at",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.incident(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "No incidents", next: "An alert that a remediation rule answers, or that is serious enough, becomes an incident." },
});
