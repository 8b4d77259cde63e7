//! A difference that is meant to be, for a time.
use jiff::Span;
use kernel::{
    ApiError, ErrorCode, Timestamp,
    id::{CustomerId, DifferenceId},
};
use pg::{Actor, Pg, WorkReason};
use store::money;

use crate::access;

/// A year and a day, in hours.
const IGNORE_HOURS_MAX: i64 = 366 * 24;

/// Until then, or until its numbers change, it is not shown as open. Needs `billing:manage`.
pub async fn ignore(
    pg: &Pg,
    actor: &Actor,
    customer: CustomerId,
    difference: DifferenceId,
    until: Timestamp,
    reason: &str,
    now: Timestamp,
) -> Result<(), ApiError> {
    access::require(pg, actor, customer, "billing:manage").await?;
    let latest = now + Span::new().hours(IGNORE_HOURS_MAX);
    if until <= now || until > latest {
        return Err(ApiError::new(ErrorCode::ValueRefused, "Say until when: a time ahead, at most a year.")
            .details(format!("`until` is {until}.")));
    }
    if reason.trim().is_empty() {
        return Err(
            ApiError::new(ErrorCode::ValueRefused, "Say why it is ignored.").details("`reason` is blank.")
        );
    }
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Approval).await?;
    money::by_id(&tx, customer, difference).await?.ok_or_else(access::not_found)?;
    if !money::ignore(&tx, customer, difference, actor.user, until, reason.trim(), now).await? {
        return Err(ApiError::new(ErrorCode::Conflict, "Only an open difference can be ignored."));
    }
    tx.commit().await?;
    Ok(())
}

/// Open again at once. Needs `billing:manage`.
pub async fn unignore(
    pg: &Pg,
    actor: &Actor,
    customer: CustomerId,
    difference: DifferenceId,
) -> Result<(), ApiError> {
    access::require(pg, actor, customer, "billing:manage").await?;
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Approval).await?;
    let found = money::by_id(&tx, customer, difference).await?.ok_or_else(access::not_found)?;
    if found.state != domain::money::State::Ignored {
        return Err(ApiError::new(ErrorCode::Conflict, "This difference is not ignored."));
    }
    money::reopen(&tx, customer, difference, "A person took the ignoring back.").await?;
    tx.commit().await?;
    Ok(())
}
