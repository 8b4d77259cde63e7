//! What each mapped tenant has set. A setting is gone only when two complete readings in a row lack it; where more than a fifth is, none
//! is marked until a person accepts it.
use std::collections::{BTreeSet, HashSet};

use ::cipp::{Cipp, SettingRead};
use connector_api::{Completeness, PartialReason, VendorError, Walk, error::vendor_text};
use domain::estate;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kernel::{Timestamp, id::CustomerId};
use serde_json::json;
use store::{
    cipp::{self, CippPart, CippPartRead, CippTenant, SettingRow},
    integrations,
    sync::{self, Again, Counts},
    tenants::{PartState, Seen},
};

use crate::sync::{
    context::Cx,
    device_row::{content_hash, text, without_nul},
    error::{PartEnd, SyncError},
    hooks::SyncPoint,
    run::PartName,
};

const PART: PartName = PartName::Settings;
/// Tenants that are read at the same time: technicians use the same deployment.
const TENANTS_AT_ONCE_MAX: usize = 3;
/// Tenants that the error of the part names.
const TENANTS_NAMED_MAX: usize = 3;

/// How one tenant came out.
struct Outcome {
    tenant: String,
    state: PartState,
    reason: Option<String>,
    /// Settings whose absence is held back until a person accepts it.
    held: usize,
}

pub(super) async fn read(cx: &Cx<'_, Cipp>) -> Result<PartEnd, SyncError> {
    let tx = cx.provider().await?;
    let all = integrations::organizations(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let customers: BTreeSet<CustomerId> =
        all.into_iter().filter(|it| it.missing_since.is_none()).filter_map(|it| it.customer).collect();
    cx.start(PART, Again::GoOn, None).await?;
    let mut tenants = Vec::new();
    for customer in customers {
        let tx = cx.customer(customer).await?;
        let filed = cipp::tenants_of(&tx, customer, cx.claim.integration).await?;
        tx.rollback().await?;
        tenants.extend(filed.into_iter().map(|tenant| (customer, tenant)));
    }
    let outcomes: Vec<Outcome> = stream::iter(tenants)
        .map(|(customer, tenant)| async move { one(cx, customer, &tenant).await })
        .buffer_unordered(TENANTS_AT_ONCE_MAX)
        .try_collect()
        .await?;
    let held: usize = outcomes.iter().map(|it| it.held).sum();
    if held > 0 {
        cx.begin_asking(PART, held).await?;
    }
    let tx = cx.provider().await?;
    cx.keep_place(&tx, PART, None, None, 0).await?;
    tx.commit().await?;
    cx.at(SyncPoint::PageStored(PART)).await;
    Ok(sum(outcomes))
}

async fn one(cx: &Cx<'_, Cipp>, customer: CustomerId, tenant: &CippTenant) -> Result<Outcome, SyncError> {
    if let Some((state, reason, run)) = &tenant.settings
        && *run == Some(cx.claim.run)
    {
        return Ok(Outcome { tenant: tenant.name.clone(), state: *state, reason: reason.clone(), held: 0 });
    }
    let (read, held) = match settings_of(cx, customer, tenant).await {
        Ok(read) => read,
        // The database refused something of this tenant; the others go on.
        Err(SyncError::Database(error)) if !error.is_transient() => {
            tracing::error!(error = &error as &dyn std::error::Error, customer.id = %customer, tenant.id = tenant.external_id,
                sync.run = %cx.claim.run, "the settings of a tenant could not be kept");
            (unread(PartState::Partial, "they could not be kept; the log says why"), 0)
        }
        Err(error) => return Err(error),
    };
    let tx = cx.customer(customer).await?;
    cipp::finish_part(&tx, customer, tenant.id, cx.claim.run, &read, cx.now()).await?;
    // Nothing is written by a worker that lost its run.
    cx.count(&tx, PART, &Counts::default()).await?;
    tx.commit().await?;
    cx.at(SyncPoint::CustomerStored(PART)).await;
    Ok(Outcome { tenant: tenant.name.clone(), state: read.state, reason: read.reason, held })
}

async fn settings_of(
    cx: &Cx<'_, Cipp>,
    customer: CustomerId,
    tenant: &CippTenant,
) -> Result<(CippPartRead, usize), SyncError> {
    if tenant.is_excluded {
        return Ok((unread(PartState::Denied, "CIPP leaves this tenant alone: it is excluded there"), 0));
    }
    if tenant.graph_error_count > 0 {
        let why = tenant.last_graph_error.as_deref().unwrap_or("it does not say why");
        let text = format!("CIPP cannot read this tenant ({} failures): {why}", tenant.graph_error_count);
        return Ok((unread(PartState::Failed, &text), 0));
    }
    let Some(domain) = &tenant.default_domain else {
        return Ok((unread(PartState::Failed, "CIPP names no default domain of this tenant"), 0));
    };
    let tx = cx.customer(customer).await?;
    let known = cipp::settings_present(&tx, customer, tenant.id).await?;
    tx.rollback().await?;
    let mut walk = cx.client.standards_compare(domain).await;
    let mut gone = lacking(&walk, &known);
    let mut held = 0;
    if walk.completeness.is_complete() && !gone.is_empty() {
        walk = cx.client.standards_compare(domain).await;
        let again: HashSet<String> = lacking(&walk, &known).into_iter().collect();
        gone.retain(|setting| again.contains(setting));
        let left = known.len() - gone.len();
        let fell = estate::is_suspect(known.len() as u64, left as u64);
        if walk.completeness.is_complete() && fell && gone.len() > accepted(cx).await? {
            held = gone.len();
        }
    }
    let Some(observed_at) = walk.observed_at else { return Ok((of_walk(&walk), 0)) };
    let is_complete = walk.completeness.is_complete() && held == 0;
    if !is_complete {
        gone.clear();
    }
    store(cx, (customer, tenant), &walk, (observed_at, is_complete), &gone).await?;
    let rows = walk.items.len();
    Ok(match (held, is_complete) {
        (0, true) => (
            CippPartRead {
                state: PartState::Complete,
                reason: None,
                observed_at: Some(observed_at),
                rows,
                ..unread(PartState::Complete, "")
            },
            0,
        ),
        (0, false) => (CippPartRead { observed_at: Some(observed_at), rows, ..of_walk(&walk) }, 0),
        _ => {
            let text = format!(
                "{held} of {} settings are gone in two readings; none was marked missing",
                known.len()
            );
            (CippPartRead { observed_at: Some(observed_at), rows, ..unread(PartState::Partial, &text) }, held)
        }
    })
}

/// How many settings may be gone by a person's word.
async fn accepted(cx: &Cx<'_, Cipp>) -> Result<usize, SyncError> {
    let tx = cx.provider().await?;
    let accepted = sync::accepted_rows(&tx, cx.claim.run, PART.as_str()).await?;
    tx.rollback().await?;
    Ok(accepted.and_then(|rows| usize::try_from(rows).ok()).map_or(0, estate::accepted_rows_max))
}

fn lacking(walk: &Walk<SettingRead>, known: &[String]) -> Vec<String> {
    let seen: HashSet<&str> = walk.items.iter().map(|it| it.name.as_str()).collect();
    known.iter().filter(|setting| !seen.contains(setting.as_str())).cloned().collect()
}

async fn store(
    cx: &Cx<'_, Cipp>,
    (customer, tenant): (CustomerId, &CippTenant),
    walk: &Walk<SettingRead>,
    (observed_at, is_complete): (Timestamp, bool),
    gone: &[String],
) -> Result<(), SyncError> {
    let found: Vec<SettingRow> = walk.items.iter().map(row).collect();
    let seen = Seen { run: cx.claim.run, observed_at, is_complete };
    let tx = cx.customer(customer).await?;
    let mut counts = cipp::upsert_settings(&tx, customer, tenant.id, &seen, &found).await?;
    if !gone.is_empty() {
        let removed = cipp::mark_settings_missing(&tx, customer, tenant.id, gone, cx.now()).await?;
        counts += Counts { removed, ..Counts::default() };
    }
    cx.count(&tx, PART, &counts).await?;
    Ok(tx.commit().await?)
}

/// When CIPP looked is no content: it changes with every run of a standard.
fn row(setting: &SettingRead) -> SettingRow {
    let value = without_nul(setting.value.clone());
    let expected = setting.expected.clone().map(without_nul);
    let content = json!([value, expected, setting.template_id, setting.is_licensed]);
    SettingRow {
        setting: text(&setting.name),
        content_hash: content_hash(&content),
        value,
        expected,
        refreshed_at: setting.refreshed_at,
        raw: without_nul(setting.raw.clone()),
    }
}

fn unread(state: PartState, reason: &str) -> CippPartRead {
    let reason = Some(vendor_text(reason)).filter(|it| !it.is_empty());
    CippPartRead { part: CippPart::Settings, state, reason, permission: None, observed_at: None, rows: 0 }
}

/// Of a reading that did not come whole.
fn of_walk(walk: &Walk<SettingRead>) -> CippPartRead {
    match &walk.completeness {
        Completeness::Partial { reason: PartialReason::Stopped(VendorError::Forbidden { reason }) } => {
            let right = reason.split(':').next().filter(|it| it.contains('.') && !it.contains(' '));
            CippPartRead { permission: right.map(str::to_owned), ..unread(PartState::Denied, reason) }
        }
        Completeness::Partial { reason: PartialReason::Stopped(error) } => {
            unread(PartState::Failed, &error.to_string())
        }
        Completeness::Partial { reason } => unread(PartState::Partial, &reason.to_string()),
        Completeness::Complete => unread(PartState::Partial, "the reading was not believed"),
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
