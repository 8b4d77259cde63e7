//! What was asked of vendors, by integration, until it is written down.
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use connector_api::{CallCounts, Counted};
use kernel::{Timestamp, id::IntegrationId};
use pg::{Pg, PgError, WorkReason};
use store::vendors::{self, Calls};

/// The counts of each integration outlive its client: new credentials make a new one.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<HashMap<IntegrationId, Arc<CallCounts>>>);

impl Counts {
    pub fn of(&self, integration: IntegrationId) -> Arc<CallCounts> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(integration).or_default().clone()
    }

    /// Writes down what was counted since the last time. What could not be written is counted again.
    pub async fn keep(&self, pg: &Pg, at: Timestamp) -> Result<(), PgError> {
        let all: Vec<(IntegrationId, Arc<CallCounts>)> = {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.iter().map(|(id, counts)| (*id, counts.clone())).collect()
        };
        for (integration, counts) in all {
            let taken = counts.take();
            if taken.is_empty() {
                continue;
            }
            if let Err(error) = write(pg, integration, at, &taken).await {
                counts.put_back(taken);
                return Err(error);
            }
        }
        Ok(())
    }
}

async fn write(
    pg: &Pg,
    integration: IntegrationId,
    at: Timestamp,
    taken: &BTreeMap<&'static str, Counted>,
) -> Result<(), PgError> {
    let of = |(class, it): (&&'static str, &Counted)| Calls {
        class,
        calls: it.calls,
        throttled: it.throttled,
        failed: it.failed,
        waited_ms: it.waited_ms,
    };
    let counted: Vec<Calls> = taken.iter().map(of).collect();
    let tx = pg.work_for_provider(WorkReason::Sync).await?;
    vendors::count_calls(&tx, integration, at, &counted).await?;
    tx.commit().await
}
