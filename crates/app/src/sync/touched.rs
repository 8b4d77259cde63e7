//! The incremental reading of devices: only those that the activity log names, one by one. It never removes.
use ninjaone::Device;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::sync::Again;

use super::{
    activities::Log,
    confirm::{Verdict, ask_each},
    context::Cx,
    devices::is_hidden_from_lists,
    error::{PartEnd, SyncError},
    hooks::SyncPoint,
    placing::{self, Places},
    run::PartName,
};

const PART: PartName = PartName::Devices;
/// Devices that are read before they are stored together.
const BATCH_ROWS_MAX: usize = 50;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    /// Highest id of the touched devices that is done.
    after: Option<i64>,
    unread: usize,
    refused: usize,
}

pub(super) async fn read_touched(cx: &Cx<'_>, log: &Log) -> Result<PartEnd, SyncError> {
    let part = cx.start(PART, Again::GoOn, None).await?;
    let mut memory: Memory =
        part.memory.and_then(|kept| serde_json::from_value(kept).ok()).unwrap_or_default();
    let left: Vec<i64> =
        log.touched.iter().copied().filter(|id| memory.after.is_none_or(|after| *id > after)).collect();
    let ids: Vec<String> = left.iter().map(ToString::to_string).collect();
    let mut places = Places::load(cx, Some(&ids)).await?;
    for batch in left.chunks(BATCH_ROWS_MAX) {
        let ask = |id: i64| async move {
            match cx.client.device(id).await {
                Ok(Some(device)) => Verdict::There(device),
                Ok(None) => Verdict::Gone,
                Err(_) => Verdict::Unknown,
            }
        };
        let mut observed_at = None;
        let mut found: Vec<Device> = Vec::with_capacity(batch.len());
        for verdict in ask_each(batch.to_vec(), ask).await {
            match verdict {
                // Not in any list yet: a device that waits for approval is nobody's.
                Verdict::There(fact)
                    if is_hidden_from_lists(&fact.value)
                        && places.customer_of_device(fact.value.id).is_none() => {}
                Verdict::There(fact) => {
                    observed_at =
                        Some(observed_at.map_or(fact.observed_at, |first| fact.observed_at.min(first)));
                    found.push(fact.value);
                }
                // The next full reading confirms and marks it.
                Verdict::Gone => {}
                Verdict::Unknown => memory.unread += 1,
            }
        }
        let placed = match observed_at {
            Some(observed_at) => places.store(cx, PART, found, observed_at).await?,
            None => placing::Placed::default(),
        };
        memory.refused += placed.refused;
        memory.after = batch.last().copied();
        let tx = cx.provider().await?;
        cx.keep_place(&tx, PART, memory.after, Some(&json!(memory)), placing::unmapped(&placed)).await?;
        tx.commit().await?;
        cx.at(SyncPoint::PageStored(PART)).await;
    }
    Ok(if memory.unread > 0 {
        PartEnd::partial("not_read", &format!("{} devices could not be read", memory.unread))
    } else if memory.refused > 0 {
        PartEnd::partial(
            "rows_refused",
            &format!("{} rows were refused by the database; the log says why", memory.refused),
        )
    } else if !log.is_complete {
        PartEnd::partial("activity_log", "the activity log could not be read to its end")
    } else {
        PartEnd::complete()
    })
}
