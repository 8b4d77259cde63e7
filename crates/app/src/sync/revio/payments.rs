//! What accounts paid. A payment is never removed because a list lacks it; it leaves a customer only when its account does.
//! The books may keep payments from the API user: then the other parts are as whole as before.
use ::revio::{Payment, RevIo};
use store::{
    billing::{self, Book, Read},
    sync::Again,
};

use super::{
    accounts::rows_pages,
    filing::{self, Sorted},
    rows as row_of,
};
use crate::sync::{
    context::Cx,
    error::{PartEnd, SyncError, is_worth_repeating, trouble},
    run::PartName,
};

const PART: PartName = PartName::Payments;

pub(super) async fn read(cx: &Cx<'_, RevIo>) -> Result<PartEnd, SyncError> {
    let part = cx.start(PART, Again::StartOver, None).await?;
    let mut payments = cx.client.payments().await;
    if part.reads < 2 && is_worth_repeating(&payments.completeness) {
        cx.read_again(PART, None, &trouble("suspect", &payments.completeness.to_string())).await?;
        payments = cx.client.payments().await;
    }
    let mapping = filing::mapping(cx).await?;
    filing::leave(cx, PART, Book::Payments, &mapping).await?;
    if let Some(refused) = filing::not_shown(&payments.completeness) {
        return Ok(PartEnd::not_shown(PART, refused));
    }
    let end = PartEnd::of_walk(&payments.completeness, payments.pages.min(rows_pages(payments.items.len())));
    let Some(observed_at) = payments.observed_at else { return Ok(end) };
    let read = Read {
        integration: cx.claim.integration,
        run: cx.claim.run,
        observed_at,
        is_complete: payments.completeness.is_complete(),
    };
    let account = |payment: &Payment| payment.customer_id;
    let sorted = Sorted::of(&mapping, &payments.items, account, row_of::payment);
    let refused = filing::store_each(cx, PART, sorted.of_customers, &read, |tx, customer, read, rows| {
        Box::pin(billing::upsert_payments(tx, customer, read, rows))
    });
    let refused = refused.await? + sorted.unread;
    filing::end(cx, PART, sorted.unmapped, refused, end).await
}
