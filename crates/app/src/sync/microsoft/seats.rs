//! What each tenant bought. The vendor has no reading of a single license: one is gone when two complete lists in a row lack it.
use std::collections::HashSet;

use ::graph::{Graph, SubscribedSku};
use connector_api::Walk;
use store::{
    sync::{Counts, SyncKind},
    tenants::{self, Flags, PartOf, Seen},
};
use uuid::Uuid;

use super::{
    rows as row_of,
    tenants::{Came, Reading, complete, each},
    trouble,
};
use crate::sync::{
    context::Cx,
    error::{PartEnd, SyncError},
    run::PartName,
};

const PART: PartName = PartName::Seats;

pub(super) async fn read(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(PART, store::sync::Again::GoOn, None).await?;
    each(cx, kind, PART, PartOf::Seats, |cx, tenant| Box::pin(one(cx, tenant))).await
}

async fn one(cx: &Cx<'_, Graph>, tenant: &Reading) -> Came {
    let tx = cx.customer(tenant.customer).await?;
    let known = tenants::skus_present(&tx, tenant.customer, tenant.id).await?;
    tx.rollback().await?;
    let mut walk = tenant.client.subscribed_skus().await;
    let lacking = |walk: &Walk<SubscribedSku>| -> Vec<Uuid> {
        let seen: HashSet<Uuid> = walk.items.iter().map(|it| it.sku_id).collect();
        known.iter().filter(|id| !seen.contains(id)).copied().collect()
    };
    let mut gone = lacking(&walk);
    if walk.completeness.is_complete() && !gone.is_empty() {
        walk = tenant.client.subscribed_skus().await;
        let again: HashSet<Uuid> = lacking(&walk).into_iter().collect();
        gone.retain(|id| again.contains(id));
    }
    let is_complete = walk.completeness.is_complete();
    let Some(observed_at) = walk.observed_at else {
        return Ok((vec![trouble::of_walk(PartOf::Seats, &walk.completeness, 0)], 0));
    };
    // Counts stand without the terms: a list of purchases that cannot be read leaves what is known of them.
    let bought = tenant.client.commercial_subscriptions().await;
    let purchases = bought.completeness.is_complete().then_some(bought.items.as_slice());
    let found: Vec<_> = walk.items.iter().map(|sku| row_of::sku(sku, purchases)).collect();
    let seen = Seen { run: cx.claim.run, observed_at, is_complete };
    let tx = cx.customer(tenant.customer).await?;
    let mut counts = tenants::upsert_skus(&tx, tenant.customer, tenant.id, &seen, &found).await?;
    if is_complete {
        let has_premium = Some(walk.items.iter().any(SubscribedSku::grants_premium));
        let flags = Flags { has_premium, ..Flags::default() };
        tenants::set_flags(&tx, tenant.customer, tenant.id, flags).await?;
        if !gone.is_empty() {
            let now = cx.now();
            let removed = tenants::mark_skus_missing(&tx, tenant.customer, tenant.id, &gone, now).await?;
            counts += Counts { removed, ..Counts::default() };
        }
    }
    cx.count(&tx, PART, &counts).await?;
    tx.commit().await?;
    let read = if is_complete {
        complete(PartOf::Seats, observed_at, found.len())
    } else {
        trouble::of_walk(PartOf::Seats, &walk.completeness, found.len())
    };
    Ok((vec![read], 0))
}
