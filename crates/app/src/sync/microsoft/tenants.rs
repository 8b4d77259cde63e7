//! Each mapped tenant's own word of itself, and which tenants a part reads.
use std::collections::{BTreeMap, HashMap};

use ::graph::{Graph, TenantClient};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kernel::id::CustomerId;
use pg::ActorTx;
use store::{
    integrations, subscriptions,
    sync::{Again, Counts, SyncKind},
    tenants::{self, Described, PartOf, PartRead, PartState},
};
use uuid::Uuid;

use super::trouble::{self, Outcome};
use crate::{
    sync::{
        context::{Cx, rows},
        device_row::text,
        error::{PartEnd, SyncError},
        hooks::SyncPoint,
        machines,
        run::PartName,
    },
    vendors::BoxFuture,
};

const PART: PartName = PartName::Tenants;
/// Tenants that are read at the same time.
pub(super) const TENANTS_AT_ONCE_MAX: usize = 4;

/// A mapped tenant under way.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub customer: CustomerId,
    pub id: Uuid,
    pub name: String,
    pub has_premium: Option<bool>,
    pub kind: SyncKind,
    pub client: TenantClient,
}

/// Moves tenants that were mapped anew, then asks each mapped one who it is.
pub(super) async fn read(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    let mapped = mapped(cx).await?;
    cx.start(PART, Again::StartOver, Some(mapped.len())).await?;
    leave(cx, &mapped).await?;
    let describe: ReadOne = |cx, tenant| Box::pin(async move { Ok((vec![describe(cx, tenant).await?], 0)) });
    each(cx, kind, PART, PartOf::Organization, describe).await
}

/// Tenant -> customer and name, as people mapped them. One of an unmapped organization is never read.
pub(in crate::sync) async fn mapped(
    cx: &Cx<'_, Graph>,
) -> Result<BTreeMap<String, (CustomerId, String)>, SyncError> {
    let tx = cx.provider().await?;
    let all = integrations::organizations(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let mapped = all.into_iter().filter(|it| it.missing_since.is_none());
    Ok(mapped.filter_map(|it| Some((it.external_id, (it.customer?, it.name)))).collect())
}

/// Out of the old customer before anything arrives at the new one.
async fn leave(cx: &Cx<'_, Graph>, mapped: &BTreeMap<String, (CustomerId, String)>) -> Result<(), SyncError> {
    let tx = cx.everywhere().await?;
    let filed = tenants::placements(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let all = cx.provider().await?;
    let organizations = integrations::organizations(&all, cx.claim.integration).await?;
    all.rollback().await?;
    // An organization that is not listed any more keeps its tenant until somebody maps it otherwise.
    let kept: HashMap<&str, Option<CustomerId>> =
        organizations.iter().map(|it| (it.external_id.as_str(), it.customer)).collect();
    let mut leaving: BTreeMap<CustomerId, Vec<Uuid>> = BTreeMap::new();
    for tenant in filed {
        let target = mapped.get(&tenant.external_id).map(|(customer, _)| *customer);
        let target = target.or_else(|| kept.get(tenant.external_id.as_str()).copied().flatten());
        if target != Some(tenant.customer) {
            leaving.entry(tenant.customer).or_default().push(tenant.id);
        }
    }
    for (customer, ids) in leaving {
        let tx = cx.customer(customer).await?;
        let removed = tenants::leave(&tx, customer, &ids, cx.now()).await?;
        cx.count(&tx, PART, &Counts { removed, ..Counts::default() }).await?;
        tx.commit().await?;
        machines::of_customer(cx, customer).await?;
        cx.at(SyncPoint::MovedOut(PART)).await;
    }
    Ok(())
}

/// What reading a part of one tenant came to: the part that counts first, beside what else was read; and how many accounts are
/// held back.
pub(super) type Came = Result<(Vec<PartRead>, usize), SyncError>;
/// Reads a part of one tenant and stores it.
pub(super) type ReadOne = for<'a> fn(&'a Cx<'a, Graph>, &'a Reading) -> BoxFuture<'a, Came>;

/// One part of every mapped tenant that is due and was not read in this run, a few tenants at a time.
pub(super) async fn each(
    cx: &Cx<'_, Graph>,
    kind: SyncKind,
    part: PartName,
    main: PartOf,
    read: ReadOne,
) -> Result<PartEnd, SyncError> {
    let mut due = mapped(cx).await?;
    if kind == SyncKind::Incremental && cx.claim.is_scheduled {
        let tx = cx.everywhere().await?;
        let spared = tenants::spared(&tx, cx.claim.integration, main, cx.now()).await?;
        tx.rollback().await?;
        due.retain(|external_id, (customer, _)| !spared.contains(&(*customer, external_id.clone())));
    }
    if cx.claim.is_notified {
        let tx = cx.provider().await?;
        let told = subscriptions::due(&tx, cx.claim.integration).await?;
        tx.rollback().await?;
        due.retain(|external_id, _| told.contains(external_id));
    }
    let outcomes: Vec<Outcome> = stream::iter(due)
        .map(|(external_id, (customer, name))| async move {
            one(cx, (kind, part, main), (&external_id, &name), customer, read).await
        })
        .buffer_unordered(TENANTS_AT_ONCE_MAX)
        .try_collect()
        .await?;
    let held: usize = outcomes.iter().map(|it| it.held).sum();
    if held > 0 {
        cx.begin_asking(part, held).await?;
    }
    let tx = cx.provider().await?;
    cx.keep_place(&tx, part, None, None, 0).await?;
    tx.commit().await?;
    cx.at(SyncPoint::PageStored(part)).await;
    Ok(trouble::sum(outcomes))
}

async fn one(
    cx: &Cx<'_, Graph>,
    (kind, part, main): (SyncKind, PartName, PartOf),
    (external_id, name): (&str, &str),
    customer: CustomerId,
    read: ReadOne,
) -> Result<Outcome, SyncError> {
    let tx = cx.customer(customer).await?;
    let at = cx.now();
    let is =
        tenants::ensure(&tx, customer, cx.claim.integration, (external_id, name), cx.claim.run, at).await?;
    let known = tenants::parts(&tx, customer, is.id).await?;
    tx.commit().await?;
    let client = cx.client.tenant(external_id);
    let tenant = Reading { customer, id: is.id, name: is.name, has_premium: is.has_premium, kind, client };
    let outcome = |state, reason, permission: Option<&str>, held| {
        // A right that came later than the connection stops nothing but what needs it, nor does a log that the tenant does not have.
        let is_optional = match main {
            PartOf::Applications | PartOf::SecureScore => permission.is_some(),
            PartOf::DirectoryChanges | PartOf::SignInLog | PartOf::SecurityAlerts => {
                state == PartState::Denied
            }
            // Whether the vendor tells of changes says nothing about what is known.
            PartOf::Subscriptions => true,
            _ => false,
        };
        let state = if is_optional { PartState::Complete } else { state };
        Outcome { tenant: tenant.name.clone(), state, reason, held }
    };
    let of = |part: PartOf| known.iter().find(|it| it.part == part.as_str() && it.run == Some(cx.claim.run));
    if let Some(done) = of(main) {
        return Ok(outcome(done.state, done.reason.clone(), done.permission.as_deref(), 0));
    }
    // A tenant that does not let us in says so once.
    // What keeps a ledger writes down that nothing was read.
    let has_ledger = matches!(main, PartOf::DirectoryChanges | PartOf::SignInLog);
    let shut = of(PartOf::Organization).filter(|it| it.state == PartState::Denied && !has_ledger);
    let (reads, held) = match shut {
        Some(shut) => {
            let reason = shut.reason.clone();
            let denied = PartRead {
                part: main,
                state: PartState::Denied,
                reason,
                permission: None,
                observed_at: None,
                rows: 0,
            };
            (vec![denied], 0)
        }
        None => match read(cx, &tenant).await {
            Ok(read) => read,
            // The database refused something of this tenant; the others go on.
            Err(SyncError::Database(error)) if !error.is_transient() => {
                tracing::error!(error = &error as &dyn std::error::Error, customer.id = %customer, tenant.id = external_id,
                    sync.run = %cx.claim.run, sync.part = part.as_str(), "what a tenant said could not be kept");
                (vec![trouble::partial(main, "it could not be kept; the log says why".to_owned())], 0)
            }
            Err(error) => return Err(error),
        },
    };
    let tx = cx.customer(customer).await?;
    for read in &reads {
        tenants::finish_part(&tx, customer, tenant.id, cx.claim.run, read, cx.now()).await?;
    }
    fence(cx, &tx, part).await?;
    tx.commit().await?;
    cx.at(SyncPoint::CustomerStored(part)).await;
    let first = reads.first();
    let state = first.map_or(PartState::Failed, |it| it.state);
    let permission = first.and_then(|it| it.permission);
    Ok(outcome(state, first.and_then(|it| it.reason.clone()), permission, held))
}

/// Nothing is written by a worker that lost its run.
pub(in crate::sync) async fn fence(
    cx: &Cx<'_, Graph>,
    tx: &ActorTx,
    part: PartName,
) -> Result<(), SyncError> {
    cx.count(tx, part, &Counts::default()).await
}

async fn describe(cx: &Cx<'_, Graph>, tenant: &Reading) -> Result<PartRead, SyncError> {
    let part = PartOf::Organization;
    let fact = match tenant.client.organization().await {
        Ok(fact) => fact,
        Err(error) => return Ok(trouble::refused(part, &error)),
    };
    let is = &fact.value;
    let is = Described {
        name: if is.name.trim().is_empty() { tenant.name.clone() } else { text(&is.name) },
        default_domain: is.default_domain().map(|it| text(it).to_lowercase()),
        initial_domain: is.initial_domain().map(|it| text(it).to_lowercase()),
        domains: is.domains.iter().map(|it| text(&it.name).to_lowercase()).collect(),
        country: is.country.as_deref().map(text),
        observed_at: fact.observed_at,
    };
    let tx = cx.customer(tenant.customer).await?;
    tenants::describe(&tx, tenant.customer, tenant.id, &is).await?;
    cx.count(&tx, PART, &Counts { read: rows(1), updated: 1, ..Counts::default() }).await?;
    tx.commit().await?;
    Ok(complete(part, fact.observed_at, 1))
}

pub(super) fn complete(part: PartOf, observed_at: kernel::Timestamp, rows: usize) -> PartRead {
    PartRead {
        part,
        state: PartState::Complete,
        reason: None,
        permission: None,
        observed_at: Some(observed_at),
        rows,
    }
}
