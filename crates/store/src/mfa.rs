//! Second factors: what outcomes follow from, the outcomes, and gaps that a person accepted. Within one customer's
//! transaction, but for [`due`].
use kernel::{
    Timestamp,
    id::{CustomerId, UserId},
};
use pg::{ActorTx, PgError, types::Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use uuid::Uuid;

/// What was read of a tenant.
#[derive(Clone, Debug)]
pub struct TenantFacts {
    pub has_premium: Option<bool>,
    pub security_defaults: Option<bool>,
    /// By the name of the part.
    pub parts: HashMap<String, PartFacts>,
    /// Word for word.
    pub policies: Vec<Value>,
    /// Each `None` when it was never read.
    pub named_locations: Option<Value>,
    pub roles: Option<Value>,
    pub groups: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PartFacts {
    pub state: String,
    pub reason: Option<String>,
    /// When it was last whole.
    pub observed_at: Option<Timestamp>,
}

/// An account, and the gap that is accepted for it.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: Uuid,
    pub external_id: String,
    pub user_principal_name: String,
    pub display_name: String,
    pub user_type: String,
    pub account_enabled: bool,
    pub created_in_vendor_at: Option<Timestamp>,
    pub is_admin: bool,
    pub methods: Option<Vec<String>>,
    pub mfa_registered: Option<bool>,
    pub per_user_mfa: Option<String>,
    /// Reason and end.
    pub accepted: Option<(String, Timestamp)>,
}

#[derive(Debug, Serialize)]
pub struct ResultRow {
    pub person_id: Uuid,
    pub outcome: &'static str,
    pub is_admin: bool,
    pub reason_kind: &'static str,
    pub reason_text: String,
    pub chain: Value,
    pub missing: Vec<&'static str>,
    pub fix: Option<String>,
    pub legacy_open: bool,
}

/// `None`: there is no such tenant any more.
pub async fn facts(tx: &ActorTx, customer: CustomerId, tenant: Uuid) -> Result<Option<TenantFacts>, PgError> {
    let sql = include_str!("../../../db/queries/mfa/facts.sql");
    let Some(row) = tx.query_opt(sql, &[&customer.0, &tenant]).await? else { return Ok(None) };
    let (Json(parts), Json(policies)) = (row.get("parts"), row.get("policies"));
    Ok(Some(TenantFacts {
        has_premium: row.get("has_premium"),
        security_defaults: row.get("security_defaults"),
        parts,
        policies,
        named_locations: row.get("named_locations"),
        roles: row.get("roles"),
        groups: row.get("groups"),
    }))
}

/// Accounts that are there: all of a tenant, or one.
pub async fn people(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    only: Option<Uuid>,
) -> Result<Vec<Person>, PgError> {
    let sql = include_str!("../../../db/queries/mfa/people.sql");
    let rows = tx.query(sql, &[&customer.0, &tenant, &only]).await?;
    let read = |row: &pg::Row| Person {
        id: row.get("id"),
        external_id: row.get("external_id"),
        user_principal_name: row.get("user_principal_name"),
        display_name: row.get("display_name"),
        user_type: row.get("user_type"),
        account_enabled: row.get("account_enabled"),
        created_in_vendor_at: row.get("created_in_vendor_at"),
        is_admin: row.get("is_admin"),
        methods: row.get("methods"),
        mfa_registered: row.get("mfa_registered"),
        per_user_mfa: row.get("per_user_mfa"),
        accepted: row.get::<_, Option<String>>("accepted_reason").zip(row.get("accepted_until")),
    };
    Ok(rows.iter().map(read).collect())
}

/// `observed_at`: of the oldest fact. Returns how many were written.
pub async fn keep(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    rows: &[ResultRow],
    at: Timestamp,
    observed_at: Timestamp,
) -> Result<u64, PgError> {
    let sql = include_str!("../../../db/queries/mfa/keep.sql");
    tx.execute(sql, &[&customer.0, &tenant, &Json(rows), &at, &observed_at]).await
}

pub async fn end_exceptions(tx: &ActorTx, customer: CustomerId, now: Timestamp) -> Result<u64, PgError> {
    tx.execute(include_str!("../../../db/queries/mfa/end_exceptions.sql"), &[&customer.0, &now]).await
}

/// Customers with an exception whose time is over. Needs a transaction of [`pg::SystemReason::MfaDue`].
pub async fn due(tx: &ActorTx, now: Timestamp) -> Result<Vec<CustomerId>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/mfa/due.sql"), &[&now]).await?;
    Ok(rows.iter().map(|row| CustomerId(row.get("customer_id"))).collect())
}

/// Tenant of an account that is there.
pub async fn tenant_of(tx: &ActorTx, customer: CustomerId, person: Uuid) -> Result<Option<Uuid>, PgError> {
    let row =
        tx.query_opt(include_str!("../../../db/queries/mfa/person.sql"), &[&customer.0, &person]).await?;
    Ok(row.map(|row| row.get("tenant_id")))
}

pub async fn accept(
    tx: &ActorTx,
    customer: CustomerId,
    person: Uuid,
    (reason, until): (&str, Timestamp),
    by: Option<UserId>,
    at: Timestamp,
) -> Result<Uuid, PgError> {
    let sql = include_str!("../../../db/queries/mfa/accept.sql");
    let by = by.map(|by| by.0);
    Ok(tx.query_one(sql, &[&customer.0, &person, &reason, &until, &by, &at]).await?.get("id"))
}

/// False: none is in force.
pub async fn withdraw(
    tx: &ActorTx,
    customer: CustomerId,
    person: Uuid,
    by: Option<UserId>,
    at: Timestamp,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/mfa/withdraw.sql");
    Ok(tx.execute(sql, &[&customer.0, &person, &at, &by.map(|by| by.0)]).await? == 1)
}
