//! Bills and their charges. A bill is never removed because a list lacks it; it leaves a customer only when its account does.
use std::collections::{BTreeMap, HashMap};

use ::revio::RevIo;
use connector_api::Completeness;
use kernel::id::CustomerId;
use store::{
    billing::{self, BillRow, Book, ChargeRow, Read},
    sync::{Again, Counts},
};

use super::{
    accounts::rows_pages,
    filing::{self, Sorted},
    rows as row_of,
};
use crate::sync::{
    context::Cx,
    error::{PartEnd, SyncError, is_worth_repeating, trouble},
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
    filing::leave(cx, PART, Book::Bills, &mapping).await?;
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
    let sorted = Sorted::of(
        &mapping,
        &bills.items,
        |bill| bill.customer_id,
        |bill| Some((row_of::bill(bill)?, charges_of.remove(&bill.id).unwrap_or_default())),
    );
    let refused = store(cx, &read, sorted.of_customers).await? + sorted.unread;
    filing::end(cx, PART, sorted.unmapped, refused, end).await
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
