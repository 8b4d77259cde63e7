//! Alerts of each tenant's security services become alerts here: one for each of theirs, open until the vendor says that it is resolved.
//! The vendor's list only names candidates; an alert that it lacks is asked for by its own id.
use std::collections::HashMap;

use ::graph::{AlertSeverity, Graph, SecurityAlert};
use connector_api::VendorError;
use jiff::SignedDuration;
use kernel::Timestamp;
use pg::ActorTx;
use store::{
    alerts::{self, NewAlert, TenantAlert},
    incidents,
    sync::{Counts, SyncKind},
    tenants::PartOf,
};

use super::{
    tenants::{Came, Reading, complete, each},
    trouble,
};
use crate::{
    incidents::intake,
    sync::{
        confirm::{CONFIRMATIONS_MAX, Verdict, ask_each},
        context::{Cx, rows},
        device_row::text,
        error::{PartEnd, SyncError},
        hooks::SyncPoint,
        run::PartName,
    },
};

const PART: PartName = PartName::SecurityAlerts;
const OF: PartOf = PartOf::SecurityAlerts;
const KIND: &str = "microsoft_security";
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
    let tx = cx.customer(tenant.customer).await?;
    let open = alerts::open_of_tenant(&tx, tenant.customer, &prefix(tenant)).await?;
    tx.rollback().await?;
    let now = cx.now();
    let since = now.saturating_sub(SignedDuration::from_hours(SINCE_HOURS)).unwrap_or(Timestamp::UNIX_EPOCH);
    let walk = tenant.client.security_alerts(since).await;
    let Some(observed_at) = walk.observed_at else {
        return Ok((vec![trouble::of_walk(OF, &walk.completeness, 0)], 0));
    };
    let created = raise(cx, tenant, &walk.items, now).await?;
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
    let removed = clear(cx, tenant, &over, now).await?;
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

/// Returns how many are new.
async fn raise(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
    found: &[SecurityAlert],
    now: Timestamp,
) -> Result<i32, SyncError> {
    let tx = cx.customer(tenant.customer).await?;
    let mut created = 0;
    for it in found.iter().filter(|it| !it.is_resolved) {
        created += i32::from(raise_one(&tx, tenant, it, now).await?);
    }
    cx.count(&tx, PART, &Counts::default()).await?;
    tx.commit().await?;
    cx.at(SyncPoint::CustomerStored(PART)).await;
    Ok(created)
}

/// A severe one is an incident that a person looks into: nothing here mends it.
async fn raise_one(
    tx: &ActorTx,
    tenant: &Reading,
    it: &SecurityAlert,
    now: Timestamp,
) -> Result<bool, SyncError> {
    let about = it.account.as_deref().or(it.device.as_deref()).map(|name| format!(" ({name})"));
    let title = text(&format!("{}: {}{}", tenant.name, it.title, about.unwrap_or_default()));
    let dedup_key = key(tenant, &it.id);
    let severity = severity(it.severity);
    let device = match it.device.as_deref() {
        Some(name) => alerts::device_named(tx, tenant.customer, &text(name)).await?,
        None => None,
    };
    let new = NewAlert {
        customer: tenant.customer,
        source: "microsoft",
        dedup_key: &dedup_key,
        device,
        condition: None,
        kind: KIND,
        severity,
        title: &title,
        seen_at: it.updated_at,
    };
    let alert = alerts::raise(tx, &new).await?;
    if it.severity == AlertSeverity::High {
        let opened =
            incidents::open_for_alert(tx, tenant.customer, alert.id, device, &title, severity, now).await?;
        if let Some(incident) = opened {
            let body = "Microsoft raised it; it needs a person.";
            intake::tell_staff(tx, tenant.customer, incident, &title, body, now).await?;
        }
    }
    Ok(!alert.was_open)
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

async fn clear(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
    over: &[TenantAlert],
    at: Timestamp,
) -> Result<i32, SyncError> {
    if over.is_empty() {
        return Ok(0);
    }
    let ids: Vec<_> = over.iter().map(|it| it.id).collect();
    let tx = cx.customer(tenant.customer).await?;
    alerts::resolve(&tx, tenant.customer, &ids, at).await?;
    for incident in incidents::unattended_of_alerts(&tx, tenant.customer, &ids).await? {
        let why = Some("Microsoft says that the alert is resolved.");
        let state = incidents::IncidentState::Resolved;
        incidents::set_state(&tx, tenant.customer, incident, state, why, at).await?;
    }
    cx.count(&tx, PART, &Counts::default()).await?;
    tx.commit().await?;
    cx.at(SyncPoint::Confirmed(PART)).await;
    Ok(rows(ids.len()))
}
