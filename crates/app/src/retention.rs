//! What is past its time is deleted, in batches (docs/adr/0033-retention-is-a-rule.md).
use std::collections::BTreeMap;

use kernel::Timestamp;
use pg::{Pg, PgError, SystemReason};

/// Rows of one table that one transaction deletes.
const BATCH_ROWS_MAX: i32 = 1_000;
/// Transactions of one run.
const BATCHES_MAX: usize = 200;

/// What one run did, by table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub removed: BTreeMap<String, u64>,
    pub problems: BTreeMap<String, String>,
    /// Nothing that could be deleted is left.
    pub is_finished: bool,
}

pub async fn expire(pg: &Pg, now: Timestamp) -> Result<Done, PgError> {
    let mut done = Done::default();
    for _ in 0..BATCHES_MAX {
        let tx = pg.system(SystemReason::Retention).await?;
        let batch = store::retention::expire(&tx, now, BATCH_ROWS_MAX).await?;
        tx.commit().await?;
        let may_be_more = batch.iter().any(|table| table.is_full);
        for it in batch {
            if it.removed > 0 {
                *done.removed.entry(it.table.clone()).or_default() += it.removed;
            }
            if let Some(problem) = it.problem {
                done.problems.insert(it.table, problem);
            }
        }
        if !may_be_more {
            done.is_finished = true;
            break;
        }
    }
    Ok(done)
}
