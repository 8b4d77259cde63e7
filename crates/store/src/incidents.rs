use kernel::{
    Timestamp,
    id::{AlertId, ConditionId, CustomerId, DeviceId, IncidentId, IntegrationId, RuleId, RunId, TicketId},
};
use pg::{ActorTx, PgError, Row};
use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Incident {
    pub id: IncidentId,
    /// Human reference, such as `ACME-I12`.
    pub reference: String,
    pub title: String,
    pub severity: String,
    pub state: String,
    pub alert: Option<AlertId>,
    pub alert_kind: Option<String>,
    pub device: Option<DeviceId>,
    pub rule: Option<RuleId>,
    pub run: Option<RunId>,
    pub ticket: Option<TicketId>,
    pub customer_name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentState {
    Open,
    Remediating,
    NeedsAttention,
    Resolved,
}

impl IncidentState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Remediating => "remediating",
            Self::NeedsAttention => "needs_attention",
            Self::Resolved => "resolved",
        }
    }
}

/// A remediation rule, as matching needs it.
#[derive(Clone, Debug)]
pub struct Rule {
    pub id: RuleId,
    pub name: String,
    pub when_cel: String,
    pub parameters: Value,
    pub requires_approval: bool,
    pub devices_per_hour_max: i32,
    pub workflow_key: String,
}

/// What rules and handlers need to know of a device.
#[derive(Clone, Debug)]
pub struct DeviceFacts {
    pub id: DeviceId,
    pub name: String,
    pub external_id: String,
    pub integration: IntegrationId,
    pub class: String,
    pub os_name: Option<String>,
    pub is_offline: Option<bool>,
    pub disk_used_percent: Option<f64>,
    pub observed_at: Timestamp,
    /// After this no automation acts on the device until its source was read again.
    pub stale_at: Timestamp,
    pub is_complete: bool,
    pub customer_name: String,
    pub customer_slug: String,
    pub customer_code: String,
}

#[derive(Clone, Debug)]
pub struct NewCondition<'a> {
    pub customer: CustomerId,
    pub device: DeviceId,
    pub external_uid: &'a str,
    pub kind: &'a str,
    pub severity: &'a str,
    pub message: &'a str,
    pub raised_at: Timestamp,
    pub observed_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct ClearedCondition {
    pub id: ConditionId,
    pub device: DeviceId,
    pub kind: String,
}

/// The condition's id, and whether it had been cleared before (a late repetition of old news).
pub async fn upsert_condition(tx: &ActorTx, new: &NewCondition<'_>) -> Result<(ConditionId, bool), PgError> {
    let row = tx
        .query_one(
            include_str!("../../../db/queries/incidents/condition_upsert.sql"),
            &[
                &new.customer.0,
                &ConditionId::new(new.observed_at).0,
                &new.device.0,
                &new.external_uid,
                &new.kind,
                &new.severity,
                &new.message,
                &new.raised_at,
                &new.observed_at,
            ],
        )
        .await?;
    Ok((ConditionId(row.get("id")), row.get("was_cleared")))
}

pub async fn clear_condition(
    tx: &ActorTx,
    customer: CustomerId,
    external_uid: &str,
    at: Timestamp,
) -> Result<Option<ClearedCondition>, PgError> {
    let sql = include_str!("../../../db/queries/incidents/condition_clear.sql");
    let row = tx.query_opt(sql, &[&customer.0, &external_uid, &at]).await?;
    Ok(row.map(|row| ClearedCondition {
        id: ConditionId(row.get("id")),
        device: DeviceId(row.get("device_id")),
        kind: row.get("kind"),
    }))
}

/// After a verified reading: clears every open condition of the kind on the device. Returns how many.
pub async fn clear_conditions_of_device(
    tx: &ActorTx,
    customer: CustomerId,
    device: DeviceId,
    kind: &str,
    at: Timestamp,
) -> Result<u64, PgError> {
    let sql = include_str!("../../../db/queries/incidents/condition_clear_device.sql");
    tx.execute(sql, &[&customer.0, &device.0, &kind, &at]).await
}

/// `None` when the alert has its incident already.
pub async fn open_for_alert(
    tx: &ActorTx,
    customer: CustomerId,
    alert: AlertId,
    device: Option<DeviceId>,
    title: &str,
    severity: &str,
    at: Timestamp,
) -> Result<Option<IncidentId>, PgError> {
    let sql = include_str!("../../../db/queries/incidents/open_for_alert.sql");
    let id = IncidentId::new(at);
    let row = tx
        .query_opt(sql, &[&customer.0, &id.0, &alert.0, &device.map(|it| it.0), &title, &severity, &at])
        .await?;
    Ok(row.map(|row| IncidentId(row.get("id"))))
}

pub async fn by_id(tx: &ActorTx, customer: CustomerId, id: IncidentId) -> Result<Option<Incident>, PgError> {
    let row =
        tx.query_opt(include_str!("../../../db/queries/incidents/by_id.sql"), &[&customer.0, &id.0]).await?;
    Ok(row.map(|row| Incident {
        id: IncidentId(row.get("id")),
        reference: row.get("reference"),
        title: row.get("title"),
        severity: row.get("severity"),
        state: row.get("state"),
        alert: row.get::<_, Option<_>>("alert_id").map(AlertId),
        alert_kind: row.get("alert_kind"),
        device: row.get::<_, Option<_>>("device_id").map(DeviceId),
        rule: row.get::<_, Option<_>>("rule_id").map(RuleId),
        run: row.get::<_, Option<_>>("run_id").map(RunId),
        ticket: row.get::<_, Option<_>>("ticket_id").map(TicketId),
        customer_name: row.get("customer_name"),
    }))
}

/// False when the incident was resolved meanwhile.
pub async fn attach_run(
    tx: &ActorTx,
    customer: CustomerId,
    id: IncidentId,
    rule: RuleId,
    run: RunId,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/incidents/attach_run.sql");
    Ok(tx.execute(sql, &[&customer.0, &id.0, &rule.0, &run.0]).await? == 1)
}

/// False when the incident was resolved already.
pub async fn set_state(
    tx: &ActorTx,
    customer: CustomerId,
    id: IncidentId,
    state: IncidentState,
    resolution: Option<&str>,
    at: Timestamp,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/incidents/set_state.sql");
    Ok(tx.execute(sql, &[&customer.0, &id.0, &state.as_str(), &resolution, &at]).await? == 1)
}

/// Open incidents of these alerts that no running workflow will conclude.
pub async fn unattended_of_alerts(
    tx: &ActorTx,
    customer: CustomerId,
    alerts: &[AlertId],
) -> Result<Vec<IncidentId>, PgError> {
    let ids: Vec<_> = alerts.iter().map(|id| id.0).collect();
    let sql = include_str!("../../../db/queries/incidents/unattended_of_alerts.sql");
    let rows = tx.query(sql, &[&customer.0, &ids]).await?;
    Ok(rows.iter().map(|row| IncidentId(row.get("id"))).collect())
}

/// Enabled rules for a kind of condition, in order. Provider-level: any worker may read them.
pub async fn rules_for_kind(tx: &ActorTx, kind: &str) -> Result<Vec<Rule>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/incidents/rules_for_kind.sql"), &[&kind]).await?;
    Ok(rows.iter().map(rule).collect())
}

pub async fn rule_by_id(tx: &ActorTx, id: RuleId) -> Result<Option<Rule>, PgError> {
    Ok(tx
        .query_opt(include_str!("../../../db/queries/incidents/rule_by_id.sql"), &[&id.0])
        .await?
        .as_ref()
        .map(rule))
}

pub async fn device_facts(
    tx: &ActorTx,
    customer: CustomerId,
    device: DeviceId,
) -> Result<Option<DeviceFacts>, PgError> {
    let sql = include_str!("../../../db/queries/incidents/device_facts.sql");
    let row = tx.query_opt(sql, &[&customer.0, &device.0]).await?;
    Ok(row.map(|row| DeviceFacts {
        id: DeviceId(row.get("id")),
        name: row.get("name"),
        external_id: row.get("external_id"),
        integration: IntegrationId(row.get("integration_id")),
        class: row.get("class"),
        os_name: row.get("os_name"),
        is_offline: row.get("is_offline"),
        disk_used_percent: row.get("disk_used_percent"),
        observed_at: row.get("observed_at"),
        stale_at: row.get("stale_at"),
        is_complete: row.get("is_complete"),
        customer_name: row.get("customer_name"),
        customer_slug: row.get("customer_slug"),
        customer_code: row.get("customer_code"),
    }))
}

pub async fn device_by_external(
    tx: &ActorTx,
    customer: CustomerId,
    integration: IntegrationId,
    external_id: &str,
) -> Result<Option<DeviceId>, PgError> {
    let sql = include_str!("../../../db/queries/incidents/device_by_external.sql");
    Ok(tx
        .query_opt(sql, &[&customer.0, &integration.0, &external_id])
        .await?
        .map(|row| DeviceId(row.get("id"))))
}

/// Devices that runs of this rule acted on in the last hour, without the given run.
pub async fn devices_changed_last_hour(
    tx: &ActorTx,
    customer: CustomerId,
    rule: RuleId,
    without: RunId,
    now: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/incidents/changes_last_hour.sql");
    Ok(tx.query_one(sql, &[&customer.0, &rule.0.to_string(), &without.0, &now]).await?.get("devices"))
}

/// Another open run that is changing this device now.
pub async fn other_change_on_device(
    tx: &ActorTx,
    customer: CustomerId,
    device: DeviceId,
    without: RunId,
) -> Result<Option<RunId>, PgError> {
    let sql = include_str!("../../../db/queries/incidents/other_change_on_device.sql");
    Ok(tx.query_opt(sql, &[&customer.0, &device.0, &without.0]).await?.map(|row| RunId(row.get("run_id"))))
}

fn rule(row: &Row) -> Rule {
    Rule {
        id: RuleId(row.get("id")),
        name: row.get("name"),
        when_cel: row.get("when_cel"),
        parameters: row.get("parameters"),
        requires_approval: row.get("requires_approval"),
        devices_per_hour_max: row.get("devices_per_hour_max"),
        workflow_key: row.get("workflow_key"),
    }
}
