//! Mail of each mapped tenant: the records of its domains, and mailboxes that hand mail on. Neither has a reading of a single row: one is
//! gone when two complete readings in a row lack it. Whether a forwarding leads outside is decided by the domains that are verified in the
//! same reading.
use std::collections::HashSet;

use ::cipp::{Cipp, MailDomain, MailboxForwarding};
use connector_api::Walk;
use domain::posture::{Policy, reach};
use kernel::id::CustomerId;
use pg::ActorTx;
use serde_json::{Value, json};
use store::{
    cipp::{CippPart, CippPartRead, CippTenant},
    mail::{self, ForwardingRow, MailDomainRow, MailKind},
    sync::Counts,
    tenants::{PartState, Seen},
};

use super::parts::{Came, Needed, each, of_partial, unread};
use crate::sync::{
    context::Cx,
    device_row::{content_hash, text, without_nul},
    error::{PartEnd, SyncError},
    run::PartName,
};

const DOMAINS: CippPart = CippPart::MailDomains;
const FORWARDINGS: CippPart = CippPart::Forwardings;
/// Changes with every analysis and is no content.
const REFRESHED: &str = "LastRefresh";

pub(super) async fn read_domains(cx: &Cx<'_, Cipp>) -> Result<PartEnd, SyncError> {
    each(cx, PartName::MailDomains, DOMAINS, Needed::WhereAllowed, |cx, customer, tenant, domain| {
        Box::pin(domains_of(cx, customer, tenant, domain))
    })
    .await
}

pub(super) async fn read_forwardings(cx: &Cx<'_, Cipp>) -> Result<PartEnd, SyncError> {
    each(cx, PartName::Forwardings, FORWARDINGS, Needed::WhereAllowed, |cx, customer, tenant, domain| {
        Box::pin(forwardings_of(cx, customer, tenant, domain))
    })
    .await
}

async fn domains_of(cx: &Cx<'_, Cipp>, customer: CustomerId, tenant: &CippTenant, domain: &str) -> Came {
    let known = known(cx, customer, tenant, MailKind::Domains).await?;
    let ids = |walk: &Walk<MailDomain>| walk.items.iter().map(|it| it.domain.clone()).collect::<HashSet<_>>();
    let mut walk = cx.client.mail_domains(domain).await;
    let mut gone = lacking(&known, &ids(&walk));
    if walk.completeness.is_complete() && !gone.is_empty() {
        walk = cx.client.mail_domains(domain).await;
        let seen = ids(&walk);
        gone.retain(|id| !seen.contains(id));
    }
    let Some(observed_at) = walk.observed_at else { return Ok((of_partial(DOMAINS, &walk.completeness), 0)) };
    let is_complete = walk.completeness.is_complete();
    let rows: Vec<MailDomainRow> = walk.items.iter().map(domain_row).collect();
    let seen = Seen { run: cx.claim.run, observed_at, is_complete };
    let tx = cx.customer(customer).await?;
    let counts = mail::upsert_domains(&tx, customer, tenant.id, &seen, &rows).await?;
    let gone = if is_complete { gone } else { Vec::new() };
    let end = (PartName::MailDomains, MailKind::Domains);
    finish(cx, tx, end, customer, tenant, counts, &gone).await?;
    Ok((outcome(DOMAINS, &walk.completeness, &seen, rows.len()), 0))
}

async fn forwardings_of(cx: &Cx<'_, Cipp>, customer: CustomerId, tenant: &CippTenant, domain: &str) -> Came {
    let known = known(cx, customer, tenant, MailKind::Forwardings).await?;
    let verified = cx.client.verified_domains(domain).await;
    if !verified.completeness.is_complete() {
        let read = of_partial(FORWARDINGS, &verified.completeness);
        let reason = read.reason.as_deref().unwrap_or_default();
        let reason = Some(format!("its verified domains could not be read: {reason}"));
        return Ok((CippPartRead { reason, ..read }, 0));
    }
    let ids = |walk: &Walk<MailboxForwarding>| {
        walk.items.iter().flat_map(|it| it.targets.iter().map(|to| id(it, to))).collect::<HashSet<_>>()
    };
    let mut walk = cx.client.forwardings(domain).await;
    let mut gone = lacking(&known, &ids(&walk));
    if walk.completeness.is_complete() && !gone.is_empty() {
        walk = cx.client.forwardings(domain).await;
        let seen = ids(&walk);
        gone.retain(|id| !seen.contains(id));
    }
    let Some(observed_at) = walk.observed_at else {
        return Ok((of_partial(FORWARDINGS, &walk.completeness), 0));
    };
    let is_complete = walk.completeness.is_complete();
    let verified: Vec<&str> = verified.items.iter().map(String::as_str).collect();
    let row = |it: &MailboxForwarding| {
        it.targets.iter().map(|to| forwarding_row(it, to, &verified)).collect::<Vec<_>>()
    };
    let rows: Vec<ForwardingRow> = walk.items.iter().flat_map(row).collect();
    let seen = Seen { run: cx.claim.run, observed_at, is_complete };
    let tx = cx.customer(customer).await?;
    let counts = mail::upsert_forwardings(&tx, customer, tenant.id, &seen, &rows).await?;
    let gone = if is_complete { gone } else { Vec::new() };
    let end = (PartName::Forwardings, MailKind::Forwardings);
    finish(cx, tx, end, customer, tenant, counts, &gone).await?;
    Ok((outcome(FORWARDINGS, &walk.completeness, &seen, rows.len()), 0))
}

async fn known(
    cx: &Cx<'_, Cipp>,
    customer: CustomerId,
    tenant: &CippTenant,
    kind: MailKind,
) -> Result<Vec<String>, SyncError> {
    let tx = cx.customer(customer).await?;
    let known = mail::present(&tx, customer, tenant.id, kind).await?;
    tx.rollback().await?;
    Ok(known)
}

fn lacking(known: &[String], seen: &HashSet<String>) -> Vec<String> {
    known.iter().filter(|id| !seen.contains(*id)).cloned().collect()
}

async fn finish(
    cx: &Cx<'_, Cipp>,
    tx: ActorTx,
    (part, kind): (PartName, MailKind),
    customer: CustomerId,
    tenant: &CippTenant,
    mut counts: Counts,
    gone: &[String],
) -> Result<(), SyncError> {
    if !gone.is_empty() {
        let removed = mail::mark_missing(&tx, customer, tenant.id, kind, gone, cx.now()).await?;
        counts += Counts { removed, ..Counts::default() };
    }
    cx.count(&tx, part, &counts).await?;
    tx.commit().await?;
    Ok(())
}

fn outcome(
    part: CippPart,
    completeness: &connector_api::Completeness,
    seen: &Seen,
    rows: usize,
) -> CippPartRead {
    let read =
        if seen.is_complete { unread(part, PartState::Complete, "") } else { of_partial(part, completeness) };
    CippPartRead { observed_at: Some(seen.observed_at), rows, ..read }
}

fn domain_row(it: &MailDomain) -> MailDomainRow {
    let raw = without_nul(it.raw.clone());
    // When the analyser looked is kept anew once a day, with the rest.
    let analysed_day = it.analysed_at.map(|at| at.to_string().chars().take(10).collect::<String>());
    let mut content = raw.clone();
    if let Some(members) = content.as_object_mut() {
        members.remove(REFRESHED);
    }
    let policy = match it.dmarc_policy.as_deref() {
        Some("none") => Some(Policy::None),
        Some("quarantine") => Some(Policy::Quarantine),
        Some("reject") => Some(Policy::Reject),
        _ => None,
    };
    MailDomainRow {
        domain: text(&it.domain),
        mail_provider: it.mail_provider.as_deref().map(text),
        mx_passes: it.mx_passes,
        spf_passes: it.spf_passes,
        spf_record: it.spf_record.as_deref().map(text),
        dkim_enabled: it.dkim_enabled,
        dmarc_present: it.dmarc_present,
        dmarc_policy: policy,
        dmarc_covers_all: it.dmarc_covers_all,
        dmarc_reports: it.dmarc_reports,
        dnssec_present: it.dnssec_present,
        score_percent: it.score_percent,
        analysed_at: it.analysed_at,
        content_hash: content_hash(&json!([content, analysed_day])),
        raw,
    }
}

fn id(it: &MailboxForwarding, target: &str) -> String {
    text(&format!("{} {target}", it.mailbox))
}

fn forwarding_row(it: &MailboxForwarding, target: &str, verified: &[&str]) -> ForwardingRow {
    let reach = reach(target, verified.iter().copied());
    let content: Value = json!([it.display_name, it.kind, it.keeps_copy, reach.as_str()]);
    ForwardingRow {
        external_id: id(it, target),
        mailbox: text(&it.mailbox),
        display_name: it.display_name.as_deref().map(text),
        mailbox_kind: it.kind.as_deref().map(text),
        target: text(target),
        reach,
        keeps_copy: it.keeps_copy,
        content_hash: content_hash(&content),
    }
}
