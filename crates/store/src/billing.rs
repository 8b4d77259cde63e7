//! What a billing system says: products of the provider, lines and bills of customers. Writes happen within one customer's
//! transaction; reads over all customers (marked below) need [`pg::SystemReason::PlaceDevices`] and see keys only.
use kernel::{
    Decimal, Timestamp,
    id::{CustomerId, IntegrationId, SyncRunId},
};
use pg::{ActorTx, PgError, types::Json};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{devices::ContentHash, sync::Counts};

/// Which reading brought rows, and what it is worth.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    pub integration: IntegrationId,
    pub run: SyncRunId,
    pub observed_at: Timestamp,
    pub is_complete: bool,
}

#[derive(Debug, Serialize)]
pub struct ProductRow {
    pub external_id: String,
    pub name: String,
    pub code: Option<String>,
    pub rate: Option<Decimal>,
    /// ISO 4217.
    pub currency: String,
    pub is_active: bool,
    pub raw: Box<RawValue>,
    pub content_hash: ContentHash,
}

#[derive(Debug, Serialize)]
pub struct LineRow {
    pub external_id: String,
    /// The vendor's id of the account that it bills.
    pub account_ref: String,
    pub product_ref: String,
    pub name: String,
    pub quantity: Decimal,
    pub rate: Option<Decimal>,
    /// What one of it costs the provider.
    pub cost: Option<Decimal>,
    pub currency: String,
    pub status: String,
    pub is_active: bool,
    pub activated_at: Option<Timestamp>,
    pub billed_through_at: Option<Timestamp>,
    pub contract_end_at: Option<Timestamp>,
    pub disconnected_at: Option<Timestamp>,
    /// By the vendor's word, where it says one.
    pub updated_at: Option<Timestamp>,
    pub raw: Box<RawValue>,
    pub content_hash: ContentHash,
}

#[derive(Debug, Serialize)]
pub struct BillRow {
    pub external_id: String,
    pub account_ref: String,
    pub number: Option<String>,
    pub billed_at: Timestamp,
    pub due_at: Option<Timestamp>,
    pub total_amount: Option<Decimal>,
    pub open_amount: Option<Decimal>,
    pub currency: String,
    pub raw: Box<RawValue>,
    pub content_hash: ContentHash,
}

#[derive(Debug, Serialize)]
pub struct PaymentRow {
    pub external_id: String,
    pub account_ref: String,
    pub reference: Option<String>,
    /// Negative where money went back.
    pub amount: Decimal,
    pub currency: String,
    pub status: Option<String>,
    pub paid_at: Option<Timestamp>,
    pub raw: Box<RawValue>,
    pub content_hash: ContentHash,
}

/// What the billing system itself is asked, beside its bills; no ticket of the service desk.
#[derive(Debug, Serialize)]
pub struct TicketRow {
    pub external_id: String,
    pub account_ref: String,
    pub subject: Option<String>,
    /// The vendor's word, in lower case.
    pub status: Option<String>,
    pub opened_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub raw: Box<RawValue>,
    pub content_hash: ContentHash,
}

#[derive(Debug, Serialize)]
pub struct ChargeRow {
    pub external_id: String,
    pub bill_ref: String,
    pub line_ref: Option<String>,
    pub product_ref: Option<String>,
    pub name: String,
    pub quantity: Option<Decimal>,
    pub rate: Option<Decimal>,
    pub amount: Decimal,
    pub currency: String,
    pub period_start_at: Option<Timestamp>,
    pub period_end_at: Option<Timestamp>,
    pub is_prorated: bool,
}

/// A row of the vendor, the account it belongs to and the customer under which it is filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    pub customer: CustomerId,
    pub external_id: String,
    pub account_ref: String,
}

pub async fn upsert_products(tx: &ActorTx, read: &Read, rows: &[ProductRow]) -> Result<Counts, PgError> {
    let sql = include_str!("../../../db/queries/billing/upsert_products.sql");
    let params = &[
        &read.integration.0 as _,
        &Json(rows) as _,
        &read.run.0 as _,
        &read.observed_at as _,
        &read.is_complete as _,
    ];
    Ok(counts(&tx.query_one(sql, params).await?))
}

pub async fn products_present(tx: &ActorTx, integration: IntegrationId) -> Result<Vec<String>, PgError> {
    let sql = include_str!("../../../db/queries/billing/products_present.sql");
    let rows = tx.query(sql, &[&integration.0]).await?;
    Ok(rows.iter().map(|row| row.get("external_id")).collect())
}

/// Only after a confirmed disappearance.
pub async fn mark_products_missing(
    tx: &ActorTx,
    integration: IntegrationId,
    external_ids: &[String],
    since: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/billing/mark_products_missing.sql");
    Ok(as_count(tx.execute(sql, &[&integration.0, &external_ids, &since]).await?))
}

pub async fn upsert_lines(
    tx: &ActorTx,
    customer: CustomerId,
    read: &Read,
    rows: &[LineRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../db/queries/billing/upsert_lines.sql");
    upsert(tx, sql, customer, read, &Json(rows)).await
}

/// Lines that are filed as present. Over all customers.
pub async fn line_placements(tx: &ActorTx, integration: IntegrationId) -> Result<Vec<Filed>, PgError> {
    filed(tx, include_str!("../../../db/queries/billing/line_placements.sql"), integration).await
}

/// Tickets that are filed. Over all customers.
pub async fn tickets_filed(tx: &ActorTx, integration: IntegrationId) -> Result<Vec<Filed>, PgError> {
    filed(tx, include_str!("../../../db/queries/billing/tickets_filed.sql"), integration).await
}

async fn filed(tx: &ActorTx, sql: &str, integration: IntegrationId) -> Result<Vec<Filed>, PgError> {
    let rows = tx.query(sql, &[&integration.0]).await?;
    let read = |row: &pg::Row| Filed {
        customer: CustomerId(row.get("customer_id")),
        external_id: row.get("external_id"),
        account_ref: row.get("account_ref"),
    };
    Ok(rows.iter().map(read).collect())
}

/// Only after a confirmed disappearance or a move. Returns how many were not missing before.
pub async fn mark_lines_missing(
    tx: &ActorTx,
    customer: CustomerId,
    integration: IntegrationId,
    external_ids: &[String],
    since: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/billing/mark_lines_missing.sql");
    Ok(as_count(tx.execute(sql, &[&customer.0, &integration.0, &external_ids, &since]).await?))
}

/// What is filed under the customer of its account, and leaves with the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Book {
    Bills,
    Payments,
    Tickets,
}

/// Customer and account of what is kept. Over all customers.
pub async fn placements(
    tx: &ActorTx,
    book: Book,
    integration: IntegrationId,
) -> Result<Vec<(CustomerId, String)>, PgError> {
    let sql = match book {
        Book::Bills => include_str!("../../../db/queries/billing/bill_placements.sql"),
        Book::Payments => include_str!("../../../db/queries/billing/payment_placements.sql"),
        Book::Tickets => include_str!("../../../db/queries/billing/ticket_placements.sql"),
    };
    let rows = tx.query(sql, &[&integration.0]).await?;
    Ok(rows.iter().map(|row| (CustomerId(row.get("customer_id")), row.get("account_ref"))).collect())
}

/// What is of accounts that are not this customer's. Returns how many there were.
pub async fn remove(
    tx: &ActorTx,
    book: Book,
    customer: CustomerId,
    integration: IntegrationId,
    accounts: &[String],
) -> Result<i32, PgError> {
    let sql = match book {
        Book::Bills => include_str!("../../../db/queries/billing/remove_bills.sql"),
        Book::Payments => include_str!("../../../db/queries/billing/remove_payments.sql"),
        Book::Tickets => include_str!("../../../db/queries/billing/remove_tickets.sql"),
    };
    Ok(as_count(tx.execute(sql, &[&customer.0, &integration.0, &accounts]).await?))
}

pub async fn upsert_bills(
    tx: &ActorTx,
    customer: CustomerId,
    read: &Read,
    rows: &[BillRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../db/queries/billing/upsert_bills.sql");
    upsert(tx, sql, customer, read, &Json(rows)).await
}

/// Charges of bills that are kept; the others are left out.
pub async fn upsert_charges(
    tx: &ActorTx,
    customer: CustomerId,
    read: &Read,
    rows: &[ChargeRow],
) -> Result<u64, PgError> {
    let sql = include_str!("../../../db/queries/billing/upsert_charges.sql");
    tx.execute(sql, &[&customer.0, &read.integration.0, &Json(rows), &read.observed_at]).await
}

pub async fn upsert_payments(
    tx: &ActorTx,
    customer: CustomerId,
    read: &Read,
    rows: &[PaymentRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../db/queries/billing/upsert_payments.sql");
    upsert(tx, sql, customer, read, &Json(rows)).await
}

pub async fn upsert_tickets(
    tx: &ActorTx,
    customer: CustomerId,
    read: &Read,
    rows: &[TicketRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../db/queries/billing/upsert_tickets.sql");
    upsert(tx, sql, customer, read, &Json(rows)).await
}

/// Only after a confirmed disappearance or a move. Returns how many there were.
pub async fn remove_gone_tickets(
    tx: &ActorTx,
    customer: CustomerId,
    integration: IntegrationId,
    external_ids: &[String],
) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/billing/remove_gone_tickets.sql");
    Ok(as_count(tx.execute(sql, &[&customer.0, &integration.0, &external_ids]).await?))
}

async fn upsert<T: Serialize + std::fmt::Debug + Sync>(
    tx: &ActorTx,
    sql: &str,
    customer: CustomerId,
    read: &Read,
    rows: &Json<&[T]>,
) -> Result<Counts, PgError> {
    let params = &[
        &customer.0 as _,
        &read.integration.0 as _,
        rows as _,
        &read.run.0 as _,
        &read.observed_at as _,
        &read.is_complete as _,
    ];
    Ok(counts(&tx.query_one(sql, params).await?))
}

fn counts(row: &pg::Row) -> Counts {
    let count = |column: &str| i32::try_from(row.get::<_, i64>(column)).unwrap_or(i32::MAX);
    let (created, updated, unchanged) = (count("created"), count("updated"), count("unchanged"));
    Counts { read: created + updated + unchanged, created, updated, unchanged, ..Counts::default() }
}

fn as_count(rows: u64) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}
