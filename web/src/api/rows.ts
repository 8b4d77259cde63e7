// Row types of the data API's views and tables as this console reads them. They mirror db/rules and db/migrations;
// `obera gen types` takes this file over when it exists.
type Uuid = string;
type Timestamp = string;

export type SyncState = "queued" | "running" | "complete" | "partial" | "suspect" | "failed" | "cancelled";
export type RunState =
  | "queued" | "running" | "waiting" | "ended" | "verified" | "unverified" | "failed" | "rejected" | "cancelled" | "timed_out";
export type StepState =
  | "pending" | "ready" | "running" | "waiting" | "ended" | "skipped" | "failed" | "rejected" | "cancelled" | "timed_out";
export type ChangeState =
  | "planned" | "waiting" | "applied" | "verified" | "unverified" | "failed" | "reverted" | "rejected" | "cancelled" | "unneeded";
export type ApprovalState = "waiting" | "approved" | "rejected" | "expired" | "cancelled";
export type AlertState = "open" | "acknowledged" | "resolved";
export type IncidentState = "open" | "remediating" | "needs_attention" | "resolved";
export type TicketState = "open" | "assigned" | "in_progress" | "waiting_on_customer" | "resolved" | "closed";
export type TicketPriority = "p1" | "p2" | "p3" | "p4";
export type Severity = "info" | "minor" | "moderate" | "major" | "critical";
export type DeviceClass = "workstation" | "server" | "virtual_machine" | "network" | "mobile" | "other";
export type SlaState = "met" | "breached" | "running";

export interface CustomerListRow {
  id: Uuid; slug: string; code: string; name: string; created_at: Timestamp; archived_at: Timestamp | null;
  devices: number; incidents_open: number; tickets_open: number;
}
export interface SiteRow { customer_id: Uuid; id: Uuid; name: string; observed_at: Timestamp | null }
export interface DeviceListRow {
  customer_id: Uuid; id: Uuid; name: string; customer_name: string; class: DeviceClass; os_name: string | null; serial_number: string | null;
  last_user: string | null; is_offline: boolean | null; needs_reboot: boolean | null; approval: string; disk_used_percent: number | null;
  last_contact_at: Timestamp | null; observed_at: Timestamp; is_complete: boolean; missing_since: Timestamp | null;
  site_id: Uuid | null; site_name: string | null; condition_kind: string | null; condition_severity: Severity | null;
  condition_message: string | null; open_conditions: number; needs_attention: boolean;
}
export interface DeviceRow {
  customer_id: Uuid; id: Uuid; external_id: string; vendor_class: string; manufacturer: string | null; model: string | null;
  ip_addresses: string[]; volumes: unknown; created_at: Timestamp;
}
export interface DeviceConditionRow {
  customer_id: Uuid; id: Uuid; device_id: Uuid; kind: string; severity: Severity; message: string;
  raised_at: Timestamp; cleared_at: Timestamp | null; observed_at: Timestamp; is_complete: boolean;
}
export interface AlertListRow {
  customer_id: Uuid; id: Uuid; source: string; kind: string; severity: Severity; title: string; state: AlertState; occurrences: number;
  first_seen_at: Timestamp; last_seen_at: Timestamp; resolved_at: Timestamp | null; device_id: Uuid | null; device_name: string | null;
  customer_name: string; incident_id: Uuid | null; incident_number: number | null; customer_code: string;
}
export interface IncidentListRow {
  customer_id: Uuid; id: Uuid; number: number; reference: string; title: string; severity: Severity; state: IncidentState;
  opened_at: Timestamp; resolved_at: Timestamp | null; resolution: string | null; alert_id: Uuid | null; device_id: Uuid | null;
  device_name: string | null; customer_name: string; run_id: Uuid | null; run_state: RunState | null; rule_id: Uuid | null;
  ticket_id: Uuid | null; ticket_number: number | null; ticket_reference: string | null;
}
export interface TicketListRow {
  customer_id: Uuid; id: Uuid; number: number; reference: string; subject: string; priority: TicketPriority; state: TicketState;
  source: string; device_id: Uuid | null; device_name: string | null; incident_id: Uuid | null; assigned_to: Uuid | null;
  opened_at: Timestamp; first_response_due_at: Timestamp; first_response_at: Timestamp | null; escalated_at: Timestamp | null;
  escalation_reason: string | null; closed_at: Timestamp | null; updated_at: Timestamp; customer_name: string; sla_state: SlaState;
}
export interface TicketRow {
  customer_id: Uuid; id: Uuid; description: string; resolution: string | null; opened_by: Uuid | null; external_ref: unknown;
}
export interface TicketEventRow {
  customer_id: Uuid; id: Uuid; ticket_id: Uuid; kind: "opened" | "comment" | "state" | "escalation" | "evidence" | "automation" | "attachment";
  body: string; is_internal: boolean; actor_id: Uuid | null; evidence_id: Uuid | null; at: Timestamp;
}
export interface AttachmentRow {
  customer_id: Uuid; id: Uuid; ticket_id: Uuid; file_name: string; added_by: Uuid | null; added_at: Timestamp;
  bucket: string; name: string; size_bytes: number; mime_type: string; sha256: string;
}
export interface RunRow {
  customer_id: Uuid; id: Uuid; workflow_id: Uuid; workflow_version: number; title: string; state: RunState; dry_run: boolean;
  subject_kind: string | null; subject_id: Uuid | null; started_by: Uuid | null; started_reason: string;
  created_at: Timestamp; started_at: Timestamp | null; ended_at: Timestamp | null; error: unknown; customer_name: string;
}
export interface StepRow {
  customer_id: Uuid; id: Uuid; run_id: Uuid; key: string; position: number; kind: string; title: string; change_key: string | null;
  phase: string | null; state: StepState; attempt: number; due_at: Timestamp; output: unknown; summary: string | null; error: unknown;
  history: unknown; started_at: Timestamp | null; ended_at: Timestamp | null;
}
export interface ChangeRow {
  customer_id: Uuid; id: Uuid; run_id: Uuid; key: string; state: ChangeState; target_kind: string; target_id: Uuid | null; title: string;
  idempotency_key: string; before: unknown; plan: unknown; guard: unknown; act_started_at: Timestamp | null; receipt: unknown;
  after: unknown; verdict: string | null; undo: string; created_at: Timestamp; applied_at: Timestamp | null; verified_at: Timestamp | null;
}
export interface ApprovalRow {
  customer_id: Uuid; id: Uuid; run_id: Uuid; step_id: Uuid; title: string; policy: string; plan: unknown; state: ApprovalState;
  requested_at: Timestamp; requested_by: Uuid | null; expires_at: Timestamp; decided_by: Uuid | null; decided_at: Timestamp | null;
  reason: string | null; customer_name: string;
}
export interface EvidenceRow {
  customer_id: Uuid; id: Uuid; run_id: Uuid; outcome: string; bundle_sha256: string; key_id: string; entries: number; created_at: Timestamp;
}
export interface WorkflowRow { id: Uuid; key: string; name: string; description: string; enabled: boolean }
export interface SourceListRow {
  id: Uuid; vendor: string; name: string; base_url: string; enabled: boolean; webhook_registered_at: Timestamp | null;
  last_run_id: Uuid | null; last_kind: string | null; last_state: SyncState | null; last_queued_at: Timestamp | null;
  last_ended_at: Timestamp | null; last_complete_at: Timestamp | null; parts_total: number | null; parts_complete: number | null;
  parts_suspect: number | null; rows_read: number | null; organizations: number; organizations_unmapped: number; devices_unmapped: number;
}
export interface IntegrationRow {
  id: Uuid; vendor: string; name: string; base_url: string; sync_interval_s: number; full_sync_interval_s: number; enabled: boolean;
}
export interface OrganizationRow {
  integration_id: Uuid; external_id: string; name: string; customer_id: Uuid | null; devices_seen: number;
  mapped_at: Timestamp | null; observed_at: Timestamp; missing_since: Timestamp | null;
}
export interface SyncRunRow {
  id: Uuid; integration_id: Uuid; kind: "full" | "incremental"; state: SyncState; requested_by: Uuid | null; reason: string;
  queued_at: Timestamp; started_at: Timestamp | null; ended_at: Timestamp | null; resumed_count: number; error: unknown;
}
export interface SyncPartRow {
  sync_run_id: Uuid; part: string; position: number; state: SyncState; pages_read: number; rows_read: number; rows_created: number;
  rows_updated: number; rows_unchanged: number; rows_removed: number; rows_unmapped: number; rows_before: number | null; reads: number;
  started_at: Timestamp | null; ended_at: Timestamp | null; error: unknown;
}
export interface OverviewRow {
  incidents_open: number; incidents_need_attention: number; approvals_waiting: number; changes_verified_30d: number;
  changes_unverified_30d: number; tickets_open: number; alerts_open: number; devices: number; oldest_device_fact_at: Timestamp | null;
  first_response_minutes_median: number | null;
}
export interface AlertsByHourRow { customer_id: Uuid; hour: Timestamp; alerts: number }
export interface SlaByPriorityRow { customer_id: Uuid; priority: TicketPriority; tickets: number; within_target: number }
export interface SlaTargetRow { policy_id: Uuid; priority: TicketPriority; first_response_minutes: number }
export interface PersonRow { id: Uuid; email: string; display_name: string; kind: "staff" | "portal" }
export interface NotificationRow {
  user_id: Uuid; id: Uuid; customer_id: Uuid | null; kind: string; title: string; body: string; link: string | null;
  created_at: Timestamp; read_at: Timestamp | null;
}
export interface PermissionRow { customer_id: Uuid | null; permission: string }

/** What `/rest/v1/<name>` gives. */
export interface Tables {
  customers: Pick<CustomerListRow, "id" | "slug" | "code" | "name">;
  customer_list: CustomerListRow;
  sites: SiteRow;
  device_list: DeviceListRow;
  devices: DeviceRow;
  device_conditions: DeviceConditionRow;
  alerts: Pick<AlertListRow, "customer_id" | "id" | "state">;
  alert_list: AlertListRow;
  incident_list: IncidentListRow;
  ticket_list: TicketListRow;
  tickets: TicketRow;
  ticket_events: TicketEventRow;
  ticket_attachment_list: AttachmentRow;
  runs: RunRow;
  steps: StepRow;
  changes: ChangeRow;
  approvals: ApprovalRow;
  evidence: EvidenceRow;
  workflows: WorkflowRow;
  source_list: SourceListRow;
  integrations: IntegrationRow;
  integration_organizations: OrganizationRow;
  sync_runs: SyncRunRow;
  sync_parts: SyncPartRow;
  overview: OverviewRow;
  alerts_by_hour: AlertsByHourRow;
  sla_by_priority: SlaByPriorityRow;
  sla_targets: SlaTargetRow;
  people: PersonRow;
  notifications: NotificationRow;
}
export type Table = keyof Tables;
export type Column<T extends Table> = keyof Tables[T] & string;
