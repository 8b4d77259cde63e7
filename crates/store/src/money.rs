//! Count truth: the facts of a comparison, differences and their moves, and the record of each comparison.
mod change;
mod facts;

use domain::money::{Close, Difference};
use kernel::{
    Decimal, Timestamp,
    id::{CustomerId, DifferenceId, ReconciliationId, UserId},
};
use pg::{ActorTx, PgError, types::Json};
use serde_json::{Value, json};
use uuid::Uuid;

pub use change::{
    Change, ChangeLine, Committed, await_invoice, begin_change, by_id, end_change, line_read_back,
    other_change_on_line,
};
pub use facts::{
    Another, Facts, KnownDifference, RuleRow, SeatChange, Source, device_dates, facts, product, rules,
    seat_changes,
};

/// On which facts a comparison stands, and which one it is.
#[derive(Clone, Copy, Debug)]
pub struct Stand {
    pub at: Timestamp,
    pub devices_observed_at: Timestamp,
    pub lines_observed_at: Timestamp,
    pub reconciliation: ReconciliationId,
}

/// Customers to compare. Over all customers; needs a transaction of [`pg::SystemReason::Reconcile`].
pub async fn customers(tx: &ActorTx) -> Result<Vec<CustomerId>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/money/customers.sql"), &[]).await?;
    Ok(rows.iter().map(|row| CustomerId(row.get("customer_id"))).collect())
}

/// Customers with an account that the caller sees, by name.
pub async fn customers_seen(tx: &ActorTx) -> Result<Vec<(CustomerId, String)>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/money/customers_seen.sql"), &[]).await?;
    Ok(rows.iter().map(|row| (CustomerId(row.get("id")), row.get("name"))).collect())
}

/// Waits until no other comparison of this customer is under way; until the transaction ends.
pub async fn lock_customer(tx: &ActorTx, customer: CustomerId) -> Result<(), PgError> {
    tx.query(include_str!("../../../db/queries/money/lock_customer.sql"), &[&customer.0]).await.map(drop)
}

/// False: another comparison of all customers is under way. Held until the transaction ends.
pub async fn lock_all(tx: &ActorTx) -> Result<bool, PgError> {
    Ok(tx.query_one(include_str!("../../../db/queries/money/lock_all.sql"), &[]).await?.get("is_mine"))
}

/// Why a comparison of all customers is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A synchronization ended.
    Sync,
    /// The last one is a day old.
    Schedule,
}

pub async fn due(tx: &ActorTx, now: Timestamp) -> Result<Option<Due>, PgError> {
    let row = tx.query_one(include_str!("../../../db/queries/money/due.sql"), &[&now]).await?;
    Ok(match (row.get("has_rules"), row.get("after_sync"), row.get("is_old")) {
        (false, _, _) | (_, false, false) => None,
        (_, true, _) => Some(Due::Sync),
        (_, false, true) => Some(Due::Schedule),
    })
}

pub async fn open(
    tx: &ActorTx,
    customer: CustomerId,
    rule: &domain::money::Rule,
    found: &Difference,
    stand: &Stand,
) -> Result<DifferenceId, PgError> {
    let id = DifferenceId::new(stand.at);
    let mut row = numbers(found);
    row["product_id"] = json!(rule.product_id);
    let sql = include_str!("../../../db/queries/money/open_difference.sql");
    let params = &[
        &customer.0 as _,
        &id.0 as _,
        &rule.id as _,
        &row as _,
        &stand.at as _,
        &stand.devices_observed_at as _,
        &stand.lines_observed_at as _,
        &stand.reconciliation.0 as _,
    ];
    tx.execute_one(sql, params).await?;
    Ok(id)
}

/// Other numbers or another cause; the same difference.
pub async fn renumber(
    tx: &ActorTx,
    customer: CustomerId,
    id: DifferenceId,
    found: &Difference,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/money/renumber_difference.sql");
    tx.execute_one(sql, &[&customer.0, &id.0, &numbers(found)]).await
}

/// What it came to on the day of `now`, and until when it cannot be reduced.
pub async fn value(
    tx: &ActorTx,
    customer: CustomerId,
    id: DifferenceId,
    found: &Difference,
    first_seen_at: Timestamp,
    now: Timestamp,
) -> Result<(), PgError> {
    let bound = found.commitment(now);
    let row = json!({
        "prorated_since": found.since(first_seen_at), "money_so_far": found.money_so_far(first_seen_at, now),
        "committed_until": bound.map(|it| it.until), "committed_quantity": bound.map(|it| it.quantity),
        "commitment_kind": bound.map(|it| it.by.as_str()), "committed_money": bound.and_then(|it| it.money),
    });
    let sql = include_str!("../../../db/queries/money/value_difference.sql");
    tx.execute_one(sql, &[&customer.0, &id.0, &row]).await
}

/// The columns of a difference that come from the comparison.
pub fn numbers(found: &Difference) -> Value {
    json!({
        "line_id": found.line, "counted": found.counted, "billed": found.billed, "difference": found.difference,
        "direction": found.direction.as_str(), "rate": found.rate, "rate_source": found.rate_source.as_str(),
        "money_per_month": found.money_per_month, "currency": found.currency, "cause": found.cause, "cause_text": found.text,
    })
}

pub async fn touch(
    tx: &ActorTx,
    customer: CustomerId,
    ids: &[DifferenceId],
    stand: &Stand,
) -> Result<(), PgError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let sql = include_str!("../../../db/queries/money/touch_differences.sql");
    let params = &[
        &customer.0 as _,
        &ids as _,
        &stand.at as _,
        &stand.devices_observed_at as _,
        &stand.lines_observed_at as _,
        &stand.reconciliation.0 as _,
    ];
    tx.execute(sql, params).await.map(drop)
}

pub async fn mark_stale(
    tx: &ActorTx,
    customer: CustomerId,
    ids: &[DifferenceId],
    at: Timestamp,
    reason: &str,
) -> Result<(), PgError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let sql = include_str!("../../../db/queries/money/mark_stale.sql");
    tx.execute(sql, &[&customer.0, &ids, &at, &reason]).await.map(drop)
}

/// From ignored, changing or waiting; `reason` is shown.
pub async fn reopen(
    tx: &ActorTx,
    customer: CustomerId,
    id: DifferenceId,
    reason: &str,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/money/reopen.sql");
    Ok(tx.execute(sql, &[&customer.0, &id.0, &reason]).await? == 1)
}

/// `bill`: the one that proves it.
pub async fn close(
    tx: &ActorTx,
    customer: CustomerId,
    id: DifferenceId,
    why: Close,
    bill: Option<Uuid>,
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/money/close.sql");
    tx.execute_one(sql, &[&customer.0, &id.0, &at, &why.as_str(), &bill]).await
}

/// False: it is neither open nor ignored.
pub async fn ignore(
    tx: &ActorTx,
    customer: CustomerId,
    id: DifferenceId,
    by: Option<UserId>,
    until: Timestamp,
    reason: &str,
    at: Timestamp,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/money/ignore.sql");
    let by = by.map(|by| by.0);
    Ok(tx.execute(sql, &[&customer.0, &id.0, &at, &by, &until, &reason]).await? == 1)
}

/// What a comparison is asked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Schedule,
    Sync,
    Request,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    All,
    Customer,
}

pub async fn begin_reconciliation(
    tx: &ActorTx,
    scope: Scope,
    reason: Reason,
    by: Option<UserId>,
    at: Timestamp,
) -> Result<ReconciliationId, PgError> {
    let id = ReconciliationId::new(at);
    let scope = match scope {
        Scope::All => "all",
        Scope::Customer => "customer",
    };
    let reason = match reason {
        Reason::Schedule => "schedule",
        Reason::Sync => "sync",
        Reason::Request => "request",
    };
    tx.execute(include_str!("../../../db/queries/money/end_abandoned.sql"), &[&at]).await?;
    let sql = include_str!("../../../db/queries/money/begin_reconciliation.sql");
    tx.execute_one(sql, &[&id.0, &scope, &reason, &by.map(|by| by.0), &at]).await?;
    Ok(id)
}

/// Sums of one currency; both are positive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Total {
    pub currency: String,
    pub under_per_month: Decimal,
    pub over_per_month: Decimal,
}

/// What a comparison came to.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    pub done: i32,
    /// Customer and reason.
    pub skipped: Vec<(CustomerId, String)>,
    pub opened: i32,
    pub reopened: i32,
    pub closed: i32,
    pub open: i32,
    pub totals: Vec<Total>,
    pub error: Option<String>,
}

pub async fn end_reconciliation(
    tx: &ActorTx,
    id: ReconciliationId,
    ended: &Ended,
    at: Timestamp,
) -> Result<(), PgError> {
    let state = if ended.error.is_some() { "failed" } else { "complete" };
    let skipped: Vec<Value> = ended
        .skipped
        .iter()
        .map(|(customer, reason)| json!({ "customer_id": customer, "reason": reason }))
        .collect();
    let totals: Vec<Value> = ended
        .totals
        .iter()
        .map(|total| {
            let money = |money: Decimal| money.fixed(domain::money::MONEY_PLACES);
            json!({ "currency": total.currency, "under_per_month": money(total.under_per_month), "over_per_month": money(total.over_per_month) })
        })
        .collect();
    let skipped_count = i32::try_from(skipped.len()).unwrap_or(i32::MAX);
    let params = &[
        &id.0 as _,
        &state as _,
        &at as _,
        &ended.done as _,
        &skipped_count as _,
        &Json(&skipped) as _,
        &ended.opened as _,
        &ended.reopened as _,
        &ended.closed as _,
        &ended.open as _,
        &Json(&totals) as _,
        &ended.error as _,
    ];
    tx.execute_one(include_str!("../../../db/queries/money/end_reconciliation.sql"), params).await
}
