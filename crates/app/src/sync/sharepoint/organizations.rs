//! The tenants: the application for SharePoint may not list them, so those of the connections to Microsoft 365 are taken over with
//! their customers, and the provider's own.
use ::graph::Graph;
use store::{
    documents,
    sync::{Again, Counts},
};

use crate::sync::{
    context::Cx,
    error::{PartEnd, SyncError},
    hooks::SyncPoint,
    run::PartName,
};

const PART: PartName = PartName::Organizations;

pub(super) async fn read(cx: &Cx<'_, Graph>) -> Result<PartEnd, SyncError> {
    cx.start(PART, Again::StartOver, None).await?;
    let home = cx.client.home();
    if let Err(error) = home.sign_in().await {
        return Ok(PartEnd::failed(&error));
    }
    let tx = cx.provider().await?;
    let offered = documents::offer_tenants(&tx, cx.claim.integration, home.tenant_id(), cx.now()).await?;
    cx.count(&tx, PART, &Counts { read: offered, ..Counts::default() }).await?;
    cx.keep_place(&tx, PART, None, None, 0).await?;
    tx.commit().await?;
    cx.at(SyncPoint::PageStored(PART)).await;
    Ok(PartEnd::complete())
}
