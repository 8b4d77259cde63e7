//! A person wants a line changed so that the difference is gone: a run plans it, asks for approval, changes and reads back.
use domain::money::State;
use flow::{Engine, RunMode, StartRun, Subject};
use kernel::{
    ApiError, ErrorCode, Timestamp,
    id::{CustomerId, DifferenceId, RunId},
};
use pg::{Actor, Pg, WorkReason};
use store::money::{self, Change, Committed};

use super::flows::{self, Proration};
use crate::access;

/// Which difference is corrected, and how.
#[derive(Clone, Copy, Debug)]
pub struct Correction {
    pub customer: CustomerId,
    pub difference: DifferenceId,
    pub proration: Proration,
    /// The end of the commitment that the person lets go early. Who names none, or an earlier one than there is, is refused: a
    /// contract is left knowingly or not at all.
    pub releases: Option<Timestamp>,
}

/// Starts the change of one difference; returns its run. Needs `billing:manage`; the run's approval needs `approvals:decide`.
pub async fn approve(
    pg: &Pg,
    engine: &Engine,
    actor: &Actor,
    correction: Correction,
    now: Timestamp,
) -> Result<RunId, ApiError> {
    let Correction { customer, difference, proration, releases } = correction;
    access::require(pg, actor, customer, "billing:manage").await?;
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Workflow).await?;
    let found = money::by_id(&tx, customer, difference).await?.ok_or_else(access::not_found)?;
    refuse_unfit(&found)?;
    refuse_committed(&found, releases, now)?;
    let input = flows::Input { difference_id: difference, proration, releases };
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

fn refuse_committed(found: &Change, releases: Option<Timestamp>, now: Timestamp) -> Result<(), ApiError> {
    let Some(bound) = found.commitment.as_ref().filter(|bound| bound.until > now) else { return Ok(()) };
    if releases.is_some_and(|until| until >= bound.until) {
        return Ok(());
    }
    let day = bound.until.strftime("%Y-%m-%d");
    Err(ApiError::new(ErrorCode::Conflict, format!("It is committed until {day}: it cannot go down before."))
        .details(committed(bound, &found.currency))
        .hint(format!(
            "Correct it on {day}. Who lets it go early, names that end: `release_commitment_until`."
        )))
}

/// In one sentence, without the day.
pub(super) fn committed(bound: &Committed, currency: &str) -> String {
    let by = match bound.by.as_str() {
        "line" => "the contract of the line binds",
        "license" => "the term of the licenses binds",
        _ => "the contract of the line and the term of the licenses bind",
    };
    let money = bound.money.map(|money| format!(", which comes to {} {currency} until then", money.fixed(2)));
    format!("{by} {} of it{}", bound.quantity, money.unwrap_or_default())
}

fn not_open() -> ApiError {
    ApiError::new(ErrorCode::Conflict, "Only an open difference can be changed.")
}
