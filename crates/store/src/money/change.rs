//! A difference whose line is changed.
use domain::money::State;
use kernel::{
    Decimal, Timestamp,
    id::{CustomerId, DifferenceId, IntegrationId, RunId},
};
use pg::{ActorTx, PgError};
use serde_json::Value;
use uuid::Uuid;

/// A difference and its line, as an approval and a run need them.
#[derive(Clone, Debug)]
pub struct Change {
    pub id: DifferenceId,
    pub rule: Uuid,
    pub customer_name: String,
    pub product_name: String,
    pub state: State,
    pub counted: Decimal,
    pub billed: Decimal,
    pub difference: Decimal,
    pub rate: Option<Decimal>,
    pub money_per_month: Option<Decimal>,
    pub currency: String,
    pub cause_text: String,
    pub stale_reason: Option<String>,
    pub run: Option<RunId>,
    pub line: Option<ChangeLine>,
    /// As of the last comparison.
    pub commitment: Option<Committed>,
}

/// What keeps a difference from being corrected.
#[derive(Clone, Debug)]
pub struct Committed {
    pub until: Timestamp,
    pub quantity: Decimal,
    /// `line`, `license` or `both`.
    pub by: String,
    pub money: Option<Decimal>,
}

#[derive(Clone, Debug)]
pub struct ChangeLine {
    pub id: Uuid,
    pub integration: IntegrationId,
    /// The billing system's id.
    pub external_id: String,
    pub account_ref: String,
    pub name: String,
    pub quantity: Decimal,
}

/// Locks it until the transaction ends. `None`: no such difference of this customer. Its line is there only while it is billed.
pub async fn by_id(tx: &ActorTx, customer: CustomerId, id: DifferenceId) -> Result<Option<Change>, PgError> {
    let sql = include_str!("../../../../db/queries/money/by_id.sql");
    Ok(tx.query_opt(sql, &[&customer.0, &id.0]).await?.map(|row| read(&row)))
}

fn read(row: &pg::Row) -> Change {
    let number = |column: &str| row.get::<_, Option<&str>>(column).and_then(|text| text.parse().ok());
    let is_billed = row.get::<_, Option<bool>>("line_is_active") == Some(true)
        && row.get::<_, Option<Timestamp>>("line_missing_since").is_none();
    let line = number("line_quantity").filter(|_| is_billed).map(|quantity| ChangeLine {
        id: row.get("line_id"),
        integration: IntegrationId(row.get("integration_id")),
        external_id: row.get("line_ref"),
        account_ref: row.get("account_ref"),
        name: row.get("line_name"),
        quantity,
    });
    Change {
        id: DifferenceId(row.get("id")),
        rule: row.get("rule_id"),
        customer_name: row.get("customer_name"),
        product_name: row.get("product_name"),
        state: serde_json::from_value(Value::String(row.get("state"))).unwrap_or(State::Closed),
        counted: number("counted").unwrap_or_default(),
        billed: number("billed").unwrap_or_default(),
        difference: number("difference").unwrap_or_default(),
        rate: number("rate"),
        money_per_month: number("money_per_month"),
        currency: row.get("currency"),
        cause_text: row.get("cause_text"),
        stale_reason: row.get("stale_reason"),
        run: row.get::<_, Option<Uuid>>("run_id").map(RunId),
        line,
        commitment: row.get::<_, Option<Timestamp>>("committed_until").map(|until| Committed {
            until,
            quantity: number("committed_quantity").unwrap_or_default(),
            by: row.get::<_, Option<String>>("commitment_kind").unwrap_or_default(),
            money: number("committed_money"),
        }),
    }
}

/// False: it is not open.
pub async fn begin_change(
    tx: &ActorTx,
    customer: CustomerId,
    id: DifferenceId,
    run: RunId,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../../db/queries/money/begin_change.sql");
    Ok(tx.execute(sql, &[&customer.0, &id.0, &run.0]).await? == 1)
}

/// The line was read back with `quantity`. `bill_mark`: no bill with a higher number existed before the change.
#[expect(clippy::too_many_arguments, reason = "the columns of one row")]
pub async fn await_invoice(
    tx: &ActorTx,
    customer: CustomerId,
    id: DifferenceId,
    run: RunId,
    text: &str,
    at: Timestamp,
    quantity: Decimal,
    bill_mark: i64,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../../db/queries/money/await_invoice.sql");
    let params = &[
        &customer.0 as _,
        &id.0 as _,
        &run.0 as _,
        &text as _,
        &at as _,
        &quantity.to_string() as _,
        &bill_mark as _,
    ];
    Ok(tx.execute(sql, params).await? == 1)
}

/// Open again; `text` says what came of the run.
pub async fn end_change(
    tx: &ActorTx,
    customer: CustomerId,
    id: DifferenceId,
    run: RunId,
    text: &str,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../../db/queries/money/end_change.sql");
    Ok(tx.execute(sql, &[&customer.0, &id.0, &run.0, &text]).await? == 1)
}

pub async fn line_read_back(
    tx: &ActorTx,
    customer: CustomerId,
    line: Uuid,
    quantity: Decimal,
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../../db/queries/money/line_read_back.sql");
    tx.execute_one(sql, &[&customer.0, &line, &quantity.to_string(), &at]).await
}

/// A run, not this one, that changes the line now.
pub async fn other_change_on_line(
    tx: &ActorTx,
    customer: CustomerId,
    line: Uuid,
    run: RunId,
) -> Result<Option<RunId>, PgError> {
    let sql = include_str!("../../../../db/queries/money/other_change_on_line.sql");
    let row = tx.query_opt(sql, &[&customer.0, &line, &run.0]).await?;
    Ok(row.map(|row| RunId(row.get("run_id"))))
}
