//! The tenants that the partner's own one names: shown with or without a customer of ours, never mapped by us.
use std::collections::{HashMap, HashSet};

use ::graph::{Graph, PartnerCustomer};
use connector_api::VendorError;
use domain::estate;
use store::{
    integrations,
    sync::{Again, Counts},
};

use crate::sync::{
    confirm::{CONFIRMATIONS_MAX, Verdict, ask_each},
    context::{Cx, rows},
    device_row::text,
    error::{PartEnd, SyncError, is_worth_repeating, trouble},
    hooks::SyncPoint,
    organizations,
    run::PartName,
};

const PART: PartName = PartName::Organizations;

pub(super) async fn read(cx: &Cx<'_, Graph>) -> Result<PartEnd, SyncError> {
    let tx = cx.provider().await?;
    let known = integrations::organizations(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let known: HashMap<_, _> = known
        .into_iter()
        .filter(|it| it.missing_since.is_none())
        .map(|it| (it.external_id, it.name))
        .collect();
    let part = cx.start(PART, Again::StartOver, Some(known.len())).await?;
    let mut walk = cx.client.customers().await;
    let fallen = |items: &[PartnerCustomer]| {
        let seen: HashSet<&str> = items.iter().map(|it| it.tenant_id.as_str()).collect();
        let left = known.keys().filter(|id| seen.contains(id.as_str())).count();
        estate::is_suspect(known.len() as u64, left as u64)
    };
    let fell = walk.completeness.is_complete() && fallen(&walk.items);
    if part.reads < 2 && (fell || is_worth_repeating(&walk.completeness)) {
        let doubt =
            if fell { "tenants fell by more than a fifth".to_owned() } else { walk.completeness.to_string() };
        cx.read_again(PART, None, &trouble("suspect", &doubt)).await?;
        walk = cx.client.customers().await;
    }
    if let Some(observed_at) = walk.observed_at {
        store(cx, &known, &walk.items, observed_at).await?;
    }
    if !walk.completeness.is_complete() {
        return Ok(PartEnd::of_walk(&walk.completeness, walk.pages));
    }
    let seen: HashSet<&str> = walk.items.iter().map(|it| it.tenant_id.as_str()).collect();
    let lacking: Vec<String> = known.into_keys().filter(|id| !seen.contains(id.as_str())).collect();
    confirm(cx, lacking).await
}

async fn store(
    cx: &Cx<'_, Graph>,
    known: &HashMap<String, String>,
    items: &[PartnerCustomer],
    observed_at: jiff::Timestamp,
) -> Result<(), SyncError> {
    let named: Vec<(String, String)> = items.iter().map(|it| (it.tenant_id.clone(), name(it))).collect();
    let domains: Vec<_> = items
        .iter()
        .map(|it| (it.tenant_id.clone(), it.default_domain.as_deref().map(|it| text(it).to_lowercase())))
        .collect();
    let mut counts = Counts { read: rows(named.len()), ..Counts::default() };
    for (id, name) in &named {
        match known.get(id) {
            None => counts.created += 1,
            Some(before) if before == name => counts.unchanged += 1,
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

fn name(tenant: &PartnerCustomer) -> String {
    let name = text(&tenant.name);
    if name.trim().is_empty() { format!("Tenant {}", tenant.tenant_id) } else { name }
}

/// The partner no longer names them. One that still lets the application in is there; only its refusal counts.
async fn confirm(cx: &Cx<'_, Graph>, lacking: Vec<String>) -> Result<PartEnd, SyncError> {
    let mut unknown = lacking.len().saturating_sub(CONFIRMATIONS_MAX);
    let asked: Vec<String> = lacking.into_iter().take(CONFIRMATIONS_MAX).collect();
    let ask = |id: String| async move {
        match cx.client.tenant(&id).organization().await {
            Ok(_) => Verdict::There(()),
            Err(VendorError::NotConsented { .. }) => Verdict::Gone,
            Err(_) => Verdict::Unknown,
        }
    };
    let verdicts = ask_each(asked.clone(), ask).await;
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
