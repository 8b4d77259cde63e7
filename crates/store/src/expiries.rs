//! What is prepared when something ends: a ticket at the customer whose it is.
use kernel::{
    Timestamp,
    id::{CustomerId, IntegrationId, TicketId},
};
use pg::{ActorTx, PgError};

use crate::cipp::DueExpiry;

/// The ticket in which an end is renewed.
#[derive(Clone, Debug)]
pub struct Renewal {
    pub ticket: TicketId,
    /// Of the end that it is about.
    pub ends_at: Timestamp,
    /// How near the end was when people were last told in it.
    pub days: i32,
    pub is_closed: bool,
}

/// A renewal that is done.
#[derive(Clone, Debug)]
pub struct Renewed {
    pub integration: IntegrationId,
    pub kind: String,
    pub external_id: String,
    pub customer: CustomerId,
    pub ticket: TicketId,
    /// The new end.
    pub ends_at: Option<Timestamp>,
    /// It needs no renewal any more: it is not there.
    pub is_gone: bool,
}

/// Writes down the ends of our own credentials as people entered them.
pub async fn own(tx: &ActorTx, now: Timestamp) -> Result<(), PgError> {
    tx.execute(include_str!("../../../db/queries/expiries/own.sql"), &[&now]).await.map(drop)
}

/// Held until the transaction ends, which is of the customer.
pub async fn renewal(tx: &ActorTx, customer: CustomerId, of: &DueExpiry) -> Result<Option<Renewal>, PgError> {
    let sql = include_str!("../../../db/queries/expiries/renewal.sql");
    let row = tx.query_opt(sql, &[&customer.0, &of.integration.0, &of.kind, &of.external_id]).await?;
    Ok(row.map(|row| Renewal {
        ticket: TicketId(row.get("ticket_id")),
        ends_at: row.get("ends_at"),
        days: i32::from(row.get::<_, i16>("days")),
        is_closed: row.get("is_closed"),
    }))
}

pub async fn keep_renewal(
    tx: &ActorTx,
    of: &DueExpiry,
    customer: CustomerId,
    ticket: TicketId,
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/expiries/keep_renewal.sql");
    let days = i16::try_from(of.days).unwrap_or(i16::MAX);
    tx.execute(
        sql,
        &[&of.integration.0, &of.kind, &of.external_id, &customer.0, &ticket.0, &of.ends_at, &days, &at],
    )
    .await
    .map(drop)
}

/// Needs a transaction of [`pg::SystemReason::ExpiriesDue`].
pub async fn renewed(tx: &ActorTx, now: Timestamp) -> Result<Vec<Renewed>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/expiries/renewed.sql"), &[&now]).await?;
    Ok(rows
        .iter()
        .map(|row| Renewed {
            integration: IntegrationId(row.get("integration_id")),
            kind: row.get("kind"),
            external_id: row.get("external_id"),
            customer: CustomerId(row.get("customer_id")),
            ticket: TicketId(row.get("ticket_id")),
            ends_at: row.get("ends_at"),
            is_gone: row.get("is_gone"),
        })
        .collect())
}

/// False when another process had it already.
pub async fn drop_renewal(tx: &ActorTx, of: &Renewed) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/expiries/drop_renewal.sql");
    Ok(tx.execute(sql, &[&of.customer.0, &of.integration.0, &of.kind, &of.external_id]).await? == 1)
}
