//! Subscriptions to changes of tenants, and which tenants are to be read because of one. The provider's: a tenant is told of before it is
//! known whose it is.
use std::collections::BTreeSet;

use kernel::{
    Timestamp,
    id::{IntegrationId, SyncRunId},
};
use pg::{ActorTx, PgError};

/// What is known of the one subscription of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// `None`: asked for, and no answer came.
    pub external_id: Option<String>,
    pub secret_sha256: Vec<u8>,
    pub expires_at: Option<Timestamp>,
    pub renew_now: bool,
}

/// What a notification says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    Changed,
    Renew,
    Removed,
    Missed,
}

impl Told {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Renew => "renew",
            Self::Removed => "removed",
            Self::Missed => "missed",
        }
    }
}

pub async fn of_tenant(
    tx: &ActorTx,
    integration: IntegrationId,
    tenant: &str,
) -> Result<Option<Known>, PgError> {
    let sql = include_str!("../../../db/queries/subscriptions/of_tenant.sql");
    let row = tx.query_opt(sql, &[&integration.0, &tenant]).await?;
    Ok(row.map(|row| Known {
        external_id: row.get("external_id"),
        secret_sha256: row.get("secret_sha256"),
        expires_at: row.get("expires_at"),
        renew_now: row.get("renew_now"),
    }))
}

/// A new one is asked for: from now on its secret is believed.
pub async fn begin(
    tx: &ActorTx,
    integration: IntegrationId,
    tenant: &str,
    secret_sha256: &[u8],
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/subscriptions/begin.sql");
    tx.execute_one(sql, &[&integration.0, &tenant, &secret_sha256, &at]).await
}

/// It stands, or was renewed.
pub async fn stands(
    tx: &ActorTx,
    integration: IntegrationId,
    tenant: &str,
    (external_id, expires_at): (&str, Timestamp),
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/subscriptions/stands.sql");
    tx.execute_one(sql, &[&integration.0, &tenant, &external_id, &expires_at, &at]).await
}

/// `times`: how many notifications said so.
pub async fn told(
    tx: &ActorTx,
    integration: IntegrationId,
    tenant: &str,
    (what, times): (Told, i64),
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/subscriptions/told.sql");
    tx.execute(sql, &[&integration.0, &tenant, &what.as_str(), &times, &at]).await.map(drop)
}

/// Tenants that were told of and not read since.
pub async fn due(tx: &ActorTx, integration: IntegrationId) -> Result<BTreeSet<String>, PgError> {
    let sql = include_str!("../../../db/queries/subscriptions/due.sql");
    let rows = tx.query(sql, &[&integration.0]).await?;
    Ok(rows.iter().map(|row| row.get("tenant_external")).collect())
}

/// What was told before this run began has been read.
pub async fn settle(tx: &ActorTx, integration: IntegrationId, run: SyncRunId) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/subscriptions/settle.sql");
    tx.execute(sql, &[&integration.0, &run.0]).await.map(drop)
}
