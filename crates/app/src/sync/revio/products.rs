//! What the provider sells.
use std::collections::HashSet;

use ::revio::RevIo;
use domain::estate;
use store::{
    billing::{self, ProductRow, Read},
    sync::{Again, Counts},
};

use super::{absent, accounts::rows_pages, rows};
use crate::sync::{
    confirm::CONFIRMATIONS_MAX,
    context::Cx,
    error::{PartEnd, SyncError, is_worth_repeating, trouble},
    hooks::SyncPoint,
    run::PartName,
};

const PART: PartName = PartName::Products;

pub(super) async fn read(cx: &Cx<'_, RevIo>) -> Result<PartEnd, SyncError> {
    let tx = cx.provider().await?;
    let known = billing::products_present(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let part = cx.start(PART, Again::StartOver, Some(known.len())).await?;
    let mut walk = cx.client.products().await;
    let seen_in =
        |items: &[::revio::Product]| items.iter().map(|it| it.id.to_string()).collect::<HashSet<_>>();
    let seen = seen_in(&walk.items);
    let left = known.iter().filter(|id| seen.contains(*id)).count();
    let fell = walk.completeness.is_complete() && estate::is_suspect(known.len() as u64, left as u64);
    if part.reads < 2 && (fell || is_worth_repeating(&walk.completeness)) {
        let doubt = if fell {
            "products fell by more than a fifth".to_owned()
        } else {
            walk.completeness.to_string()
        };
        cx.read_again(PART, None, &trouble("suspect", &doubt)).await?;
        walk = cx.client.products().await;
    }
    let is_complete = walk.completeness.is_complete();
    let mut found: Vec<ProductRow> = walk.items.iter().map(rows::product).collect();
    let mut end = PartEnd::of_walk(&walk.completeness, walk.pages.min(rows_pages(walk.items.len())));
    let mut gone = Vec::new();
    if is_complete {
        let seen = seen_in(&walk.items);
        let lacking: Vec<String> = known.into_iter().filter(|id| !seen.contains(id)).collect();
        let client = cx.client;
        let answers =
            absent::ask(cx, PART, lacking, CONFIRMATIONS_MAX, |id| id.parse().ok(), |id| client.product(id))
                .await?;
        end = answers.end("products");
        found.extend(answers.there.iter().map(|fact| rows::product(&fact.value)));
        gone = answers.gone;
    }
    let Some(observed_at) = walk.observed_at else { return Ok(end) };
    let is_whole = end.state == store::sync::SyncState::Complete;
    let read =
        Read { integration: cx.claim.integration, run: cx.claim.run, observed_at, is_complete: is_whole };
    let tx = cx.provider().await?;
    let mut counts = billing::upsert_products(&tx, &read, &found).await?;
    if !gone.is_empty() {
        let removed = billing::mark_products_missing(&tx, cx.claim.integration, &gone, cx.now()).await?;
        counts += Counts { removed, ..Counts::default() };
    }
    cx.count(&tx, PART, &counts).await?;
    cx.keep_place(&tx, PART, None, None, 0).await?;
    tx.commit().await?;
    cx.at(SyncPoint::PageStored(PART)).await;
    Ok(end)
}
