//! Microsoft 365 tenants: what of each was read, its licenses, policies and what these refer to. Writes happen within one
//! customer's transaction; reads over all customers (marked below) need [`pg::SystemReason::PlaceDevices`] and see keys only.
use std::collections::HashSet;

use jiff::SignedDuration;
use kernel::{
    Timestamp,
    id::{CustomerId, IntegrationId, SyncRunId},
};
use pg::{ActorTx, PgError, types::Json};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{devices::ContentHash, sync::Counts};

/// Which reading brought rows of one tenant, and what it is worth.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub run: SyncRunId,
    pub observed_at: Timestamp,
    pub is_complete: bool,
}

/// A tenant and where it is filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    pub customer: CustomerId,
    pub id: Uuid,
    pub external_id: String,
}

/// A tenant as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub id: Uuid,
    pub name: String,
    /// Entra ID P1 or P2; `None`: never read.
    pub has_premium: Option<bool>,
}

/// A kind of facts of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartOf {
    Organization,
    Seats,
    People,
    SignIns,
    Registrations,
    MfaStates,
    ManagedDevices,
    Policies,
    Roles,
    Applications,
    SecureScore,
    DirectoryChanges,
    SignInLog,
    SecurityAlerts,
    Subscriptions,
}

impl PartOf {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Seats => "seats",
            Self::People => "people",
            Self::SignIns => "sign_ins",
            Self::Registrations => "registrations",
            Self::MfaStates => "mfa_states",
            Self::ManagedDevices => "managed_devices",
            Self::Policies => "policies",
            Self::Roles => "roles",
            Self::Applications => "applications",
            Self::SecureScore => "secure_score",
            Self::DirectoryChanges => "directory_changes",
            Self::SignInLog => "sign_in_log",
            Self::SecurityAlerts => "security_alerts",
            Self::Subscriptions => "subscriptions",
        }
    }

    /// How long a complete reading does for scheduled runs between two full ones. `None`: each of them reads it.
    const fn spared_for(self) -> Option<SignedDuration> {
        match self {
            Self::Organization | Self::Applications | Self::SecureScore => {
                Some(SignedDuration::from_hours(6))
            }
            // Reports have the smallest quota of all.
            Self::Registrations | Self::ManagedDevices | Self::Policies => {
                Some(SignedDuration::from_hours(1))
            }
            Self::Seats
            | Self::People
            | Self::SignIns
            | Self::MfaStates
            | Self::Roles
            | Self::DirectoryChanges
            | Self::SignInLog
            | Self::SecurityAlerts
            | Self::Subscriptions => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartState {
    Complete,
    Partial,
    /// The tenant, or a missing right, forbids it: somebody has to change that.
    Denied,
    Failed,
}

impl PartState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }

    /// The constraint of the table lets nothing else in.
    pub(crate) fn read(text: &str) -> Self {
        [Self::Complete, Self::Partial, Self::Denied]
            .into_iter()
            .find(|state| state.as_str() == text)
            .unwrap_or(Self::Failed)
    }
}

/// How a part of a tenant was read.
#[derive(Clone, Debug)]
pub struct PartRead {
    pub part: PartOf,
    pub state: PartState,
    /// Given unless it is complete.
    pub reason: Option<String>,
    /// The missing right.
    pub permission: Option<&'static str>,
    /// When what is kept of it was seen; `None`: nothing new is kept.
    pub observed_at: Option<Timestamp>,
    pub rows: usize,
}

/// How a part of a tenant was read last.
#[derive(Clone, Debug)]
pub struct PartKnown {
    pub part: String,
    pub state: PartState,
    pub reason: Option<String>,
    /// The missing right.
    pub permission: Option<String>,
    pub observed_at: Option<Timestamp>,
    pub run: Option<SyncRunId>,
}

/// What a tenant says of itself.
#[derive(Clone, Debug)]
pub struct Described {
    pub name: String,
    pub default_domain: Option<String>,
    pub initial_domain: Option<String>,
    pub domains: Vec<String>,
    /// ISO 3166, two letters.
    pub country: Option<String>,
    pub observed_at: Timestamp,
}

#[derive(Debug, Serialize)]
pub struct SkuRow {
    pub sku_id: Uuid,
    pub part_number: String,
    pub name: String,
    pub purchased: i32,
    pub suspended: i32,
    pub warning: i32,
    pub assigned: i32,
    pub status: String,
    pub raw: Value,
    pub content_hash: ContentHash,
    /// `None`: they were not read; what is known of them stays.
    pub terms: Option<Vec<SkuTerm>>,
}

/// Seats of one purchase, and the end of its term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkuTerm {
    pub subscription: String,
    pub seats: i32,
    pub until: Timestamp,
}

#[derive(Debug, Serialize)]
pub struct PolicyRow {
    pub external_id: String,
    pub name: String,
    pub state: String,
    pub modified_at: Option<Timestamp>,
    pub raw: Value,
    pub content_hash: ContentHash,
}

/// What policies refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactsKind {
    NamedLocations,
    Roles,
    Groups,
}

impl FactsKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::NamedLocations => "named_locations",
            Self::Roles => "roles",
            Self::Groups => "groups",
        }
    }
}

/// Over all customers.
pub async fn placements(tx: &ActorTx, integration: IntegrationId) -> Result<Vec<Filed>, PgError> {
    let sql = include_str!("../../../db/queries/tenants/placements.sql");
    let rows = tx.query(sql, &[&integration.0]).await?;
    let read = |row: &pg::Row| Filed {
        customer: CustomerId(row.get("customer_id")),
        id: row.get("id"),
        external_id: row.get("external_id"),
    };
    Ok(rows.iter().map(read).collect())
}

/// The row of a tenant; `name` is what the partner calls it, until the tenant says its own.
pub async fn ensure(
    tx: &ActorTx,
    customer: CustomerId,
    integration: IntegrationId,
    (external_id, name): (&str, &str),
    run: SyncRunId,
    at: Timestamp,
) -> Result<Tenant, PgError> {
    let sql = include_str!("../../../db/queries/tenants/ensure.sql");
    let row = tx.query_one(sql, &[&customer.0, &integration.0, &external_id, &name, &at, &run.0]).await?;
    Ok(Tenant { id: row.get("id"), name: row.get("name"), has_premium: row.get("has_premium") })
}

pub async fn describe(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    is: &Described,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/tenants/describe.sql");
    let params = &[
        &customer.0 as _,
        &tenant as _,
        &is.name as _,
        &is.default_domain as _,
        &is.initial_domain as _,
        &is.domains as _,
        &is.country as _,
        &is.observed_at as _,
    ];
    tx.execute_one(sql, params).await
}

/// What a tenant has; what is not said stays as it was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flags {
    pub has_premium: Option<bool>,
    pub security_defaults: Option<bool>,
}

pub async fn set_flags(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    flags: Flags,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/tenants/set_flags.sql");
    tx.execute(sql, &[&customer.0, &tenant, &flags.has_premium, &flags.security_defaults]).await.map(drop)
}

/// Tenants (customer and vendor's id) of which a part is not due in a scheduled run. Over all customers.
pub async fn spared(
    tx: &ActorTx,
    integration: IntegrationId,
    part: PartOf,
    now: Timestamp,
) -> Result<HashSet<(CustomerId, String)>, PgError> {
    let sql = include_str!("../../../db/queries/tenants/spared.sql");
    let rows = tx.query(sql, &[&integration.0, &part.as_str(), &now]).await?;
    Ok(rows.iter().map(|row| (CustomerId(row.get("customer_id")), row.get("external_id"))).collect())
}

/// Everything of a tenant is due again.
pub async fn unspare(tx: &ActorTx, customer: CustomerId, tenant: Uuid) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/tenants/unspare.sql");
    tx.execute(sql, &[&customer.0, &tenant]).await.map(drop)
}

/// Where the next reading of only what changed in a part begins. `None`: it is to be read whole.
pub async fn cursor(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    part: PartOf,
) -> Result<Option<String>, PgError> {
    let sql = include_str!("../../../db/queries/tenants/cursor.sql");
    let row = tx.query_opt(sql, &[&customer.0, &tenant, &part.as_str()]).await?;
    Ok(row.map(|row| row.get("link")))
}

/// `None` forgets it.
pub async fn keep_cursor(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    part: PartOf,
    link: Option<&str>,
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/tenants/keep_cursor.sql");
    tx.execute(sql, &[&customer.0, &tenant, &part.as_str(), &link, &at]).await.map(drop)
}

pub async fn finish_part(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    run: SyncRunId,
    read: &PartRead,
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/tenants/finish_part.sql");
    let rows = as_count(read.rows);
    let is_whole = read.state == PartState::Complete;
    let spare_until =
        read.part.spared_for().filter(|_| is_whole).and_then(|spared| at.checked_add(spared).ok());
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
        &spare_until as _,
    ];
    tx.execute_one(sql, params).await
}

pub async fn parts(tx: &ActorTx, customer: CustomerId, tenant: Uuid) -> Result<Vec<PartKnown>, PgError> {
    let sql = include_str!("../../../db/queries/tenants/parts.sql");
    let rows = tx.query(sql, &[&customer.0, &tenant]).await?;
    let read = |row: &pg::Row| PartKnown {
        part: row.get("part"),
        state: PartState::read(row.get("state")),
        reason: row.get("reason"),
        permission: row.get("permission"),
        observed_at: row.get("observed_at"),
        run: row.get::<_, Option<Uuid>>("sync_run_id").map(SyncRunId),
    };
    Ok(rows.iter().map(read).collect())
}

/// Tenants that are mapped to another customer, or to none. Returns how many accounts went with them.
pub async fn leave(
    tx: &ActorTx,
    customer: CustomerId,
    tenants: &[Uuid],
    at: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/tenants/leave.sql");
    let row = tx.query_one(sql, &[&customer.0, &tenants, &at]).await?;
    Ok(i32::try_from(row.get::<_, i64>("people")).unwrap_or(i32::MAX))
}

/// Tenants of one customer that are there.
pub async fn of_customer(tx: &ActorTx, customer: CustomerId) -> Result<Vec<(Filed, IntegrationId)>, PgError> {
    let sql = include_str!("../../../db/queries/tenants/of_customer.sql");
    let rows = tx.query(sql, &[&customer.0]).await?;
    let read = |row: &pg::Row| {
        let filed = Filed { customer, id: row.get("id"), external_id: row.get("external_id") };
        (filed, IntegrationId(row.get("integration_id")))
    };
    Ok(rows.iter().map(read).collect())
}

pub async fn upsert_skus(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    seen: &Seen,
    rows: &[SkuRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../db/queries/tenants/upsert_skus.sql");
    upsert(tx, sql, customer, tenant, seen, &Json(rows)).await
}

pub async fn skus_present(tx: &ActorTx, customer: CustomerId, tenant: Uuid) -> Result<Vec<Uuid>, PgError> {
    let sql = include_str!("../../../db/queries/tenants/skus_present.sql");
    let rows = tx.query(sql, &[&customer.0, &tenant]).await?;
    Ok(rows.iter().map(|row| row.get("sku_id")).collect())
}

/// Only when two complete lists in a row lacked them: the vendor has no reading of a single one.
pub async fn mark_skus_missing(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    skus: &[Uuid],
    since: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/tenants/mark_skus_missing.sql");
    let marked = tx.execute(sql, &[&customer.0, &tenant, &skus, &since]).await?;
    Ok(i32::try_from(marked).unwrap_or(i32::MAX))
}

pub async fn upsert_policies(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    seen: &Seen,
    rows: &[PolicyRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../db/queries/tenants/upsert_policies.sql");
    upsert(tx, sql, customer, tenant, seen, &Json(rows)).await
}

pub async fn policies_present(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
) -> Result<Vec<String>, PgError> {
    let sql = include_str!("../../../db/queries/tenants/policies_present.sql");
    let rows = tx.query(sql, &[&customer.0, &tenant]).await?;
    Ok(rows.iter().map(|row| row.get("external_id")).collect())
}

/// Only when two complete lists in a row lacked them.
pub async fn mark_policies_missing(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    external_ids: &[String],
    since: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/tenants/mark_policies_missing.sql");
    let marked = tx.execute(sql, &[&customer.0, &tenant, &external_ids, &since]).await?;
    Ok(i32::try_from(marked).unwrap_or(i32::MAX))
}

pub async fn keep_facts(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    kind: FactsKind,
    facts: &Value,
    observed_at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/tenants/keep_facts.sql");
    tx.execute_one(sql, &[&customer.0, &tenant, &kind.as_str(), facts, &observed_at]).await
}

async fn upsert<T: Serialize + std::fmt::Debug + Sync>(
    tx: &ActorTx,
    sql: &str,
    customer: CustomerId,
    tenant: Uuid,
    seen: &Seen,
    rows: &Json<&[T]>,
) -> Result<Counts, PgError> {
    let params = &[
        &customer.0 as _,
        &tenant as _,
        rows as _,
        &seen.run.0 as _,
        &seen.observed_at as _,
        &seen.is_complete as _,
    ];
    Ok(counts(&tx.query_one(sql, params).await?))
}

pub(crate) fn counts(row: &pg::Row) -> Counts {
    let count = |column: &str| i32::try_from(row.get::<_, i64>(column)).unwrap_or(i32::MAX);
    let (created, updated, unchanged) = (count("created"), count("updated"), count("unchanged"));
    Counts { read: created + updated + unchanged, created, updated, unchanged, ..Counts::default() }
}

fn as_count(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}
