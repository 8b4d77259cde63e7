//! Drift of tenants against baselines: what it follows from, the drifts, and what people decided about them. Within one
//! customer's transaction, but for [`due`].
mod change;

use std::collections::HashMap;

use kernel::{
    Timestamp,
    id::{CustomerId, UserId},
};
use pg::{ActorTx, PgError, types::Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

pub use change::{
    Drift, begin_change, by_id, changing, end_change, of_baseline, open_ticket, read_back, remediated,
};

/// What one tenant is judged by, but for the baselines.
#[derive(Clone, Debug)]
pub struct TenantFacts {
    pub customer: CustomerId,
    pub id: Uuid,
    pub is_excluded: bool,
    pub tier: Option<Uuid>,
    /// What was read before this is stale.
    pub stale_before: Timestamp,
    pub stale_after_s: i64,
    /// `complete`, `partial`, `denied`, `failed`.
    pub part_state: Option<String>,
    /// Why the last reading of its settings was not whole.
    pub part_reason: Option<String>,
    /// When what is known of them was read.
    pub part_observed_at: Option<Timestamp>,
    pub evaluated_at: Option<Timestamp>,
    /// By name.
    pub settings: HashMap<String, SettingFact>,
    pub exceptions: Vec<ExceptionRow>,
    pub denied: Vec<String>,
    /// The customer's own entries, as [`EntryRow`]s.
    pub entries: Vec<EntryRow>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SettingFact {
    pub value: Value,
    pub observed_at: Timestamp,
    pub known_since: Timestamp,
    /// The reading that showed it was whole.
    pub is_complete: bool,
    pub no_license: bool,
    pub change: Option<Changed>,
}

/// The last time that it had another value than before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Changed {
    pub before: Value,
    pub after: Value,
    pub seen_at: Timestamp,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ExceptionRow {
    pub id: Uuid,
    pub setting: String,
    pub value: Option<Value>,
    pub reason: String,
    pub until: Timestamp,
}

/// Of a baseline, or of a customer. Without a rule it is not demanded.
#[derive(Clone, Debug, Deserialize)]
pub struct EntryRow {
    pub setting: String,
    pub rule: Option<Value>,
    pub severity: String,
    pub why: String,
}

#[derive(Clone, Debug)]
pub struct Baseline {
    pub id: Uuid,
    /// `provider` or `tier`.
    pub kind: String,
    pub name: String,
    pub entries: Vec<EntryRow>,
}

/// What is not in order, as it is kept.
#[derive(Debug, Serialize)]
pub struct DriftRow {
    pub setting: String,
    pub state: &'static str,
    pub state_text: Option<String>,
    pub severity: &'static str,
    pub rule: Value,
    pub desired_text: String,
    pub actual: Option<Value>,
    pub actual_text: Option<String>,
    pub why: String,
    pub layer: &'static str,
    pub baseline_id: Option<Uuid>,
    pub layer_name: String,
    pub cause: Option<Value>,
    pub unknown_kind: Option<&'static str>,
    pub since: Timestamp,
    pub observed_at: Option<Timestamp>,
    pub exception_id: Option<Uuid>,
}

/// How a tenant stands.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    pub demanded: i32,
    pub in_order: i32,
    pub drifted: i32,
    pub accepted: i32,
    pub unknown: i32,
    pub score_percent: Option<i16>,
    pub is_whole: Whole,
    pub reason: Option<&'a str>,
    pub due_at: Timestamp,
}

/// Whether the facts were complete and fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    Yes,
    No,
}

/// A tenant of which nothing complete is known for long.
#[derive(Clone, Debug)]
pub struct Silent {
    pub tenant: String,
    pub since: Timestamp,
    pub reason: Option<String>,
}

/// Tenants that are there: of one customer, one of them, or all that the transaction may see.
pub async fn facts(
    tx: &ActorTx,
    customer: Option<CustomerId>,
    tenant: Option<Uuid>,
    now: Timestamp,
    rows_max: i64,
) -> Result<Vec<TenantFacts>, PgError> {
    let sql = include_str!("../../../db/queries/drift/facts.sql");
    let rows = tx.query(sql, &[&customer.map(|id| id.0), &tenant, &now, &rows_max]).await?;
    let read = |row: &pg::Row| {
        let (Json(settings), Json(exceptions), Json(entries)) =
            (row.get("settings"), row.get("exceptions"), row.get("entries"));
        TenantFacts {
            customer: CustomerId(row.get("customer_id")),
            id: row.get("id"),
            is_excluded: row.get("is_excluded"),
            tier: row.get("tier_id"),
            stale_before: row.get("stale_before"),
            stale_after_s: row.get("stale_after_s"),
            part_state: row.get("part_state"),
            part_reason: row.get("part_reason"),
            part_observed_at: row.get("part_observed_at"),
            evaluated_at: row.get("evaluated_at"),
            settings,
            exceptions,
            denied: row.get("denied"),
            entries,
        }
    };
    Ok(rows.iter().map(read).collect())
}

pub async fn baselines(tx: &ActorTx) -> Result<Vec<Baseline>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/drift/layers.sql"), &[]).await?;
    let read = |row: &pg::Row| {
        let Json(entries) = row.get("entries");
        Baseline { id: row.get("id"), kind: row.get("kind"), name: row.get("name"), entries }
    };
    Ok(rows.iter().map(read).collect())
}

/// Customers with tenants that are due. Needs a transaction of [`pg::SystemReason::DriftDue`].
pub async fn due(tx: &ActorTx, now: Timestamp, customers_max: i64) -> Result<Vec<CustomerId>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/drift/due.sql"), &[&now, &customers_max]).await?;
    Ok(rows.iter().map(|row| CustomerId(row.get("customer_id"))).collect())
}

/// Locks them until the transaction ends.
pub async fn claim(
    tx: &ActorTx,
    customer: CustomerId,
    now: Timestamp,
    tenants_max: i64,
) -> Result<Vec<Uuid>, PgError> {
    let sql = include_str!("../../../db/queries/drift/claim.sql");
    let rows = tx.query(sql, &[&customer.0, &now, &tenants_max]).await?;
    Ok(rows.iter().map(|row| row.get("cipp_tenant_id")).collect())
}

/// Waits until nobody else works a tenant out.
pub async fn lock(tx: &ActorTx, customer: CustomerId, tenant: Uuid) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/drift/lock.sql");
    tx.query_opt(sql, &[&customer.0, &tenant]).await.map(drop)
}

/// Returns how many were written.
pub async fn keep(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    rows: &[DriftRow],
    at: Timestamp,
) -> Result<u64, PgError> {
    let sql = include_str!("../../../db/queries/drift/keep.sql");
    tx.execute(sql, &[&customer.0, &tenant, &Json(rows), &at]).await
}

/// Closes those of settings that are in order, and of settings that are not demanded any more.
pub async fn close(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    in_order: &[&str],
    demanded: &[&str],
    at: Timestamp,
) -> Result<u64, PgError> {
    let sql = include_str!("../../../db/queries/drift/close.sql");
    tx.execute(sql, &[&customer.0, &tenant, &in_order, &demanded, &at]).await
}

pub async fn close_gone(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    at: Timestamp,
) -> Result<u64, PgError> {
    tx.execute(include_str!("../../../db/queries/drift/close_gone.sql"), &[&customer.0, &tenant, &at]).await
}

/// Writes how the tenant stands, and the day's line when the facts were whole.
pub async fn evaluated(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    standing: &Standing<'_>,
    at: Timestamp,
) -> Result<(), PgError> {
    let is_whole = standing.is_whole == Whole::Yes;
    let of = standing;
    let sql = include_str!("../../../db/queries/drift/evaluated.sql");
    tx.execute_one(
        sql,
        &[
            &customer.0,
            &tenant,
            &of.due_at,
            &at,
            &is_whole,
            &of.demanded,
            &of.in_order,
            &of.drifted,
            &of.accepted,
            &of.unknown,
            &of.score_percent,
            &of.reason,
        ],
    )
    .await?;
    if is_whole {
        let sql = include_str!("../../../db/queries/drift/day.sql");
        let params = &[
            &customer.0 as _,
            &tenant as _,
            &at as _,
            &of.demanded as _,
            &of.in_order as _,
            &of.drifted as _,
            &of.accepted as _,
            &of.unknown as _,
            &of.score_percent as _,
        ];
        tx.execute(sql, params).await?;
    }
    Ok(())
}

pub async fn end_exceptions(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    now: Timestamp,
) -> Result<u64, PgError> {
    let sql = include_str!("../../../db/queries/drift/end_exceptions.sql");
    tx.execute(sql, &[&customer.0, &tenant, &now]).await
}

/// Marks the tenant as told of, when nothing complete is known of it since `limit` and nobody was told.
pub async fn silent(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    limit: Timestamp,
    now: Timestamp,
) -> Result<Option<Silent>, PgError> {
    let sql = include_str!("../../../db/queries/drift/silent.sql");
    let row = tx.query_opt(sql, &[&customer.0, &tenant, &limit, &now]).await?;
    Ok(row.map(|row| Silent { tenant: row.get("name"), since: row.get("since"), reason: row.get("reason") }))
}

/// `value`: only while it is this one.
#[expect(clippy::too_many_arguments, reason = "the columns of one row")]
pub async fn accept(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    setting: &str,
    value: Option<&Value>,
    (reason, until): (&str, Timestamp),
    by: Option<UserId>,
    at: Timestamp,
) -> Result<Uuid, PgError> {
    let sql = include_str!("../../../db/queries/drift/accept.sql");
    let by = by.map(|by| by.0);
    let row = tx.query_one(sql, &[&customer.0, &tenant, &setting, &value, &reason, &until, &by, &at]).await?;
    Ok(row.get("id"))
}

/// False: none is in force.
pub async fn withdraw(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    setting: &str,
    by: Option<UserId>,
    at: Timestamp,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/drift/withdraw.sql");
    Ok(tx.execute(sql, &[&customer.0, &tenant, &setting, &at, &by.map(|by| by.0)]).await? == 1)
}

/// Who said when and why that it must go; `None` takes it back. False: it is closed, or a run works on it.
pub async fn deny(
    tx: &ActorTx,
    customer: CustomerId,
    drift: Uuid,
    said: Option<(Option<UserId>, Timestamp, &str)>,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/drift/deny.sql");
    let at = said.map(|(_, at, _)| at);
    let by = said.and_then(|(by, _, _)| by).map(|by| by.0);
    let reason = said.map(|(_, _, reason)| reason);
    Ok(tx.execute(sql, &[&customer.0, &drift, &at, &by, &reason]).await? == 1)
}

/// One side of a comparison.
#[derive(Clone, Debug)]
pub struct Compared {
    pub id: Uuid,
    pub name: String,
    pub customer: CustomerId,
    pub customer_name: String,
    pub observed_at: Option<Timestamp>,
    pub part_state: Option<String>,
    pub part_reason: Option<String>,
    pub settings: HashMap<String, ComparedSetting>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ComparedSetting {
    pub value: Value,
    pub observed_at: Timestamp,
}

/// Those of them that the caller may see.
pub async fn compared(tx: &ActorTx, tenants: &[Uuid]) -> Result<Vec<Compared>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/drift/compare.sql"), &[&tenants]).await?;
    let read = |row: &pg::Row| {
        let Json(settings) = row.get("settings");
        Compared {
            id: row.get("id"),
            name: row.get("name"),
            customer: CustomerId(row.get("customer_id")),
            customer_name: row.get("customer_name"),
            observed_at: row.get("observed_at"),
            part_state: row.get("part_state"),
            part_reason: row.get("part_reason"),
            settings,
        }
    };
    Ok(rows.iter().map(read).collect())
}

/// Name and category of each setting of the library.
pub async fn standards(tx: &ActorTx) -> Result<HashMap<String, (String, String)>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/drift/standards.sql"), &[]).await?;
    Ok(rows.iter().map(|row| (row.get("setting"), (row.get("name"), row.get("category")))).collect())
}

/// Name of a baseline in force that the caller may see.
pub async fn baseline_name(tx: &ActorTx, baseline: Uuid) -> Result<Option<String>, PgError> {
    let row = tx.query_opt(include_str!("../../../db/queries/drift/mine.sql"), &[&baseline]).await?;
    Ok(row.map(|row| row.get("name")))
}

/// Customer and name of those of these tenants that the caller may see.
pub async fn tenants(tx: &ActorTx, ids: &[Uuid]) -> Result<Vec<(CustomerId, Uuid, String)>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/drift/tenants.sql"), &[&ids]).await?;
    Ok(rows.iter().map(|row| (CustomerId(row.get("customer_id")), row.get("id"), row.get("name"))).collect())
}
