//! A part of each mapped tenant: which tenants are read, how one comes out, and what that makes of the run's part.
use std::collections::BTreeSet;

use ::cipp::Cipp;
use connector_api::{Completeness, PartialReason, VendorError, error::vendor_text};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kernel::id::CustomerId;
use store::{
    cipp::{self, CippPart, CippPartRead, CippTenant},
    integrations,
    sync::{Again, Counts},
    tenants::PartState,
};

use crate::{
    sync::{
        context::Cx,
        error::{PartEnd, SyncError},
        hooks::SyncPoint,
        run::PartName,
    },
    vendors::BoxFuture,
};

/// Tenants that are read at the same time: technicians use the same deployment.
const TENANTS_AT_ONCE_MAX: usize = 3;
/// Tenants that the error of the part names.
const TENANTS_NAMED_MAX: usize = 3;

/// What reading a part of one tenant came to, and how many rows' absence is held back until a person accepts it.
pub(super) type Came = Result<(CippPartRead, usize), SyncError>;
/// Reads a part of one tenant, by its default domain, and stores it.
pub(super) type ReadOne =
    for<'a> fn(&'a Cx<'a, Cipp>, CustomerId, &'a CippTenant, &'a str) -> BoxFuture<'a, Came>;

/// Whether the run is incomplete where the role lacks the right for the part: not where the right came later than the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needed {
    Always,
    WhereAllowed,
}

/// How one tenant came out.
struct Outcome {
    tenant: String,
    state: PartState,
    reason: Option<String>,
    permission: Option<String>,
    held: usize,
}

/// One part of every mapped tenant that was not read in this run, a few tenants at a time.
pub(super) async fn each(
    cx: &Cx<'_, Cipp>,
    name: PartName,
    part: CippPart,
    needed: Needed,
    read: ReadOne,
) -> Result<PartEnd, SyncError> {
    let tx = cx.provider().await?;
    let all = integrations::organizations(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let customers: BTreeSet<CustomerId> =
        all.into_iter().filter(|it| it.missing_since.is_none()).filter_map(|it| it.customer).collect();
    cx.start(name, Again::GoOn, None).await?;
    let mut tenants = Vec::new();
    for customer in customers {
        let tx = cx.customer(customer).await?;
        let filed = cipp::tenants_of(&tx, customer, cx.claim.integration, part).await?;
        tx.rollback().await?;
        tenants.extend(filed.into_iter().map(|tenant| (customer, tenant)));
    }
    let mut outcomes: Vec<Outcome> = stream::iter(tenants)
        .map(|(customer, tenant)| async move { one(cx, (name, part), customer, &tenant, read).await })
        .buffer_unordered(TENANTS_AT_ONCE_MAX)
        .try_collect()
        .await?;
    let held: usize = outcomes.iter().map(|it| it.held).sum();
    if held > 0 {
        cx.begin_asking(name, held).await?;
    }
    let tx = cx.provider().await?;
    cx.keep_place(&tx, name, None, None, 0).await?;
    tx.commit().await?;
    cx.at(SyncPoint::PageStored(name)).await;
    if needed == Needed::WhereAllowed {
        outcomes.retain(|it| it.permission.is_none());
    }
    Ok(sum(outcomes))
}

async fn one(
    cx: &Cx<'_, Cipp>,
    (name, part): (PartName, CippPart),
    customer: CustomerId,
    tenant: &CippTenant,
    read: ReadOne,
) -> Result<Outcome, SyncError> {
    let named = || tenant.name.clone();
    if let Some((state, reason, run)) = &tenant.part
        && *run == Some(cx.claim.run)
    {
        let permission = tenant.part_permission.clone();
        return Ok(Outcome { tenant: named(), state: *state, reason: reason.clone(), permission, held: 0 });
    }
    let came = match domain(part, tenant) {
        Ok(domain) => read(cx, customer, tenant, domain).await,
        Err(shut) => Ok((shut, 0)),
    };
    let (read, held) = match came {
        Ok(read) => read,
        // The database refused something of this tenant; the others go on.
        Err(SyncError::Database(error)) if !error.is_transient() => {
            tracing::error!(error = &error as &dyn std::error::Error, customer.id = %customer, tenant.id = tenant.external_id,
                sync.run = %cx.claim.run, sync.part = name.as_str(), "what CIPP said of a tenant could not be kept");
            (unread(part, PartState::Partial, "it could not be kept; the log says why"), 0)
        }
        Err(error) => return Err(error),
    };
    let tx = cx.customer(customer).await?;
    cipp::finish_part(&tx, customer, tenant.id, cx.claim.run, &read, cx.now()).await?;
    // Nothing is written by a worker that lost its run.
    cx.count(&tx, name, &Counts::default()).await?;
    tx.commit().await?;
    cx.at(SyncPoint::CustomerStored(name)).await;
    Ok(Outcome { tenant: named(), state: read.state, reason: read.reason, permission: read.permission, held })
}

/// What the tenant is named by; or why nothing of it can be read.
fn domain(part: CippPart, tenant: &CippTenant) -> Result<&str, CippPartRead> {
    if tenant.is_excluded {
        let text = "CIPP leaves this tenant alone: it is excluded there";
        return Err(unread(part, PartState::Denied, text));
    }
    if tenant.graph_error_count > 0 {
        let why = tenant.last_graph_error.as_deref().unwrap_or("it does not say why");
        let text = format!("CIPP cannot read this tenant ({} failures): {why}", tenant.graph_error_count);
        return Err(unread(part, PartState::Failed, &text));
    }
    let missing = || unread(part, PartState::Failed, "CIPP names no default domain of this tenant");
    tenant.default_domain.as_deref().ok_or_else(missing)
}

pub(super) fn unread(part: CippPart, state: PartState, reason: &str) -> CippPartRead {
    let reason = Some(vendor_text(reason)).filter(|it| !it.is_empty());
    CippPartRead { part, state, reason, permission: None, observed_at: None, rows: 0 }
}

/// Of a reading that did not come whole.
pub(super) fn of_partial(part: CippPart, completeness: &Completeness) -> CippPartRead {
    match completeness {
        Completeness::Partial { reason: PartialReason::Stopped(VendorError::Forbidden { reason }) } => {
            let right = reason.split(':').next().filter(|it| it.contains('.') && !it.contains(' '));
            CippPartRead { permission: right.map(str::to_owned), ..unread(part, PartState::Denied, reason) }
        }
        Completeness::Partial { reason: PartialReason::Stopped(error) } => {
            unread(part, PartState::Failed, &error.to_string())
        }
        Completeness::Partial { reason } => unread(part, PartState::Partial, &reason.to_string()),
        Completeness::Complete => unread(part, PartState::Partial, "the reading was not believed"),
    }
}

/// Complete only when every tenant is.
fn sum(mut outcomes: Vec<Outcome>) -> PartEnd {
    outcomes.retain(|it| it.state != PartState::Complete);
    if outcomes.is_empty() {
        return PartEnd::complete();
    }
    outcomes.sort_by(|one, other| one.tenant.cmp(&other.tenant));
    let named = outcomes.iter().take(TENANTS_NAMED_MAX);
    let named: Vec<String> = named
        .map(|it| format!("{} ({})", it.tenant, it.reason.as_deref().unwrap_or("without a reason")))
        .collect();
    let count = match outcomes.len() {
        1 => "1 tenant was".to_owned(),
        many => format!("{many} tenants were"),
    };
    let text = format!("{count} not read completely: {}", named.join("; "));
    if outcomes.iter().any(|it| it.held > 0) {
        PartEnd::suspect(&text)
    } else {
        PartEnd::partial("tenants", &text)
    }
}
