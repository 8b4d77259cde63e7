//! What CIPP says of tenants and their settings, and what ends when. Writes happen within one customer's transaction; expiries are the
//! provider's. Reads over all customers (marked below) need [`pg::SystemReason::PlaceDevices`] and see keys only.
use kernel::{
    Timestamp,
    id::{CustomerId, IntegrationId, SyncRunId},
};
use pg::{ActorTx, PgError, types::Json};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    devices::ContentHash,
    sync::Counts,
    tenants::{Filed, PartState, Seen, counts},
};

/// A kind of facts that CIPP tells of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CippPart {
    Settings,
    Alignment,
    Alerts,
    MailDomains,
    Forwardings,
}

impl CippPart {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Alignment => "alignment",
            Self::Alerts => "alerts",
            Self::MailDomains => "mail_domains",
            Self::Forwardings => "forwardings",
        }
    }
}

/// How a part of a tenant was read.
#[derive(Clone, Debug)]
pub struct CippPartRead {
    pub part: CippPart,
    pub state: PartState,
    /// Given unless it is complete.
    pub reason: Option<String>,
    /// The missing right.
    pub permission: Option<String>,
    /// When what is kept of it was seen; `None`: nothing new is kept.
    pub observed_at: Option<Timestamp>,
    pub rows: usize,
}

#[derive(Debug, Serialize)]
pub struct TenantRow {
    pub external_id: String,
    pub name: String,
    pub default_domain: Option<String>,
    pub initial_domain: Option<String>,
    pub is_excluded: bool,
    pub graph_error_count: i32,
    pub last_graph_error: Option<String>,
    pub requires_refresh: bool,
    pub access_kind: Option<String>,
    pub access_ends_at: Option<Timestamp>,
    pub access_renews: Option<bool>,
    pub raw: Value,
    pub content_hash: ContentHash,
}

#[derive(Debug, Serialize)]
pub struct SettingRow {
    pub setting: String,
    pub value: Value,
    pub expected: Option<Value>,
    pub refreshed_at: Option<Timestamp>,
    pub raw: Value,
    pub content_hash: ContentHash,
}

/// The end of the provider's access to one tenant.
#[derive(Debug, Serialize)]
pub struct AccessEnd {
    pub external_id: String,
    pub customer_id: Option<Uuid>,
    pub subject: String,
    pub ends_at: Timestamp,
    pub renews: Option<bool>,
    /// When the access was last seen to work.
    pub proved_at: Option<Timestamp>,
}

/// A tenant of which a part is to be read.
#[derive(Clone, Debug)]
pub struct CippTenant {
    pub id: Uuid,
    pub external_id: String,
    pub name: String,
    pub default_domain: Option<String>,
    pub is_excluded: bool,
    pub graph_error_count: i32,
    pub last_graph_error: Option<String>,
    /// The right that was missing when the part that is asked for was read last.
    pub part_permission: Option<String>,
    /// How it was read last, and in which run.
    pub part: Option<(PartState, Option<String>, Option<SyncRunId>)>,
}

/// Something that ends soon, or has ended, and that people were not told of yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueExpiry {
    pub integration: IntegrationId,
    pub integration_name: String,
    pub kind: String,
    pub external_id: String,
    pub customer: Option<CustomerId>,
    pub subject: String,
    pub ends_at: Timestamp,
    /// It ends within so many: 90, 30 or 7; 0 when it has ended.
    pub days: i32,
}

/// Over all customers.
pub async fn placements(tx: &ActorTx, integration: IntegrationId) -> Result<Vec<Filed>, PgError> {
    let sql = include_str!("../../../db/queries/cipp/placements.sql");
    let rows = tx.query(sql, &[&integration.0]).await?;
    let read = |row: &pg::Row| Filed {
        customer: CustomerId(row.get("customer_id")),
        id: row.get("id"),
        external_id: row.get("external_id"),
    };
    Ok(rows.iter().map(read).collect())
}

pub async fn upsert_tenants(
    tx: &ActorTx,
    customer: CustomerId,
    integration: IntegrationId,
    seen: &Seen,
    rows: &[TenantRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../db/queries/cipp/upsert_tenants.sql");
    let rows = Json(rows);
    let params = &[
        &customer.0 as _,
        &integration.0 as _,
        &rows as _,
        &seen.run.0 as _,
        &seen.observed_at as _,
        &seen.is_complete as _,
    ];
    Ok(counts(&tx.query_one(sql, params).await?))
}

/// The tenants of one customer at one deployment that are there.
pub async fn tenants_of(
    tx: &ActorTx,
    customer: CustomerId,
    integration: IntegrationId,
    part: CippPart,
) -> Result<Vec<CippTenant>, PgError> {
    let sql = include_str!("../../../db/queries/cipp/tenants_of.sql");
    let rows = tx.query(sql, &[&customer.0, &integration.0, &part.as_str()]).await?;
    let read = |row: &pg::Row| CippTenant {
        id: row.get("id"),
        external_id: row.get("external_id"),
        name: row.get("name"),
        default_domain: row.get("default_domain"),
        is_excluded: row.get("is_excluded"),
        graph_error_count: row.get("graph_error_count"),
        last_graph_error: row.get("last_graph_error"),
        part_permission: row.get("permission"),
        part: row.get::<_, Option<&str>>("state").map(|state| {
            let run = row.get::<_, Option<Uuid>>("sync_run_id").map(SyncRunId);
            (PartState::read(state), row.get("reason"), run)
        }),
    };
    Ok(rows.iter().map(read).collect())
}

/// Tenants that are mapped to another customer, or to none, or that the vendor does not have any more. Returns how many settings went
/// with them.
pub async fn leave(
    tx: &ActorTx,
    customer: CustomerId,
    tenants: &[Uuid],
    at: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/cipp/leave.sql");
    let row = tx.query_one(sql, &[&customer.0, &tenants, &at]).await?;
    Ok(i32::try_from(row.get::<_, i64>("settings")).unwrap_or(i32::MAX))
}

pub async fn finish_part(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    run: SyncRunId,
    read: &CippPartRead,
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/cipp/finish_part.sql");
    let rows = i32::try_from(read.rows).unwrap_or(i32::MAX);
    let params = &[
        &customer.0 as _,
        &tenant as _,
        &read.part.as_str() as _,
        &read.state.as_str() as _,
        &read.reason as _,
        &read.permission as _,
        &read.observed_at as _,
        &at as _,
        &rows as _,
        &run.0 as _,
    ];
    tx.execute_one(sql, params).await
}

/// A value that differs from the one before is written down as a change.
pub async fn upsert_settings(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    seen: &Seen,
    rows: &[SettingRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../db/queries/cipp/upsert_settings.sql");
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

pub async fn settings_present(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
) -> Result<Vec<String>, PgError> {
    let sql = include_str!("../../../db/queries/cipp/settings_present.sql");
    let rows = tx.query(sql, &[&customer.0, &tenant]).await?;
    Ok(rows.iter().map(|row| row.get("setting")).collect())
}

/// Only when two complete readings in a row lacked them: the vendor has no reading of a single one.
pub async fn mark_settings_missing(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    settings: &[String],
    since: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/cipp/mark_settings_missing.sql");
    let marked = tx.execute(sql, &[&customer.0, &tenant, &settings, &since]).await?;
    Ok(i32::try_from(marked).unwrap_or(i32::MAX))
}

/// `endless`: tenants that were read and whose access has no end.
pub async fn keep_access_ends(
    tx: &ActorTx,
    integration: IntegrationId,
    ends: &[AccessEnd],
    endless: &[String],
    observed_at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/cipp/upsert_expiries.sql");
    tx.execute(sql, &[&integration.0, &Json(ends), &observed_at]).await?;
    let sql = include_str!("../../../db/queries/cipp/drop_expiries.sql");
    tx.execute(sql, &[&integration.0, &endless]).await.map(drop)
}

/// Held until the end of the transaction, so that nobody is told twice.
pub async fn due_expiries(tx: &ActorTx, now: Timestamp) -> Result<Vec<DueExpiry>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/cipp/due_expiries.sql"), &[&now]).await?;
    let read = |row: &pg::Row| DueExpiry {
        integration: IntegrationId(row.get("integration_id")),
        integration_name: row.get("integration_name"),
        kind: row.get("kind"),
        external_id: row.get("external_id"),
        customer: row.get::<_, Option<_>>("customer_id").map(CustomerId),
        subject: row.get("subject"),
        ends_at: row.get("ends_at"),
        days: row.get("days"),
    };
    Ok(rows.iter().map(read).collect())
}

pub async fn told_expiries(tx: &ActorTx, told: &[DueExpiry]) -> Result<(), PgError> {
    let integrations: Vec<Uuid> = told.iter().map(|it| it.integration.0).collect();
    let kinds: Vec<&str> = told.iter().map(|it| it.kind.as_str()).collect();
    let ids: Vec<&str> = told.iter().map(|it| it.external_id.as_str()).collect();
    let days: Vec<i32> = told.iter().map(|it| it.days).collect();
    let sql = include_str!("../../../db/queries/cipp/told_expiries.sql");
    tx.execute(sql, &[&integrations, &kinds, &ids, &days]).await.map(drop)
}

/// What is known of a customer's tenants, each with its freshness.
#[derive(Clone, Debug)]
pub struct TenantHealth {
    pub id: Uuid,
    pub external_id: String,
    pub name: String,
    pub default_domain: Option<String>,
    pub is_excluded: bool,
    pub graph_error_count: i32,
    pub last_graph_error: Option<String>,
    pub requires_refresh: bool,
    pub access_kind: Option<String>,
    pub access_ends_at: Option<Timestamp>,
    pub access_renews: Option<bool>,
    pub settings: i32,
    /// Of these, how many are not as a template of CIPP wants.
    pub settings_unlike: i32,
    pub settings_state: Option<String>,
    pub settings_reason: Option<String>,
    pub settings_permission: Option<String>,
    pub settings_observed_at: Option<Timestamp>,
    pub observed_at: Timestamp,
    pub stale_at: Option<Timestamp>,
    pub is_complete: bool,
}

pub async fn health(tx: &ActorTx, customer: CustomerId) -> Result<Vec<TenantHealth>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/cipp/health.sql"), &[&customer.0]).await?;
    let read = |row: &pg::Row| TenantHealth {
        id: row.get("id"),
        external_id: row.get("external_id"),
        name: row.get("name"),
        default_domain: row.get("default_domain"),
        is_excluded: row.get("is_excluded"),
        graph_error_count: row.get("graph_error_count"),
        last_graph_error: row.get("last_graph_error"),
        requires_refresh: row.get("requires_refresh"),
        access_kind: row.get("access_kind"),
        access_ends_at: row.get("access_ends_at"),
        access_renews: row.get("access_renews"),
        settings: row.get("settings"),
        settings_unlike: row.get("settings_unlike"),
        settings_state: row.get("settings_state"),
        settings_reason: row.get("settings_reason"),
        settings_permission: row.get("settings_permission"),
        settings_observed_at: row.get("settings_observed_at"),
        observed_at: row.get("observed_at"),
        stale_at: row.get("stale_at"),
        is_complete: row.get("is_complete"),
    };
    Ok(rows.iter().map(read).collect())
}
