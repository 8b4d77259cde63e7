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
    pub device: DeviceId,
    pub condition: ConditionId,
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
                &new.device.0,
                &new.condition.0,
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
