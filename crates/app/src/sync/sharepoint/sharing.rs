//! Who may open what: the permissions of each item that is shared, or was.
use ::graph::{Graph, TenantClient, sharepoint::Share};
use connector_api::{Completeness, PartialReason, VendorError, Walk};
use futures_util::{StreamExt as _, stream};
use kernel::Timestamp;
use serde_json::json;
use store::{
    documents::{self, Asked, ReadEnd, Reads, ShareRow, SharesRead, Site, SitePart},
    sync::{Again, Counts, SyncKind},
};

use super::tenants::{Reading, complete, each_site, partial, refused};
use crate::sync::{
    context::{Cx, rows},
    device_row::text,
    error::{PartEnd, SyncError},
    hooks::SyncPoint,
    run::PartName,
};

const PART: PartName = PartName::Sharing;
/// Items between two places from which a restart goes on.
const ITEMS_TOGETHER_MAX: i64 = 50;
/// Each costs 5 units of the vendor's allowance.
const READS_AT_ONCE_MAX: usize = 4;

pub(super) async fn read(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(PART, Again::GoOn, None).await?;
    let place = (PART, SitePart::Sharing, Reads::Sharing);
    each_site(cx, kind, place, |cx, tenant, site| Box::pin(one(cx, tenant, site))).await
}

async fn one(cx: &Cx<'_, Graph>, tenant: &Reading, site: &Site) -> Result<ReadEnd, SyncError> {
    let customer = tenant.customer;
    if tenant.kind == SyncKind::Full {
        let tx = cx.customer(customer).await?;
        documents::ask_all_shares(&tx, customer, site.id).await?;
        tx.commit().await?;
    }
    let (mut after, mut items) = (String::new(), 0);
    let mut failed: Vec<VendorError> = Vec::new();
    loop {
        let tx = cx.customer(customer).await?;
        let due = documents::shares_due(&tx, customer, site.id, &after, ITEMS_TOGETHER_MAX).await?;
        tx.rollback().await?;
        let Some(last) = due.last() else { break };
        after.clone_from(&last.external_id);
        items += due.len();
        let read: Vec<(Asked, Walk<Share>)> = stream::iter(due)
            .map(|item| async { ask(&tenant.client, item).await })
            .buffered(READS_AT_ONCE_MAX)
            .collect()
            .await;
        for (item, walk) in read {
            failed.extend(store(cx, tenant, &item, walk).await?);
        }
        cx.at(SyncPoint::Asked(PART)).await;
        if failed.iter().any(is_hopeless) {
            break;
        }
    }
    let last = failed.last();
    Ok(match last {
        None => complete(cx.now(), items),
        Some(error) if failed.len() >= items => refused(error),
        Some(error) => {
            partial(&format!("the sharing of {} of {items} items was not read: {error}", failed.len()))
        }
    })
}

/// Asking for the next one would end the same way.
fn is_hopeless(error: &VendorError) -> bool {
    matches!(
        error,
        VendorError::Throttled { .. }
            | VendorError::Forbidden { .. }
            | VendorError::NotConsented { .. }
            | VendorError::Auth { .. }
    )
}

async fn ask(client: &TenantClient, item: Asked) -> (Asked, Walk<Share>) {
    let walk = client.item_permissions(&item.drive, &item.external_id).await;
    (item, walk)
}

/// Only a complete list takes a share back. Returns why it was not read.
async fn store(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
    item: &Asked,
    walk: Walk<Share>,
) -> Result<Option<VendorError>, SyncError> {
    let observed_at = match (walk.completeness, walk.observed_at) {
        (Completeness::Complete, Some(observed_at)) => observed_at,
        // It went in the meantime: the next round over the library says so.
        (Completeness::Partial { reason: PartialReason::Stopped(VendorError::NotFound) }, _) => {
            return Ok(None);
        }
        (Completeness::Partial { reason: PartialReason::Stopped(error) }, _) => return Ok(Some(error)),
        (Completeness::Partial { reason }, _) => {
            return Ok(Some(VendorError::shape("permissions", reason.to_string())));
        }
        (Completeness::Complete, None) => return Ok(Some(VendorError::shape("permissions", "no page came"))),
    };
    let shares: Vec<ShareRow> =
        walk.items.iter().filter(|it| it.is_share && !it.is_inherited).map(row).collect();
    let read = confirm(cx, tenant, item, shares, observed_at).await?;
    let tx = cx.customer(tenant.customer).await?;
    let removed = documents::keep_shares(&tx, tenant.customer, item.id, &read).await?;
    cx.count(&tx, PART, &Counts { read: rows(read.rows.len()), removed, ..Counts::default() }).await?;
    tx.commit().await?;
    let doubt =
        || VendorError::shape("permissions", "the list lacked shares that exist or could not be asked for");
    Ok((!read.is_certain).then(doubt))
}

/// Shares that the list lacks are asked for by their own ids.
async fn confirm(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
    item: &Asked,
    shares: Vec<ShareRow>,
    observed_at: Timestamp,
) -> Result<SharesRead, SyncError> {
    let tx = cx.customer(tenant.customer).await?;
    let mut lacking = documents::shares_present(&tx, tenant.customer, item.id).await?;
    tx.rollback().await?;
    lacking.retain(|id| shares.iter().all(|share| share.external_id != *id));
    let count = lacking.len();
    let mut gone = Vec::new();
    for id in lacking {
        let asked = tenant.client.item_permission(&item.drive, &item.external_id, &id).await;
        if asked == Err(VendorError::NotFound) {
            gone.push(id);
        }
    }
    Ok(SharesRead { rows: shares, is_certain: gone.len() == count, gone, observed_at })
}

fn row(share: &Share) -> ShareRow {
    let granted: Vec<_> = share
        .granted_to
        .iter()
        .map(|it| json!({"name": text(&it.name), "email": it.email.as_deref().map(text), "external": it.is_external}))
        .collect();
    ShareRow {
        external_id: share.id.clone(),
        scope: share.scope.as_str(),
        kind: share.kind.as_str(),
        link_type: share.link_type.clone(),
        has_password: share.has_password,
        expires_at: share.expires_at,
        is_external: share.granted_to.iter().any(|it| it.is_external),
        granted_to: granted.into(),
    }
}
