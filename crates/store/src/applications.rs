//! Applications of tenants: when their secrets and certificates end, and what of that people are told; and secure scores. Within one
//! customer's transaction, but for expiries, which are the provider's.
use jiff::civil::Date;
use kernel::{
    Timestamp,
    id::{CustomerId, IntegrationId},
};
use pg::{ActorTx, PgError, types::Json};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    devices::ContentHash,
    sync::Counts,
    tenants::{Seen, counts},
};

/// A credential without what it is.
#[derive(Debug, Serialize)]
pub struct AppCredentialRow {
    /// The application's object and the key.
    pub external_id: String,
    pub app_external: String,
    pub client_external: Option<String>,
    pub app_name: String,
    /// `secret` or `certificate`.
    pub kind: &'static str,
    pub key_id: String,
    pub name: Option<String>,
    pub hint: Option<String>,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub content_hash: ContentHash,
}

/// What the expiry calendar shows of it.
#[derive(Debug, Serialize)]
pub struct AppExpiry {
    /// `app_secret` or `app_certificate`.
    pub kind: &'static str,
    pub external_id: String,
    pub subject: String,
    pub ends_at: Timestamp,
}

#[derive(Debug, Serialize)]
pub struct ScoreRow {
    pub day: Date,
    pub current_score: f64,
    pub max_score: f64,
    pub controls: Value,
}

pub async fn upsert(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    seen: &Seen,
    rows: &[AppCredentialRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../db/queries/tenants/upsert_app_credentials.sql");
    let rows = Json(rows);
    let params = &[
        &customer.0 as _,
        &tenant as _,
        &rows as _,
        &seen.run.0 as _,
        &seen.observed_at as _,
        &seen.is_complete as _,
    ];
    Ok(counts(&tx.query_one(sql, params).await?))
}

pub async fn present(tx: &ActorTx, customer: CustomerId, tenant: Uuid) -> Result<Vec<String>, PgError> {
    let sql = include_str!("../../../db/queries/tenants/app_credentials_present.sql");
    let rows = tx.query(sql, &[&customer.0, &tenant]).await?;
    Ok(rows.iter().map(|row| row.get("external_id")).collect())
}

/// Only when two complete lists in a row lacked them.
pub async fn mark_missing(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    gone: &[String],
    since: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/tenants/mark_app_credentials_missing.sql");
    let marked = tx.execute(sql, &[&customer.0, &tenant, &gone, &since]).await?;
    Ok(i32::try_from(marked).unwrap_or(i32::MAX))
}

/// All that ends of one tenant, after a complete reading; what is not among it is taken out. By the provider.
pub async fn keep_expiries(
    tx: &ActorTx,
    integration: IntegrationId,
    customer: CustomerId,
    tenant_external: &str,
    ends: &[AppExpiry],
    observed_at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/tenants/keep_app_expiries.sql");
    tx.execute(sql, &[&integration.0, &customer.0, &tenant_external, &Json(ends), &observed_at])
        .await
        .map(drop)
}

/// Of tenants that are mapped to nobody, or to somebody else, or gone. By the provider.
pub async fn drop_expiries(tx: &ActorTx, integration: IntegrationId) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/tenants/drop_app_expiries.sql");
    tx.execute(sql, &[&integration.0]).await.map(drop)
}

/// Returns how many days were written.
pub async fn keep_scores(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    rows: &[ScoreRow],
    observed_at: Timestamp,
) -> Result<u64, PgError> {
    let sql = include_str!("../../../db/queries/tenants/keep_secure_scores.sql");
    tx.execute(sql, &[&customer.0, &tenant, &Json(rows), &observed_at]).await
}
