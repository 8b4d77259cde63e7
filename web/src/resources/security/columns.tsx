import { ShieldCheck } from "lucide-react";
import { defineResource, statusFilter } from "@/kit/resource";
import { securityAlertKinds, securityAlertStates, securitySeverities } from "@/kit/status";
import { noted } from "./status";

export const securityAlerts = defineResource("security_alert_list", {
  name: "security",
  title: "Security alerts",
  one: "Alert",
  icon: ShieldCheck,
  columns: (c) => [
    c.title("title", { label: "Alert" }),
    c.badge("severity", securitySeverities),
    c.badge("state", securityAlertStates),
    c.text("actor_name", { label: "Who" }),
    c.count("occurrences", { label: "Times", phone: "hide" }),
    { ...c.text("reason", { label: "Reason", sort: false, phone: "hide", className: "max-w-64 text-sm text-ink-2" }), cell: noted, plain: noted },
    c.ago("last_seen_at", { label: "Last", className: "text-sm text-ink-2" }),
  ],
  search: ["title", "actor_name", "reason"],
  filters: [statusFilter("state", "State", securityAlertStates), statusFilter("kind", "Kind", securityAlertKinds), statusFilter("severity", "Severity", securitySeverities)],
  defaultSort: "-last_seen_at",
  tieBreak: "id",
  scopeColumn: null,
  path: null,
  rowKey: (row) => row.id,
  empty: { title: "No security alerts", next: "A broken isolation, a probe that cannot look, and people who read unusually much appear here." },
});
