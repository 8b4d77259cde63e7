//! What changed in a tenant's accounts since they were read whole. A change is only a reason to read the account again by its
//! own id: members that did not change are absent from it, and nobody is gone by the word of a list.
use ::graph::{DeltaEnd, Graph};
use connector_api::{Completeness, VendorError};
use store::{
    accounts,
    sync::Counts,
    tenants::{self, PartOf, PartRead, Seen},
};

use super::{
    people,
    tenants::{Reading, complete},
    trouble,
};
use crate::sync::{
    confirm::may_ask,
    context::{Cx, rows},
    error::SyncError,
    run::PartName,
};

const PART: PartName = PartName::People;

/// `None`: the accounts must be read whole.
pub(super) async fn read(cx: &Cx<'_, Graph>, tenant: &Reading) -> Result<Option<PartRead>, SyncError> {
    let tx = cx.customer(tenant.customer).await?;
    let link = tenants::cursor(&tx, tenant.customer, tenant.id, PartOf::People).await?;
    tx.rollback().await?;
    let Some(link) = link else { return Ok(None) };
    let delta = tenant.client.users_delta(Some(&link)).await;
    let next = match delta.end {
        DeltaEnd::Link(next) => next,
        DeltaEnd::Resync => return Ok(None),
        DeltaEnd::Partial(reason) => {
            let completeness = Completeness::partial(reason);
            return Ok(Some(trouble::of_walk(PartOf::People, &completeness, 0)));
        }
    };
    let Some(observed_at) = delta.observed_at else { return Ok(None) };
    let changed = delta.changed.into_iter().map(|it| it.id).chain(delta.removed.into_iter().map(|it| it.id));
    let mut ids: Vec<String> = changed.collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > may_ask(cx, PART).await? {
        return Ok(None);
    }
    let (mut there, mut gone, mut unknown) = (Vec::new(), Vec::new(), 0);
    if !ids.is_empty() {
        for answer in tenant.client.users_by_id(&ids).await {
            match answer.outcome {
                Ok(user) => there.push(user.value),
                Err(VendorError::NotFound) => gone.push(answer.id),
                Err(_) => unknown += 1,
            }
        }
    }
    let seen = Seen { run: cx.claim.run, observed_at, is_complete: true };
    if !ids.is_empty() {
        let tx = cx.customer(tenant.customer).await?;
        tenants::unspare(&tx, tenant.customer, tenant.id).await?;
        tx.commit().await?;
    }
    let unread = people::store(cx, tenant, &seen, there).await?;
    people::remove(cx, tenant, &gone).await?;
    if unknown + unread > 0 {
        // The link stays where it was: they come again.
        let text = format!("{} accounts that changed could not be read", unknown + unread);
        return Ok(Some(trouble::partial(PartOf::People, text)));
    }
    let tx = cx.customer(tenant.customer).await?;
    let known = accounts::present(&tx, tenant.customer, tenant.id).await?.len();
    let next = Some(next.as_str());
    tenants::keep_cursor(&tx, tenant.customer, tenant.id, PartOf::People, next, cx.now()).await?;
    let unchanged = rows(known.saturating_sub(ids.len()));
    cx.count(&tx, PART, &Counts { read: unchanged, unchanged, ..Counts::default() }).await?;
    tx.commit().await?;
    Ok(Some(complete(PartOf::People, observed_at, known)))
}

/// Before the accounts are read whole: what is kept until now says nothing any more, and from now on changes are asked for with
/// the link that is returned. `None`: the vendor gave none, so that the next reading is whole as well.
pub(super) async fn begin(cx: &Cx<'_, Graph>, tenant: &Reading) -> Result<Option<String>, SyncError> {
    keep(cx, tenant, None).await?;
    match tenant.client.users_delta_latest().await {
        Ok(link) => Ok(Some(link)),
        Err(error) => {
            tracing::debug!(error = &error as &dyn std::error::Error, sync.run = %cx.claim.run, tenant.id = tenant.client.tenant_id(),
                "no link for changes of accounts");
            Ok(None)
        }
    }
}

pub(super) async fn keep(cx: &Cx<'_, Graph>, tenant: &Reading, link: Option<&str>) -> Result<(), SyncError> {
    let tx = cx.customer(tenant.customer).await?;
    tenants::keep_cursor(&tx, tenant.customer, tenant.id, PartOf::People, link, cx.now()).await?;
    tx.commit().await?;
    Ok(())
}
