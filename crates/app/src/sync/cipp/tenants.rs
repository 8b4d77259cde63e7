//! Each mapped tenant as the deployment describes it, and until when the provider has access, mapped or not.
use std::collections::{BTreeMap, HashMap, HashSet};

use ::cipp::{Cipp, Tenant};
use kernel::{Timestamp, id::CustomerId};
use store::{
    cipp::{self, AccessEnd, TenantRow},
    integrations,
    sync::{Again, Counts},
    tenants::Seen,
};
use uuid::Uuid;

use super::organizations::name;
use crate::sync::{
    context::Cx,
    device_row::{content_hash, text, without_nul},
    error::{PartEnd, SyncError},
    hooks::SyncPoint,
    run::PartName,
};

const PART: PartName = PartName::Tenants;
/// Changes with every refresh and is no content.
const REFRESHED: &str = "LastRefresh";

pub(super) async fn read(cx: &Cx<'_, Cipp>) -> Result<PartEnd, SyncError> {
    let tx = cx.provider().await?;
    let all = integrations::organizations(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let gone: HashSet<&str> =
        all.iter().filter(|it| it.missing_since.is_some()).map(|it| it.external_id.as_str()).collect();
    let mapped: HashMap<&str, CustomerId> =
        all.iter().filter_map(|it| Some((it.external_id.as_str(), it.customer?))).collect();
    cx.start(PART, Again::StartOver, Some(mapped.len())).await?;
    leave(cx, &mapped, &gone).await?;
    let listed = cx.client.tenants().await;
    let Some(observed_at) = listed.walk.observed_at else {
        return Ok(PartEnd::of_walk(&listed.walk.completeness, 0));
    };
    let mut of_customer: BTreeMap<CustomerId, Vec<&Tenant>> = BTreeMap::new();
    for tenant in &listed.walk.items {
        if let Some(customer) = mapped.get(tenant.id.as_str()) {
            of_customer.entry(*customer).or_default().push(tenant);
        }
    }
    let is_complete = listed.walk.completeness.is_complete();
    let seen = Seen { run: cx.claim.run, observed_at, is_complete };
    for (customer, tenants) in of_customer {
        let rows: Vec<TenantRow> = tenants.into_iter().map(row).collect();
        let tx = cx.customer(customer).await?;
        let counts = cipp::upsert_tenants(&tx, customer, cx.claim.integration, &seen, &rows).await?;
        cx.count(&tx, PART, &counts).await?;
        tx.commit().await?;
        cx.at(SyncPoint::CustomerStored(PART)).await;
    }
    keep_ends(cx, &listed.walk.items, &mapped, observed_at).await?;
    Ok(PartEnd::of_walk(&listed.walk.completeness, listed.walk.pages))
}

/// Out of the old customer before anything arrives at the new one; and those that the deployment has no more.
async fn leave(
    cx: &Cx<'_, Cipp>,
    mapped: &HashMap<&str, CustomerId>,
    gone: &HashSet<&str>,
) -> Result<(), SyncError> {
    let tx = cx.everywhere().await?;
    let filed = cipp::placements(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let mut leaving: BTreeMap<CustomerId, Vec<Uuid>> = BTreeMap::new();
    for tenant in filed {
        let id = tenant.external_id.as_str();
        if gone.contains(id) || mapped.get(id) != Some(&tenant.customer) {
            leaving.entry(tenant.customer).or_default().push(tenant.id);
        }
    }
    for (customer, ids) in leaving {
        let tx = cx.customer(customer).await?;
        let removed = cipp::leave(&tx, customer, &ids, cx.now()).await?;
        cx.count(&tx, PART, &Counts { removed, ..Counts::default() }).await?;
        tx.commit().await?;
        cx.at(SyncPoint::MovedOut(PART)).await;
    }
    Ok(())
}

fn row(tenant: &Tenant) -> TenantRow {
    let raw = without_nul(tenant.raw.clone());
    let mut content = raw.clone();
    if let Some(members) = content.as_object_mut() {
        members.remove(REFRESHED);
    }
    TenantRow {
        external_id: tenant.id.clone(),
        name: name(tenant),
        default_domain: tenant.default_domain.as_deref().map(text),
        initial_domain: tenant.initial_domain.as_deref().map(text),
        is_excluded: tenant.is_excluded,
        graph_error_count: i32::try_from(tenant.graph_error_count).unwrap_or(i32::MAX),
        last_graph_error: tenant.last_graph_error.as_deref().map(text),
        requires_refresh: tenant.requires_refresh,
        access_kind: tenant.access_kind.as_deref().map(text),
        access_ends_at: tenant.access_ends_at,
        access_renews: tenant.access_renews,
        content_hash: content_hash(&content),
        raw,
    }
}

async fn keep_ends(
    cx: &Cx<'_, Cipp>,
    tenants: &[Tenant],
    mapped: &HashMap<&str, CustomerId>,
    observed_at: Timestamp,
) -> Result<(), SyncError> {
    let end = |tenant: &Tenant| {
        Some(AccessEnd {
            external_id: tenant.id.clone(),
            customer_id: mapped.get(tenant.id.as_str()).map(|it| it.0),
            subject: name(tenant),
            ends_at: tenant.access_ends_at?,
            renews: tenant.access_renews,
            proved_at: (tenant.graph_error_count == 0 && !tenant.is_excluded).then_some(observed_at),
        })
    };
    let ends: Vec<AccessEnd> = tenants.iter().filter_map(end).collect();
    let endless: Vec<String> =
        tenants.iter().filter(|it| it.access_ends_at.is_none()).map(|it| it.id.clone()).collect();
    let tx = cx.provider().await?;
    cipp::keep_access_ends(&tx, cx.claim.integration, &ends, &endless, observed_at).await?;
    cx.keep_place(&tx, PART, None, None, 0).await?;
    tx.commit().await?;
    cx.at(SyncPoint::PageStored(PART)).await;
    Ok(())
}
