//! Alerts of each tenant's security services become alerts here: one for each of theirs, open until the vendor says that it is resolved.
//! The vendor's list only names candidates; an alert that it lacks is asked for by its own id.
use std::collections::HashMap;

use ::graph::{AlertSeverity, Graph, SecurityAlert};
use connector_api::VendorError;
use jiff::SignedDuration;
use kernel::Timestamp;
use store::{
    alerts::TenantAlert,
    sync::{Counts, SyncKind},
    tenants::PartOf,
};

use super::{
    tenants::{Came, Reading, complete, each},
    trouble,
};
use crate::sync::{
    confirm::{CONFIRMATIONS_MAX, Verdict, ask_each},
    context::{Cx, rows},
    device_row::text,
    error::{PartEnd, SyncError},
    run::PartName,
    tenant_alerts::{Found, Source},
};

const PART: PartName = PartName::SecurityAlerts;
const OF: PartOf = PartOf::SecurityAlerts;
const SOURCE: Source = Source {
    name: "microsoft",
    kind: "microsoft_security",
    part: PART,
    raised: "Microsoft raised it; it needs a person.",
    over: "Microsoft says that the alert is resolved.",
};
/// What changed longer ago is not raised any more; what is open here is asked for whenever it was.
const SINCE_HOURS: i64 = 30 * 24;

pub(super) async fn read(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(PART, store::sync::Again::GoOn, None).await?;
    each(cx, kind, PART, OF, |cx, tenant| Box::pin(one(cx, tenant))).await
}

/// One open alert for each of the vendor's.
fn key(tenant: &Reading, id: &str) -> String {
    format!("{}{}", prefix(tenant), text(id))
}

fn prefix(tenant: &Reading) -> String {
    format!("microsoft:{}:", tenant.client.tenant_id())
}

async fn one(cx: &Cx<'_, Graph>, tenant: &Reading) -> Came {
    let open = SOURCE.open(cx, tenant.customer, &prefix(tenant)).await?;
    let now = cx.now();
    let since = now.saturating_sub(SignedDuration::from_hours(SINCE_HOURS)).unwrap_or(Timestamp::UNIX_EPOCH);
    let walk = tenant.client.security_alerts(since).await;
    let Some(observed_at) = walk.observed_at else {
        return Ok((vec![trouble::of_walk(OF, &walk.completeness, 0)], 0));
    };
    let found: Vec<Found> =
        walk.items.iter().filter(|it| !it.is_resolved).map(|it| found(tenant, it)).collect();
    let created = SOURCE.raise(cx, tenant.customer, &found, now).await?;
    let listed: HashMap<String, bool> =
        walk.items.iter().map(|it| (key(tenant, &it.id), it.is_resolved)).collect();
    // What the vendor itself calls resolved is, whether the list is whole or not.
    let (mut over, mut lacking) = (Vec::new(), Vec::new());
    for alert in open {
        match listed.get(&alert.dedup_key) {
            Some(true) => over.push(alert),
            Some(false) => {}
            None => lacking.push(alert),
        }
    }
    let mut unknown = 0;
    if walk.completeness.is_complete() {
        let asked = ask(tenant, lacking).await;
        over.extend(asked.over);
        unknown = asked.unknown;
    }
    let removed = SOURCE.clear(cx, tenant.customer, &over, now).await?;
    let read = rows(walk.items.len());
    let unchanged = (read - created).max(0);
    let tx = cx.customer(tenant.customer).await?;
    cx.count(&tx, PART, &Counts { read, created, unchanged, removed, ..Counts::default() }).await?;
    tx.commit().await?;
    let read = if !walk.completeness.is_complete() {
        trouble::of_walk(OF, &walk.completeness, walk.items.len().max(1))
    } else if unknown > 0 {
        trouble::partial(OF, format!("{unknown} alerts that are open here could not be asked for"))
    } else {
        complete(OF, observed_at, walk.items.len())
    };
    Ok((vec![read], 0))
}

fn found(tenant: &Reading, it: &SecurityAlert) -> Found {
    let about = it.account.as_deref().or(it.device.as_deref()).map(|name| format!(" ({name})"));
    Found {
        key: key(tenant, &it.id),
        title: text(&format!("{}: {}{}", tenant.name, it.title, about.unwrap_or_default())),
        severity: severity(it.severity),
        device: it.device.as_deref().map(text),
        seen_at: it.updated_at,
    }
}

const fn severity(of: AlertSeverity) -> &'static str {
    match of {
        AlertSeverity::High => "major",
        AlertSeverity::Medium => "moderate",
        AlertSeverity::Low => "minor",
        AlertSeverity::Other => "info",
    }
}

#[derive(Default)]
struct Asked {
    over: Vec<TenantAlert>,
    unknown: usize,
}

async fn ask(tenant: &Reading, mut lacking: Vec<TenantAlert>) -> Asked {
    let mut asked = Asked { unknown: lacking.len().saturating_sub(CONFIRMATIONS_MAX), ..Asked::default() };
    lacking.truncate(CONFIRMATIONS_MAX);
    let prefix = prefix(tenant);
    let ids: Vec<String> =
        lacking.iter().map(|it| it.dedup_key.strip_prefix(&prefix).unwrap_or_default().to_owned()).collect();
    let verdicts = ask_each(ids, |id| async move {
        match tenant.client.security_alert(&id).await {
            Ok(fact) if fact.value.is_resolved => Verdict::Gone,
            Ok(_) => Verdict::There(()),
            Err(VendorError::NotFound) => Verdict::Gone,
            Err(_) => Verdict::Unknown,
        }
    })
    .await;
    for (alert, verdict) in lacking.into_iter().zip(verdicts) {
        match verdict {
            Verdict::Gone => asked.over.push(alert),
            Verdict::There(()) => {}
            Verdict::Unknown => asked.unknown += 1,
        }
    }
    asked
}
