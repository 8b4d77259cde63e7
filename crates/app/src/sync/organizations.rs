//! The vendor's organizations: shown with or without a customer, never mapped by us.
use std::collections::{HashMap, HashSet};

use connector_api::{Completeness, Fact, Page, PartialReason, VendorError, WalkMark};
use domain::estate;
use jiff::Timestamp;
use ninjaone::{NinjaOne, Organization};
use store::{
    integrations,
    sync::{Again, Counts, SyncKind},
};

use super::{
    confirm::{CONFIRMATIONS_MAX, Verdict, ask_each},
    context::{Cx, rows},
    device_row::text,
    error::{PartEnd, SyncError, is_worth_repeating, trouble},
    hooks::SyncPoint,
    run::PartName,
    walk::{self, Family},
};

const PART: PartName = PartName::Organizations;

struct Reading {
    /// Name by external id, of those that are not missing.
    known: HashMap<String, String>,
    seen: HashSet<String>,
}

/// Small enough to start over after a restart: it keeps no place.
pub(super) async fn read(cx: &Cx<'_>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    let tx = cx.provider().await?;
    let known = integrations::organizations(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let known: HashMap<_, _> = known
        .into_iter()
        .filter(|it| it.missing_since.is_none())
        .map(|it| (it.external_id, it.name))
        .collect();
    let before: Vec<String> = known.keys().cloned().collect();
    let part = cx.start(PART, Again::StartOver, Some(before.len())).await?;
    let mut reading = Reading { known, seen: HashSet::new() };
    let mut reads = part.reads;
    loop {
        let walked = walk::read(cx, &mut reading, &WalkMark::default()).await?;
        let is_complete = walked.completeness.is_complete();
        let left = before.iter().filter(|id| reading.seen.contains(*id)).count();
        let fell = is_complete && estate::is_suspect(before.len() as u64, left as u64);
        if reads < 2 && (fell || is_worth_repeating(&walked.completeness)) {
            reads = 2;
            let doubt = if fell {
                format!("organizations fell from {} to {left}", before.len())
            } else {
                walked.completeness.to_string()
            };
            cx.read_again(PART, None, &trouble("suspect", &doubt)).await?;
            continue;
        }
        if !is_complete || kind == SyncKind::Incremental {
            return Ok(PartEnd::of_walk(&walked.completeness, walked.pages));
        }
        let absent = before.into_iter().filter(|id| !reading.seen.contains(id)).collect();
        return accept(cx, absent).await;
    }
}

impl Family for Reading {
    type Row = Organization;
    const PART: PartName = PART;

    async fn fetch(
        client: &NinjaOne,
        _: u32,
        after: Option<i64>,
    ) -> Result<Fact<Page<Organization>>, VendorError> {
        client.organizations_page(after).await
    }

    fn id(row: &Organization) -> i64 {
        row.id
    }

    async fn store(
        &mut self,
        cx: &Cx<'_>,
        page: Vec<Organization>,
        observed_at: Timestamp,
        mark: &WalkMark,
    ) -> Result<(), SyncError> {
        let page: Vec<_> = page.iter().map(|row| (row.id.to_string(), text(&row.name))).collect();
        let mut counts = Counts::default();
        for (id, name) in &page {
            if !self.seen.insert(id.clone()) {
                continue;
            }
            counts.read += 1;
            match self.known.insert(id.clone(), name.clone()) {
                None => counts.created += 1,
                Some(before) if before == *name => counts.unchanged += 1,
                Some(_) => counts.updated += 1,
            }
        }
        let tx = cx.provider().await?;
        integrations::upsert_organizations(&tx, cx.claim.integration, &page, observed_at).await?;
        cx.count(&tx, PART, &counts).await?;
        cx.keep_place(&tx, PART, mark.after, None, 0).await?;
        Ok(tx.commit().await?)
    }
}

/// Organizations that a complete list lacks: each is asked for by its own path.
async fn accept(cx: &Cx<'_>, absent: Vec<String>) -> Result<PartEnd, SyncError> {
    let beyond = absent.len().saturating_sub(CONFIRMATIONS_MAX);
    let asked: Vec<String> = absent.into_iter().take(CONFIRMATIONS_MAX).collect();
    let ids = asked.iter().map(|id| id.parse::<i64>().ok()).collect();
    let ask = |id: Option<i64>| async move {
        let Some(id) = id else { return Verdict::Unknown };
        let walk = cx.client.organization_devices(id).await;
        match walk.completeness {
            Completeness::Partial { reason: PartialReason::Stopped(VendorError::NotFound) } => Verdict::Gone,
            Completeness::Complete => Verdict::There(()),
            Completeness::Partial { .. } => Verdict::Unknown,
        }
    };
    let verdicts = ask_each(ids, ask).await;
    let (mut gone, mut there, mut unknown) = (Vec::new(), 0, beyond);
    for (id, verdict) in asked.into_iter().zip(verdicts) {
        match verdict {
            Verdict::Gone => gone.push(id),
            Verdict::There(()) => there += 1,
            Verdict::Unknown => unknown += 1,
        }
    }
    remove(cx, &gone).await?;
    Ok(if there > 0 {
        PartEnd::partial("list_lacked_rows", &format!("the list lacked {there} organizations that exist"))
    } else if unknown > 0 {
        let text = format!("{unknown} organizations were not listed and are not confirmed to be gone yet");
        PartEnd::partial("not_confirmed", &text)
    } else {
        PartEnd::complete()
    })
}

/// Organizations whose disappearance the vendor confirmed.
pub(super) async fn remove<C: Sync>(cx: &Cx<'_, C>, gone: &[String]) -> Result<(), SyncError> {
    if gone.is_empty() {
        return Ok(());
    }
    let tx = cx.provider().await?;
    let removed = integrations::mark_organizations_missing(&tx, cx.claim.integration, gone, cx.now()).await?;
    let removed = rows(usize::try_from(removed).unwrap_or(usize::MAX));
    cx.count(&tx, PART, &Counts { removed, ..Counts::default() }).await?;
    tx.commit().await?;
    cx.at(SyncPoint::Confirmed(PART)).await;
    Ok(())
}
