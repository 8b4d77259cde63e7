//! Connections to vendors and the organizations that they show.
use kernel::{
    Timestamp,
    id::{CredentialId, CustomerId, IntegrationId},
};
use pg::{ActorTx, PgError};
use uuid::Uuid;

/// Whose API an integration speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Vendor {
    NinjaOne,
    RevIo,
    Microsoft,
    Cipp,
    SharePoint,
}

impl Vendor {
    pub const ALL: [Self; 5] = [Self::NinjaOne, Self::RevIo, Self::Microsoft, Self::Cipp, Self::SharePoint];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NinjaOne => "ninjaone",
            Self::RevIo => "revio",
            Self::Microsoft => "microsoft",
            Self::Cipp => "cipp",
            Self::SharePoint => "sharepoint",
        }
    }

    /// The constraint of the table lets nothing else in.
    pub(crate) fn read(text: &str) -> Self {
        match text {
            "revio" => Self::RevIo,
            "microsoft" => Self::Microsoft,
            "cipp" => Self::Cipp,
            "sharepoint" => Self::SharePoint,
            _ => Self::NinjaOne,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    pub id: IntegrationId,
    pub vendor: Vendor,
    pub name: String,
    pub enabled: bool,
    /// Its credentials fail since then; people were told.
    pub credentials_failed_at: Option<Timestamp>,
}

/// A vendor's organization and the customer it is; without a customer its rows are kept out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    pub external_id: String,
    pub name: String,
    pub customer: Option<CustomerId>,
    /// Devices that the last complete reading counted.
    pub devices_seen: i32,
    pub mapped_at: Option<Timestamp>,
    pub missing_since: Option<Timestamp>,
    /// The vendor's own domain of it.
    pub domain: Option<String>,
}

/// `None`: unknown, or not visible to the caller.
pub async fn by_id(tx: &ActorTx, id: IntegrationId) -> Result<Option<Integration>, PgError> {
    let row = tx.query_opt(include_str!("../../../db/queries/integrations/by_id.sql"), &[&id.0]).await?;
    Ok(row.map(|row| Integration {
        id: IntegrationId(row.get("id")),
        vendor: Vendor::read(row.get("vendor")),
        name: row.get("name"),
        enabled: row.get("enabled"),
        credentials_failed_at: row.get("credentials_failed_at"),
    }))
}

/// How an integration reaches its vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub id: IntegrationId,
    pub base_url: String,
    pub credential: Option<CredentialId>,
    pub sync_interval_s: i32,
}

/// Needs a transaction of [`pg::SystemReason::Connect`], as the three below.
pub async fn by_name(tx: &ActorTx, name: &str) -> Result<Option<Connection>, PgError> {
    let row = tx.query_opt(include_str!("../../../db/queries/integrations/by_name.sql"), &[&name]).await?;
    Ok(row.map(|row| Connection {
        id: IntegrationId(row.get("id")),
        base_url: row.get("base_url"),
        credential: row.get::<_, Option<Uuid>>("credential_id").map(CredentialId),
        sync_interval_s: row.get("sync_interval_s"),
    }))
}

/// Adds an integration, or gives the one of that name another connection.
pub async fn keep(tx: &ActorTx, name: &str, vendor: Vendor, new: &Connection) -> Result<(), PgError> {
    let credential = new.credential.map(|it| it.0);
    let params = &[
        &new.id.0 as _,
        &name as _,
        &vendor.as_str() as _,
        &new.base_url as _,
        &credential as _,
        &new.sync_interval_s as _,
    ];
    tx.execute_one(include_str!("../../../db/queries/integrations/keep.sql"), params).await
}

/// Whether an integration of this vendor points there already.
pub async fn uses_address(tx: &ActorTx, vendor: Vendor, base_url: &str) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/integrations/uses_address.sql");
    Ok(tx.query_one(sql, &[&vendor.as_str(), &base_url]).await?.get("is_used"))
}

pub async fn set_webhook(
    tx: &ActorTx,
    id: IntegrationId,
    secret_sha256: &[u8],
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/integrations/set_webhook.sql");
    tx.execute_one(sql, &[&id.0, &secret_sha256, &at]).await
}

pub async fn organizations(tx: &ActorTx, id: IntegrationId) -> Result<Vec<Organization>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/integrations/organizations.sql"), &[&id.0]).await?;
    let read = |row: &pg::Row| Organization {
        external_id: row.get("external_id"),
        name: row.get("name"),
        customer: row.get::<_, Option<Uuid>>("customer_id").map(CustomerId),
        devices_seen: row.get("devices_seen"),
        mapped_at: row.get("mapped_at"),
        missing_since: row.get("missing_since"),
        domain: row.get("domain"),
    };
    Ok(rows.iter().map(read).collect())
}

/// `(external id, name)` of organizations as just seen; their mapping is not touched.
pub async fn upsert_organizations(
    tx: &ActorTx,
    id: IntegrationId,
    seen: &[(String, String)],
    observed_at: Timestamp,
) -> Result<(), PgError> {
    let (ids, names): (Vec<&str>, Vec<&str>) =
        seen.iter().map(|(id, name)| (id.as_str(), name.as_str())).unzip();
    let sql = include_str!("../../../db/queries/integrations/upsert_organizations.sql");
    tx.execute(sql, &[&id.0, &ids, &names, &observed_at]).await.map(drop)
}

/// `(external id, account number)` of organizations that are known.
pub async fn set_account_numbers(
    tx: &ActorTx,
    id: IntegrationId,
    numbers: &[(String, Option<String>)],
) -> Result<(), PgError> {
    let (ids, numbers): (Vec<&str>, Vec<Option<&str>>) =
        numbers.iter().map(|(id, number)| (id.as_str(), number.as_deref())).unzip();
    let sql = include_str!("../../../db/queries/integrations/set_account_numbers.sql");
    tx.execute(sql, &[&id.0, &ids, &numbers]).await.map(drop)
}

/// `(external id, domain)`; one that is not known leaves what is.
pub async fn set_domains(
    tx: &ActorTx,
    id: IntegrationId,
    domains: &[(String, Option<String>)],
) -> Result<(), PgError> {
    let (ids, domains): (Vec<&str>, Vec<Option<&str>>) =
        domains.iter().map(|(id, domain)| (id.as_str(), domain.as_deref())).unzip();
    let sql = include_str!("../../../db/queries/integrations/set_domains.sql");
    tx.execute(sql, &[&id.0, &ids, &domains]).await.map(drop)
}

/// Returns how many were not missing before.
pub async fn mark_organizations_missing(
    tx: &ActorTx,
    id: IntegrationId,
    external_ids: &[String],
    since: Timestamp,
) -> Result<u64, PgError> {
    let sql = include_str!("../../../db/queries/integrations/mark_organizations_missing.sql");
    tx.execute(sql, &[&id.0, &external_ids, &since]).await
}

/// `(external id, devices)` as a complete reading counted them; organizations not named have none.
pub async fn set_devices_seen(
    tx: &ActorTx,
    id: IntegrationId,
    counts: &[(String, i32)],
) -> Result<(), PgError> {
    let (ids, devices): (Vec<&str>, Vec<i32>) =
        counts.iter().map(|(id, count)| (id.as_str(), *count)).unzip();
    let sql = include_str!("../../../db/queries/integrations/set_devices_seen.sql");
    tx.execute(sql, &[&id.0, &ids, &devices]).await.map(drop)
}

/// Where the vendor's activity log was read to; `None` before the first complete full reading.
pub async fn activity_cursor(tx: &ActorTx, id: IntegrationId) -> Result<Option<i64>, PgError> {
    let row =
        tx.query_opt(include_str!("../../../db/queries/integrations/activity_cursor.sql"), &[&id.0]).await?;
    Ok(row.and_then(|row| row.get("activity_cursor")))
}

pub async fn move_activity_cursor(tx: &ActorTx, id: IntegrationId, to: i64) -> Result<(), PgError> {
    tx.execute_one(include_str!("../../../db/queries/integrations/move_activity_cursor.sql"), &[&id.0, &to])
        .await
}

/// The same problem with the same credentials is told again after this long.
pub const CREDENTIALS_TOLD_AGAIN_S: f64 = 6.0 * 3_600.0;

/// Credentials were seen to fail for the first time since they worked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialsFailed {
    pub name: String,
    /// People are to be told.
    pub is_news: bool,
}

/// `None`: it is known.
pub async fn credentials_failed(
    tx: &ActorTx,
    id: IntegrationId,
    problem: &str,
    at: Timestamp,
) -> Result<Option<CredentialsFailed>, PgError> {
    let sql = include_str!("../../../db/queries/integrations/credentials_failed.sql");
    let row = tx.query_opt(sql, &[&id.0, &at, &problem, &CREDENTIALS_TOLD_AGAIN_S]).await?;
    Ok(row.map(|row| CredentialsFailed { name: row.get("name"), is_news: row.get("is_news") }))
}

pub async fn credentials_work(tx: &ActorTx, id: IntegrationId) -> Result<(), PgError> {
    tx.execute(include_str!("../../../db/queries/integrations/credentials_work.sql"), &[&id.0])
        .await
        .map(drop)
}
