//! Files rows of accounts under the customers of these accounts: out of the old customer first, then into the new one.
use std::{collections::BTreeMap, collections::HashMap};

use connector_api::{Completeness, PartialReason, VendorError};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kernel::id::CustomerId;
use pg::{ActorTx, PgError};
use store::{
    billing::{self, Book, Read},
    integrations,
    sync::Counts,
};

use super::RevIo;
use crate::sync::{
    context::{Cx, rows},
    error::{PartEnd, SyncError},
    hooks::SyncPoint,
    placing::CUSTOMERS_AT_ONCE_MAX,
    run::PartName,
};
use crate::vendors::BoxFuture;

/// Account -> customer, as people mapped them.
pub(super) type Mapping = HashMap<String, CustomerId>;

/// Keys of the vendor's, by the customer under whom they are filed.
pub(super) type ByCustomer = BTreeMap<CustomerId, Vec<String>>;

pub(super) async fn mapping(cx: &Cx<'_, RevIo>) -> Result<Mapping, SyncError> {
    let tx = cx.provider().await?;
    let accounts = integrations::organizations(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    Ok(accounts.into_iter().filter_map(|it| Some((it.external_id, it.customer?))).collect())
}

/// What is of accounts that were mapped to another customer, or to none, leaves before anything arrives.
pub(super) async fn leave(
    cx: &Cx<'_, RevIo>,
    part: PartName,
    book: Book,
    mapping: &Mapping,
) -> Result<(), SyncError> {
    let tx = cx.everywhere().await?;
    let filed = billing::placements(&tx, book, cx.claim.integration).await?;
    tx.rollback().await?;
    let mut leaving = ByCustomer::new();
    for (customer, account) in filed {
        if mapping.get(&account) != Some(&customer) {
            leaving.entry(customer).or_default().push(account);
        }
    }
    let integration = cx.claim.integration;
    take_out(cx, part, leaving, SyncPoint::MovedOut(part), |tx, customer, accounts| {
        Box::pin(billing::remove(tx, book, customer, integration, accounts))
    })
    .await
}

/// What leaves its customer, by keys: each customer's in its own transaction, with its count. `point`: told after each.
pub(super) async fn take_out(
    cx: &Cx<'_, RevIo>,
    part: PartName,
    leaving: ByCustomer,
    point: SyncPoint,
    remove: impl for<'a> Fn(&'a ActorTx, CustomerId, &'a [String]) -> BoxFuture<'a, Result<i32, PgError>> + Sync,
) -> Result<(), SyncError> {
    for (customer, keys) in leaving {
        let tx = cx.customer(customer).await?;
        let removed = remove(&tx, customer, &keys).await?;
        cx.count(&tx, part, &Counts { removed, ..Counts::default() }).await?;
        tx.commit().await?;
        cx.at(point).await;
    }
    Ok(())
}

/// The role of the API user, or what the client bought, has none of these: nothing is wrong with the rest.
pub(super) fn not_shown(completeness: &Completeness) -> Option<&VendorError> {
    match completeness {
        Completeness::Partial { reason: PartialReason::Stopped(error) } => match error {
            VendorError::Forbidden { .. } | VendorError::MissingCapability { .. } => Some(error),
            _ => None,
        },
        _ => None,
    }
}

/// What came, by the customer of its account.
pub(super) struct Sorted<T> {
    pub of_customers: BTreeMap<CustomerId, Vec<T>>,
    /// Of accounts that nobody mapped.
    pub unmapped: usize,
    /// That have no row.
    pub unread: usize,
}

impl<T> Sorted<T> {
    pub fn of<I>(
        mapping: &Mapping,
        items: &[I],
        account: impl Fn(&I) -> i64,
        mut row: impl FnMut(&I) -> Option<T>,
    ) -> Self {
        let mut sorted = Self { of_customers: BTreeMap::new(), unmapped: 0, unread: 0 };
        for item in items {
            let Some(customer) = mapping.get(&account(item).to_string()) else {
                sorted.unmapped += 1;
                continue;
            };
            match row(item) {
                Some(row) => sorted.of_customers.entry(*customer).or_default().push(row),
                None => sorted.unread += 1,
            }
        }
        sorted
    }
}

/// The end of a part whose rows were stored, `refused` of them not.
pub(super) async fn end(
    cx: &Cx<'_, RevIo>,
    part: PartName,
    unmapped: usize,
    refused: usize,
    end: PartEnd,
) -> Result<PartEnd, SyncError> {
    let tx = cx.provider().await?;
    cx.keep_place(&tx, part, None, None, rows(unmapped)).await?;
    tx.commit().await?;
    cx.at(SyncPoint::PageStored(part)).await;
    if refused > 0 {
        let text = format!("{refused} {} could not be kept; the log says why", part.as_str());
        return Ok(PartEnd::partial("rows_refused", &text));
    }
    Ok(end)
}

/// Writes each customer's rows in its own transaction, with their counts. Returns how many rows the database refused.
pub(super) async fn store_each<T: Send + Sync>(
    cx: &Cx<'_, RevIo>,
    part: PartName,
    of_customers: BTreeMap<CustomerId, Vec<T>>,
    read: &Read,
    write: impl for<'a> Fn(&'a ActorTx, CustomerId, &'a Read, &'a [T]) -> BoxFuture<'a, Result<Counts, PgError>>
    + Sync,
) -> Result<usize, SyncError> {
    let write = &write;
    stream::iter(of_customers)
        .map(|(customer, rows)| async move {
            let tx = cx.customer(customer).await?;
            let counts = match write(&tx, customer, read, &rows).await {
                Ok(counts) => counts,
                Err(error) if error.is_transient() => return Err(SyncError::from(error)),
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, customer.id = %customer,
                        sync.run = %cx.claim.run, sync.part = part.as_str(), rows = rows.len(),
                        "the database refused rows of a customer; the others go on");
                    return Ok(rows.len());
                }
            };
            cx.count(&tx, part, &counts).await?;
            tx.commit().await?;
            cx.at(SyncPoint::CustomerStored(part)).await;
            Ok(0)
        })
        .buffer_unordered(CUSTOMERS_AT_ONCE_MAX)
        .try_fold(0, |sum, refused| std::future::ready(Ok(sum + refused)))
        .await
}
