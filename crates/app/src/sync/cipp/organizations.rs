//! The deployment's tenants: shown with or without a customer of ours, never mapped by us.
use std::collections::{HashMap, HashSet};

use ::cipp::{Cipp, Tenant};
use domain::estate;
use store::{
    integrations::{self, Organization},
    sync::{Again, Counts},
};

use crate::sync::{
    confirm::{CONFIRMATIONS_MAX, Verdict, ask_each},
    context::{Cx, rows},
    device_row::text,
    error::{PartEnd, SyncError, trouble},
    hooks::SyncPoint,
    organizations,
    run::PartName,
};

const PART: PartName = PartName::Organizations;

pub(super) async fn read(cx: &Cx<'_, Cipp>) -> Result<PartEnd, SyncError> {
    let tx = cx.provider().await?;
    let known = integrations::organizations(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let known: HashMap<String, Organization> = known
        .into_iter()
        .filter(|it| it.missing_since.is_none())
        .map(|it| (it.external_id.clone(), it))
        .collect();
    let part = cx.start(PART, Again::StartOver, Some(known.len())).await?;
    let mut listed = cx.client.tenants().await;
    let lacking = |items: &[Tenant]| -> Vec<String> {
        let seen: HashSet<&str> = items.iter().map(|it| it.id.as_str()).collect();
        known.keys().filter(|id| !seen.contains(id.as_str())).cloned().collect()
    };
    let left = known.len() - lacking(&listed.walk.items).len();
    let fell = listed.walk.completeness.is_complete() && estate::is_suspect(known.len() as u64, left as u64);
    if part.reads < 2 && fell {
        let doubt = format!("tenants fell from {} to {left}", known.len());
        cx.read_again(PART, None, &trouble("suspect", &doubt)).await?;
        listed = cx.client.tenants().await;
    }
    let walk = &listed.walk;
    if let Some(observed_at) = walk.observed_at {
        store(cx, &known, &walk.items, observed_at).await?;
    }
    if !walk.completeness.is_complete() {
        return Ok(PartEnd::of_walk(&walk.completeness, walk.pages));
    }
    let lacking = lacking(&walk.items);
    if listed.is_limited && !lacking.is_empty() {
        let text = format!(
            "{} tenants are not listed, and the role of the API client is limited to some tenants",
            lacking.len()
        );
        return Ok(PartEnd::partial("limited_role", &text));
    }
    let witness = walk.items.iter().find_map(|it| it.default_domain.clone());
    confirm(cx, &known, lacking, witness).await
}

async fn store(
    cx: &Cx<'_, Cipp>,
    known: &HashMap<String, Organization>,
    items: &[Tenant],
    observed_at: jiff::Timestamp,
) -> Result<(), SyncError> {
    let named: Vec<(String, String)> = items.iter().map(|it| (it.id.clone(), name(it))).collect();
    let domains: Vec<_> =
        items.iter().map(|it| (it.id.clone(), it.default_domain.as_deref().map(text))).collect();
    let mut counts = Counts { read: rows(named.len()), ..Counts::default() };
    for (id, name) in &named {
        match known.get(id) {
            None => counts.created += 1,
            Some(before) if before.name == *name => counts.unchanged += 1,
            Some(_) => counts.updated += 1,
        }
    }
    let tx = cx.provider().await?;
    integrations::upsert_organizations(&tx, cx.claim.integration, &named, observed_at).await?;
    integrations::set_domains(&tx, cx.claim.integration, &domains).await?;
    cx.count(&tx, PART, &counts).await?;
    cx.keep_place(&tx, PART, None, None, 0).await?;
    tx.commit().await?;
    cx.at(SyncPoint::PageStored(PART)).await;
    Ok(())
}

pub(super) fn name(tenant: &Tenant) -> String {
    let name = text(&tenant.name);
    match (tenant.is_partner, name.trim()) {
        (true, _) => "Partner tenant".to_owned(),
        (false, "") => format!("Tenant {}", tenant.id),
        (false, _) => name,
    }
}

/// A complete list lacks them: each is asked for by its domain. CIPP answers for one that it does not have with an empty list,
/// as it does in trouble: that counts only while a tenant that is listed answers for itself.
async fn confirm(
    cx: &Cx<'_, Cipp>,
    known: &HashMap<String, Organization>,
    lacking: Vec<String>,
    witness: Option<String>,
) -> Result<PartEnd, SyncError> {
    let is_there = async |domain: &str| matches!(cx.client.tenant(domain).await, Ok(Some(_)));
    let answers = match (&witness, lacking.is_empty()) {
        (Some(domain), false) => is_there(domain).await,
        (_, nothing_to_ask) => nothing_to_ask,
    };
    let mut unknown = lacking.len().saturating_sub(CONFIRMATIONS_MAX);
    let asked: Vec<String> = lacking.into_iter().take(CONFIRMATIONS_MAX).collect();
    let domains = asked.iter().map(|id| known.get(id).and_then(|it| it.domain.clone())).collect();
    let ask = |domain: Option<String>| async move {
        let Some(domain) = domain else { return Verdict::Unknown };
        match cx.client.tenant(&domain).await {
            Ok(Some(_)) => Verdict::There(()),
            Ok(None) if answers => Verdict::Gone,
            Ok(None) | Err(_) => Verdict::Unknown,
        }
    };
    let verdicts = ask_each(domains, ask).await;
    let (mut gone, mut there) = (Vec::new(), 0);
    for (id, verdict) in asked.into_iter().zip(verdicts) {
        match verdict {
            Verdict::Gone => gone.push(id),
            Verdict::There(()) => there += 1,
            Verdict::Unknown => unknown += 1,
        }
    }
    organizations::remove(cx, &gone).await?;
    Ok(if there > 0 {
        PartEnd::partial("list_lacked_rows", &format!("the list lacked {there} tenants that exist"))
    } else if unknown > 0 {
        let text = format!("{unknown} tenants were not listed and are not confirmed to be gone yet");
        PartEnd::partial("not_confirmed", &text)
    } else {
        PartEnd::complete()
    })
}
