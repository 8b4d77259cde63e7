// Row types of the data API's tables and views as this console reads them, out of the generated types of the database:
// a column that is renamed or gone no longer compiles.
import type { Database, Json, Tables as Shape } from "./database";

type Public = Database["public"];
/** What workflows and vendors write as jsonb is read with care (`plan.ts`): here it is unknown. */
type Value<T> = Json extends T ? unknown : T;
/** A table's row. `Known` are texts whose values a constraint of the table lists. */
type TableRow<T extends keyof Public["Tables"], Known extends Partial<Shape<T>> = Record<never, never>> = {
  [C in keyof Shape<T>]: C extends keyof Known ? Known[C] : Value<Shape<T>[C]>;
};
/** A view's row. Of no column of a view PostgreSQL knows that it is never null: those that can be are named. */
type ViewRow<
  V extends keyof Public["Views"],
  Nullable extends keyof Shape<V> = never,
  Known extends Partial<Shape<V>> = Record<never, never>,
> = {
  [C in keyof Shape<V>]: C extends keyof Known
    ? Known[C]
    : C extends Nullable
      ? Value<Shape<V>[C]>
      : Json extends Shape<V>[C]
        ? unknown
        : NonNullable<Shape<V>[C]>;
};

export type SyncState = Public["Enums"]["sync_state"];
export type RunState =
  | "queued" | "running" | "waiting" | "ended" | "verified" | "unverified" | "failed" | "rejected" | "cancelled" | "timed_out";
export type StepState =
  | "pending" | "ready" | "running" | "waiting" | "ended" | "skipped" | "failed" | "rejected" | "cancelled" | "timed_out";
export type ChangeState =
  | "planned" | "waiting" | "applied" | "verified" | "unverified" | "failed" | "reverted" | "rejected" | "cancelled" | "unneeded";
export type ApprovalState = "waiting" | "approved" | "rejected" | "expired" | "cancelled";
export type AlertState = Public["Enums"]["alert_state"];
export type IncidentState = Public["Enums"]["incident_state"];
export type TicketState = Public["Enums"]["ticket_state"];
export type TicketPriority = Public["Enums"]["ticket_priority"];
export type Severity = "info" | "minor" | "moderate" | "major" | "critical";
export type DeviceClass = "workstation" | "server" | "virtual_machine" | "network" | "mobile" | "other";
export type SlaState = "met" | "breached" | "running";

export type CustomerListRow = ViewRow<"customer_list", "archived_at" | "oldest_observed_at" | "oldest_stale_at">;
export type SiteListRow = ViewRow<"site_list", "observed_at" | "stale_at">;
export type DeviceListRow = ViewRow<
  "device_list",
  | "os_name" | "serial_number" | "last_user" | "is_offline" | "needs_reboot" | "disk_used_percent" | "last_contact_at" | "missing_since" | "site_id" | "site_name" | "condition_kind" | "condition_message"
  | "health_status" | "patches_critical" | "patches_failed" | "threats_active" | "maintenance_until",
  { class: DeviceClass; condition_severity: Severity | null; antivirus: GuardState | null; backup_state: BackupState | null; maintenance_state: MaintenanceState | null }
>;
export type PaymentState = "paid" | "open" | "overdue" | "unknown";
export type BillRow = ViewRow<"bill_list", "customer_name" | "due_at" | "total_amount" | "open_amount" | "stale_at", { payment_state: PaymentState }>;
export type PaymentRow = ViewRow<"payment_list", "customer_name" | "status" | "paid_at" | "stale_at">;
export type BillingTicketState = "open" | "closed" | "unknown";
export type BillingTicketRow = ViewRow<"billing_ticket_list", "customer_name" | "status" | "opened_at" | "closed_at" | "stale_at", { state: BillingTicketState }>;
export type MaintenanceState = "starting" | "active" | "ending" | "ended" | "failed";
export type MuteOutcome = "returned" | "cleared" | "unmuted";
export type MaintenanceRow = ViewRow<
  "device_maintenance_list",
  "device_name" | "customer_name" | "state_text" | "run_id" | "verified_at" | "end_run_id" | "ended_at" | "end_reason",
  { state: MaintenanceState }
>;
export type AlertMuteRow = ViewRow<
  "alert_mute_list",
  "device_id" | "ended_at" | "incident_id" | "incident_number",
  { severity: Severity; outcome: MuteOutcome | null }
>;
export type GuardState = "protected" | "outdated" | "off" | "none" | "unknown";
export type BackupState = "current" | "late" | "none";
export type FactPart = "health" | "antivirus" | "patches" | "volumes" | "software" | "backups" | "custom_fields";
export type FactState = "complete" | "partial" | "suspect" | "failed" | "absent";
export type PatchStanding = "pending" | "failed" | "rejected" | "other";
export type DeviceHealthRow = TableRow<"device_healths", { antivirus: GuardState | null }>;
export type DeviceVolumeRow = TableRow<"device_volumes">;
export type DeviceCustomFieldRow = TableRow<"device_custom_fields">;
export type DevicePatchRow = TableRow<"device_patches", { standing: PatchStanding }>;
export type DeviceProgramRow = TableRow<"device_programs">;
export type DeviceFactRow = ViewRow<"device_fact_list", "reason" | "observed_at" | "stale_at", { part: FactPart; state: FactState }>;
export type DeviceFactOverviewRow = ViewRow<"device_fact_overview", "customer_id" | "observed_at" | "stale_at", { part: FactPart }>;
export type SoftwareListRow = ViewRow<"software_list", "customer_id" | "customer_name">;
export type ProgramDeviceRow = ViewRow<"program_device_list", "installed_on" | "size_bytes" | "observed_at" | "stale_at">;
export type DeviceRow = TableRow<"devices">;
export type DeviceConditionRow = TableRow<"device_conditions", { severity: Severity }>;
export type EndpointCoverage = "covered" | "rmm_only" | "mdm_only" | "stale";
export type LinkConfidence = "certain" | "strong";
export type ConflictKind = "serial_and_name" | "two_candidates" | "same_name" | "contradicted";
export type EndpointSource = "ninjaone" | "intune";
export type EndpointRow = ViewRow<
  "endpoint_list",
  "os_name" | "serial_number" | "site_id" | "site_name" | "person_id" | "person_name" | "person_user_principal_name" | "last_seen_at" | "observed_at" | "stale_at",
  { class: DeviceClass; coverage: EndpointCoverage; confidence: LinkConfidence | null }
>;
export type EndpointRecordRow = ViewRow<
  "endpoint_record_list",
  | "device_id" | "managed_device_id" | "name" | "serial_number" | "os_name" | "os_version" | "manufacturer" | "model" | "last_user" | "user_principal_name" | "compliance" | "is_encrypted"
  | "owner_kind" | "enrolled_at" | "last_seen_at" | "site_name" | "stale_at" | "missing_since" | "link_kind" | "decision_id" | "ended_at",
  { source: EndpointSource; confidence: LinkConfidence | null; decided_by: "rule" | "person" }
>;
/** Kinds of configuration items; the records of a machine are ends of relationships only. */
export type ItemKind =
  | "customer" | "site" | "endpoint" | "person" | "tenant" | "license" | "service" | "domain" | "application" | "sharepoint_site" | EnteredKind;
export type EnteredKind =
  | "application" | "backup" | "certificate" | "circuit" | "contract" | "database" | "hardware" | "network" | "printer" | "service" | "storage" | "vendor" | "other";
export type ItemState = "present" | "missing" | "planned" | "in_use" | "retired";
export type ItemFreshness = "fresh" | "partial" | "stale" | "entered" | "unknown";
export type ItemOrigin = "derived" | "entered";
export type EnteredRelationship = "depends_on" | "runs_on" | "part_of" | "located_at" | "used_by" | "backed_up_by" | "protected_by" | "supported_by" | "connected_to";
export type ItemRow = ViewRow<
  "configuration_item_list",
  "detail" | "observed_at" | "is_complete" | "stale_at" | "missing_since" | "entered_by" | "entered_by_name",
  { kind: ItemKind; state: ItemState; freshness: ItemFreshness; origin: ItemOrigin }
>;
export type EnteredItemRow = TableRow<"configuration_items", { kind: EnteredKind; status: "planned" | "in_use" | "retired" }>;
export type RelationshipRow = ViewRow<
  "configuration_relationship_list",
  "other_name" | "observed_at" | "is_complete" | "stale_at" | "relationship_id",
  { direction: "in" | "out"; origin: ItemOrigin; confidence: LinkConfidence }
>;
export type ChangeEntryRow = ViewRow<
  "object_change_list",
  "actor_id" | "actor_name" | "sync_run_id" | "reason",
  { verb: "update" | "delete"; actor_kind: "person" | "synchronization" | "system" }
>;
export type AttributeRow = ViewRow<"object_attributes", "observed_at" | "stale_at" | "is_complete" | "part">;
export type EndpointAttributeRow = ViewRow<"endpoint_attributes", "stale_at", { source: EndpointSource }>;
export type EndpointConflictRow = ViewRow<"endpoint_conflict_list", never, { kind: ConflictKind }>;
export type EndpointDecisionRow = ViewRow<"endpoint_decision_list", "created_by" | "created_by_name" | "ended_at" | "end_reason" | "ended_by_name", { verdict: "together" | "apart" }>;
export type EndpointOverviewRow = ViewRow<"endpoint_overview", "customer_id" | "customer_name">;
export type AlertListRow = ViewRow<
  "alert_list",
  "resolved_at" | "device_id" | "device_name" | "incident_id" | "incident_number" | "muted_at",
  { severity: Severity }
>;
export type IncidentListRow = ViewRow<
  "incident_list",
  "resolved_at" | "resolution" | "alert_id" | "device_id" | "device_name" | "run_id" | "rule_id" | "ticket_id" | "ticket_number" | "ticket_reference",
  { severity: Severity; run_state: RunState | null }
>;
export type TicketListRow = ViewRow<
  "ticket_list",
  "device_id" | "device_name" | "incident_id" | "assigned_to" | "first_response_at" | "escalated_at" | "escalation_reason" | "closed_at",
  { sla_state: SlaState }
>;
export type TicketRow = TableRow<"tickets">;
export type TicketEventRow = TableRow<"ticket_events", { kind: "opened" | "comment" | "state" | "escalation" | "evidence" | "automation" | "attachment" }>;
export type AttachmentRow = ViewRow<"ticket_attachment_list", "added_by">;
export type RunRow = ViewRow<"runs", "subject_kind" | "subject_id" | "started_by" | "started_at" | "ended_at", { state: RunState }>;
export type StepRow = ViewRow<"steps", "change_key" | "phase" | "summary" | "started_at" | "ended_at", { state: StepState }>;
export type ChangeRow = ViewRow<
  "changes",
  "target_id" | "act_started_at" | "verdict" | "applied_at" | "verified_at",
  { state: ChangeState }
>;
export type ApprovalRow = ViewRow<"approvals", "requested_by" | "decided_by" | "decided_at" | "decided_as" | "reason", { state: ApprovalState }>;
export type EvidenceRow = TableRow<"evidence">;
export type WorkflowRow = TableRow<"workflows">;
export type SourceListRow = ViewRow<
  "source_list",
  "webhook_registered_at" | "last_run_id" | "last_kind" | "last_queued_at" | "last_ended_at" | "last_complete_at" | "parts_total" | "parts_complete" | "parts_suspect" | "rows_read" | "stale_at" | "held_run_id" | "held_rows" | "credentials_failed_at" | "credentials_problem",
  { last_state: SyncState | null }
>;
export type IntegrationRow = TableRow<"integrations">;
export type ActingSignInRow = ViewRow<"acting_sign_ins", "person_id" | "person_name" | "failed_at" | "problem">;
export type OrganizationRow = TableRow<"integration_organizations">;
export type SyncRunRow = TableRow<"sync_runs", { kind: "full" | "incremental" }>;
export type SyncPartRow = TableRow<"sync_parts">;
export type VendorCallRow = ViewRow<"vendor_call_hours">;
export type OverviewRow = ViewRow<"overview", "oldest_observed_at" | "oldest_stale_at" | "first_response_minutes_median">;
export type AlertsByHourRow = ViewRow<"alerts_by_hour">;
export type SlaByPriorityRow = ViewRow<"sla_by_priority">;
export type SlaTargetRow = TableRow<"sla_targets">;
export type PersonRow = ViewRow<"people", never, { kind: "staff" | "portal" }>;
export type AccessLogRow = ViewRow<
  "access_log",
  "actor_id" | "actor_name" | "actor_email" | "session_id" | "last_request_id",
  { source: ReadSource }
>;
export type ReadSource = "rest" | "csv" | "write" | "rpc" | "file" | "list" | "feed" | "export" | "not_itemized";
export type SecurityAlertRow = ViewRow<
  "security_alert_list",
  "actor_id" | "actor_name" | "window_from" | "window_until" | "acknowledged_by" | "acknowledged_by_name" | "acknowledged_at" | "reason",
  { kind: SecurityAlertKind; severity: SecuritySeverity; state: SecurityAlertState }
>;
export type SecurityAlertKind = "isolation_breach" | "probe_failed" | "unusual_volume";
export type SecuritySeverity = "p1" | "p2" | "p3";
export type SecurityAlertState = "open" | "acknowledged";
export type SecurityStatusRow = ViewRow<
  "security_status",
  "freeze_id" | "frozen_at" | "freeze_reason" | "last_clean_at" | "last_began_at" | "last_outcome" | "last_error" | "last_requests"
>;
export type DifferenceState = "open" | "ignored" | "changing" | "waiting_for_invoice" | "closed";
export type DifferenceDirection = "under" | "over";
export type CauseKind =
  | "no_line" | "disconnected_line" | "devices_added" | "seats_added" | "quantity_too_low" | "line_without_devices" | "line_without_seats" | "duplicate_lines" | "devices_gone" | "seats_gone" | "quantity_too_high";
/** What a product of the billing system stands for. */
export type Counts = "devices" | "seats";
export type SeatBasis = "assigned" | "enabled" | "purchased";
export type DifferenceRow = ViewRow<
  "difference_list",
  | "line_id" | "line_ref" | "line_quantity" | "line_contract_end_at" | "rate" | "money_per_month" | "money_so_far" | "prorated_since" | "committed_until" | "committed_quantity" | "commitment_kind" | "committed_money" | "state_text" | "devices_observed_at" | "lines_observed_at" | "stale_since" | "stale_reason"
  | "ignored_at" | "ignored_by" | "ignored_until" | "ignored_reason" | "run_id" | "changed_at" | "changed_quantity" | "bill_id" | "bill_number" | "closed_at" | "reconciliation_id",
  {
    state: DifferenceState;
    direction: DifferenceDirection;
    cause_kind: CauseKind;
    rate_source: "line" | "former_line" | "product" | "none";
    commitment_kind: "line" | "license" | "both" | null;
    counts: Counts;
    close_reason: "vanished" | "invoiced" | "superseded" | "rule_off" | null;
  }
>;
export type MoneyOverviewRow = ViewRow<"money_overview">;
export type ReconciliationRow = TableRow<"reconciliations", { state: "running" | "complete" | "failed" }>;
export type CountRuleRow = ViewRow<"count_rule_list", "product_code" | "product_rate" | "created_by", { device_classes: DeviceClass[]; counts: Counts; seat_basis: SeatBasis | null }>;
export type BillingProductRow = TableRow<"billing_products">;
export type BillingLineRow = ViewRow<
  "billing_line_list",
  "product_id" | "product_name" | "rate" | "amount_per_month" | "activated_at" | "billed_through_at" | "contract_end_at" | "disconnected_at" | "quantity_changed_at" | "missing_since" | "stale_at"
>;
export type DifferenceByCustomerRow = ViewRow<"difference_by_customer", "oldest_at">;
export type DifferenceByProductRow = ViewRow<"difference_by_product", "oldest_at">;
export type MarginRow = ViewRow<"margin_by_customer", "margin_percent">;
export type MonthCloseRow = TableRow<"month_closes">;
export type MonthCloseListRow = ViewRow<"month_close_list", "note" | "closed_by">;
export type SuggestionRow = ViewRow<"organization_suggestions", "account_number">;
export type MfaOutcome = "protected" | "exempt" | "gap" | "unknown";
export type TenantPartState = "complete" | "partial" | "denied" | "failed";
export type PersonListRow = ViewRow<
  "person_list",
  "mail" | "department" | "job_title" | "created_in_vendor_at" | "last_sign_in_at" | "disabled_seen_at" | "methods" | "mfa_registered" | "per_user_mfa" | "mfa_reason_text" | "missing_since" | "stale_at",
  { user_type: "member" | "guest"; mfa_outcome: MfaOutcome | null }
>;
export type LeaverListRow = ViewRow<"leaver_list", "money_per_month" | "currency" | "disabled_seen_at" | "last_sign_in_at" | "stale_at">;
export type LicenseListRow = ViewRow<"license_list", "inactive_90d" | "rate" | "currency" | "money_unassigned_per_month" | "stale_at">;
export type SkuRow = ViewRow<"sku_list">;
export type PersonLicenseRow = ViewRow<"person_license_list", "assigned_at" | "error" | "missing_since">;
export type TenantListRow = ViewRow<"tenant_list", "default_domain" | "has_premium" | "security_defaults" | "worst_state" | "worst_reason" | "initial_domain" | "country" | "missing_since" | "oldest_observed_at" | "stale_at">;
export type TenantPartRow = TableRow<"tenant_parts", { state: TenantPartState }>;
export type CippTenantPartRow = TableRow<"cipp_tenant_parts", { state: TenantPartState }>;
export type CippTenantListRow = ViewRow<
  "cipp_tenant_list",
  "default_domain" | "initial_domain" | "last_graph_error" | "access_kind" | "access_ends_at" | "access_renews" | "settings_reason" | "settings_permission" | "settings_observed_at" | "settings_attempted_at" | "stale_at" | "missing_since",
  { settings_state: TenantPartState | null }
>;
export type TenantSettingListRow = ViewRow<"tenant_setting_list", "expected" | "is_as_expected" | "refreshed_at" | "stale_at" | "missing_since">;
export type TenantSettingChangeRow = TableRow<"tenant_setting_changes">;
export type ExpiryState = "ended" | "week" | "month" | "quarter" | "later" | "open" | "never";
export type ExpiryListRow = ViewRow<"expiry_list", "customer_id" | "customer_name" | "ends_at" | "renews" | "last_proved_at" | "observed_at" | "stale_at" | "ticket_id", { state: ExpiryState }>;
export type AccessPolicyRow = TableRow<"access_policies">;
export type MfaResultRow = TableRow<"mfa_results", { outcome: MfaOutcome }>;
export type MfaExceptionRow = TableRow<"mfa_exceptions">;
export type MfaOverviewRow = ViewRow<"mfa_overview">;
export type DriftState = "open" | "denied" | "accepted" | "remediating" | "unknown" | "closed";
export type DriftSeverity = "critical" | "high" | "medium" | "low";
export type LayerKind = "provider" | "tier" | "customer";
export type DriftListRow = ViewRow<
  "drift_list",
  | "default_domain" | "category" | "what" | "state_text" | "actual" | "actual_text" | "baseline_id" | "cause" | "unknown_kind" | "observed_at" | "stale_at" | "exception_id" | "accepted_until"
  | "accepted_reason" | "accepted_by" | "denied_by" | "denied_at" | "denied_reason" | "run_id" | "ticket_id" | "closed_at",
  { state: DriftState; severity: DriftSeverity; layer: LayerKind; close_reason: "in_order" | "remediated" | "not_demanded" | "tenant_gone" | null }
>;
export type DriftTenantState = "excluded" | "silent" | "waiting" | "drift" | "unknown" | "nothing_demanded" | "in_order";
export type DriftTenantRow = ViewRow<
  "drift_tenant_list",
  "default_domain" | "tier_id" | "tier_name" | "settings_demanded" | "in_order" | "drifted" | "accepted" | "unknown" | "score_percent" | "reason" | "attempted_at" | "evaluated_at" | "stale_at",
  { state: DriftTenantState }
>;
export type DriftOverviewRow = ViewRow<"drift_overview", "customer_id" | "oldest_evaluated_at">;
export type PostureOutcome = "passed" | "failed" | "unknown";
export type PostureTenantState = "waiting" | "failed" | "unknown" | "passed";
export type PostureTenantRow = ViewRow<
  "posture_tenant_list",
  "checks" | "failed" | "passed" | "unknown" | "findings" | "worst_rank" | "evaluated_at" | "observed_at" | "stale_at" | "is_complete",
  { state: PostureTenantState }
>;
export type PostureCheckRow = ViewRow<
  "posture_check_list",
  "findings" | "looked_at" | "known_at" | "missing_read" | "missing_reason" | "permission" | "observed_at" | "stale_at",
  { outcome: PostureOutcome; severity: DriftSeverity }
>;
export type PostureFindingRow = ViewRow<"posture_finding_list", "known_at", { severity: DriftSeverity }>;
export type PostureOverviewRow = ViewRow<"posture_overview", "customer_id" | "oldest_evaluated_at">;
export type SignInOutcome = "success" | "interrupted" | "failure";
export type ChangeOutcome = "success" | "failure" | "timeout" | "unknown";
export type CoverageState = "whole" | "gap" | "lost" | "not_offered" | "waiting";
export type SignInRow = ViewRow<
  "sign_in_list",
  "user_external" | "user_principal_name" | "app_name" | "client_app" | "ip_address" | "city" | "country" | "device_name" | "operating_system" | "reason" | "conditional_access" | "risk" | "person_id",
  { outcome: SignInOutcome }
>;
export type DirectoryChangeRow = ViewRow<
  "directory_change_list",
  "service" | "outcome_reason" | "actor_ip" | "target_kind" | "target_external" | "target_name" | "person_id",
  { outcome: ChangeOutcome; actor_kind: "person" | "application" | "unknown" }
>;
export type CoverageRow = ViewRow<
  "activity_coverage_list",
  "covered_from" | "covered_to" | "gap_from" | "gap_to" | "reason" | "permission" | "attempted_at" | "observed_at" | "stale_at",
  { state: CoverageState; stream: "directory_changes" | "sign_in_log" }
>;
export type BaselineListRow = ViewRow<"baseline_list", "created_by" | "archived_at" | "updated_at", { kind: "provider" | "tier" }>;
export type BaselineEntryRow = TableRow<"baseline_entries", { severity: DriftSeverity }>;
export type CustomerEntryRow = TableRow<"customer_baseline_entries", { severity: DriftSeverity }>;
export type StandardRow = TableRow<"standards", { severity: DriftSeverity }>;
export type DriftExceptionRow = ViewRow<"drift_exception_list", "value" | "created_by" | "ended_at" | "ended_by">;
export type SiteReads = "inventory" | "sharing" | "documents";
export type DocumentKind = "file" | "folder" | "package";
export type TextState = "none" | "extracted" | "unsupported" | "too_large" | "failed" | "infected";
export type ShareScope = "anonymous" | "organization" | "people";
type DocumentNulls = "mime" | "web_url" | "modified_at" | "modified_by" | "quick_xor_hash" | "sha256" | "text_reason" | "object_name" | "risk" | "stale_at" | "missing_since";
export type DocumentListRow = ViewRow<"document_list", DocumentNulls, { kind: DocumentKind; text_state: TextState; site_reads: SiteReads }>;
/** A document that a search found. */
export type DocumentHitRow = ViewRow<"document_hit_list", DocumentNulls | "rank" | "snippet", { kind: DocumentKind; text_state: TextState; site_reads: SiteReads }>;
export type DocumentSiteRow = ViewRow<
  "document_site_list",
  "web_url" | "storage_used_bytes" | "storage_total_bytes" | "chosen_by" | "chosen_at" | "worst_reason" | "stale_at" | "missing_since",
  { reads: SiteReads; worst_state: TenantPartState }
>;
export type DocumentShareRow = ViewRow<"document_share_list", "web_url" | "link_type" | "expires_at" | "stale_at" | "missing_since", { scope: ShareScope; kind: "view" | "edit"; document_kind: DocumentKind }>;
export type DocumentTextRow = TableRow<"document_texts">;
export type NotificationRow = TableRow<"notifications">;
type Permission = Public["Functions"]["my_permissions"]["Returns"][number];
/** Without a customer: of the provider. */
export type PermissionRow = { [C in keyof Permission]: C extends "customer_id" ? Permission[C] | null : Permission[C] };

/** What `/rest/v1/<name>` gives. */
export interface Tables {
  customers: Pick<CustomerListRow, "id" | "slug" | "code" | "name">;
  customer_list: CustomerListRow;
  site_list: SiteListRow;
  device_list: DeviceListRow;
  devices: DeviceRow;
  device_conditions: DeviceConditionRow;
  device_healths: DeviceHealthRow;
  device_volumes: DeviceVolumeRow;
  device_custom_fields: DeviceCustomFieldRow;
  device_patches: DevicePatchRow;
  device_programs: DeviceProgramRow;
  device_fact_list: DeviceFactRow;
  device_maintenance_list: MaintenanceRow;
  alert_mute_list: AlertMuteRow;
  bill_list: BillRow;
  payment_list: PaymentRow;
  billing_ticket_list: BillingTicketRow;
  device_fact_overview: DeviceFactOverviewRow;
  software_list: SoftwareListRow;
  program_device_list: ProgramDeviceRow;
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
  acting_sign_ins: ActingSignInRow;
  integration_organizations: OrganizationRow;
  sync_runs: SyncRunRow;
  sync_parts: SyncPartRow;
  vendor_call_hours: VendorCallRow;
  overview: OverviewRow;
  alerts_by_hour: AlertsByHourRow;
  sla_by_priority: SlaByPriorityRow;
  sla_targets: SlaTargetRow;
  people: PersonRow;
  difference_list: DifferenceRow;
  money_overview: MoneyOverviewRow;
  reconciliations: ReconciliationRow;
  count_rules: Pick<CountRuleRow, "id">;
  count_rule_list: CountRuleRow;
  billing_products: BillingProductRow;
  billing_line_list: BillingLineRow;
  difference_by_customer: DifferenceByCustomerRow;
  difference_by_product: DifferenceByProductRow;
  margin_by_customer: MarginRow;
  month_closes: MonthCloseRow;
  month_close_list: MonthCloseListRow;
  organization_suggestions: SuggestionRow;
  person_list: PersonListRow;
  leaver_list: LeaverListRow;
  license_list: LicenseListRow;
  sku_list: SkuRow;
  person_license_list: PersonLicenseRow;
  tenant_list: TenantListRow;
  tenant_parts: TenantPartRow;
  cipp_tenant_list: CippTenantListRow;
  cipp_tenant_parts: CippTenantPartRow;
  tenant_setting_list: TenantSettingListRow;
  tenant_setting_changes: TenantSettingChangeRow;
  expiry_list: ExpiryListRow;
  access_policies: AccessPolicyRow;
  mfa_results: MfaResultRow;
  mfa_exceptions: MfaExceptionRow;
  mfa_overview: MfaOverviewRow;
  configuration_item_list: ItemRow;
  configuration_items: EnteredItemRow;
  configuration_relationships: TableRow<"configuration_relationships">;
  configuration_relationship_list: RelationshipRow;
  object_change_list: ChangeEntryRow;
  object_attributes: AttributeRow;
  endpoint_list: EndpointRow;
  endpoint_record_list: EndpointRecordRow;
  endpoint_attributes: EndpointAttributeRow;
  endpoint_conflict_list: EndpointConflictRow;
  endpoint_decision_list: EndpointDecisionRow;
  endpoint_overview: EndpointOverviewRow;
  document_list: DocumentListRow;
  document_hit_list: DocumentHitRow;
  document_site_list: DocumentSiteRow;
  document_share_list: DocumentShareRow;
  document_texts: DocumentTextRow;
  notifications: NotificationRow;
  drift_list: DriftListRow;
  drift_tenant_list: DriftTenantRow;
  drift_overview: DriftOverviewRow;
  posture_tenant_list: PostureTenantRow;
  posture_check_list: PostureCheckRow;
  posture_finding_list: PostureFindingRow;
  posture_overview: PostureOverviewRow;
  sign_in_list: SignInRow;
  directory_change_list: DirectoryChangeRow;
  activity_coverage_list: CoverageRow;
  baselines: Pick<BaselineListRow, "id">;
  baseline_list: BaselineListRow;
  baseline_entries: BaselineEntryRow;
  customer_baseline_entries: CustomerEntryRow;
  customer_tiers: TableRow<"customer_tiers">;
  standards: StandardRow;
  drift_exception_list: DriftExceptionRow;
  access_log: AccessLogRow;
  security_alerts: Pick<SecurityAlertRow, "id" | "state">;
  security_alert_list: SecurityAlertRow;
  security_status: SecurityStatusRow;
  export_freezes: { id: string; lift_reason: string | null };
}
export type Table = keyof Tables;
export type Column<T extends Table> = keyof Tables[T] & string;
