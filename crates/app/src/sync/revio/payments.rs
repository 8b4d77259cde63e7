//! What accounts paid. A payment is never removed because a list lacks it; it leaves a customer only when its account does.
//! The books may keep payments from the API user: then the other parts are as whole as before.
use std::collections::BTreeMap;

use ::revio::RevIo;
use connector_api::{Completeness, PartialReason, VendorError};
use kernel::id::CustomerId;
use store::{
    billing::{self, PaymentRow, Read},
    sync::{Again, Counts},
};

use super::{accounts::rows_pages, filing, rows as row_of};
use crate::sync::{
    context::{Cx, rows},
    error::{PartEnd, SyncError, is_worth_repeating, trouble},
    hooks::SyncPoint,
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
    leave(cx, &mapping).await?;
    if let Some(refused) = not_shown(&payments.completeness) {
        return Ok(PartEnd::partial(refused.kind(), &format!("payments are not shown to us: {refused}")));
    }
    let end = PartEnd::of_walk(&payments.completeness, payments.pages.min(rows_pages(payments.items.len())));
    let Some(observed_at) = payments.observed_at else { return Ok(end) };
    let read = Read {
        integration: cx.claim.integration,
        run: cx.claim.run,
        observed_at,
        is_complete: payments.completeness.is_complete(),
    };
    let mut of_customers: BTreeMap<CustomerId, Vec<PaymentRow>> = BTreeMap::new();
    let (mut unmapped, mut unread) = (0, 0);
    for payment in &payments.items {
        let Some(customer) = mapping.get(&payment.customer_id.to_string()) else {
            unmapped += 1;
            continue;
        };
        match row_of::payment(payment) {
            Some(row) => of_customers.entry(*customer).or_default().push(row),
            None => unread += 1,
        }
    }
    let stored = filing::store_each(cx, PART, of_customers, &read, |tx, customer, read, rows| {
        Box::pin(billing::upsert_payments(tx, customer, read, rows))
    });
    let refused = stored.await? + unread;
    let tx = cx.provider().await?;
    cx.keep_place(&tx, PART, None, None, rows(unmapped)).await?;
    tx.commit().await?;
    cx.at(SyncPoint::PageStored(PART)).await;
    if refused > 0 {
        let text = format!("{refused} payments could not be kept; the log says why");
        return Ok(PartEnd::partial("rows_refused", &text));
    }
    Ok(end)
}

/// The role of the API user, or what the client bought, has no payments: nothing is wrong with the rest.
fn not_shown(completeness: &Completeness) -> Option<&VendorError> {
    match completeness {
        Completeness::Partial { reason: PartialReason::Stopped(error) } => match error {
            VendorError::Forbidden { .. } | VendorError::MissingCapability { .. } => Some(error),
            _ => None,
        },
        _ => None,
    }
}

/// Payments of accounts that were mapped to another customer, or to none, leave before anything arrives.
async fn leave(cx: &Cx<'_, RevIo>, mapping: &filing::Mapping) -> Result<(), SyncError> {
    let tx = cx.everywhere().await?;
    let filed = billing::payment_placements(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let mut leaving: BTreeMap<CustomerId, Vec<String>> = BTreeMap::new();
    for (customer, account) in filed {
        if mapping.get(&account) != Some(&customer) {
            leaving.entry(customer).or_default().push(account);
        }
    }
    for (customer, accounts) in leaving {
        let tx = cx.customer(customer).await?;
        let removed = billing::remove_payments(&tx, customer, cx.claim.integration, &accounts).await?;
        cx.count(&tx, PART, &Counts { removed, ..Counts::default() }).await?;
        tx.commit().await?;
        cx.at(SyncPoint::MovedOut(PART)).await;
    }
    Ok(())
}
