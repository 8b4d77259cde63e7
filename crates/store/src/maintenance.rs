//! Windows in which a device is worked on, and the alerts that they keep from paging.
use kernel::{
    Timestamp,
    id::{AlertId, CustomerId, DeviceId, RunId, UserId},
};
use pg::{ActorTx, PgError, Row};
use uuid::Uuid;

/// A window as its runs need it. Locked until the transaction ends.
#[derive(Clone, Debug)]
pub struct Window {
    pub id: Uuid,
    pub device: DeviceId,
    pub reason: String,
    pub features: Vec<String>,
    pub state: String,
    pub ends_at: Timestamp,
    pub run: Option<RunId>,
    pub end_run: Option<RunId>,
}

#[derive(Clone, Debug)]
pub struct NewWindow<'a> {
    pub id: Uuid,
    pub device: DeviceId,
    pub reason: &'a str,
    pub features: &'a [String],
    pub ends_at: Timestamp,
    pub by: Option<UserId>,
    pub at: Timestamp,
}

/// What is to be known of a device before it is put into maintenance.
#[derive(Clone, Debug)]
pub struct Fit {
    pub id: DeviceId,
    pub name: String,
    pub approval: String,
    pub is_gone: bool,
    pub vendor: String,
}

/// How a window ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Over,
    ByPerson,
    /// Somebody ended it in the vendor's own console.
    AtVendor,
    NotVerified,
}

impl End {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Over => "over",
            Self::ByPerson => "by_person",
            Self::AtVendor => "at_vendor",
            Self::NotVerified => "not_verified",
        }
    }
}

/// A muted alert.
#[derive(Clone, Debug)]
pub struct Muted {
    pub id: Uuid,
    pub alert: AlertId,
    pub device: Option<DeviceId>,
    pub kind: String,
    pub severity: String,
    pub title: String,
    pub message: String,
    pub is_resolved: bool,
}

/// What became of a muted alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was still true at the end of the window.
    Returned,
    Cleared,
    /// A person took it out.
    Unmuted,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::Cleared => "cleared",
            Self::Unmuted => "unmuted",
        }
    }
}

pub async fn fit(tx: &ActorTx, customer: CustomerId, devices: &[DeviceId]) -> Result<Vec<Fit>, PgError> {
    let ids: Vec<Uuid> = devices.iter().map(|id| id.0).collect();
    let sql = include_str!("../../../db/queries/maintenance/fit.sql");
    let rows = tx.query(sql, &[&customer.0, &ids]).await?;
    Ok(rows
        .iter()
        .map(|row| Fit {
            id: DeviceId(row.get("id")),
            name: row.get("name"),
            approval: row.get("approval"),
            is_gone: row.get("is_gone"),
            vendor: row.get("vendor"),
        })
        .collect())
}

/// False when the device has an open window already.
pub async fn ask(tx: &ActorTx, customer: CustomerId, new: &NewWindow<'_>) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/maintenance/ask.sql");
    let by = new.by.map(|by| by.0);
    let rows = tx
        .execute(
            sql,
            &[&customer.0, &new.id, &new.device.0, &new.reason, &new.features, &new.ends_at, &by, &new.at],
        )
        .await?;
    Ok(rows == 1)
}

pub async fn attach_run(tx: &ActorTx, customer: CustomerId, id: Uuid, run: RunId) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/maintenance/attach_run.sql");
    tx.execute(sql, &[&customer.0, &id, &run.0]).await.map(drop)
}

/// The device's open window and its state. Locked until the transaction ends.
pub async fn open_of_device(
    tx: &ActorTx,
    customer: CustomerId,
    device: DeviceId,
) -> Result<Option<(Uuid, String)>, PgError> {
    let sql = include_str!("../../../db/queries/maintenance/open_of_device.sql");
    let row = tx.query_opt(sql, &[&customer.0, &device.0]).await?;
    Ok(row.map(|row| (row.get("id"), row.get("state"))))
}

/// False when it is not active.
pub async fn begin_end(
    tx: &ActorTx,
    customer: CustomerId,
    id: Uuid,
    run: RunId,
    by: Option<UserId>,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/maintenance/begin_end.sql");
    Ok(tx.execute(sql, &[&customer.0, &id, &run.0, &by.map(|by| by.0)]).await? == 1)
}

pub async fn by_id(tx: &ActorTx, customer: CustomerId, id: Uuid) -> Result<Option<Window>, PgError> {
    let sql = include_str!("../../../db/queries/maintenance/by_id.sql");
    Ok(tx.query_opt(sql, &[&customer.0, &id]).await?.as_ref().map(window))
}

/// It holds: proven for the first time, or its end was not.
pub async fn active(
    tx: &ActorTx,
    customer: CustomerId,
    id: Uuid,
    text: Option<&str>,
    at: Timestamp,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/maintenance/active.sql");
    Ok(tx.execute(sql, &[&customer.0, &id, &text, &at]).await? == 1)
}

/// A reading proved its early end; the next look ends it and gives its alerts back.
pub async fn end_proven(
    tx: &ActorTx,
    customer: CustomerId,
    id: Uuid,
    text: &str,
    at: Timestamp,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/maintenance/end_proven.sql");
    Ok(tx.execute(sql, &[&customer.0, &id, &text, &at]).await? == 1)
}

/// False when it had ended before.
pub async fn end(
    tx: &ActorTx,
    customer: CustomerId,
    id: Uuid,
    how: End,
    text: Option<&str>,
    at: Timestamp,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/maintenance/end.sql");
    Ok(tx.execute(sql, &[&customer.0, &id, &how.as_str(), &text, &at]).await? == 1)
}

/// Customers with windows to look at. Needs a transaction of [`pg::SystemReason::MaintenanceDue`].
pub async fn due(
    tx: &ActorTx,
    now: Timestamp,
    looked_before: Timestamp,
    customers_max: i64,
) -> Result<Vec<CustomerId>, PgError> {
    let sql = include_str!("../../../db/queries/maintenance/due.sql");
    let rows = tx.query(sql, &[&now, &looked_before, &customers_max]).await?;
    Ok(rows.iter().map(|row| CustomerId(row.get("customer_id"))).collect())
}

/// Looks at the windows that hold; returns those that are over.
pub async fn look(
    tx: &ActorTx,
    customer: CustomerId,
    now: Timestamp,
    windows_max: i64,
) -> Result<Vec<(Uuid, End)>, PgError> {
    let sql = include_str!("../../../db/queries/maintenance/look.sql");
    let rows = tx.query(sql, &[&customer.0, &now, &windows_max]).await?;
    let how = |row: &Row| match row.get::<_, &str>("end_reason") {
        "over" => End::Over,
        "by_person" => End::ByPerson,
        _ => End::AtVendor,
    };
    Ok(rows.iter().map(|row| (row.get("id"), how(row))).collect())
}

/// Mutes the alert when its device is in maintenance; says whether it is muted now.
pub async fn mute(
    tx: &ActorTx,
    customer: CustomerId,
    alert: AlertId,
    device: DeviceId,
    now: Timestamp,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/maintenance/mute.sql");
    let id = kernel::id::uuid_v7(now);
    Ok(tx.query_one(sql, &[&customer.0, &alert.0, &device.0, &id, &now]).await?.get("is_muted"))
}

/// These alerts' causes are gone: nothing comes back.
pub async fn cleared(
    tx: &ActorTx,
    customer: CustomerId,
    alerts: &[AlertId],
    at: Timestamp,
) -> Result<u64, PgError> {
    let ids: Vec<Uuid> = alerts.iter().map(|id| id.0).collect();
    let sql = include_str!("../../../db/queries/maintenance/cleared.sql");
    tx.execute(sql, &[&customer.0, &ids, &at]).await
}

pub async fn muted_by(tx: &ActorTx, customer: CustomerId, window: Uuid) -> Result<Vec<Muted>, PgError> {
    muted(tx, customer, Some(window), None).await
}

pub async fn muted_alert(tx: &ActorTx, customer: CustomerId, alert: AlertId) -> Result<Vec<Muted>, PgError> {
    muted(tx, customer, None, Some(alert)).await
}

async fn muted(
    tx: &ActorTx,
    customer: CustomerId,
    window: Option<Uuid>,
    alert: Option<AlertId>,
) -> Result<Vec<Muted>, PgError> {
    let sql = include_str!("../../../db/queries/maintenance/muted.sql");
    let rows = tx.query(sql, &[&customer.0, &window, &alert.map(|id| id.0)]).await?;
    Ok(rows
        .iter()
        .map(|row| Muted {
            id: row.get("id"),
            alert: AlertId(row.get("alert_id")),
            device: row.get::<_, Option<_>>("device_id").map(DeviceId),
            kind: row.get("kind"),
            severity: row.get("severity"),
            title: row.get("title"),
            message: row.get("message"),
            is_resolved: row.get::<_, &str>("state") == "resolved",
        })
        .collect())
}

pub async fn unmute(
    tx: &ActorTx,
    customer: CustomerId,
    id: Uuid,
    at: Timestamp,
    outcome: Outcome,
    by: Option<UserId>,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/maintenance/unmute.sql");
    let by = by.map(|by| by.0);
    Ok(tx.execute(sql, &[&customer.0, &id, &at, &outcome.as_str(), &by]).await? == 1)
}

/// Open windows of the customer beside this one.
pub async fn others(tx: &ActorTx, customer: CustomerId, without: Uuid) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/maintenance/open_count.sql");
    Ok(tx.query_one(sql, &[&customer.0, &without]).await?.get("windows"))
}

fn window(row: &Row) -> Window {
    Window {
        id: row.get("id"),
        device: DeviceId(row.get("device_id")),
        reason: row.get("reason"),
        features: row.get("features"),
        state: row.get("state"),
        ends_at: row.get("ends_at"),
        run: row.get::<_, Option<_>>("run_id").map(RunId),
        end_run: row.get::<_, Option<_>>("end_run_id").map(RunId),
    }
}
