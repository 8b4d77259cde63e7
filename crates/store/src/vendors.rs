//! How often vendors are asked.
use kernel::{Timestamp, id::IntegrationId};
use pg::{ActorTx, PgError};

/// Attempts of one class of calls. Times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    pub class: &'static str,
    pub calls: u64,
    pub throttled: u64,
    pub failed: u64,
    pub waited_ms: u64,
}

/// Adds to the hour of `at`. An integration that was removed meanwhile is left out.
pub async fn count_calls(
    tx: &ActorTx,
    integration: IntegrationId,
    at: Timestamp,
    counted: &[Calls],
) -> Result<(), PgError> {
    let column = |of: fn(&Calls) -> u64| -> Vec<i64> {
        counted.iter().map(|it| i64::try_from(of(it)).unwrap_or(i64::MAX)).collect()
    };
    let classes: Vec<&str> = counted.iter().map(|it| it.class).collect();
    let (calls, throttled) = (column(|it| it.calls), column(|it| it.throttled));
    let (failed, waited_ms) = (column(|it| it.failed), column(|it| it.waited_ms));
    let sql = include_str!("../../../db/queries/vendors/count_calls.sql");
    tx.execute(sql, &[&integration.0, &at, &classes, &calls, &throttled, &failed, &waited_ms]).await?;
    Ok(())
}
