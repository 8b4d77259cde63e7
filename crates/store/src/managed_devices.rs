//! Devices that are enrolled in Intune. Within one customer's transaction.
use kernel::{Timestamp, id::CustomerId};
use pg::{ActorTx, PgError, types::Json};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    devices::ContentHash,
    sync::Counts,
    tenants::{Seen, counts},
};

#[derive(Debug, Serialize)]
pub struct ManagedDeviceRow {
    pub external_id: String,
    pub name: Option<String>,
    pub serial_number: Option<String>,
    pub entra_device_id: Option<Uuid>,
    pub os_name: Option<String>,
    pub os_version: Option<String>,
    pub compliance: Option<String>,
    pub is_encrypted: Option<bool>,
    /// `company` or `personal`.
    pub owner_kind: Option<String>,
    pub user_principal_name: Option<String>,
    pub manufacturer: Option<String>,
    pub model: Option<String>,
    /// `None` leaves what is known.
    pub last_sync_at: Option<Timestamp>,
    pub enrolled_at: Option<Timestamp>,
    pub raw: Value,
    pub content_hash: ContentHash,
}

pub async fn upsert(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    seen: &Seen,
    rows: &[ManagedDeviceRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../db/queries/managed_devices/upsert.sql");
    let params = &[
        &customer.0 as _,
        &tenant as _,
        &Json(rows) as _,
        &seen.run.0 as _,
        &seen.observed_at as _,
        &seen.is_complete as _,
    ];
    Ok(counts(&tx.query_one(sql, params).await?))
}

/// The vendor's ids of the devices that are there.
pub async fn present(tx: &ActorTx, customer: CustomerId, tenant: Uuid) -> Result<Vec<String>, PgError> {
    let sql = include_str!("../../../db/queries/managed_devices/present.sql");
    let rows = tx.query(sql, &[&customer.0, &tenant]).await?;
    Ok(rows.iter().map(|row| row.get("external_id")).collect())
}

/// Only devices of which the vendor said by their own id that they are gone.
pub async fn mark_missing(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    external_ids: &[String],
    since: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/managed_devices/mark_missing.sql");
    let marked = tx.execute(sql, &[&customer.0, &tenant, &external_ids, &since]).await?;
    Ok(i32::try_from(marked).unwrap_or(i32::MAX))
}

/// The last list was not whole.
pub async fn mark_incomplete(tx: &ActorTx, customer: CustomerId, tenant: Uuid) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/managed_devices/mark_incomplete.sql");
    tx.execute(sql, &[&customer.0, &tenant]).await.map(drop)
}
