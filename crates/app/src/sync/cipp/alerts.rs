//! What the checks of CIPP found in each mapped tenant: each is an alert here for as long as CIPP lists it. Nothing of it can be asked for
//! by itself: one is over when two complete readings in a row lack it, and no reading that is less than that ends any.
use std::collections::HashSet;

use ::cipp::{Cipp, FiredAlert};
use connector_api::{Completeness, Walk};
use domain::cipp_alert;
use kernel::{Timestamp, id::CustomerId};
use store::{
    alerts::TenantAlert,
    cipp::{CippPart, CippPartRead, CippTenant},
    sync::Counts,
    tenants::PartState,
};

use super::parts::{Came, Needed, each, of_partial, unread};
use crate::sync::{
    context::{Cx, rows},
    device_row::text,
    error::{PartEnd, SyncError},
    run::PartName,
    tenant_alerts::{Found, Source},
};

const PART: PartName = PartName::Alerts;
const OF: CippPart = CippPart::Alerts;
const SOURCE: Source = Source {
    name: "cipp",
    kind: "cipp_alert",
    part: PART,
    raised: "A check of CIPP found it; it needs a person.",
    over: "CIPP reports it no more.",
};
/// Alerts of one tenant that are raised; a check may find every device of a tenant.
const RAISED_MAX: usize = 1_000;

pub(super) async fn read(cx: &Cx<'_, Cipp>) -> Result<PartEnd, SyncError> {
    each(cx, PART, OF, Needed::WhereAllowed, |cx, customer, tenant, domain| {
        Box::pin(alerts_of(cx, customer, tenant, domain))
    })
    .await
}

/// By our own id of the tenant: two deployments that have it never end each other's alerts.
fn prefix(tenant: &CippTenant) -> String {
    format!("cipp:{}:", tenant.id)
}

async fn alerts_of(cx: &Cx<'_, Cipp>, customer: CustomerId, tenant: &CippTenant, domain: &str) -> Came {
    let open = SOURCE.open(cx, customer, &prefix(tenant)).await?;
    let walk = cx.client.alert_results(domain).await;
    let Some(observed_at) = walk.observed_at else { return Ok((of_partial(OF, &walk.completeness), 0)) };
    let now = cx.now();
    let (found, left_out) = found(tenant, &walk, (observed_at, now));
    let created = SOURCE.raise(cx, customer, &found, now).await?;
    let (over, doubt) = over(cx, tenant, domain, open, &walk).await;
    let removed = SOURCE.clear(cx, customer, &over, now).await?;
    let read = rows(found.len());
    let unchanged = (read - created).max(0);
    let tx = cx.customer(customer).await?;
    cx.count(&tx, PART, &Counts { read, created, unchanged, removed, ..Counts::default() }).await?;
    tx.commit().await?;
    let read = match (&walk.completeness, doubt) {
        (Completeness::Partial { .. }, _) => of_partial(OF, &walk.completeness),
        (Completeness::Complete, Some(doubt)) => unread(OF, PartState::Partial, &doubt),
        (Completeness::Complete, None) if left_out > 0 => {
            let told = format!("{left_out} alerts beyond {RAISED_MAX} of this tenant were not raised");
            unread(OF, PartState::Partial, &told)
        }
        (Completeness::Complete, None) => unread(OF, PartState::Complete, ""),
    };
    Ok((CippPartRead { observed_at: Some(observed_at), rows: walk.items.len(), ..read }, 0))
}

fn keys(tenant: &CippTenant, walk: &Walk<FiredAlert>) -> HashSet<String> {
    let prefix = prefix(tenant);
    let fired = |it: &FiredAlert| (!it.is_quiet).then(|| key(&prefix, it));
    walk.items.iter().filter_map(fired).collect()
}

fn key(prefix: &str, it: &FiredAlert) -> String {
    text(&format!("{prefix}{}", it.key()))
}

/// The severe ones first; and how many there are beyond what one tenant may have.
fn found(
    tenant: &CippTenant,
    walk: &Walk<FiredAlert>,
    (observed_at, now): (Timestamp, Timestamp),
) -> (Vec<Found>, usize) {
    let prefix = prefix(tenant);
    let one = |it: &FiredAlert| Found {
        key: key(&prefix, it),
        title: text(&format!("{}: {}", tenant.name, cipp_alert::title(&it.cmdlet, it.preview.as_deref()))),
        severity: cipp_alert::severity(&it.cmdlet),
        device: None,
        // A clock that is ahead there is none here.
        seen_at: it.last_seen_at.unwrap_or(observed_at).min(now),
    };
    let mut found: Vec<Found> = walk.items.iter().filter(|it| !it.is_quiet).map(one).collect();
    found.sort_by_key(|it| match it.severity {
        "major" => 0,
        "moderate" => 1,
        _ => 2,
    });
    let left_out = found.len().saturating_sub(RAISED_MAX);
    found.truncate(RAISED_MAX);
    (found, left_out)
}

/// Those that neither a complete reading nor a second one lists; and why none is, where the second one does not tell.
async fn over(
    cx: &Cx<'_, Cipp>,
    tenant: &CippTenant,
    domain: &str,
    mut open: Vec<TenantAlert>,
    first: &Walk<FiredAlert>,
) -> (Vec<TenantAlert>, Option<String>) {
    let listed = keys(tenant, first);
    open.retain(|it| !listed.contains(&it.dedup_key));
    if !first.completeness.is_complete() || open.is_empty() {
        return (Vec::new(), None);
    }
    let again = cx.client.alert_results(domain).await;
    if !again.completeness.is_complete() {
        let why = of_partial(OF, &again.completeness).reason.unwrap_or_default();
        let doubt = format!("{} alerts are not listed, and a second reading failed: {why}", open.len());
        return (Vec::new(), Some(doubt));
    }
    let listed = keys(tenant, &again);
    open.retain(|it| !listed.contains(&it.dedup_key));
    (open, None)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn fired(cmdlet: &str, hash: usize) -> FiredAlert {
        FiredAlert {
            cmdlet: format!("Get-CIPPAlert{cmdlet}"),
            content_hash: format!("{hash}"),
            preview: Some("what it found".to_owned()),
            comment: None,
            last_seen_at: None,
            is_quiet: false,
            raw: Value::Null,
        }
    }

    #[test]
    fn of_too_many_the_severe_ones_are_raised_and_the_rest_is_counted() {
        let tenant = CippTenant {
            id: uuid::Uuid::nil(),
            external_id: String::new(),
            name: "Contoso".to_owned(),
            default_domain: None,
            is_excluded: false,
            graph_error_count: 0,
            last_graph_error: None,
            part_permission: None,
            part: None,
        };
        let now = Timestamp::UNIX_EPOCH;
        let ahead = now.saturating_add(jiff::SignedDuration::from_hours(1)).expect("a time");
        let mut items: Vec<FiredAlert> = (0..RAISED_MAX + 200).map(|at| fired("MFAAdmins", at)).collect();
        items.push(FiredAlert { is_quiet: true, ..fired("BreachAlert", 0) });
        items.push(FiredAlert { last_seen_at: Some(ahead), ..fired("DefenderMalware", 0) });
        let walk = Walk {
            items,
            completeness: Completeness::Complete,
            observed_at: Some(now),
            request_id: None,
            pages: 1,
            repeats: 0,
        };
        let (found, left_out) = found(&tenant, &walk, (now, now));
        assert_eq!((found.len(), left_out), (RAISED_MAX, 201));
        let first = &found[0];
        assert_eq!((first.severity, first.seen_at), ("major", now), "not from the future");
        assert_eq!(first.title, "Contoso: Defender malware: what it found");
        assert!(found[1..].iter().all(|it| it.severity == "moderate"));
        assert_eq!(keys(&tenant, &walk).len(), RAISED_MAX + 201, "what is not raised is listed all the same");
    }
}
