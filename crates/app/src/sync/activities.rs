//! Where the vendor's log stands. It is read before anything else, so that nothing that happens during a synchronization
//! falls between two of them; the mark moves only when the devices were read completely.
use std::collections::BTreeSet;

use connector_api::{Completeness, PartialReason};
use ninjaone::activities::ACTIVITY_PAGE_ROWS_MAX;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    integrations,
    sync::{Again, Counts, SyncKind},
};

use super::{
    context::{Cx, rows},
    error::{PartEnd, SyncError},
    run::PartName,
};

const PART: PartName = PartName::Activities;
/// With more devices touched than this, a full reading takes fewer calls.
pub(super) const TOUCHED_MAX: usize = 200;

/// What the log says; kept in `sync_parts.memory`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Log {
    /// Devices that something happened to, ascending.
    pub touched: Vec<i64>,
    /// Where the mark goes when all of it is done.
    pub highest: Option<i64>,
    pub is_complete: bool,
}

pub(super) enum LogRead {
    Ended(PartEnd, Log),
    /// Too much happened: read everything instead.
    TooMuch(String),
}

pub(super) async fn read(cx: &Cx<'_>, kind: SyncKind) -> Result<LogRead, SyncError> {
    cx.start(PART, Again::StartOver, None).await?;
    match kind {
        SyncKind::Full => mark(cx).await,
        SyncKind::Incremental => since_mark(cx).await,
    }
}

/// What an earlier process of this run read.
pub(super) async fn recall(cx: &Cx<'_>) -> Result<Log, SyncError> {
    let kept = cx.part(PART).await?.memory;
    Ok(kept.and_then(|kept| serde_json::from_value(kept).ok()).unwrap_or_default())
}

/// A full reading sees every device itself; it only has to know from where the next incremental one goes on.
async fn mark(cx: &Cx<'_>) -> Result<LogRead, SyncError> {
    match cx.client.latest_activity_id().await {
        Ok(latest) => {
            let log =
                Log { touched: Vec::new(), highest: Some(latest.value.unwrap_or(0)), is_complete: true };
            keep(cx, &log, 0).await?;
            Ok(LogRead::Ended(PartEnd::complete(), log))
        }
        Err(error) => Ok(LogRead::Ended(PartEnd::failed(&error), Log::default())),
    }
}

async fn since_mark(cx: &Cx<'_>) -> Result<LogRead, SyncError> {
    let tx = cx.provider().await?;
    let cursor = integrations::activity_cursor(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    let Some(cursor) = cursor else {
        return Ok(LogRead::TooMuch("there is no mark in the activity log yet".into()));
    };
    let fact = match cx.client.activities_newer_than(cursor, ACTIVITY_PAGE_ROWS_MAX).await {
        Ok(fact) => fact,
        Err(error) => return Ok(LogRead::Ended(PartEnd::failed(&error), Log::default())),
    };
    let touched: BTreeSet<i64> = fact.value.activities.iter().filter_map(|it| it.device_id).collect();
    let is_endless =
        matches!(fact.completeness, Completeness::Partial { reason: PartialReason::PageLimit { .. } });
    if is_endless || touched.len() > TOUCHED_MAX {
        return Ok(LogRead::TooMuch(format!(
            "{} devices were touched since the last synchronization",
            touched.len()
        )));
    }
    let log = Log {
        touched: touched.into_iter().collect(),
        highest: fact.value.highest_id().or(Some(cursor)),
        is_complete: fact.completeness.is_complete(),
    };
    keep(cx, &log, fact.value.activities.len()).await?;
    Ok(LogRead::Ended(PartEnd::of_walk(&fact.completeness, 1), log))
}

async fn keep(cx: &Cx<'_>, log: &Log, read: usize) -> Result<(), SyncError> {
    let tx = cx.provider().await?;
    cx.count(&tx, PART, &Counts { read: rows(read), ..Counts::default() }).await?;
    cx.keep_place(&tx, PART, log.highest, Some(&json!(log)), 0).await?;
    Ok(tx.commit().await?)
}
