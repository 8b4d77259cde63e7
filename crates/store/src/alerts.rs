use kernel::{
    Timestamp,
    id::{AlertId, ConditionId, CustomerId, DeviceId},
};
use pg::{ActorTx, PgError};

#[derive(Clone, Debug)]
pub struct NewAlert<'a> {
    pub customer: CustomerId,
    pub source: &'a str,
    /// One open alert per customer and key.
    pub dedup_key: &'a str,
    pub device: Option<DeviceId>,
    pub condition: Option<ConditionId>,
    pub kind: &'a str,
    pub severity: &'a str,
    pub title: &'a str,
    pub seen_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaisedAlert {
    pub id: AlertId,
    /// How often it was reported, this time included.
    pub occurrences: i32,
    pub was_open: bool,
}

/// Raises an alert, or counts one up that is open for the same cause.
pub async fn raise(tx: &ActorTx, new: &NewAlert<'_>) -> Result<RaisedAlert, PgError> {
    let row = tx
        .query_one(
            include_str!("../../../db/queries/alerts/raise.sql"),
            &[
                &new.customer.0,
                &AlertId::new(new.seen_at).0,
                &new.source,
                &new.dedup_key,
                &new.device.map(|it| it.0),
                &new.condition.map(|it| it.0),
                &new.kind,
                &new.severity,
                &new.title,
                &new.seen_at,
            ],
        )
        .await?;
    Ok(RaisedAlert {
        id: AlertId(row.get("id")),
        occurrences: row.get("occurrences"),
        was_open: row.get("was_open"),
    })
}

/// An open alert that somebody else's service raised in a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantAlert {
    pub id: AlertId,
    pub dedup_key: String,
}

/// Those of a source whose key begins so.
pub async fn open_of_tenant(
    tx: &ActorTx,
    customer: CustomerId,
    source: &str,
    prefix: &str,
) -> Result<Vec<TenantAlert>, PgError> {
    let sql = include_str!("../../../db/queries/alerts/open_of_tenant.sql");
    let rows = tx.query(sql, &[&customer.0, &source, &prefix]).await?;
    let read = |row: &pg::Row| TenantAlert { id: AlertId(row.get("id")), dedup_key: row.get("dedup_key") };
    Ok(rows.iter().map(read).collect())
}

/// The customer's only device of this name.
pub async fn device_named(
    tx: &ActorTx,
    customer: CustomerId,
    name: &str,
) -> Result<Option<DeviceId>, PgError> {
    let sql = include_str!("../../../db/queries/alerts/device_named.sql");
    let row = tx.query_opt(sql, &[&customer.0, &name]).await?;
    Ok(row.map(|row| DeviceId(row.get("id"))))
}

pub async fn resolve(
    tx: &ActorTx,
    customer: CustomerId,
    ids: &[AlertId],
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/alerts/resolve.sql");
    let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.0).collect();
    tx.execute(sql, &[&customer.0, &ids, &at]).await.map(drop)
}

/// Resolves the device's alerts of this kind when no condition of it is open any more.
pub async fn resolve_cleared(
    tx: &ActorTx,
    customer: CustomerId,
    device: DeviceId,
    kind: &str,
    at: Timestamp,
) -> Result<Vec<AlertId>, PgError> {
    let sql = include_str!("../../../db/queries/alerts/resolve_cleared.sql");
    let rows = tx.query(sql, &[&customer.0, &device.0, &kind, &at]).await?;
    Ok(rows.iter().map(|row| AlertId(row.get(0))).collect())
}
