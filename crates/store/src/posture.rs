//! Posture of tenants: what checks follow from, and what they come to. Within one customer's transaction, but for [`due`].
use std::collections::HashMap;

use domain::posture::{Admin, Credential, Domain, Forwarding, Guest, Link, Score};
use kernel::{Timestamp, id::CustomerId};
use pg::{ActorTx, PgError, types::Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// How a reading came out last.
#[derive(Clone, Debug, Deserialize)]
pub struct Part {
    /// `None`: it was never tried.
    pub state: Option<String>,
    pub reason: Option<String>,
    pub permission: Option<String>,
    pub observed_at: Option<Timestamp>,
    pub is_stale: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SiteRow {
    pub name: String,
    /// Somebody chose that its sharing is read.
    pub is_chosen: bool,
    #[serde(flatten)]
    pub part: Part,
}

/// What was read of a tenant over all connections.
#[derive(Clone, Debug)]
pub struct TenantFacts {
    pub name: String,
    pub has_graph: bool,
    pub has_cipp: bool,
    pub has_documents: bool,
    pub initial_domain: Option<String>,
    pub graph_parts: HashMap<String, Part>,
    pub cipp_parts: HashMap<String, Part>,
    pub sites_read: Part,
    pub sites: Vec<SiteRow>,
    pub admins: Vec<Admin>,
    pub guests: Vec<Guest>,
    pub credentials: Vec<Credential>,
    pub score: Option<Score>,
    pub domains: Vec<Domain>,
    pub forwardings: Vec<Forwarding>,
    pub links: Vec<Link>,
}

#[derive(Debug, Serialize)]
pub struct CheckRow {
    pub check_key: &'static str,
    pub title: &'static str,
    pub severity: &'static str,
    pub why: &'static str,
    pub advice: &'static str,
    /// `passed`, `failed` or `unknown`.
    pub outcome: &'static str,
    /// `None`: unknown.
    pub findings: Option<usize>,
    pub looked_at: Option<usize>,
    pub missing_read: Option<&'static str>,
    pub missing_reason: Option<String>,
    pub permission: Option<String>,
    pub reads: Value,
    pub observed_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
pub struct FindingRow {
    pub check_key: &'static str,
    pub key: String,
    pub subject: String,
    pub detail: String,
}

/// Customers with tenants that are due. Needs a transaction of [`pg::SystemReason::PostureDue`].
pub async fn due(tx: &ActorTx, now: Timestamp, customers_max: i64) -> Result<Vec<CustomerId>, PgError> {
    let sql = include_str!("../../../db/queries/posture/due.sql");
    let rows = tx.query(sql, &[&now, &customers_max]).await?;
    Ok(rows.iter().map(|row| CustomerId(row.get("customer_id"))).collect())
}

/// Locks them until the transaction ends.
pub async fn claim(
    tx: &ActorTx,
    customer: CustomerId,
    now: Timestamp,
    tenants_max: i64,
) -> Result<Vec<Uuid>, PgError> {
    let sql = include_str!("../../../db/queries/posture/claim.sql");
    let rows = tx.query(sql, &[&customer.0, &now, &tenants_max]).await?;
    Ok(rows.iter().map(|row| row.get("id")).collect())
}

/// `None`: there is no such tenant.
pub async fn facts(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    now: Timestamp,
) -> Result<Option<TenantFacts>, PgError> {
    let sql = include_str!("../../../db/queries/posture/facts.sql");
    let Some(row) = tx.query_opt(sql, &[&customer.0, &tenant, &now]).await? else { return Ok(None) };
    let (Json(graph_parts), Json(cipp_parts)) = (row.get("graph_parts"), row.get("cipp_parts"));
    let (Json(sites_read), Json(sites), Json(links)) =
        (row.get("sites_read"), row.get("sites"), row.get("links"));
    let (Json(admins), Json(guests), Json(credentials)) =
        (row.get("admins"), row.get("guests"), row.get("credentials"));
    let (Json(domains), Json(forwardings)) = (row.get("domains"), row.get("forwardings"));
    let score: Option<Json<Score>> = row.get("secure_score");
    Ok(Some(TenantFacts {
        name: row.get("name"),
        has_graph: row.get("has_graph"),
        has_cipp: row.get("has_cipp"),
        has_documents: row.get("has_documents"),
        initial_domain: row.get("initial_domain"),
        graph_parts,
        cipp_parts,
        sites_read,
        sites,
        admins,
        guests,
        credentials,
        score: score.map(|Json(score)| score),
        domains,
        forwardings,
        links,
    }))
}

/// Writes what changed of the checks and their findings, and the day's lines. `known`: checks whose findings are these and no others.
pub async fn keep(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    checks: &[CheckRow],
    findings: &[FindingRow],
    known: &[&str],
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/posture/keep_checks.sql");
    tx.execute(sql, &[&customer.0, &tenant, &Json(checks), &at]).await?;
    let sql = include_str!("../../../db/queries/posture/keep_findings.sql");
    tx.execute(sql, &[&customer.0, &tenant, &Json(findings), &known, &at]).await?;
    let sql = include_str!("../../../db/queries/posture/day.sql");
    tx.execute(sql, &[&customer.0, &tenant, &at]).await.map(drop)
}

/// `name`: what the tenant is called now; `None`: no connection has it any more.
pub async fn evaluated(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    name: Option<&str>,
    due_at: Timestamp,
    at: Timestamp,
) -> Result<(), PgError> {
    if name.is_none() {
        let sql = include_str!("../../../db/queries/posture/drop.sql");
        tx.execute(sql, &[&customer.0, &tenant]).await?;
    }
    let sql = include_str!("../../../db/queries/posture/evaluated.sql");
    tx.execute_one(sql, &[&customer.0, &tenant, &due_at, &name.is_none(), &at, &name]).await
}
