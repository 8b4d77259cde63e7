//! Bytes that nothing refers to: of uploads that broke off, of rows that went with their customer, of a process that was
//! killed between bytes and row. They are removed when they are old enough that nobody can still be about to refer to them.
use futures_util::TryStreamExt as _;
use jiff::{SignedDuration, Timestamp};
use pg::SystemReason;

use crate::{
    blob::BlobKey,
    error::StorageError,
    state::{Inner, StorageState},
};

/// Youngest bytes that are removed. More than the longest upload takes ([`crate::upload::UPLOAD_HOURS_MAX`]).
pub const ORPHAN_HOURS_MIN: i64 = 24;
/// Keys that are looked up at once.
const KEYS_AT_ONCE_MAX: usize = 500;

/// What one sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Resumable uploads that had expired.
    pub uploads_ended: u64,
    /// Whole files that no row referred to.
    pub orphans_removed: u64,
    /// Half-written files that a killed process left.
    pub half_written_removed: u64,
}

impl StorageState {
    /// Ends expired uploads, then removes old bytes that no row refers to. Any number of processes may sweep at once.
    pub async fn sweep(&self) -> Result<SweepReport, StorageError> {
        let state = &*self.0;
        let now = state.clock.now();
        let before =
            now.saturating_sub(SignedDuration::from_hours(ORPHAN_HOURS_MIN)).unwrap_or(Timestamp::MIN);
        let uploads_ended = end_expired(state, now).await?;
        let mut orphans_removed = 0;
        let mut keys = state.blobs.begun_before(before).try_chunks(KEYS_AT_ONCE_MAX);
        while let Some(keys) = keys.try_next().await.map_err(|error| error.1)? {
            orphans_removed += remove_orphans(state, &keys).await?;
        }
        let half_written_removed = state.blobs.forget_half_written(before).await?;
        Ok(SweepReport { uploads_ended, orphans_removed, half_written_removed })
    }
}

async fn end_expired(state: &Inner, now: Timestamp) -> Result<u64, StorageError> {
    let tx = state.pg.system(SystemReason::SweepFiles).await?;
    let mut ended = 0;
    let mut parts: Vec<String> = Vec::new();
    for table in ["storage.uploads", "storage.provider_uploads"] {
        let sql = format!("delete from {table} where expires_at <= $1 returning part_keys");
        for row in tx.query(&sql, &[&now]).await? {
            ended += 1;
            parts.extend(row.get::<_, Vec<String>>(0));
        }
    }
    tx.commit().await?;
    for part in parts {
        state.blobs.forget(&BlobKey::from_row(part)).await;
    }
    Ok(ended)
}

const REFERRED: &str = "select o.blob_key from storage.objects o where o.blob_key = any ($1) \
    union all select o.blob_key from storage.provider_objects o where o.blob_key = any ($1) \
    union all select part from storage.uploads u, unnest(u.part_keys) part where part = any ($1) \
    union all select part from storage.provider_uploads u, unnest(u.part_keys) part where part = any ($1)";

async fn remove_orphans(state: &Inner, keys: &[BlobKey]) -> Result<u64, StorageError> {
    let texts: Vec<&str> = keys.iter().map(BlobKey::as_str).collect();
    let tx = state.pg.system(SystemReason::SweepFiles).await?;
    let rows = tx.query(REFERRED, &[&texts]).await?;
    tx.rollback().await?;
    let referred: std::collections::HashSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut removed = 0;
    for key in keys.iter().filter(|key| !referred.contains(key.as_str())) {
        state.blobs.forget(key).await;
        removed += 1;
    }
    Ok(removed)
}
