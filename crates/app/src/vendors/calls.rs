//! What was asked of vendors, by integration, until it is written down.
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use connector_api::{CallCounts, CallKey, Counted, DayQuota, quota};
use kernel::{Timestamp, id::IntegrationId};
use pg::{Pg, PgError, WorkReason};
use store::vendors::{self, Calls};

/// The counts of each integration outlive its client: new credentials make a new one.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<HashMap<IntegrationId, Arc<CallCounts>>>);

impl Counts {
    /// With what was used of the day before this process began, and by others.
    pub async fn of(
        &self,
        pg: &Pg,
        integration: IntegrationId,
        day: Option<DayQuota>,
        at: Timestamp,
    ) -> Result<Arc<CallCounts>, PgError> {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&integration) {
            return Ok(known.clone());
        }
        let made = Arc::new(CallCounts::within(day));
        learn(pg, integration, at, &made).await?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(all.entry(integration).or_insert(made).clone())
    }

    /// Writes down what was counted since the last time. What could not be written is counted again.
    pub async fn keep(&self, pg: &Pg, at: Timestamp) -> Result<(), PgError> {
        let all: Vec<(IntegrationId, Arc<CallCounts>)> = {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.iter().map(|(id, counts)| (*id, counts.clone())).collect()
        };
        for (integration, counts) in all {
            let taken = counts.take();
            if !taken.is_empty()
                && let Err(error) = write(pg, integration, at, &taken).await
            {
                counts.put_back(taken);
                return Err(error);
            }
            learn(pg, integration, at, &counts).await?;
        }
        Ok(())
    }
}

/// What everybody used of the day until now.
async fn learn(
    pg: &Pg,
    integration: IntegrationId,
    at: Timestamp,
    counts: &CallCounts,
) -> Result<(), PgError> {
    let Some(quota) = counts.quota() else { return Ok(()) };
    let tx = pg.work_for_provider(WorkReason::Sync).await?;
    let used = vendors::units_of_day(&tx, integration, at, quota.class).await?;
    tx.rollback().await?;
    counts.used_on(quota::day(at), used);
    Ok(())
}

async fn write(
    pg: &Pg,
    integration: IntegrationId,
    at: Timestamp,
    taken: &BTreeMap<CallKey, Counted>,
) -> Result<(), PgError> {
    let of = |(key, it): (&CallKey, &Counted)| Calls {
        class: key.class,
        tenant: key.tenant.clone(),
        calls: it.calls,
        units: it.units,
        throttled: it.throttled,
        failed: it.failed,
        waited_ms: it.waited_ms,
    };
    let counted: Vec<Calls> = taken.iter().map(of).collect();
    let tx = pg.work_for_provider(WorkReason::Sync).await?;
    vendors::count_calls(&tx, integration, at, &counted).await?;
    tx.commit().await
}
