//! What an RMM reports of devices beyond their record. Writes happen within one customer's transaction; the reads over all customers
//! (marked below) need [`pg::SystemReason::PlaceDevices`] and see keys and states only.
use std::{collections::HashMap, fmt::Debug};

use kernel::{
    Timestamp,
    id::{CustomerId, IntegrationId, SyncRunId},
};
use pg::{ActorTx, PgError, types::Json};
use serde::Serialize;
use serde_json::Value;

use crate::sync::Counts;

/// A kind of facts about devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FactPart {
    Health,
    Antivirus,
    Patches,
    Volumes,
    Software,
    Backups,
    CustomFields,
}

impl FactPart {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Antivirus => "antivirus",
            Self::Patches => "patches",
            Self::Volumes => "volumes",
            Self::Software => "software",
            Self::Backups => "backups",
            Self::CustomFields => "custom_fields",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactState {
    Complete,
    Partial,
    /// A fall that two readings show is held back until a person accepts it.
    Suspect,
    Failed,
    /// This instance of the vendor does not have it.
    Absent,
}

impl FactState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Suspect => "suspect",
            Self::Failed => "failed",
            Self::Absent => "absent",
        }
    }

    /// The constraint of the table lets nothing else in.
    fn read(text: &str) -> Self {
        [Self::Complete, Self::Partial, Self::Suspect, Self::Absent]
            .into_iter()
            .find(|state| state.as_str() == text)
            .unwrap_or(Self::Failed)
    }
}

/// How a part of a customer was read.
#[derive(Clone, Debug)]
pub struct FactRead {
    pub part: FactPart,
    pub state: FactState,
    /// Given unless it is complete.
    pub reason: Option<String>,
    /// When what is kept was seen; `None`: what was known before is as old as it was.
    pub observed_at: Option<Timestamp>,
    pub devices: usize,
    pub rows: usize,
    /// Rows whose disappearance is held back.
    pub held: usize,
}

/// How a part of a customer was read last.
#[derive(Clone, Debug)]
pub struct FactKnown {
    pub customer: CustomerId,
    pub state: FactState,
    pub reason: Option<String>,
    pub attempted_at: Timestamp,
    pub held: usize,
    pub run: Option<SyncRunId>,
}

/// Which reading brought rows of some devices of one customer, and what it is worth.
#[derive(Clone, Copy, Debug)]
pub struct FactsSeen {
    pub customer: CustomerId,
    pub integration: IntegrationId,
    pub observed_at: Timestamp,
    /// Whether it may say that something is gone.
    pub may_remove: bool,
}

#[derive(Debug, Serialize)]
pub struct ProgramRow {
    pub device: String,
    pub name: String,
    pub version: String,
    pub publisher: String,
    /// `2026-03-01`.
    pub installed_on: Option<String>,
    pub size_bytes: Option<i64>,
}

#[derive(Debug, Serialize)]
pub struct VolumeRow {
    pub device: String,
    pub name: String,
    pub drive_letter: String,
    pub label: Option<String>,
    pub file_system: Option<String>,
    pub capacity_bytes: Option<i64>,
    pub free_bytes: Option<i64>,
    pub protection: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct PatchRow {
    pub device: String,
    pub external_id: String,
    pub name: String,
    pub kb_number: Option<String>,
    pub severity: String,
    pub status: String,
    pub standing: &'static str,
    pub kind: Option<String>,
    pub attempted_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
pub struct HealthRow {
    pub device: String,
    pub health_status: String,
    pub threats_active: Option<i32>,
    pub threats_quarantined: Option<i32>,
    pub threats_blocked: Option<i32>,
    pub os_patches_pending: Option<i32>,
    pub os_patches_failed: Option<i32>,
    pub software_patches_pending: Option<i32>,
    pub software_patches_failed: Option<i32>,
    pub vulnerabilities_critical: Option<i32>,
    pub vulnerabilities_high: Option<i32>,
    pub reboot_reason: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct AntivirusRow {
    pub device: String,
    pub antivirus: &'static str,
    pub antivirus_products: Value,
}

#[derive(Debug, Serialize)]
pub struct BackupRow {
    pub device: String,
    pub backup_cloud_bytes: Option<i64>,
    pub backup_local_bytes: Option<i64>,
    pub backup_last_success_at: Option<Timestamp>,
    pub backup_last_failure_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
pub struct CustomFieldRow {
    pub device: String,
    pub name: String,
    pub label: Option<String>,
    pub kind: String,
    pub value: Value,
}

/// The statement that keeps rows of a part.
fn put_sql(part: FactPart) -> &'static str {
    match part {
        FactPart::Health => include_str!("../../../db/queries/device_facts/put_health.sql"),
        FactPart::Antivirus => include_str!("../../../db/queries/device_facts/put_antivirus.sql"),
        FactPart::Patches => include_str!("../../../db/queries/device_facts/put_patches.sql"),
        FactPart::Volumes => include_str!("../../../db/queries/device_facts/put_volumes.sql"),
        FactPart::Software => include_str!("../../../db/queries/device_facts/put_programs.sql"),
        FactPart::Backups => include_str!("../../../db/queries/device_facts/put_backups.sql"),
        FactPart::CustomFields => include_str!("../../../db/queries/device_facts/put_custom_fields.sql"),
    }
}

/// Keeps what a reading says of `covered` devices; rows that say nothing new are not touched. `read` of the counts are the rows told.
pub async fn put<R: Serialize + Debug + Sync>(
    tx: &ActorTx,
    part: FactPart,
    seen: &FactsSeen,
    covered: &[String],
    rows: &[R],
) -> Result<Counts, PgError> {
    let params = &[
        &seen.customer.0 as _,
        &seen.integration.0 as _,
        &Json(rows) as _,
        &covered as _,
        &seen.observed_at as _,
        &seen.may_remove as _,
    ];
    let row = tx.query_one(put_sql(part), params).await?;
    let count = |name| i32::try_from(row.get::<_, i64>(name)).unwrap_or(i32::MAX);
    if part == FactPart::Patches {
        let sql = include_str!("../../../db/queries/device_facts/count_patches.sql");
        tx.execute(sql, &[&seen.customer.0, &seen.integration.0, &covered, &seen.observed_at]).await?;
    }
    Ok(Counts {
        read: i32::try_from(rows.len()).unwrap_or(i32::MAX),
        created: count("created"),
        updated: count("updated"),
        unchanged: count("unchanged"),
        removed: count("removed"),
        unmapped: 0,
    })
}

/// What is installed at the customer, counted anew.
pub async fn count_titles(tx: &ActorTx, customer: CustomerId, at: Timestamp) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/device_facts/count_titles.sql");
    tx.execute(sql, &[&customer.0, &at]).await.map(drop)
}

/// Rows of a part that are known of each present device; devices without any are left out.
pub async fn known(
    tx: &ActorTx,
    customer: CustomerId,
    integration: IntegrationId,
    part: FactPart,
) -> Result<HashMap<String, u64>, PgError> {
    let sql = include_str!("../../../db/queries/device_facts/known.sql");
    let rows = tx.query(sql, &[&customer.0, &integration.0, &part.as_str()]).await?;
    let read =
        |row: &pg::Row| (row.get("external_id"), u64::try_from(row.get::<_, i32>("rows")).unwrap_or(0));
    Ok(rows.iter().map(read).collect())
}

/// Patches that each present device lacks by the report of health that `run` read completely; empty without it.
pub async fn counted_patches(
    tx: &ActorTx,
    customer: CustomerId,
    integration: IntegrationId,
    run: SyncRunId,
) -> Result<HashMap<String, u64>, PgError> {
    let sql = include_str!("../../../db/queries/device_facts/counted_patches.sql");
    let rows = tx.query(sql, &[&customer.0, &integration.0, &run.0]).await?;
    let read =
        |row: &pg::Row| (row.get("external_id"), u64::try_from(row.get::<_, i32>("patches")).unwrap_or(0));
    Ok(rows.iter().map(read).collect())
}

/// A device and the customer under which it is filed as present.
#[derive(Clone, Debug)]
pub struct Placed {
    pub customer: CustomerId,
    pub external_id: String,
    /// Not in doubt: see [`held_devices`].
    pub is_listed: bool,
}

/// The latest full reading of devices, if it lacks some that are not confirmed to be gone.
pub async fn held_devices(tx: &ActorTx, integration: IntegrationId) -> Result<Option<SyncRunId>, PgError> {
    let sql = include_str!("../../../db/queries/device_facts/held_devices.sql");
    Ok(tx.query_opt(sql, &[&integration.0]).await?.map(|row| SyncRunId(row.get("id"))))
}

/// All present devices. Over all customers.
pub async fn placed(
    tx: &ActorTx,
    integration: IntegrationId,
    held: Option<SyncRunId>,
) -> Result<Vec<Placed>, PgError> {
    let sql = include_str!("../../../db/queries/device_facts/placed.sql");
    let rows = tx.query(sql, &[&integration.0, &held.map(|run| run.0)]).await?;
    let read = |row: &pg::Row| Placed {
        customer: CustomerId(row.get("customer_id")),
        external_id: row.get("external_id"),
        is_listed: row.get("is_listed"),
    };
    Ok(rows.iter().map(read).collect())
}

/// How a part was read last, customer by customer. Over all customers.
pub async fn parts(
    tx: &ActorTx,
    integration: IntegrationId,
    part: FactPart,
) -> Result<Vec<FactKnown>, PgError> {
    let sql = include_str!("../../../db/queries/device_facts/parts.sql");
    let rows = tx.query(sql, &[&integration.0, &part.as_str()]).await?;
    let read = |row: &pg::Row| FactKnown {
        customer: CustomerId(row.get("customer_id")),
        state: FactState::read(row.get("state")),
        reason: row.get("reason"),
        attempted_at: row.get("attempted_at"),
        held: usize::try_from(row.get::<_, i32>("held_rows")).unwrap_or(0),
        run: row.get::<_, Option<uuid::Uuid>>("sync_run_id").map(SyncRunId),
    };
    Ok(rows.iter().map(read).collect())
}

pub async fn finish_part(
    tx: &ActorTx,
    (customer, integration): (CustomerId, IntegrationId),
    run: SyncRunId,
    read: &FactRead,
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/device_facts/finish_part.sql");
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let (devices, rows, held) = (number(read.devices), number(read.rows), number(read.held));
    let params = &[
        &customer.0 as _,
        &integration.0 as _,
        &read.part.as_str() as _,
        &read.state.as_str() as _,
        &read.reason as _,
        &read.observed_at as _,
        &at as _,
        &devices as _,
        &rows as _,
        &held as _,
        &run.0 as _,
    ];
    tx.execute(sql, params).await.map(drop)
}
