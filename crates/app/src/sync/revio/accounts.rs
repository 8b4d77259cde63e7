//! The vendor's customers: accounts, shown with or without a customer of ours, never mapped by us.
use std::collections::{HashMap, HashSet};

use ::revio::{Customer, RevIo};
use domain::estate;
use store::{
    integrations,
    sync::{Again, Counts},
};

use super::absent;
use crate::sync::{
    confirm::CONFIRMATIONS_MAX,
    context::{Cx, rows},
    device_row::text,
    error::{PartEnd, SyncError, is_worth_repeating, trouble},
    hooks::SyncPoint,
    organizations,
    run::PartName,
};

const PART: PartName = PartName::Organizations;

pub(super) async fn read(cx: &Cx<'_, RevIo>) -> Result<PartEnd, SyncError> {
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
    let fallen = |items: &[Customer]| {
        let seen: HashSet<String> = items.iter().map(|it| it.id.to_string()).collect();
        let left = known.keys().filter(|id| seen.contains(*id)).count();
        estate::is_suspect(known.len() as u64, left as u64)
    };
    let fell = walk.completeness.is_complete() && fallen(&walk.items);
    if part.reads < 2 && (fell || is_worth_repeating(&walk.completeness)) {
        let doubt = if fell {
            "accounts fell by more than a fifth".to_owned()
        } else {
            walk.completeness.to_string()
        };
        cx.read_again(PART, None, &trouble("suspect", &doubt)).await?;
        walk = cx.client.customers().await;
    }
    if let Some(observed_at) = walk.observed_at {
        store(cx, &known, &walk.items, observed_at).await?;
    }
    if !walk.completeness.is_complete() {
        return Ok(PartEnd::of_walk(&walk.completeness, walk.pages.min(rows_pages(walk.items.len()))));
    }
    let seen: HashSet<String> = walk.items.iter().map(|it| it.id.to_string()).collect();
    let mut lacking: Vec<String> = known.into_keys().filter(|id| !seen.contains(id)).collect();
    lacking.sort_unstable();
    let client = cx.client;
    let answers =
        absent::ask(cx, PART, lacking, CONFIRMATIONS_MAX, |id| id.parse().ok(), |id| client.customer(id))
            .await?;
    organizations::remove(cx, &answers.gone).await?;
    Ok(answers.end("accounts"))
}

/// A walk that failed at its first page brought nothing.
pub(super) fn rows_pages(rows: usize) -> u32 {
    if rows == 0 { 0 } else { u32::MAX }
}

async fn store(
    cx: &Cx<'_, RevIo>,
    known: &HashMap<String, String>,
    items: &[Customer],
    observed_at: jiff::Timestamp,
) -> Result<(), SyncError> {
    let accounts: Vec<(String, String)> = items.iter().map(|it| (it.id.to_string(), name(it))).collect();
    let numbers: Vec<_> =
        items.iter().map(|it| (it.id.to_string(), it.account_number.as_deref().map(text))).collect();
    let mut counts = Counts { read: rows(accounts.len()), ..Counts::default() };
    for (id, name) in &accounts {
        match known.get(id) {
            None => counts.created += 1,
            Some(before) if before == name => counts.unchanged += 1,
            Some(_) => counts.updated += 1,
        }
    }
    let tx = cx.provider().await?;
    integrations::upsert_organizations(&tx, cx.claim.integration, &accounts, observed_at).await?;
    integrations::set_account_numbers(&tx, cx.claim.integration, &numbers).await?;
    cx.count(&tx, PART, &counts).await?;
    cx.keep_place(&tx, PART, None, None, 0).await?;
    tx.commit().await?;
    cx.at(SyncPoint::PageStored(PART)).await;
    Ok(())
}

fn name(account: &Customer) -> String {
    let named = account.company_name.as_deref().or(account.account_number.as_deref());
    let named = named.map(text).filter(|name| !name.trim().is_empty());
    named.unwrap_or_else(|| format!("Account {}", account.id))
}
