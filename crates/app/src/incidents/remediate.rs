//! What people do with an incident: try its remediation dry, or run it (again).
use flow::{Engine, RunMode};
use kernel::{
    ApiError, ErrorCode, Timestamp,
    id::{CustomerId, IncidentId, RunId},
};
use pg::{Actor, Pg, WorkReason};
use store::incidents::{self, Incident, Rule};

use super::intake::{self, IntakeError};
use crate::access;

impl From<IntakeError> for ApiError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Database(error) => error.into(),
            IntakeError::Flow(error) => error.into(),
        }
    }
}

/// Starts the matching rule's workflow for the incident: for real, or dry (reads, plans and checks; changes nothing).
pub async fn remediate(
    pg: &Pg,
    engine: &Engine,
    actor: &Actor,
    customer: CustomerId,
    incident: IncidentId,
    mode: RunMode,
    now: Timestamp,
) -> Result<RunId, ApiError> {
    access::require(pg, actor, customer, "incidents:write").await?;
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Workflow).await?;
    let found = incidents::by_id(&tx, customer, incident).await?.ok_or_else(access::not_found)?;
    refuse_unfit(&found, mode)?;
    let device = match found.device {
        Some(device) => incidents::device_facts(&tx, customer, device).await?,
        None => None,
    };
    let device = device.ok_or_else(|| {
        ApiError::new(ErrorCode::Conflict, "The incident's device is gone; there is nothing to remediate.")
    })?;
    let rule = rule_of(&tx, &found, &device).await?;
    // One open run per incident: the row lock of the incident's own update keeps two clicks apart.
    let attempt = u32::try_from(now.as_second()).unwrap_or(u32::MAX);
    let run =
        intake::start_remediation(&tx, engine, customer, incident, &device, &rule, mode, actor.user, attempt)
            .await?;
    tx.commit().await?;
    Ok(run)
}

fn refuse_unfit(incident: &Incident, mode: RunMode) -> Result<(), ApiError> {
    if incident.state == "resolved" {
        return Err(ApiError::new(ErrorCode::Conflict, "The incident is resolved."));
    }
    if incident.state == "remediating" && mode == RunMode::Real {
        return Err(ApiError::new(ErrorCode::Conflict, "A run works on this incident already.")
            .hint("Watch or cancel that run first."));
    }
    Ok(())
}

async fn rule_of(
    tx: &pg::ActorTx,
    incident: &Incident,
    device: &incidents::DeviceFacts,
) -> Result<Rule, ApiError> {
    if let Some(rule) = incident.rule
        && let Some(rule) = incidents::rule_by_id(tx, rule).await?
    {
        return Ok(rule);
    }
    let condition = serde_json::json!({
        "kind": incident.alert_kind.as_deref().unwrap_or_default(), "severity": incident.severity, "message": incident.title,
    });
    intake::matching_rule(tx, device, &condition).await?.ok_or_else(|| {
        ApiError::new(ErrorCode::Conflict, "No remediation rule matches this incident.")
            .hint("Add one under Rules.")
    })
}
