//! When a tenant last let a connection in. The provider's: needs a transaction of its worker, but for what is marked.
use kernel::{
    Timestamp,
    id::{CustomerId, IntegrationId},
};
use pg::{ActorTx, PgError, types::Json};
use serde::Serialize;

/// A mapped tenant whose turn it is.
#[derive(Clone, Debug)]
pub struct Due {
    pub integration: IntegrationId,
    pub integration_name: String,
    pub vendor: String,
    pub external_id: String,
    pub name: String,
    pub customer: CustomerId,
}

/// What a tenant answered to the read of one class.
#[derive(Clone, Debug, Serialize)]
pub struct Answered {
    pub class: &'static str,
    pub is_proven: bool,
    pub reason: Option<String>,
    pub permission: Option<String>,
}

/// A class after its answer.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub class: String,
    pub is_failing: bool,
    pub was_failing: bool,
    pub reason: Option<String>,
    pub proved_at: Option<Timestamp>,
}

/// Takes the turns of at most so many tenants that were not asked since.
pub async fn claim(
    tx: &ActorTx,
    now: Timestamp,
    asked_before: Timestamp,
    tenants_max: i64,
) -> Result<Vec<Due>, PgError> {
    let sql = include_str!("../../../db/queries/canaries/claim.sql");
    let rows = tx.query(sql, &[&now, &asked_before, &tenants_max]).await?;
    Ok(rows
        .iter()
        .map(|row| Due {
            integration: IntegrationId(row.get("integration_id")),
            integration_name: row.get("integration_name"),
            vendor: row.get("vendor"),
            external_id: row.get("external_id"),
            name: row.get("name"),
            customer: CustomerId(row.get("customer_id")),
        })
        .collect())
}

/// As if it had been asked at `asked_at`.
pub async fn again(tx: &ActorTx, of: &Due, asked_at: Timestamp) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/canaries/again.sql");
    tx.execute(sql, &[&of.integration.0, &of.external_id, &asked_at]).await.map(drop)
}

pub async fn record(
    tx: &ActorTx,
    of: &Due,
    answers: &[Answered],
    at: Timestamp,
) -> Result<Vec<Recorded>, PgError> {
    let sql = include_str!("../../../db/queries/canaries/record.sql");
    let rows = tx.query(sql, &[&of.integration.0, &of.external_id, &Json(answers), &at]).await?;
    Ok(rows
        .iter()
        .map(|row| Recorded {
            class: row.get("class"),
            is_failing: row.get::<_, &str>("state") == "failing",
            was_failing: row.get::<_, &str>("state_before") == "failing",
            reason: row.get("reason"),
            proved_at: row.get("proved_at"),
        })
        .collect())
}

/// In the transaction of the tenant's customer.
pub async fn judge_anew(tx: &ActorTx, of: &Due) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/canaries/judge_anew.sql");
    tx.query(sql, &[&of.customer.0, &of.integration.0, &of.external_id, &of.name]).await.map(drop)
}

/// In the transaction of the tenant's customer: by what CIPP names it; `None`: CIPP does not work on it.
pub async fn cipp_domain(tx: &ActorTx, of: &Due) -> Result<Option<String>, PgError> {
    let sql = include_str!("../../../db/queries/canaries/domain.sql");
    let row = tx.query_opt(sql, &[&of.customer.0, &of.integration.0, &of.external_id]).await?;
    Ok(row.and_then(|row| row.get("default_domain")))
}
