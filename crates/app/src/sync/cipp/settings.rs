//! What each mapped tenant has set. A setting is gone only when two complete readings in a row lack it; where more than a fifth is, none
//! is marked until a person accepts it.
use std::collections::HashSet;

use ::cipp::{Cipp, SettingRead};
use connector_api::Walk;
use domain::estate;
use kernel::{Timestamp, id::CustomerId};
use serde_json::json;
use store::{
    cipp::{self, CippPart, CippPartRead, CippTenant, SettingRow},
    sync::{self, Counts},
    tenants::{PartState, Seen},
};

use super::parts::{Came, Needed, each, of_partial, unread};
use crate::sync::{
    context::Cx,
    device_row::{content_hash, text, without_nul},
    error::{PartEnd, SyncError},
    run::PartName,
};

const PART: PartName = PartName::Settings;
const OF: CippPart = CippPart::Settings;

pub(super) async fn read(cx: &Cx<'_, Cipp>) -> Result<PartEnd, SyncError> {
    each(cx, PART, OF, Needed::Always, |cx, customer, tenant, domain| {
        Box::pin(settings_of(cx, customer, tenant, domain))
    })
    .await
}

async fn settings_of(cx: &Cx<'_, Cipp>, customer: CustomerId, tenant: &CippTenant, domain: &str) -> Came {
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
    let Some(observed_at) = walk.observed_at else { return Ok((of_partial(OF, &walk.completeness), 0)) };
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
                ..unread(OF, PartState::Complete, "")
            },
            0,
        ),
        (0, false) => {
            (CippPartRead { observed_at: Some(observed_at), rows, ..of_partial(OF, &walk.completeness) }, 0)
        }
        _ => {
            let text = format!(
                "{held} of {} settings are gone in two readings; none was marked missing",
                known.len()
            );
            (
                CippPartRead {
                    observed_at: Some(observed_at),
                    rows,
                    ..unread(OF, PartState::Partial, &text)
                },
                held,
            )
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
