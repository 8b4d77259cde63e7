//! After devices were read: which records are of one machine, customer by customer. A customer whose machines the database refuses does
//! not keep the others from theirs.
use jiff::Span;
use kernel::id::CustomerId;
use store::{endpoints, sync::SyncKind};

use super::{context::Cx, error::SyncError};
use crate::identity;

/// An incremental run also looks at customers that lost a device within so long: it moved to another one.
const LOST_LATELY_MINUTES: i64 = 60;

pub(super) async fn after_devices(cx: &Cx<'_>, kind: SyncKind) -> Result<(), SyncError> {
    let run = (kind == SyncKind::Incremental).then_some(cx.claim.run);
    let since = cx.now() - Span::new().minutes(LOST_LATELY_MINUTES);
    let tx = cx.everywhere().await?;
    let customers = endpoints::customers(&tx, cx.claim.integration, run, since).await?;
    tx.rollback().await?;
    for customer in customers {
        of_customer(cx, customer).await?;
    }
    Ok(())
}

/// In a transaction of its own.
pub(super) async fn of_customer<C: Sync>(cx: &Cx<'_, C>, customer: CustomerId) -> Result<(), SyncError> {
    let tx = cx.customer(customer).await?;
    match identity::resolve(&tx, customer, cx.now()).await {
        Ok(()) => Ok(tx.commit().await?),
        Err(error) if error.is_transient() => Err(error.into()),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, customer.id = %customer, sync.run = %cx.claim.run,
                "the machines of a customer could not be kept; the others go on");
            Ok(())
        }
    }
}
