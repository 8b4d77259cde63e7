//! The sites of each tenant, and the libraries of each site with how much is in them.
use std::collections::HashSet;

use ::graph::{Graph, sharepoint};
use connector_api::{Completeness, PartialReason, VendorError, Walk};
use store::{
    documents::{self, DriveRow, ReadEnd, Reads, Site, SitePart, SiteRow},
    sync::{Again, Counts, SyncKind},
    tenants::Seen,
};
use uuid::Uuid;

use super::tenants::{
    Reading, complete, each_site, each_tenant, known_sites, leave, of_walk, partial, refused,
};
use crate::sync::{
    confirm::{CONFIRMATIONS_MAX, Verdict, ask_each},
    context::Cx,
    device_row::text,
    error::{Next, PartEnd, SyncError},
    hooks::SyncPoint,
    run::PartName,
};

const PART: PartName = PartName::Sites;

pub(super) async fn read(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(PART, Again::GoOn, None).await?;
    leave(cx, PART).await?;
    let listed = each_tenant(cx, kind, PART, |cx, tenant| Box::pin(list(cx, tenant))).await?;
    let place = (PART, SitePart::Libraries, Reads::Inventory);
    let libraries =
        each_site(cx, kind, place, |cx, tenant, site| Box::pin(libraries(cx, tenant, site))).await?;
    Ok(match listed.error {
        Some(_) => PartEnd { next: Next::GoOn, ..listed },
        None => libraries,
    })
}

async fn list(cx: &Cx<'_, Graph>, tenant: &Reading) -> Result<ReadEnd, SyncError> {
    let known = known_sites(cx, tenant).await?;
    let walk = tenant.client.sites().await;
    let Some(observed_at) = walk.observed_at else { return Ok(of_walk(&walk.completeness, 0)) };
    let is_complete = walk.completeness.is_complete();
    let rows: Vec<SiteRow> = walk.items.iter().map(row).collect();
    let seen = Seen { run: cx.claim.run, observed_at, is_complete };
    let tx = cx.customer(tenant.customer).await?;
    let counts = documents::upsert_sites(&tx, tenant.customer, tenant.id, &seen, &rows).await?;
    cx.count(&tx, PART, &counts).await?;
    tx.commit().await?;
    if !is_complete {
        return Ok(of_walk(&walk.completeness, rows.len().max(1)));
    }
    let there: HashSet<&str> = rows.iter().map(|row| row.external_id.as_str()).collect();
    let lacking: Vec<&Site> =
        known.iter().filter(|site| !there.contains(site.external_id.as_str())).collect();
    let open = confirm(cx, tenant, &lacking).await?;
    Ok(if open > 0 {
        partial(&format!("{open} sites were not listed and are not confirmed to be gone"))
    } else {
        complete(observed_at, rows.len())
    })
}

fn row(site: &sharepoint::Site) -> SiteRow {
    let name = text(&site.name);
    SiteRow {
        external_id: site.id.clone(),
        name: if name.trim().is_empty() { "Site without a name".into() } else { name },
        web_url: site.web_url.as_deref().map(text),
        kind: site.kind.as_str(),
    }
}

/// Asks for sites that a complete list lacks. Returns how many are not gone by the vendor's own word.
async fn confirm(cx: &Cx<'_, Graph>, tenant: &Reading, lacking: &[&Site]) -> Result<usize, SyncError> {
    let asked: Vec<(Uuid, String)> =
        lacking.iter().take(CONFIRMATIONS_MAX).map(|site| (site.id, site.external_id.clone())).collect();
    let ask = |(_, site): (Uuid, String)| async move {
        match tenant.client.site(&site).await {
            Ok(_) => Verdict::There(()),
            Err(VendorError::NotFound) => Verdict::Gone,
            Err(_) => Verdict::Unknown,
        }
    };
    let verdicts = ask_each(asked.clone(), ask).await;
    let gone: Vec<Uuid> = asked
        .iter()
        .zip(verdicts)
        .filter_map(|((id, _), verdict)| matches!(verdict, Verdict::Gone).then_some(*id))
        .collect();
    if !gone.is_empty() {
        let tx = cx.customer(tenant.customer).await?;
        let removed = documents::mark_sites_missing(&tx, tenant.customer, &gone, cx.now()).await?;
        cx.count(&tx, PART, &Counts { removed, ..Counts::default() }).await?;
        tx.commit().await?;
        cx.at(SyncPoint::Confirmed(PART)).await;
    }
    Ok(lacking.len() - gone.len())
}

async fn libraries(cx: &Cx<'_, Graph>, tenant: &Reading, site: &Site) -> Result<ReadEnd, SyncError> {
    let walk: Walk<sharepoint::Drive> = tenant.client.drives(&site.external_id).await;
    if let Completeness::Partial { reason: PartialReason::Stopped(VendorError::NotFound) } =
        &walk.completeness
    {
        return Ok(refused(&VendorError::MissingCapability { capability: "libraries in this site".into() }));
    }
    let Some(observed_at) = walk.observed_at else { return Ok(of_walk(&walk.completeness, 0)) };
    let rows: Vec<DriveRow> = walk
        .items
        .iter()
        .map(|drive| DriveRow {
            external_id: drive.id.clone(),
            name: text(&drive.name),
            web_url: drive.web_url.as_deref().map(text),
            used_bytes: drive.used_bytes,
            total_bytes: drive.total_bytes,
        })
        .collect();
    if !walk.completeness.is_complete() {
        return Ok(of_walk(&walk.completeness, rows.len().max(1)));
    }
    let tx = cx.customer(tenant.customer).await?;
    documents::upsert_drives(&tx, tenant.customer, site.id, (cx.claim.run, observed_at), &rows).await?;
    tx.commit().await?;
    Ok(complete(observed_at, rows.len()))
}
