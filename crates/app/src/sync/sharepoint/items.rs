//! What is in the libraries of the sites that staff chose: a full round, then changes, page by page.
use ::graph::{
    Graph,
    sharepoint::{Change, ChangesPage, Continue, Item, ReadChanges},
};
use connector_api::{Fact, VendorError};
use kernel::Timestamp;
use store::{
    documents::{self, Drive, ItemRow, ReadEnd, Reads, Round, Site, SitePart},
    sync::{Again, Counts, SyncKind},
    tenants::PartState,
};
use uuid::Uuid;

use super::tenants::{Reading, complete, each_site, partial, refused};
use crate::sync::{
    confirm::{CONFIRMATIONS_MAX, Verdict, ask_each},
    context::Cx,
    device_row::text,
    error::{PartEnd, SyncError},
    hooks::SyncPoint,
    run::PartName,
};

const PART: PartName = PartName::Items;
/// 500 items each.
const PAGES_MAX: usize = 5_000;

pub(super) async fn read(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(PART, Again::GoOn, None).await?;
    let forget = (PART, SitePart::Items, Reads::Inventory);
    each_site(cx, kind, forget, |cx, tenant, site| Box::pin(one(cx, tenant, site))).await
}

async fn one(cx: &Cx<'_, Graph>, tenant: &Reading, site: &Site) -> Result<ReadEnd, SyncError> {
    let tx = cx.customer(tenant.customer).await?;
    if site.reads != Reads::Documents {
        documents::forget_items(&tx, tenant.customer, site.id, site.reads).await?;
    }
    let drives = documents::drives(&tx, tenant.customer, site.id, cx.claim.run).await?;
    tx.commit().await?;
    if site.reads == Reads::Inventory {
        return Ok(complete(cx.now(), 0));
    }
    let mut end = complete(cx.now(), 0);
    for drive in drives.iter().filter(|drive| !drive.is_done) {
        let library = Library { tenant, site: site.id, drive };
        let read = library.read(cx).await?;
        end.rows += read.rows;
        if read.state != PartState::Complete {
            end = ReadEnd { rows: end.rows, ..read };
        }
    }
    Ok(end)
}

struct Library<'a> {
    tenant: &'a Reading,
    site: Uuid,
    drive: &'a Drive,
}

/// A round under way.
struct UnderWay {
    round: Round,
    link: Option<String>,
    rows: usize,
    unreadable: usize,
    was_lost: bool,
}

impl Library<'_> {
    async fn read(&self, cx: &Cx<'_, Graph>) -> Result<ReadEnd, SyncError> {
        let mut now = self.begin(cx).await?;
        for _ in 0..PAGES_MAX {
            let asked = self.tenant.client.drive_changes(&self.drive.external_id, now.link.as_deref()).await;
            let page = match asked {
                Ok(ReadChanges::Page(page)) => page,
                Ok(ReadChanges::Resync { .. }) if now.was_lost => {
                    return Ok(partial("the vendor forgot the place twice in a row"));
                }
                Ok(ReadChanges::Resync { from, differences }) => {
                    tracing::info!(sync.run = %cx.claim.run, ?differences, "the list of changes of a library begins anew");
                    let round = self.round(cx, SyncKind::Full);
                    self.begin_round(cx, &round, from.as_deref()).await?;
                    now = UnderWay { round, link: from, rows: 0, unreadable: 0, was_lost: true };
                    continue;
                }
                Err(VendorError::NotFound) => return self.gone(cx).await,
                Err(error) if now.rows == 0 => return Ok(refused(&error)),
                Err(error) => return Ok(partial(&format!("after {} items: {error}", now.rows))),
            };
            now.rows += page.value.changes.len();
            now.unreadable += page.value.unreadable;
            let observed_at = page.observed_at;
            match self.store(cx, &now.round, page).await? {
                Continue::Page(next) if now.link.as_ref() == Some(&next) => {
                    return Ok(partial("the vendor sends the same page again"));
                }
                Continue::Page(next) => now.link = Some(next),
                Continue::Round(_) => return self.end(cx, &now, observed_at).await,
                Continue::Cut => {
                    return Ok(partial("the list of changes was cut: it named no place to go on"));
                }
            }
        }
        Ok(partial("the library has more pages than are read in one synchronization"))
    }

    /// Goes on with the round of this run, or begins one.
    async fn begin(&self, cx: &Cx<'_, Graph>) -> Result<UnderWay, SyncError> {
        let drive = self.drive;
        if let (Some(link), Some(id)) = (&drive.round_link, drive.round) {
            let round = Round { id, run: cx.claim.run, is_full: drive.round_is_full };
            return Ok(UnderWay { round, link: Some(link.clone()), rows: 0, unreadable: 0, was_lost: false });
        }
        let round = self.round(cx, self.tenant.kind);
        self.begin_round(cx, &round, None).await?;
        let link = drive.delta_link.clone().filter(|_| !round.is_full);
        Ok(UnderWay { round, link, rows: 0, unreadable: 0, was_lost: false })
    }

    fn round(&self, cx: &Cx<'_, Graph>, kind: SyncKind) -> Round {
        let has_begun = self.drive.delta_link.is_some() && self.drive.full_round.is_some();
        let is_full = kind == SyncKind::Full || !has_begun;
        Round { id: kernel::id::uuid_v7(cx.now()), run: cx.claim.run, is_full }
    }

    async fn begin_round(
        &self,
        cx: &Cx<'_, Graph>,
        round: &Round,
        link: Option<&str>,
    ) -> Result<(), SyncError> {
        let tx = cx.customer(self.tenant.customer).await?;
        documents::begin_round(&tx, self.tenant.customer, self.drive.id, round, link).await?;
        cx.count(&tx, PART, &Counts::default()).await?;
        Ok(tx.commit().await?)
    }

    /// One page with its place, in one transaction.
    async fn store(
        &self,
        cx: &Cx<'_, Graph>,
        round: &Round,
        page: Fact<ChangesPage>,
    ) -> Result<Continue, SyncError> {
        let (customer, drive) = (self.tenant.customer, self.drive.id);
        let (mut rows, mut gone) = (Vec::new(), Vec::new());
        for change in page.value.changes {
            match change {
                Change::Gone { id } => gone.push(id),
                // The library itself.
                Change::Is(item) if item.is_root => {}
                Change::Is(item) => rows.push(row(&item)),
            }
        }
        let mark = if round.is_full { round.id } else { self.drive.full_round.unwrap_or(round.id) };
        let tx = cx.customer(customer).await?;
        let mut counts =
            documents::keep_page(&tx, customer, (self.site, drive), mark, page.observed_at, &rows).await?;
        counts.removed = documents::mark_missing(&tx, customer, drive, &gone, cx.now()).await?;
        match &page.value.goes_on {
            Continue::Page(next) => documents::keep_link(&tx, customer, drive, next).await?,
            Continue::Round(link) => {
                documents::end_round(&tx, customer, drive, link, page.observed_at).await?;
                documents::rework_paths(&tx, customer, drive).await?;
            }
            // What was read is true all the same; the round begins again.
            Continue::Cut => {}
        }
        cx.count(&tx, PART, &counts).await?;
        tx.commit().await?;
        cx.at(SyncPoint::PageStored(PART)).await;
        Ok(page.value.goes_on)
    }

    /// After a complete round: what it lacked is asked for by its own id.
    async fn end(
        &self,
        cx: &Cx<'_, Graph>,
        now: &UnderWay,
        observed_at: Timestamp,
    ) -> Result<ReadEnd, SyncError> {
        let (customer, drive) = (self.tenant.customer, self.drive.id);
        let tx = cx.customer(customer).await?;
        let doubtful = documents::doubtful(&tx, customer, drive, CONFIRMATIONS_MAX + 1).await?;
        tx.rollback().await?;
        let mut open = doubtful.len().saturating_sub(CONFIRMATIONS_MAX);
        let asked: Vec<String> = doubtful.into_iter().take(CONFIRMATIONS_MAX).collect();
        let ask = |item: String| async move {
            match self.tenant.client.item(&self.drive.external_id, &item).await {
                Ok(fact) if matches!(fact.value, Change::Gone { .. }) => Verdict::Gone,
                Ok(_) => Verdict::There(()),
                Err(VendorError::NotFound) => Verdict::Gone,
                Err(_) => Verdict::Unknown,
            }
        };
        let (mut gone, mut there) = (Vec::new(), Vec::new());
        for (id, verdict) in asked.iter().zip(ask_each(asked.clone(), ask).await) {
            match verdict {
                Verdict::Gone => gone.push(id.clone()),
                Verdict::There(()) => there.push(id.clone()),
                Verdict::Unknown => open += 1,
            }
        }
        if !asked.is_empty() {
            let tx = cx.customer(customer).await?;
            let removed = documents::mark_missing(&tx, customer, drive, &gone, cx.now()).await?;
            documents::mark_present(&tx, customer, drive, &there, cx.now()).await?;
            cx.count(&tx, PART, &Counts { removed, ..Counts::default() }).await?;
            tx.commit().await?;
            cx.at(SyncPoint::Confirmed(PART)).await;
        }
        Ok(if open > 0 {
            partial(&format!("{open} items were not listed and are not confirmed to be gone"))
        } else if now.unreadable > 0 {
            partial(&format!("{} rows were no items that can be read", now.unreadable))
        } else {
            complete(observed_at, now.rows)
        })
    }

    async fn gone(&self, cx: &Cx<'_, Graph>) -> Result<ReadEnd, SyncError> {
        let tx = cx.customer(self.tenant.customer).await?;
        let removed =
            documents::mark_drive_missing(&tx, self.tenant.customer, self.drive.id, cx.now()).await?;
        cx.count(&tx, PART, &Counts { removed, ..Counts::default() }).await?;
        tx.commit().await?;
        Ok(complete(cx.now(), 0))
    }
}

fn row(item: &Item) -> ItemRow {
    ItemRow {
        external_id: item.id.clone(),
        parent_external: item.parent_id.clone(),
        name: text(&item.name),
        kind: item.kind.as_str(),
        mime: item.mime.as_deref().map(text),
        size_bytes: item.size_bytes,
        etag: item.etag.clone(),
        ctag: item.ctag.clone(),
        quick_xor_hash: item.quick_xor_hash.clone(),
        web_url: item.web_url.as_deref().map(text),
        modified_at: item.modified_at,
        modified_by: item.modified_by.as_deref().map(text),
        is_shared: item.is_shared,
        is_infected: item.is_infected,
    }
}
