//! The full reading of lines. Lines of accounts without a customer are counted, not kept.
use std::collections::{BTreeMap, HashMap, HashSet};

use ::revio::{RevIo, ServiceProduct};
use connector_api::Walk;
use domain::estate;
use kernel::id::CustomerId;
use store::{
    billing::{self, Filed, LineRow, Read},
    sync::{Again, Counts, SyncState},
};

use super::{absent, accounts::rows_pages, filing, rows as row_of};
use crate::sync::{
    confirm::may_ask,
    context::{Cx, rows},
    error::{PartEnd, SyncError, is_worth_repeating, trouble},
    hooks::SyncPoint,
    run::PartName,
};

const PART: PartName = PartName::Lines;

pub(super) async fn read(cx: &Cx<'_, RevIo>) -> Result<PartEnd, SyncError> {
    let tx = cx.everywhere().await?;
    let filed = billing::line_placements(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let part = cx.start(PART, Again::StartOver, Some(filed.len())).await?;
    let mut walk = cx.client.service_products().await;
    let mut doubt = doubt(&walk, &filed);
    if part.reads < 2
        && let Some(doubted) = &doubt
    {
        cx.read_again(PART, None, &trouble("suspect", doubted)).await?;
        walk = cx.client.service_products().await;
        doubt = self::doubt(&walk, &filed);
    }
    let Some(observed_at) = walk.observed_at else {
        return Ok(PartEnd::of_walk(&walk.completeness, 0));
    };
    let mut items = walk.items;
    let mut gone = Vec::new();
    let mut end = PartEnd::of_walk(&walk.completeness, walk.pages.min(rows_pages(items.len())));
    if walk.completeness.is_complete() {
        let seen: HashSet<String> = items.iter().map(|line| line.id.to_string()).collect();
        let lacking: Vec<Filed> =
            filed.iter().filter(|it| !seen.contains(&it.external_id)).cloned().collect();
        let most = may_ask(cx, PART).await?;
        if let Some(doubt) = doubt
            && lacking.len() > most
        {
            cx.begin_asking(PART, lacking.len()).await?;
            end = PartEnd::suspect(&format!(
                "{doubt} in two readings; {} lines are too many to ask for one by one, none was marked missing",
                lacking.len()
            ));
        } else {
            let client = cx.client;
            let id = |it: &Filed| it.external_id.parse().ok();
            let answers = absent::ask(cx, PART, lacking, most, id, |id| client.service_product(id)).await?;
            end = answers.end("lines");
            items.extend(answers.there.into_iter().map(|fact| fact.value));
            gone = answers.gone;
        }
    }
    let is_complete = end.state == SyncState::Complete;
    let read = Read { integration: cx.claim.integration, run: cx.claim.run, observed_at, is_complete };
    let refused = store(cx, &read, &items, &filed).await?;
    remove(cx, gone).await?;
    if refused > 0 {
        let text = format!("{refused} lines could not be kept; the log says why");
        return Ok(PartEnd::partial("rows_refused", &text));
    }
    Ok(end)
}

/// Why this reading should be repeated before anything is made of it.
fn doubt(walk: &Walk<ServiceProduct>, filed: &[Filed]) -> Option<String> {
    if is_worth_repeating(&walk.completeness) {
        return Some(walk.completeness.to_string());
    }
    if !walk.completeness.is_complete() {
        return None;
    }
    let seen: HashSet<String> = walk.items.iter().map(|line| line.id.to_string()).collect();
    let mut of_customers: BTreeMap<CustomerId, (u64, u64)> = BTreeMap::new();
    let mut total = (0, 0);
    for line in filed {
        let left = u64::from(seen.contains(&line.external_id));
        for sum in [of_customers.entry(line.customer).or_default(), &mut total] {
            *sum = (sum.0 + 1, sum.1 + left);
        }
    }
    if estate::is_suspect(total.0, total.1) {
        return Some(format!("lines fell from {} to {}", total.0, total.1));
    }
    let fell = of_customers.iter().find(|(_, (then, now))| estate::is_suspect(*then, *now));
    fell.map(|(id, (then, now))| format!("lines of customer {id} fell from {then} to {now}"))
}

/// Returns how many lines were not taken: without a quantity, or refused by the database.
async fn store(
    cx: &Cx<'_, RevIo>,
    read: &Read,
    items: &[ServiceProduct],
    filed: &[Filed],
) -> Result<usize, SyncError> {
    let mapping = filing::mapping(cx).await?;
    let places: HashMap<&str, CustomerId> =
        filed.iter().map(|it| (it.external_id.as_str(), it.customer)).collect();
    let mut leaving: BTreeMap<CustomerId, Vec<String>> = BTreeMap::new();
    let mut arriving: BTreeMap<CustomerId, Vec<LineRow>> = BTreeMap::new();
    let (mut unmapped, mut unread) = (0, 0);
    for line in items {
        let id = line.id.to_string();
        let target = mapping.get(&line.customer_id.to_string()).copied();
        if let Some(place) = places.get(id.as_str())
            && target != Some(*place)
        {
            leaving.entry(*place).or_default().push(id);
        }
        let Some(customer) = target else {
            unmapped += 1;
            continue;
        };
        match row_of::line(line, row_of::CURRENCY_DEFAULT) {
            Some(row) => arriving.entry(customer).or_default().push(row),
            None => unread += 1,
        }
    }
    if !leaving.is_empty() {
        for (customer, ids) in leaving {
            mark_missing(cx, customer, &ids).await?;
        }
        cx.at(SyncPoint::MovedOut(PART)).await;
    }
    let refused = filing::store_each(cx, PART, arriving, read, |tx, customer, read, rows| {
        Box::pin(billing::upsert_lines(tx, customer, read, rows))
    })
    .await?;
    let tx = cx.provider().await?;
    cx.keep_place(&tx, PART, None, None, rows(unmapped)).await?;
    tx.commit().await?;
    cx.at(SyncPoint::PageStored(PART)).await;
    Ok(refused + unread)
}

/// Lines whose disappearance the vendor confirmed.
async fn remove(cx: &Cx<'_, RevIo>, gone: Vec<Filed>) -> Result<(), SyncError> {
    let mut of_customers: BTreeMap<CustomerId, Vec<String>> = BTreeMap::new();
    for line in gone {
        of_customers.entry(line.customer).or_default().push(line.external_id);
    }
    for (customer, ids) in of_customers {
        mark_missing(cx, customer, &ids).await?;
        cx.at(SyncPoint::Confirmed(PART)).await;
    }
    Ok(())
}

async fn mark_missing(cx: &Cx<'_, RevIo>, customer: CustomerId, ids: &[String]) -> Result<(), SyncError> {
    let tx = cx.customer(customer).await?;
    let removed = billing::mark_lines_missing(&tx, customer, cx.claim.integration, ids, cx.now()).await?;
    cx.count(&tx, PART, &Counts { removed, ..Counts::default() }).await?;
    tx.commit().await?;
    Ok(())
}
