//! A device's condition, from a webhook or a synchronization, becomes one alert, one incident, one run: in one transaction,
//! and once, however often and from wherever it is reported.
use flow::{Engine, FlowError, RunMode, StartRun, Subject};
use kernel::{
    Timestamp,
    id::{AlertId, ConditionId, CustomerId, DeviceId, IncidentId, RunId},
};
use pg::{ActorTx, PgError};
use serde_json::{Value, json};
use store::{
    alerts::{self, NewAlert},
    incidents::{self, DeviceFacts, IncidentState, NewCondition, Rule},
    maintenance,
    notifications::{self, NewNotification},
};

/// Newtype so that the pure rules can match store rows.
struct ByRule<'a>(&'a Rule);

impl domain::remediation::Matchable for ByRule<'_> {
    fn condition(&self) -> &str {
        &self.0.when_cel
    }
    fn name(&self) -> &str {
        &self.0.name
    }
}

/// A condition as reported, already placed at its customer and device.
#[derive(Clone, Debug)]
pub struct Raised<'a> {
    pub device: DeviceId,
    pub external_uid: &'a str,
    pub kind: &'a str,
    pub severity: &'a str,
    pub message: &'a str,
    pub raised_at: Timestamp,
    /// Who reported it: `ninjaone`.
    pub source: &'a str,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intake {
    pub condition: ConditionId,
    pub alert: Option<AlertId>,
    /// Set when this report opened the incident.
    pub incident: Option<IncidentId>,
    pub run: Option<RunId>,
}

#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error("the database did not take it")]
    Database(#[from] PgError),
    #[error("the workflow could not be started")]
    Flow(#[from] FlowError),
}

/// Takes in a raised condition within the transaction of its customer. Repeating it changes nothing.
pub async fn raised(
    tx: &ActorTx,
    engine: &Engine,
    customer: CustomerId,
    report: &Raised<'_>,
    now: Timestamp,
) -> Result<Intake, IntakeError> {
    let new = NewCondition {
        customer,
        device: report.device,
        external_uid: report.external_uid,
        kind: report.kind,
        severity: report.severity,
        message: report.message,
        raised_at: report.raised_at,
        observed_at: now,
    };
    let (condition, was_cleared) = incidents::upsert_condition(tx, &new).await?;
    let nothing_new = Intake { condition, alert: None, incident: None, run: None };
    if was_cleared {
        return Ok(nothing_new);
    }
    let Some(device) = incidents::device_facts(tx, customer, report.device).await? else {
        return Ok(nothing_new);
    };
    let title = format!("{}: {}", device.name, report.message);
    let dedup_key = format!("{}:{}", report.kind, report.device);
    let alert = NewAlert {
        customer,
        source: report.source,
        dedup_key: &dedup_key,
        device: Some(report.device),
        condition: Some(condition),
        kind: report.kind,
        severity: report.severity,
        title: &title,
        seen_at: report.raised_at,
    };
    let alert = alerts::raise(tx, &alert).await?;
    let nothing_new = Intake { alert: Some(alert.id), ..nothing_new };
    // While people work on the device it is kept, and nobody is called.
    if maintenance::mute(tx, customer, alert.id, report.device, now).await? {
        return Ok(nothing_new);
    }
    let signal = Signal {
        alert: alert.id,
        title: &title,
        kind: report.kind,
        severity: report.severity,
        message: report.message,
    };
    let attended = attend(tx, engine, customer, &device, &signal, now).await?;
    Ok(attended.map_or(nothing_new, |(incident, run)| Intake {
        incident: Some(incident),
        run,
        ..nothing_new
    }))
}

/// An alert that somebody or something has to answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signal<'a> {
    pub alert: AlertId,
    pub title: &'a str,
    pub kind: &'a str,
    pub severity: &'a str,
    pub message: &'a str,
}

/// Opens the alert's incident, and starts its remediation or calls people. `None` when it has its incident already.
pub(crate) async fn attend(
    tx: &ActorTx,
    engine: &Engine,
    customer: CustomerId,
    device: &DeviceFacts,
    of: &Signal<'_>,
    now: Timestamp,
) -> Result<Option<(IncidentId, Option<RunId>)>, IntakeError> {
    let opened =
        incidents::open_for_alert(tx, customer, of.alert, Some(device.id), of.title, of.severity, now)
            .await?;
    let Some(incident) = opened else { return Ok(None) };
    let facts = json!({ "kind": of.kind, "severity": of.severity, "message": of.message });
    let run = match matching_rule(tx, device, &facts).await? {
        Some(rule) => Some(
            start_remediation(tx, engine, customer, incident, device, &rule, RunMode::Real, None, 0).await?,
        ),
        None => {
            let body = "No remediation rule matches: it needs a person.";
            tell_staff(tx, customer, incident, of.title, body, now).await?;
            None
        }
    };
    Ok(Some((incident, run)))
}

/// Takes in that a condition is gone. An incident that a run works on is left to the run, which reads for itself.
pub async fn cleared(
    tx: &ActorTx,
    customer: CustomerId,
    external_uid: &str,
    at: Timestamp,
) -> Result<bool, IntakeError> {
    let Some(condition) = incidents::clear_condition(tx, customer, external_uid, at).await? else {
        return Ok(false);
    };
    let alerts = alerts::resolve_cleared(tx, customer, condition.device, &condition.kind, at).await?;
    maintenance::cleared(tx, customer, &alerts, at).await?;
    for incident in incidents::unattended_of_alerts(tx, customer, &alerts).await? {
        incidents::set_state(
            tx,
            customer,
            incident,
            IncidentState::Resolved,
            Some("The source reports that the condition is gone."),
            at,
        )
        .await?;
    }
    Ok(true)
}

pub(crate) async fn matching_rule(
    tx: &ActorTx,
    device: &DeviceFacts,
    condition: &Value,
) -> Result<Option<Rule>, PgError> {
    let rules = incidents::rules_for_kind(tx, condition["kind"].as_str().unwrap_or_default()).await?;
    let candidates: Vec<_> = rules.iter().map(ByRule).collect();
    let device_value = json!({
        "name": device.name, "class": device.class, "os_name": device.os_name.as_deref().unwrap_or_default(),
        "is_offline": device.is_offline.unwrap_or(false), "disk_used_percent": device.disk_used_percent.unwrap_or_default(),
    });
    let customer =
        json!({ "slug": device.customer_slug, "code": device.customer_code, "name": device.customer_name });
    let found = domain::remediation::choose(&candidates, &device_value, condition, &customer);
    for (rule, fault) in &found.faults {
        tracing::warn!(rule, %fault, "a remediation rule could not be evaluated and was passed over");
    }
    Ok(found.rule.map(|rule| rule.0.clone()))
}

/// Enqueues the rule's workflow for an incident, with the change that needs it. `attempt` tells repeated remediations apart.
#[expect(
    clippy::too_many_arguments,
    reason = "one call site per way to start; a struct would only rename them"
)]
pub(crate) async fn start_remediation(
    tx: &ActorTx,
    engine: &Engine,
    customer: CustomerId,
    incident: IncidentId,
    device: &DeviceFacts,
    rule: &Rule,
    mode: RunMode,
    by: Option<kernel::id::UserId>,
    attempt: u32,
) -> Result<RunId, IntakeError> {
    let input = json!({
        "incident_id": incident, "rule_id": rule.id, "rule_name": rule.name, "device_id": device.id, "device_name": device.name,
        "requires_approval": rule.requires_approval, "devices_per_hour_max": rule.devices_per_hour_max, "parameters": rule.parameters,
    });
    let dry = if mode == RunMode::Dry { "dry" } else { "run" };
    let started = engine
        .start(
            tx,
            StartRun {
                workflow_key: rule.workflow_key.clone(),
                title: format!("{} on {}", rule.name, device.name),
                input,
                subject: Some(Subject { kind: "device".into(), id: device.id.0 }),
                dedup_key: Some(format!("incident:{incident}:{dry}:{attempt}")),
                started_by: by,
                started_reason: if by.is_some() { "manual".into() } else { "rule".into() },
                mode,
            },
        )
        .await?;
    if mode == RunMode::Real {
        incidents::attach_run(tx, customer, incident, rule.id, started.run).await?;
    }
    Ok(started.run)
}

pub(crate) async fn tell_staff(
    tx: &ActorTx,
    customer: CustomerId,
    incident: IncidentId,
    title: &str,
    body: &str,
    at: Timestamp,
) -> Result<(), PgError> {
    let people = notifications::staff_who_can(tx, "incidents:write").await?;
    let link = format!("/incidents/{customer}/{incident}");
    let new =
        NewNotification { customer: Some(customer), kind: "incident", title, body, link: Some(&link), at };
    notifications::add(tx, &people, &new).await.map(drop)
}
