//! Bills and their charges. A bill is never removed because a list lacks it; it leaves a customer only when its account does.
use std::collections::{BTreeMap, HashMap};

use ::revio::RevIo;
use connector_api::Completeness;
use kernel::id::CustomerId;
use store::{
    billing::{self, BillRow, ChargeRow, Read},
    sync::{Again, Counts},
};

use super::{accounts::rows_pages, filing, rows as row_of};
use crate::sync::{
    context::{Cx, rows},
    error::{PartEnd, SyncError, is_worth_repeating, trouble},
    hooks::SyncPoint,
    run::PartName,
};

const PART: PartName = PartName::Bills;

pub(super) async fn read(cx: &Cx<'_, RevIo>) -> Result<PartEnd, SyncError> {
    let part = cx.start(PART, Again::StartOver, None).await?;
    let mut bills = cx.client.bills().await;
    if part.reads < 2 && is_worth_repeating(&bills.completeness) {
        cx.read_again(PART, None, &trouble("suspect", &bills.completeness.to_string())).await?;
        bills = cx.client.bills().await;
    }
    let charges = cx.client.charges().await;
    let completeness: Completeness = bills.completeness.clone().and(charges.completeness.clone());
    let end = PartEnd::of_walk(&completeness, bills.pages.min(rows_pages(bills.items.len())));
    let Some(observed_at) = bills.observed_at else { return Ok(end) };
    let mapping = filing::mapping(cx).await?;
    leave(cx, &mapping).await?;
    let read = Read {
        integration: cx.claim.integration,
        run: cx.claim.run,
        observed_at,
        is_complete: completeness.is_complete(),
    };
    let mut charges_of: HashMap<i64, Vec<ChargeRow>> = HashMap::new();
    for charge in &charges.items {
        if let (Some(bill), Some(row)) = (charge.bill_id, row_of::charge(charge)) {
            charges_of.entry(bill).or_default().push(row);
        }
    }
    let mut of_customers: BTreeMap<CustomerId, Vec<(BillRow, Vec<ChargeRow>)>> = BTreeMap::new();
    let (mut unmapped, mut unread) = (0, 0);
    for bill in &bills.items {
        let Some(customer) = mapping.get(&bill.customer_id.to_string()) else {
            unmapped += 1;
            continue;
        };
        match row_of::bill(bill) {
            Some(row) => {
                let charges = charges_of.remove(&bill.id).unwrap_or_default();
                of_customers.entry(*customer).or_default().push((row, charges));
            }
            None => unread += 1,
        }
    }
    let refused = store(cx, &read, of_customers).await? + unread;
    let tx = cx.provider().await?;
    cx.keep_place(&tx, PART, None, None, rows(unmapped)).await?;
    tx.commit().await?;
    cx.at(SyncPoint::PageStored(PART)).await;
    if refused > 0 {
        let text = format!("{refused} bills could not be kept; the log says why");
        return Ok(PartEnd::partial("rows_refused", &text));
    }
    Ok(end)
}

/// Returns how many bills the database refused.
async fn store(
    cx: &Cx<'_, RevIo>,
    read: &Read,
    of_customers: BTreeMap<CustomerId, Vec<(BillRow, Vec<ChargeRow>)>>,
) -> Result<usize, SyncError> {
    let split = of_customers.into_iter().map(|(customer, rows)| {
        let (bills, charges): (Vec<BillRow>, Vec<Vec<ChargeRow>>) = rows.into_iter().unzip();
        (customer, vec![(bills, charges.into_iter().flatten().collect::<Vec<_>>())])
    });
    filing::store_each(cx, PART, split.collect(), read, |tx, customer, read, rows| {
        Box::pin(async move {
            let mut counts = Counts::default();
            for (bills, charges) in rows {
                counts += billing::upsert_bills(tx, customer, read, bills).await?;
                billing::upsert_charges(tx, customer, read, charges).await?;
            }
            Ok(counts)
        })
    })
    .await
}

/// Bills of accounts that were mapped to another customer, or to none, leave before anything arrives.
async fn leave(cx: &Cx<'_, RevIo>, mapping: &filing::Mapping) -> Result<(), SyncError> {
    let tx = cx.everywhere().await?;
    let filed = billing::bill_placements(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let mut leaving: BTreeMap<CustomerId, Vec<String>> = BTreeMap::new();
    for (customer, account) in filed {
        if mapping.get(&account) != Some(&customer) {
            leaving.entry(customer).or_default().push(account);
        }
    }
    for (customer, accounts) in leaving {
        let tx = cx.customer(customer).await?;
        let removed = billing::remove_bills(&tx, customer, cx.claim.integration, &accounts).await?;
        cx.count(&tx, PART, &Counts { removed, ..Counts::default() }).await?;
        tx.commit().await?;
        cx.at(SyncPoint::MovedOut(PART)).await;
    }
    Ok(())
}
