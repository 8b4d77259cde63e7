//! Which tenants and sites a part reads, and how each of them ended.
use std::collections::{BTreeMap, HashMap};

use ::graph::{Graph, TenantClient, missing_permission};
use connector_api::{Completeness, PartialReason, VendorError, error::vendor_text};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kernel::{Timestamp, id::CustomerId};
use store::{
    documents::{self, ReadEnd, Reads, Site, SitePart},
    integrations,
    sync::{Counts, SyncKind},
    tenants::PartState,
};
use uuid::Uuid;

use crate::{
    sync::{
        context::Cx,
        error::{PartEnd, SyncError},
        hooks::SyncPoint,
        microsoft::{
            tenants::{fence, mapped},
            trouble::{Outcome, sum},
        },
        run::PartName,
    },
    vendors::BoxFuture,
};

/// Tenants that are read at the same time.
const TENANTS_AT_ONCE_MAX: usize = 4;

/// A mapped tenant under way.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub customer: CustomerId,
    pub id: Uuid,
    pub name: String,
    pub kind: SyncKind,
    pub client: TenantClient,
}

/// Reads one tenant, or one site.
pub(super) type ReadTenant =
    for<'a> fn(&'a Cx<'a, Graph>, &'a Reading) -> BoxFuture<'a, Result<ReadEnd, SyncError>>;
pub(super) type ReadSite =
    for<'a> fn(&'a Cx<'a, Graph>, &'a Reading, &'a Site) -> BoxFuture<'a, Result<ReadEnd, SyncError>>;

/// Out of the old customer before anything arrives at the new one.
pub(super) async fn leave(cx: &Cx<'_, Graph>, part: PartName) -> Result<(), SyncError> {
    let tx = cx.everywhere().await?;
    let filed = documents::placements(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let tx = cx.provider().await?;
    let organizations = integrations::organizations(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let kept: HashMap<&str, Option<CustomerId>> =
        organizations.iter().map(|it| (it.external_id.as_str(), it.customer)).collect();
    let mut leaving: BTreeMap<CustomerId, Vec<Uuid>> = BTreeMap::new();
    for tenant in filed {
        if kept.get(tenant.external_id.as_str()).copied().flatten() != Some(tenant.customer) {
            leaving.entry(tenant.customer).or_default().push(tenant.id);
        }
    }
    for (customer, ids) in leaving {
        let tx = cx.customer(customer).await?;
        let removed = documents::leave(&tx, customer, &ids, cx.now()).await?;
        cx.count(&tx, part, &Counts { removed, ..Counts::default() }).await?;
        tx.commit().await?;
        cx.at(SyncPoint::MovedOut(part)).await;
    }
    Ok(())
}

async fn readings(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<Vec<(Reading, Option<Outcome>)>, SyncError> {
    let mut all = Vec::new();
    for (external_id, (customer, name)) in mapped(cx).await? {
        let tx = cx.customer(customer).await?;
        let named = (external_id.as_str(), name.as_str());
        let is = documents::ensure_tenant(&tx, customer, cx.claim.integration, named, cx.claim.run).await?;
        tx.commit().await?;
        let client = cx.client.tenant(&external_id);
        let done = is.done.map(|(state, reason)| Outcome { tenant: name.clone(), state, reason, held: 0 });
        all.push((Reading { customer, id: is.id, name, kind, client }, done));
    }
    Ok(all)
}

/// Every mapped tenant that was not read in this run.
pub(super) async fn each_tenant(
    cx: &Cx<'_, Graph>,
    kind: SyncKind,
    part: PartName,
    read: ReadTenant,
) -> Result<PartEnd, SyncError> {
    let outcomes: Vec<Outcome> = stream::iter(readings(cx, kind).await?)
        .map(|(tenant, done)| async move {
            if let Some(done) = done {
                return Ok(done);
            }
            let end = kept_or_said(cx, part, &tenant, read(cx, &tenant).await)?;
            let tx = cx.customer(tenant.customer).await?;
            documents::finish_tenant(&tx, tenant.customer, tenant.id, cx.claim.run, &end, cx.now()).await?;
            fence(cx, &tx, part).await?;
            tx.commit().await?;
            cx.at(SyncPoint::CustomerStored(part)).await;
            Ok::<_, SyncError>(Outcome { tenant: tenant.name, state: end.state, reason: end.reason, held: 0 })
        })
        .buffer_unordered(TENANTS_AT_ONCE_MAX)
        .try_collect()
        .await?;
    end(cx, part, outcomes).await
}

/// A part of every site of which at least `least` is read, and that was not read in this run.
pub(super) async fn each_site(
    cx: &Cx<'_, Graph>,
    kind: SyncKind,
    (part, of, least): (PartName, SitePart, Reads),
    read: ReadSite,
) -> Result<PartEnd, SyncError> {
    let outcomes: Vec<Vec<Outcome>> = stream::iter(readings(cx, kind).await?)
        .map(|(tenant, listed)| async move {
            // A tenant that does not let us in has said so once.
            if listed.is_some_and(|it| it.state == PartState::Denied) {
                return Ok(Vec::new());
            }
            sites_of(cx, &tenant, (part, of, least), read).await
        })
        .buffer_unordered(TENANTS_AT_ONCE_MAX)
        .try_collect()
        .await?;
    end(cx, part, outcomes.into_iter().flatten().collect()).await
}

async fn sites_of(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
    (part, of, least): (PartName, SitePart, Reads),
    read: ReadSite,
) -> Result<Vec<Outcome>, SyncError> {
    let sites = known_sites(cx, tenant).await?;
    let mut outcomes = Vec::new();
    for site in sites.iter().filter(|site| site.reads >= least) {
        let named = |state, reason| Outcome {
            tenant: format!("{}, {}", tenant.name, site.name),
            state,
            reason,
            held: 0,
        };
        if let Some(state) = site.done(of) {
            outcomes.push(named(state, None));
            continue;
        }
        let end = kept_or_said(cx, part, tenant, read(cx, tenant, site).await)?;
        let tx = cx.customer(tenant.customer).await?;
        let place = (site.id, of);
        documents::finish_part(&tx, tenant.customer, place, cx.claim.run, &end, cx.now()).await?;
        if of != SitePart::Libraries {
            documents::recount(&tx, tenant.customer, site.id).await?;
        }
        fence(cx, &tx, part).await?;
        tx.commit().await?;
        cx.at(SyncPoint::CustomerStored(part)).await;
        outcomes.push(named(end.state, end.reason));
    }
    Ok(outcomes)
}

/// The database refused something of this tenant: it says so, and the others go on.
fn kept_or_said(
    cx: &Cx<'_, Graph>,
    part: PartName,
    tenant: &Reading,
    read: Result<ReadEnd, SyncError>,
) -> Result<ReadEnd, SyncError> {
    match read {
        Err(SyncError::Database(error)) if !error.is_transient() => {
            tracing::error!(error = &error as &dyn std::error::Error, customer.id = %tenant.customer,
                tenant.id = tenant.client.tenant_id(), sync.run = %cx.claim.run, sync.part = part.as_str(),
                "what SharePoint said could not be kept");
            Ok(partial("it could not be kept; the log says why"))
        }
        other => other,
    }
}

pub(super) async fn known_sites(cx: &Cx<'_, Graph>, tenant: &Reading) -> Result<Vec<Site>, SyncError> {
    let tx = cx.customer(tenant.customer).await?;
    let sites = documents::sites(&tx, tenant.customer, tenant.id, cx.claim.run).await?;
    tx.rollback().await?;
    Ok(sites)
}

async fn end(cx: &Cx<'_, Graph>, part: PartName, outcomes: Vec<Outcome>) -> Result<PartEnd, SyncError> {
    let tx = cx.provider().await?;
    cx.keep_place(&tx, part, None, None, 0).await?;
    tx.commit().await?;
    cx.at(SyncPoint::PageStored(part)).await;
    Ok(sum(outcomes))
}

pub(super) fn complete(observed_at: Timestamp, rows: usize) -> ReadEnd {
    ReadEnd {
        state: PartState::Complete,
        reason: None,
        permission: None,
        observed_at: Some(observed_at),
        rows,
    }
}

pub(super) fn partial(reason: &str) -> ReadEnd {
    let reason = Some(vendor_text(reason));
    ReadEnd { state: PartState::Partial, reason, permission: None, observed_at: None, rows: 0 }
}

/// Of a reading that brought nothing.
pub(super) fn refused(error: &VendorError) -> ReadEnd {
    let (state, reason) = match error {
        VendorError::NotConsented { reason } => {
            (PartState::Denied, format!("the tenant does not let the application in: {reason}"))
        }
        VendorError::Forbidden { reason } => (PartState::Denied, reason.clone()),
        VendorError::MissingCapability { capability } => {
            (PartState::Denied, format!("the tenant does not have {capability}"))
        }
        other => (PartState::Failed, other.to_string()),
    };
    let reason = Some(vendor_text(&reason));
    ReadEnd { state, reason, permission: missing_permission(error), observed_at: None, rows: 0 }
}

/// Of a list that did not come whole; `rows` of it did.
pub(super) fn of_walk(completeness: &Completeness, rows: usize) -> ReadEnd {
    match completeness {
        Completeness::Partial { reason: PartialReason::Stopped(error) } if rows == 0 => refused(error),
        Completeness::Partial { reason } => partial(&reason.to_string()),
        Completeness::Complete => partial("the list was not believed"),
    }
}
