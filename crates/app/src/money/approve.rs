//! A person wants a line changed so that the difference is gone: a run plans it, asks for approval, changes and reads back.
use domain::money::State;
use flow::{Engine, RunMode, StartRun, Subject};
use kernel::{
    ApiError, ErrorCode,
    id::{CustomerId, DifferenceId, RunId},
};
use pg::{Actor, Pg, WorkReason};
use store::money::{self, Change};

use super::flows::{self, Proration};
use crate::access;

/// Starts the change of one difference; returns its run. Needs `billing:manage`; the run's approval needs `approvals:decide`.
pub async fn approve(
    pg: &Pg,
    engine: &Engine,
    actor: &Actor,
    customer: CustomerId,
    difference: DifferenceId,
    proration: Proration,
) -> Result<RunId, ApiError> {
    access::require(pg, actor, customer, "billing:manage").await?;
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Workflow).await?;
    let found = money::by_id(&tx, customer, difference).await?.ok_or_else(access::not_found)?;
    refuse_unfit(&found)?;
    let input = flows::Input { difference_id: difference, proration };
    let input = serde_json::to_value(&input)
        .map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))?;
    let started = engine
        .start(
            &tx,
            StartRun {
                workflow_key: flows::ADJUST_LINE.into(),
                title: format!("Bill {} {} at {}", found.counted, found.product_name, found.customer_name),
                input,
                subject: Some(Subject { kind: flows::SUBJECT.into(), id: difference.0 }),
                dedup_key: None,
                started_by: actor.user,
                started_reason: "manual".into(),
                mode: RunMode::Real,
            },
        )
        .await?;
    // The row is locked since it was read: two clicks start one run.
    if !money::begin_change(&tx, customer, difference, started.run).await? {
        return Err(not_open());
    }
    tx.commit().await?;
    Ok(started.run)
}

fn refuse_unfit(found: &Change) -> Result<(), ApiError> {
    if found.state != State::Open {
        return Err(not_open());
    }
    if let Some(reason) = &found.stale_reason {
        return Err(ApiError::new(
            ErrorCode::Conflict,
            "Its facts are not fresh: nothing is changed on them.",
        )
        .details(reason.clone())
        .hint("Synchronize, then try again."));
    }
    if found.line.is_none() {
        return Err(ApiError::new(
            ErrorCode::Conflict,
            "No active line can take this difference as a whole.",
        )
        .hint("Add, end or merge lines in the billing system; the difference closes by itself."));
    }
    Ok(())
}

fn not_open() -> ApiError {
    ApiError::new(ErrorCode::Conflict, "Only an open difference can be changed.")
}
