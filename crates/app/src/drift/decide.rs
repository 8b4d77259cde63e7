//! What people decide about a drift: it is accepted for a time, it must go, or a decision is taken back.
use domain::drift::ACCEPT_HOURS_MAX;
use jiff::Span;
use kernel::{ApiError, ErrorCode, Timestamp, id::CustomerId};
use pg::{Actor, ActorTx, Pg, WorkReason};
use store::drift::{self, Drift};
use uuid::Uuid;

use super::evaluate;
use crate::access;

/// What a decision needs of its caller.
pub const PERMISSION: &str = "drift:manage";

/// What is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The value as it is now: another one is a drift again.
    ThisValue,
    AnyValue,
}

/// Until then the deviation is no drift; one that was accepted before is accepted anew. Needs `drift:manage`.
pub async fn accept(
    pg: &Pg,
    actor: &Actor,
    (customer, id): (CustomerId, Uuid),
    extent: Extent,
    (reason, until): (&str, Timestamp),
    now: Timestamp,
) -> Result<(), ApiError> {
    let reason = said(reason)?;
    if until <= now || until > now + Span::new().hours(ACCEPT_HOURS_MAX) {
        return Err(ApiError::new(ErrorCode::ValueRefused, "Say until when: a time ahead, at most a year.")
            .details(format!("`until` is {until}.")));
    }
    let (tx, found) = begin(pg, actor, customer, id).await?;
    if !matches!(found.state.as_str(), "open" | "denied" | "accepted") {
        return Err(unfit("Only a drift that is open can be accepted."));
    }
    let value = found.actual.as_ref().filter(|_| extent == Extent::ThisValue);
    drift::withdraw(&tx, customer, found.tenant, &found.setting, actor.user, now).await?;
    drift::deny(&tx, customer, id, None).await?;
    drift::accept(&tx, customer, found.tenant, &found.setting, value, (reason, until), actor.user, now)
        .await?;
    end(tx, customer, &found, now).await
}

/// It must go: it stays a drift, and says so. Needs `drift:manage`.
pub async fn deny(
    pg: &Pg,
    actor: &Actor,
    (customer, id): (CustomerId, Uuid),
    reason: &str,
    now: Timestamp,
) -> Result<(), ApiError> {
    let reason = said(reason)?;
    let (tx, found) = begin(pg, actor, customer, id).await?;
    if !matches!(found.state.as_str(), "open" | "denied" | "accepted") {
        return Err(unfit("Only a drift that is open can be denied."));
    }
    drift::withdraw(&tx, customer, found.tenant, &found.setting, actor.user, now).await?;
    drift::deny(&tx, customer, id, Some((actor.user, now, reason))).await?;
    end(tx, customer, &found, now).await
}

/// Takes an acceptance or a denial back. Needs `drift:manage`.
pub async fn withdraw(
    pg: &Pg,
    actor: &Actor,
    (customer, id): (CustomerId, Uuid),
    now: Timestamp,
) -> Result<(), ApiError> {
    let (tx, found) = begin(pg, actor, customer, id).await?;
    let accepted = drift::withdraw(&tx, customer, found.tenant, &found.setting, actor.user, now).await?;
    if !accepted && found.state != "denied" {
        return Err(unfit("Nothing was decided about this drift."));
    }
    drift::deny(&tx, customer, id, None).await?;
    end(tx, customer, &found, now).await
}

fn said(reason: &str) -> Result<&str, ApiError> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(ApiError::new(ErrorCode::ValueRefused, "Say why.").details("`reason` is blank."));
    }
    Ok(reason)
}

fn unfit(message: &str) -> ApiError {
    ApiError::new(ErrorCode::Conflict, message)
}

async fn begin(pg: &Pg, actor: &Actor, customer: CustomerId, id: Uuid) -> Result<(ActorTx, Drift), ApiError> {
    access::require(pg, actor, customer, PERMISSION).await?;
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Approval).await?;
    let found = drift::by_id(&tx, customer, id).await?.ok_or_else(access::not_found)?;
    Ok((tx, found))
}

async fn end(tx: ActorTx, customer: CustomerId, found: &Drift, now: Timestamp) -> Result<(), ApiError> {
    evaluate(&tx, customer, found.tenant, now).await?;
    tx.commit().await?;
    Ok(())
}
