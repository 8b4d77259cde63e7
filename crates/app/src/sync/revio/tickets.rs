//! Tickets of accounts: the billing system's own, none of the service desk. One leaves when the vendor confirms that it is gone, or when it
//! or its account is another customer's. A client on the vendor's newer PSA has none here: that is said, and nothing is made of it.
use ::revio::{RevIo, Ticket};
use connector_api::VendorError;
use store::{
    billing::{self, Book, Read},
    sync::Again,
};

use super::{
    filing::{self, ByCustomer, Sorted},
    listed::Listed,
    rows as row_of,
};
use crate::sync::{
    context::Cx,
    error::{PartEnd, SyncError},
    hooks::SyncPoint,
    run::PartName,
};

const PART: PartName = PartName::Tickets;

pub(super) async fn read(cx: &Cx<'_, RevIo>) -> Result<PartEnd, SyncError> {
    let tx = cx.everywhere().await?;
    let filed = billing::tickets_filed(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let part = cx.start(PART, Again::StartOver, Some(filed.len())).await?;
    let account = |ticket: &Ticket| ticket.customer_id;
    let (client, tickets) =
        (cx.client, Listed { part: PART, filed: &filed, id: |ticket: &Ticket| ticket.id, account });
    let reading = tickets.read(cx, &part, || client.tickets()).await?;
    let mapping = filing::mapping(cx).await?;
    filing::leave(cx, PART, Book::Tickets, &mapping).await?;
    match filing::not_shown(&reading.walk.completeness) {
        Some(error @ VendorError::MissingCapability { .. }) => return Ok(PartEnd::not_offered(error)),
        Some(error) => return Ok(PartEnd::not_shown(PART, error)),
        None => {}
    }
    let Some(observed_at) = reading.walk.observed_at else {
        return Ok(PartEnd::of_walk(&reading.walk.completeness, 0));
    };
    let settled = tickets.settle(cx, reading, |id| client.ticket(id)).await?;
    remove(cx, tickets.moved(&mapping, &settled.items), SyncPoint::MovedOut(PART)).await?;
    let is_complete = settled.is_complete();
    let read = Read { integration: cx.claim.integration, run: cx.claim.run, observed_at, is_complete };
    let sorted = Sorted::of(&mapping, &settled.items, account, |ticket| Some(row_of::ticket(ticket)));
    let refused = filing::store_each(cx, PART, sorted.of_customers, &read, |tx, customer, read, rows| {
        Box::pin(billing::upsert_tickets(tx, customer, read, rows))
    })
    .await?;
    remove(cx, settled.gone, SyncPoint::Confirmed(PART)).await?;
    filing::end(cx, PART, sorted.unmapped, refused, settled.end).await
}

async fn remove(cx: &Cx<'_, RevIo>, tickets: ByCustomer, point: SyncPoint) -> Result<(), SyncError> {
    let integration = cx.claim.integration;
    filing::take_out(cx, PART, tickets, point, |tx, customer, ids| {
        Box::pin(billing::remove_gone_tickets(tx, customer, integration, ids))
    })
    .await
}
