//! Files rows of accounts under the customers of these accounts: out of the old customer first, then into the new one.
use std::{collections::BTreeMap, collections::HashMap};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kernel::id::CustomerId;
use pg::{ActorTx, PgError};
use store::{billing::Read, integrations, sync::Counts};

use super::RevIo;
use crate::sync::{
    context::Cx, error::SyncError, hooks::SyncPoint, placing::CUSTOMERS_AT_ONCE_MAX, run::PartName,
};
use crate::vendors::BoxFuture;

/// Account -> customer, as people mapped them.
pub(super) type Mapping = HashMap<String, CustomerId>;

pub(super) async fn mapping(cx: &Cx<'_, RevIo>) -> Result<Mapping, SyncError> {
    let tx = cx.provider().await?;
    let accounts = integrations::organizations(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    Ok(accounts.into_iter().filter_map(|it| Some((it.external_id, it.customer?))).collect())
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
