//! A drift that is decided about or remediated.
use kernel::{
    Timestamp,
    id::{CustomerId, IntegrationId, RunId, TicketId},
};
use pg::{ActorTx, PgError};
use serde_json::Value;
use uuid::Uuid;

/// A drift and its tenant, as decisions and runs need them.
#[derive(Clone, Debug)]
pub struct Drift {
    pub id: Uuid,
    pub tenant: Uuid,
    pub setting: String,
    /// In words, where the library knows it.
    pub setting_name: String,
    pub state: String,
    pub rule: Value,
    pub severity: String,
    pub actual: Option<Value>,
    pub run: Option<RunId>,
    pub ticket: Option<TicketId>,
    pub layer_name: String,
    pub integration: IntegrationId,
    /// The Entra tenant's id.
    pub tenant_ref: String,
    pub tenant_name: String,
    /// What CIPP names the tenant by.
    pub default_domain: Option<String>,
    pub is_excluded: bool,
    pub is_gone: bool,
    pub customer_name: String,
}

/// Locks it until the transaction ends. `None`: no such drift of this customer.
pub async fn by_id(tx: &ActorTx, customer: CustomerId, id: Uuid) -> Result<Option<Drift>, PgError> {
    let row =
        tx.query_opt(include_str!("../../../../db/queries/drift/by_id.sql"), &[&customer.0, &id]).await?;
    Ok(row.map(|row| Drift {
        id: row.get("id"),
        tenant: row.get("cipp_tenant_id"),
        setting: row.get("setting"),
        setting_name: row.get("setting_name"),
        state: row.get("state"),
        rule: row.get("rule"),
        severity: row.get("severity"),
        actual: row.get("actual"),
        run: row.get::<_, Option<Uuid>>("run_id").map(RunId),
        ticket: row.get::<_, Option<Uuid>>("ticket_id").map(TicketId),
        layer_name: row.get("layer_name"),
        integration: IntegrationId(row.get("integration_id")),
        tenant_ref: row.get("tenant_ref"),
        tenant_name: row.get("tenant_name"),
        default_domain: row.get("default_domain"),
        is_excluded: row.get("is_excluded"),
        is_gone: row.get::<_, Option<Timestamp>>("missing_since").is_some(),
        customer_name: row.get("customer_name"),
    }))
}

/// False: it is neither open nor denied.
pub async fn begin_change(
    tx: &ActorTx,
    customer: CustomerId,
    drift: Uuid,
    run: RunId,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../../db/queries/drift/begin_change.sql");
    Ok(tx.execute(sql, &[&customer.0, &drift, &run.0]).await? == 1)
}

/// Open again; `text` says what came of the run, `ticket` who looks at it.
pub async fn end_change(
    tx: &ActorTx,
    customer: CustomerId,
    drift: Uuid,
    run: RunId,
    text: &str,
    ticket: Option<TicketId>,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../../db/queries/drift/end_change.sql");
    let ticket = ticket.map(|id| id.0);
    Ok(tx.execute(sql, &[&customer.0, &drift, &run.0, &text, &ticket]).await? == 1)
}

/// Closed: the value was read back.
pub async fn remediated(
    tx: &ActorTx,
    customer: CustomerId,
    drift: Uuid,
    run: RunId,
    at: Timestamp,
    text: &str,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../../db/queries/drift/remediated.sql");
    Ok(tx.execute(sql, &[&customer.0, &drift, &run.0, &at, &text]).await? == 1)
}

/// The value that an independent reading showed.
pub async fn read_back(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    setting: &str,
    value: &Value,
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../../db/queries/drift/read_back.sql");
    tx.execute(sql, &[&customer.0, &tenant, &setting, &value, &at]).await.map(drop)
}

/// How many drifts of the customer are being remediated, but for this run.
pub async fn changing(tx: &ActorTx, customer: CustomerId, run: RunId) -> Result<i32, PgError> {
    let sql = include_str!("../../../../db/queries/drift/changing.sql");
    Ok(tx.query_one(sql, &[&customer.0, &run.0]).await?.get("runs"))
}

/// Customer, drift and tenant of what a baseline makes drift in these tenants; those that the caller may see.
pub async fn of_baseline(
    tx: &ActorTx,
    baseline: Uuid,
    tenants: &[Uuid],
    rows_max: i64,
) -> Result<Vec<(CustomerId, Uuid, Uuid)>, PgError> {
    let sql = include_str!("../../../../db/queries/drift/of_baseline.sql");
    let rows = tx.query(sql, &[&baseline, &tenants, &rows_max]).await?;
    let read = |row: &pg::Row| (CustomerId(row.get("customer_id")), row.get("id"), row.get("cipp_tenant_id"));
    Ok(rows.iter().map(read).collect())
}

pub async fn open_ticket(
    tx: &ActorTx,
    customer: CustomerId,
    subject: &str,
    description: &str,
    at: Timestamp,
) -> Result<TicketId, PgError> {
    let id = TicketId::new(at);
    let sql = include_str!("../../../../db/queries/drift/open_ticket.sql");
    tx.execute_one(sql, &[&customer.0, &id.0, &subject, &description, &at]).await?;
    Ok(id)
}
