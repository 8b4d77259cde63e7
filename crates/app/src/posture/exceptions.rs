//! A gap that a person accepts: for a time, with a reason, in their own name.
use jiff::Span;
use kernel::{ApiError, ErrorCode, Timestamp, id::CustomerId};
use pg::{Actor, Pg, WorkReason};
use store::mfa;
use uuid::Uuid;

use super::evaluate::{Whom, evaluate};
use crate::access;

/// A year and a day, in hours.
const ACCEPT_HOURS_MAX: i64 = 366 * 24;

/// Until then the account is no gap; one that was accepted before is accepted anew. Needs `mfa:manage`.
pub async fn accept(
    pg: &Pg,
    actor: &Actor,
    customer: CustomerId,
    person: Uuid,
    (reason, until): (&str, Timestamp),
    now: Timestamp,
) -> Result<(), ApiError> {
    access::require(pg, actor, customer, "mfa:manage").await?;
    if until <= now || until > now + Span::new().hours(ACCEPT_HOURS_MAX) {
        return Err(ApiError::new(ErrorCode::ValueRefused, "Say until when: a time ahead, at most a year.")
            .details(format!("`until` is {until}.")));
    }
    if reason.trim().is_empty() {
        return Err(
            ApiError::new(ErrorCode::ValueRefused, "Say why it is accepted.").details("`reason` is blank.")
        );
    }
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Approval).await?;
    let tenant = mfa::tenant_of(&tx, customer, person).await?.ok_or_else(access::not_found)?;
    mfa::withdraw(&tx, customer, person, actor.user, now).await?;
    mfa::accept(&tx, customer, person, (reason.trim(), until), actor.user, now).await?;
    evaluate(&tx, customer, tenant, Whom::One(person), now).await?;
    tx.commit().await?;
    Ok(())
}

/// A gap again at once. Needs `mfa:manage`.
pub async fn withdraw(
    pg: &Pg,
    actor: &Actor,
    customer: CustomerId,
    person: Uuid,
    now: Timestamp,
) -> Result<(), ApiError> {
    access::require(pg, actor, customer, "mfa:manage").await?;
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Approval).await?;
    let tenant = mfa::tenant_of(&tx, customer, person).await?.ok_or_else(access::not_found)?;
    if !mfa::withdraw(&tx, customer, person, actor.user, now).await? {
        return Err(ApiError::new(ErrorCode::Conflict, "Nothing is accepted for this person."));
    }
    evaluate(&tx, customer, tenant, Whom::One(person), now).await?;
    tx.commit().await?;
    Ok(())
}
