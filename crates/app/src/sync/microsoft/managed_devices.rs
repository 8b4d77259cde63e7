//! The devices that each tenant has enrolled in Intune. One is gone only when the vendor says so of it by its own id. A tenant that
//! has not bought Intune has none, and that is no trouble.
use std::collections::HashSet;

use ::graph::{Graph, ManagedDevice};
use connector_api::{Completeness, PartialReason, VendorError, Walk};
use domain::estate;
use kernel::Timestamp;
use store::{
    managed_devices,
    sync::{Counts, SyncKind},
    tenants::{PartOf, PartRead, PartState, Seen},
};

use super::{
    rows as row_of,
    tenants::{Came, Reading, complete, each},
    trouble,
};
use crate::sync::{
    confirm::may_ask,
    context::Cx,
    error::{PartEnd, SyncError, is_worth_repeating},
    hooks::SyncPoint,
    machines,
    run::PartName,
};

const PART: PartName = PartName::ManagedDevices;
const OF: PartOf = PartOf::ManagedDevices;
/// Devices that are written together.
const ROWS_TOGETHER_MAX: usize = 1_000;

pub(super) async fn read(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(PART, store::sync::Again::GoOn, None).await?;
    each(cx, kind, PART, OF, |cx, tenant| Box::pin(one(cx, tenant))).await
}

async fn one(cx: &Cx<'_, Graph>, tenant: &Reading) -> Came {
    let tx = cx.customer(tenant.customer).await?;
    let known = managed_devices::present(&tx, tenant.customer, tenant.id).await?;
    tx.rollback().await?;
    let mut walk = tenant.client.managed_devices().await;
    if known.is_empty() && has_no_intune(&walk.completeness) {
        return Ok((vec![complete(OF, cx.now(), 0)], 0));
    }
    let mut doubt = doubt(&walk, &known);
    if doubt.is_some() || is_worth_repeating(&walk.completeness) {
        tracing::warn!(sync.run = %cx.claim.run, tenant.id = tenant.client.tenant_id(), doubt, "a list of enrolled devices is not believed and repeated");
        walk = tenant.client.managed_devices().await;
        doubt = self::doubt(&walk, &known);
    }
    let Some(observed_at) = walk.observed_at else {
        incomplete(cx, tenant).await?;
        return Ok((vec![trouble::of_walk(OF, &walk.completeness, 0)], 0));
    };
    let mut found = walk.items;
    let listed = found.len();
    let (mut read, mut gone, mut held) = (trouble::of_walk(OF, &walk.completeness, listed), Vec::new(), 0);
    if walk.completeness.is_complete() {
        let lacking = lacking(&found, &known);
        let most = may_ask(cx, PART).await?;
        if let Some(doubt) = doubt.filter(|_| lacking.len() > most) {
            held = lacking.len();
            let text = format!(
                "{doubt} in two readings; {held} devices are too many to ask for one by one, none was marked missing"
            );
            read = trouble::partial(OF, text);
        } else {
            let asked = ask(tenant, lacking, most).await;
            read = asked.end(observed_at, listed);
            found.extend(asked.there);
            gone = asked.gone;
        }
    }
    let is_complete = read.state == PartState::Complete;
    let seen = Seen { run: cx.claim.run, observed_at, is_complete };
    store(cx, tenant, &seen, &found).await?;
    remove(cx, tenant, &gone).await?;
    if !is_complete {
        incomplete(cx, tenant).await?;
    }
    machines::of_customer(cx, tenant.customer).await?;
    Ok((vec![read], held))
}

/// Never bought; where devices are known, Intune that is gone would take them all away at once, and is a trouble.
fn has_no_intune(completeness: &Completeness) -> bool {
    let Completeness::Partial { reason: PartialReason::Stopped(error) } = completeness else { return false };
    matches!(error, VendorError::MissingCapability { .. })
}

/// Why this list should be read again before anything is made of it.
fn doubt(walk: &Walk<ManagedDevice>, known: &[String]) -> Option<String> {
    if !walk.completeness.is_complete() {
        return None;
    }
    let left = known.len() - lacking(&walk.items, known).len();
    estate::is_suspect(known.len() as u64, left as u64)
        .then(|| format!("enrolled devices fell from {} to {left}", known.len()))
}

fn lacking(found: &[ManagedDevice], known: &[String]) -> Vec<String> {
    let seen: HashSet<&str> = found.iter().map(|it| it.id.as_str()).collect();
    known.iter().filter(|id| !seen.contains(id.as_str())).cloned().collect()
}

/// What the vendor said of the devices that its list lacked.
#[derive(Default)]
struct Asked {
    gone: Vec<String>,
    there: Vec<ManagedDevice>,
    unknown: usize,
}

async fn ask(tenant: &Reading, mut lacking: Vec<String>, most: usize) -> Asked {
    let mut asked = Asked { unknown: lacking.len().saturating_sub(most), ..Asked::default() };
    lacking.truncate(most);
    for answer in tenant.client.managed_devices_by_id(&lacking).await {
        match answer.outcome {
            Ok(device) => asked.there.push(device.value),
            Err(VendorError::NotFound) => asked.gone.push(answer.id),
            Err(_) => asked.unknown += 1,
        }
    }
    asked
}

impl Asked {
    fn end(&self, observed_at: Timestamp, listed: usize) -> PartRead {
        let (there, unknown) = (self.there.len(), self.unknown);
        if there > 0 {
            trouble::partial(OF, format!("the list lacked {there} devices that exist"))
        } else if unknown > 0 {
            let text = format!("{unknown} devices were not listed and are not confirmed to be gone yet");
            trouble::partial(OF, text)
        } else {
            complete(OF, observed_at, listed)
        }
    }
}

async fn store(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
    seen: &Seen,
    found: &[ManagedDevice],
) -> Result<(), SyncError> {
    for page in found.chunks(ROWS_TOGETHER_MAX) {
        let rows: Vec<_> = page.iter().map(row_of::managed_device).collect();
        let tx = cx.customer(tenant.customer).await?;
        let counts = managed_devices::upsert(&tx, tenant.customer, tenant.id, seen, &rows).await?;
        cx.count(&tx, PART, &counts).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn remove(cx: &Cx<'_, Graph>, tenant: &Reading, gone: &[String]) -> Result<(), SyncError> {
    if gone.is_empty() {
        return Ok(());
    }
    let tx = cx.customer(tenant.customer).await?;
    let removed = managed_devices::mark_missing(&tx, tenant.customer, tenant.id, gone, cx.now()).await?;
    cx.count(&tx, PART, &Counts { removed, ..Counts::default() }).await?;
    tx.commit().await?;
    cx.at(SyncPoint::Confirmed(PART)).await;
    Ok(())
}

/// What is kept says that the last reading lacked something: nothing is taken apart because of it.
async fn incomplete(cx: &Cx<'_, Graph>, tenant: &Reading) -> Result<(), SyncError> {
    let tx = cx.customer(tenant.customer).await?;
    managed_devices::mark_incomplete(&tx, tenant.customer, tenant.id).await?;
    cx.count(&tx, PART, &Counts::default()).await?;
    Ok(tx.commit().await?)
}
