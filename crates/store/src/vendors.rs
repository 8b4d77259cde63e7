//! How often vendors are asked.
use std::collections::BTreeMap;

use kernel::{Timestamp, id::IntegrationId};
use pg::{ActorTx, PgError};

/// Attempts of one class of calls. Times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    pub class: &'static str,
    /// Empty but for a quota that each tenant has of its own.
    pub tenant: String,
    pub calls: u64,
    /// What they cost of a day's quota.
    pub units: u64,
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
    let tenants: Vec<&str> = counted.iter().map(|it| it.tenant.as_str()).collect();
    let (calls, units) = (column(|it| it.calls), column(|it| it.units));
    let throttled = column(|it| it.throttled);
    let (failed, waited_ms) = (column(|it| it.failed), column(|it| it.waited_ms));
    let sql = include_str!("../../../db/queries/vendors/count_calls.sql");
    let params = &[
        &integration.0 as _,
        &at as _,
        &classes as _,
        &tenants as _,
        &calls as _,
        &units as _,
        &throttled as _,
        &failed as _,
        &waited_ms as _,
    ];
    tx.execute(sql, params).await?;
    Ok(())
}

/// What was used of the day of `at` (UTC), by tenant: of one class of calls, or of all.
pub async fn units_of_day(
    tx: &ActorTx,
    integration: IntegrationId,
    at: Timestamp,
    class: Option<&str>,
) -> Result<BTreeMap<String, u64>, PgError> {
    let sql = include_str!("../../../db/queries/vendors/units_of_day.sql");
    let rows = tx.query(sql, &[&integration.0, &at, &class]).await?;
    let units = |row: &pg::Row| u64::try_from(row.get::<_, i64>("units")).unwrap_or(0);
    Ok(rows.iter().map(|row| (row.get("tenant"), units(row))).collect())
}
