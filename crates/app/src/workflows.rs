//! Starting, cancelling and deciding runs, for people with the permission.
use flow::{Cancelled, Decided, Decision, Engine, RunMode, StartRun, Started};
use kernel::{
    ApiError, ErrorCode,
    id::{ApprovalId, CustomerId, RunId, UserId},
};
use pg::{Actor, Pg, WorkReason};

use crate::access;

pub const REASON_CHARS_MAX: usize = 2_000;

/// Starts a workflow by hand.
pub async fn start(
    pg: &Pg,
    engine: &Engine,
    actor: &Actor,
    customer: CustomerId,
    workflow_key: &str,
    input: serde_json::Value,
    mode: RunMode,
) -> Result<Started, ApiError> {
    access::require(pg, actor, customer, "runs:write").await?;
    if workflow_key == crate::money::flows::ADJUST_LINE {
        return Err(ApiError::new(ErrorCode::Conflict, "This workflow is started from its difference only.")
            .hint("Approve the change under Money."));
    }
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Workflow).await?;
    let started = engine
        .start(
            &tx,
            StartRun {
                workflow_key: workflow_key.to_owned(),
                title: workflow_key.to_owned(),
                input,
                subject: None,
                dedup_key: None,
                started_by: actor.user,
                started_reason: "manual".into(),
                mode,
            },
        )
        .await?;
    tx.commit().await?;
    Ok(started)
}

/// Cancels a run at its next boundary: a change that is being applied is finished and read back.
pub async fn cancel(
    pg: &Pg,
    engine: &Engine,
    actor: &Actor,
    customer: CustomerId,
    run: RunId,
    reason: &str,
) -> Result<Cancelled, ApiError> {
    access::require(pg, actor, customer, "runs:write").await?;
    let by = person(actor)?;
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Workflow).await?;
    let cancelled = engine.cancel(&tx, run, by, reason).await?;
    tx.commit().await?;
    Ok(cancelled)
}

/// Approves or rejects what a run waits for.
pub async fn decide(
    pg: &Pg,
    engine: &Engine,
    actor: &Actor,
    customer: CustomerId,
    approval: ApprovalId,
    decision: Decision,
    reason: &str,
) -> Result<Decided, ApiError> {
    access::require(pg, actor, customer, "approvals:decide").await?;
    let by = person(actor)?;
    // Some decisions are the provider's alone: what a person cannot see, they cannot decide.
    let tx = pg.act_as(actor).await?;
    let sees = store::approvals::sees(&tx, customer, approval).await?;
    tx.rollback().await?;
    if !sees {
        return Err(access::not_found());
    }
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Approval).await?;
    let decided = engine.decide(&tx, approval, decision, by, (!reason.is_empty()).then_some(reason)).await?;
    tx.commit().await?;
    Ok(decided)
}

fn person(actor: &Actor) -> Result<UserId, ApiError> {
    actor.user.ok_or_else(|| ApiError::new(ErrorCode::NotSignedIn, "Sign in first."))
}
