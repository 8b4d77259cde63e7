//! The secure score of each tenant, a line a day.
use ::graph::{Graph, SecureScore};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use store::{
    applications::{self, ScoreRow},
    sync::{Counts, SyncKind},
    tenants::PartOf,
};

use super::{
    tenants::{Came, Reading, complete, each},
    trouble,
};
use crate::sync::{
    context::{Cx, rows},
    device_row::text,
    error::{PartEnd, SyncError},
    run::PartName,
};

const PART: PartName = PartName::SecureScore;
const OF: PartOf = PartOf::SecureScore;
/// Days that a full run reads, so that the trend begins with the first one; the vendor keeps 90.
const DAYS_OF_FULL: usize = 30;
/// Days that other runs read: the newest score comes late on some days.
const DAYS_USUAL: usize = 3;

pub(super) async fn read(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(PART, store::sync::Again::GoOn, None).await?;
    each(cx, kind, PART, OF, |cx, tenant| Box::pin(one(cx, tenant))).await
}

async fn one(cx: &Cx<'_, Graph>, tenant: &Reading) -> Came {
    let days = if tenant.kind == SyncKind::Full { DAYS_OF_FULL } else { DAYS_USUAL };
    let fact = match tenant.client.secure_scores(days).await {
        Ok(fact) => fact,
        Err(error) => return Ok((vec![trouble::refused(OF, &error)], 0)),
    };
    let mut found: Vec<ScoreRow> = fact.value.iter().map(row).collect();
    // Newest first: of a day the newest counts.
    found.dedup_by(|later, first| later.day == first.day);
    let read = found.len();
    let tx = cx.customer(tenant.customer).await?;
    let written =
        applications::keep_scores(&tx, tenant.customer, tenant.id, &found, fact.observed_at).await?;
    let updated = i32::try_from(written).unwrap_or(i32::MAX);
    let counts = Counts {
        read: rows(read),
        updated,
        unchanged: rows(read).saturating_sub(updated),
        ..Counts::default()
    };
    cx.count(&tx, PART, &counts).await?;
    tx.commit().await?;
    Ok((vec![complete(OF, fact.observed_at, read)], 0))
}

fn row(it: &SecureScore) -> ScoreRow {
    let control = |of: &::graph::ControlScore| json!({ "name": text(&of.name), "category": of.category.as_deref().map(text), "score": of.score });
    ScoreRow {
        day: it.at.to_zoned(TimeZone::UTC).date(),
        current_score: it.current,
        max_score: it.max,
        controls: Value::Array(it.controls.iter().map(control).collect()),
    }
}
