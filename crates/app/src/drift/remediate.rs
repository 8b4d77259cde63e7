//! A person wants a drift gone: a run plans it, asks for approval, changes the setting through CIPP and reads it back.
use flow::{Engine, RunMode, StartRun, Subject};
use kernel::{
    ApiError, ErrorCode,
    id::{CustomerId, RunId},
};
use pg::{Actor, Pg, WorkReason};
use serde_json::Value;
use store::drift::{self, Drift};
use uuid::Uuid;

use super::{decide::PERMISSION, facts, flows};
use crate::access;

/// Starts the remediation of one drift; returns its run. Needs `drift:manage`; the run's approval needs `approvals:decide`.
pub async fn remediate(
    pg: &Pg,
    engine: &Engine,
    actor: &Actor,
    customer: CustomerId,
    id: Uuid,
) -> Result<RunId, ApiError> {
    access::require(pg, actor, customer, PERMISSION).await?;
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Workflow).await?;
    let found = drift::by_id(&tx, customer, id).await?.ok_or_else(access::not_found)?;
    refuse_unfit(&found)?;
    let input = serde_json::to_value(flows::Input { drift_id: id })
        .map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))?;
    let started = engine
        .start(
            &tx,
            StartRun {
                workflow_key: flows::REMEDIATE.into(),
                title: format!("{} at {}", found.setting_name, found.tenant_name),
                input,
                subject: Some(Subject { kind: flows::SUBJECT.into(), id }),
                dedup_key: None,
                started_by: actor.user,
                started_reason: "manual".into(),
                mode: RunMode::Real,
            },
        )
        .await?;
    // The row is locked since it was read: two clicks start one run.
    if !drift::begin_change(&tx, customer, id, started.run).await? {
        return Err(not_open());
    }
    tx.commit().await?;
    Ok(started.run)
}

fn refuse_unfit(found: &Drift) -> Result<(), ApiError> {
    if !matches!(found.state.as_str(), "open" | "denied") {
        return Err(not_open());
    }
    if found.default_domain.is_none() || found.is_gone || found.is_excluded {
        return Err(ApiError::new(
            ErrorCode::Conflict,
            "CIPP cannot reach this tenant: it is excluded or gone.",
        ));
    }
    let rule = facts::rule_of(&found.rule);
    let actual = found.actual.as_ref().unwrap_or(&Value::Null);
    if rule.and_then(|rule| rule.target(actual)).is_none() {
        return Err(ApiError::new(ErrorCode::Conflict, "No value can be named that would make it right.")
            .hint(
                "Change it in the admin center; the next reading sees it. Or demand a value in the baseline.",
            ));
    }
    Ok(())
}

fn not_open() -> ApiError {
    ApiError::new(ErrorCode::Conflict, "Only a drift that is open can be remediated.")
}
