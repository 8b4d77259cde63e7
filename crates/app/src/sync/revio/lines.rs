//! The full reading of lines. Lines of accounts without a customer are counted, not kept.
use ::revio::{RevIo, ServiceProduct};
use store::{
    billing::{self, Read},
    sync::Again,
};

use super::{
    filing::{self, ByCustomer, Sorted},
    listed::Listed,
    rows as row_of,
};
use crate::sync::{
    context::Cx,
    error::{PartEnd, SyncError},
    hooks::SyncPoint,
    run::PartName,
};

const PART: PartName = PartName::Lines;

pub(super) async fn read(cx: &Cx<'_, RevIo>) -> Result<PartEnd, SyncError> {
    let tx = cx.everywhere().await?;
    let filed = billing::line_placements(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let part = cx.start(PART, Again::StartOver, Some(filed.len())).await?;
    let id = |line: &ServiceProduct| line.id;
    let account = |line: &ServiceProduct| line.customer_id;
    let (client, lines) = (cx.client, Listed { part: PART, filed: &filed, id, account });
    let reading = lines.read(cx, &part, || client.service_products()).await?;
    let Some(observed_at) = reading.walk.observed_at else {
        return Ok(PartEnd::of_walk(&reading.walk.completeness, 0));
    };
    let settled = lines.settle(cx, reading, |id| client.service_product(id)).await?;
    let mapping = filing::mapping(cx).await?;
    mark_missing(cx, lines.moved(&mapping, &settled.items), SyncPoint::MovedOut(PART)).await?;
    let is_complete = settled.is_complete();
    let read = Read { integration: cx.claim.integration, run: cx.claim.run, observed_at, is_complete };
    let row = |line: &ServiceProduct| row_of::line(line, row_of::CURRENCY_DEFAULT);
    let sorted = Sorted::of(&mapping, &settled.items, account, row);
    let refused = filing::store_each(cx, PART, sorted.of_customers, &read, |tx, customer, read, rows| {
        Box::pin(billing::upsert_lines(tx, customer, read, rows))
    })
    .await?;
    mark_missing(cx, settled.gone, SyncPoint::Confirmed(PART)).await?;
    filing::end(cx, PART, sorted.unmapped, refused + sorted.unread, settled.end).await
}

async fn mark_missing(cx: &Cx<'_, RevIo>, lines: ByCustomer, point: SyncPoint) -> Result<(), SyncError> {
    let (integration, now) = (cx.claim.integration, cx.now());
    filing::take_out(cx, PART, lines, point, |tx, customer, ids| {
        Box::pin(billing::mark_lines_missing(tx, customer, integration, ids, now))
    })
    .await
}
