//! Accounts of tenants: who they are, which licenses and roles they hold, which second factors they registered. Within one
//! customer's transaction.
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
pub struct AccountRow {
    pub external_id: String,
    pub user_principal_name: String,
    pub display_name: String,
    pub mail: Option<String>,
    pub user_type: &'static str,
    pub account_enabled: bool,
    pub created_in_vendor_at: Option<Timestamp>,
    /// `None` leaves what is known.
    pub last_sign_in_at: Option<Timestamp>,
    pub department: Option<String>,
    pub job_title: Option<String>,
    pub is_synced: bool,
    /// Sorted, each once.
    pub sku_ids: Vec<Uuid>,
    pub raw: Value,
    pub content_hash: ContentHash,
    #[serde(skip)]
    pub licenses: Vec<License>,
}

/// A license in somebody's hands.
#[derive(Clone, Debug)]
pub struct License {
    pub sku_id: Uuid,
    pub assigned_at: Option<Timestamp>,
    pub source: LicenseSource,
    pub error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LicenseSource {
    Direct,
    Group,
}

#[derive(Serialize, Debug)]
struct LicenseInput<'a> {
    external_id: &'a str,
    sku_id: Uuid,
    assigned_at: Option<Timestamp>,
    by_group: bool,
    error: Option<&'a str>,
}

/// Writes accounts of one tenant, with the licenses of those that changed.
pub async fn upsert(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    seen: &Seen,
    rows: &[AccountRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../db/queries/accounts/upsert.sql");
    let params = &[
        &customer.0 as _,
        &tenant as _,
        &Json(rows) as _,
        &seen.run.0 as _,
        &seen.observed_at as _,
        &seen.is_complete as _,
    ];
    let row = tx.query_one(sql, params).await?;
    let written: Vec<&str> = row.get("written");
    if !written.is_empty() {
        let is_written: std::collections::HashSet<&str> = written.iter().copied().collect();
        let held: Vec<LicenseInput<'_>> = rows
            .iter()
            .filter(|row| is_written.contains(row.external_id.as_str()))
            .flat_map(|row| {
                row.licenses.iter().map(|license| LicenseInput {
                    external_id: &row.external_id,
                    sku_id: license.sku_id,
                    assigned_at: license.assigned_at,
                    by_group: license.source == LicenseSource::Group,
                    error: license.error.as_deref(),
                })
            })
            .collect();
        let sql = include_str!("../../../db/queries/accounts/keep_licenses.sql");
        tx.query_one(sql, &[&customer.0, &tenant, &written, &Json(&held), &seen.observed_at]).await?;
    }
    Ok(counts(&row))
}

/// The vendor's ids of the accounts that are there.
pub async fn present(tx: &ActorTx, customer: CustomerId, tenant: Uuid) -> Result<Vec<String>, PgError> {
    let sql = include_str!("../../../db/queries/accounts/present.sql");
    ids(tx.query(sql, &[&customer.0, &tenant]).await?)
}

/// Only after a confirmed disappearance. Their licenses are taken for free again.
pub async fn mark_missing(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    external_ids: &[String],
    since: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/accounts/mark_missing.sql");
    let row = tx.query_one(sql, &[&customer.0, &tenant, &external_ids, &since]).await?;
    Ok(i32::try_from(row.get::<_, i64>("people")).unwrap_or(i32::MAX))
}

/// What is asked for account by account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Methods,
    MfaState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    /// Those of which it was never read.
    Unread,
}

pub async fn to_ask(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    asked: Asked,
    which: Which,
) -> Result<Vec<String>, PgError> {
    let sql = include_str!("../../../db/queries/accounts/to_ask.sql");
    let column = match asked {
        Asked::Methods => "methods",
        Asked::MfaState => "per_user_mfa",
    };
    ids(tx.query(sql, &[&customer.0, &tenant, &column, &(which == Which::All)]).await?)
}

#[derive(Debug, Serialize)]
pub struct MethodsRow {
    pub external_id: String,
    pub methods: Vec<String>,
    pub mfa_registered: bool,
}

pub async fn set_methods(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    rows: &[MethodsRow],
) -> Result<u64, PgError> {
    let sql = include_str!("../../../db/queries/accounts/set_methods.sql");
    tx.execute(sql, &[&customer.0, &tenant, &Json(rows)]).await
}

/// `(account, state)`.
pub async fn set_mfa_states(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    rows: &[(String, String)],
) -> Result<u64, PgError> {
    let (accounts, states): (Vec<&str>, Vec<&str>) =
        rows.iter().map(|(account, state)| (account.as_str(), state.as_str())).unzip();
    let sql = include_str!("../../../db/queries/accounts/set_mfa_states.sql");
    tx.execute(sql, &[&customer.0, &tenant, &accounts, &states]).await
}

#[derive(Debug, Serialize)]
pub struct RolesRow {
    pub external_id: String,
    /// Names, sorted.
    pub roles: Vec<String>,
}

/// Accounts that are not named hold none.
pub async fn set_roles(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    rows: &[RolesRow],
) -> Result<u64, PgError> {
    let sql = include_str!("../../../db/queries/accounts/set_roles.sql");
    tx.execute(sql, &[&customer.0, &tenant, &Json(rows)]).await
}

fn ids(rows: Vec<pg::Row>) -> Result<Vec<String>, PgError> {
    Ok(rows.iter().map(|row| row.get("external_id")).collect())
}
