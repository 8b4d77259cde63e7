//! Devices and their conditions, as a vendor reports them. Writes happen within one customer's transaction; the few
//! reads over all customers (marked below) need a transaction of [`pg::SystemReason::PlaceDevices`] and see keys only.
use std::collections::{HashMap, HashSet};

use kernel::{
    Timestamp,
    id::{ConditionId, CustomerId, DeviceId, IntegrationId, SyncRunId},
};
use pg::{ActorTx, PgError, types::Json};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::sync::Counts;

/// SHA-256 over everything of a device that counts as its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentHash(pub [u8; 32]);

impl Serialize for ContentHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use std::fmt::Write as _;
        let text = self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _infallible = write!(text, "{byte:02x}");
            text
        });
        serializer.serialize_str(&text)
    }
}

/// A device as read, in the form of its row. Serialized for the bulk statement.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceRow {
    pub external_id: String,
    pub site_external_id: Option<String>,
    pub name: String,
    pub class: &'static str,
    pub vendor_class: String,
    pub os_name: Option<String>,
    pub serial_number: Option<String>,
    pub manufacturer: Option<String>,
    pub model: Option<String>,
    pub last_user: Option<String>,
    pub ip_addresses: Vec<String>,
    pub is_offline: Option<bool>,
    pub needs_reboot: Option<bool>,
    pub approval: String,
    pub disk_used_percent: Option<f64>,
    pub volumes: Option<Value>,
    pub last_contact_at: Option<Timestamp>,
    pub raw: Value,
    pub content_hash: ContentHash,
}

/// Which reading brought rows, and what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub integration: IntegrationId,
    /// The synchronization; `None` for a reading outside of one (a webhook's).
    pub run: Option<SyncRunId>,
    pub observed_at: Timestamp,
    pub is_complete: bool,
}

/// A device of the vendor and the customer under which it is filed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Placement {
    pub customer: CustomerId,
    pub external_id: String,
}

/// Writes one customer's devices. Unchanged ones are only marked as seen; each device counts once per synchronization,
/// however often it is read.
pub async fn upsert(
    tx: &ActorTx,
    customer: CustomerId,
    seen: &Seen,
    rows: &[DeviceRow],
) -> Result<Counts, PgError> {
    let ids: Vec<&str> = rows.iter().map(|row| row.external_id.as_str()).collect();
    let hashes: Vec<&[u8]> = rows.iter().map(|row| row.content_hash.0.as_slice()).collect();
    let contacts: Vec<Option<Timestamp>> = rows.iter().map(|row| row.last_contact_at).collect();
    let sites: Vec<Option<&str>> = rows.iter().map(|row| row.site_external_id.as_deref()).collect();
    let run = seen.run.map(|run| run.0);
    let known = tx
        .query(
            include_str!("../../../db/queries/devices/touch.sql"),
            &[
                &customer.0,
                &seen.integration.0,
                &run,
                &ids,
                &hashes,
                &contacts,
                &sites,
                &seen.observed_at,
                &seen.is_complete,
            ],
        )
        .await?;
    let mut counts = Counts::default();
    let mut is_same = HashMap::with_capacity(known.len());
    for row in &known {
        let (same, again, was_missing): (bool, bool, bool) =
            (row.get("is_same"), row.get("is_again"), row.get("was_missing"));
        is_same.insert(row.get::<_, &str>("external_id"), same);
        if run.is_some() && again && !was_missing {
            continue;
        }
        counts.read += 1;
        if same && !was_missing { counts.unchanged += 1 } else { counts.updated += 1 }
    }
    let changed: Vec<&DeviceRow> =
        rows.iter().filter(|row| is_same.get(row.external_id.as_str()) != Some(&true)).collect();
    if !changed.is_empty() {
        let row = tx
            .query_one(
                include_str!("../../../db/queries/devices/upsert.sql"),
                &[
                    &customer.0,
                    &seen.integration.0,
                    &Json(&changed),
                    &run,
                    &seen.observed_at,
                    &seen.is_complete,
                ],
            )
            .await?;
        if row.get::<_, i64>("written") != i64::try_from(changed.len()).unwrap_or(i64::MAX) {
            return Err(PgError::row_count());
        }
        let created = i32::try_from(row.get::<_, i64>("created")).unwrap_or(i32::MAX);
        counts.created += created;
        counts.read += created;
    }
    Ok(counts)
}

/// Where devices are filed as present: all of an integration, or those named. Over all customers.
pub async fn placements(
    tx: &ActorTx,
    integration: IntegrationId,
    external_ids: Option<&[String]>,
) -> Result<Vec<Placement>, PgError> {
    let sql = include_str!("../../../db/queries/devices/placements.sql");
    let rows = tx.query(sql, &[&integration.0, &external_ids]).await?;
    Ok(rows.iter().map(read_placement).collect())
}

/// Devices filed as present that the synchronization has not seen. Over all customers.
pub async fn unseen(
    tx: &ActorTx,
    integration: IntegrationId,
    run: SyncRunId,
) -> Result<Vec<Placement>, PgError> {
    let rows =
        tx.query(include_str!("../../../db/queries/devices/unseen.sql"), &[&integration.0, &run.0]).await?;
    Ok(rows.iter().map(read_placement).collect())
}

/// Customers whose devices the synchronization wrote. Over all customers.
pub async fn customers_seen_in(
    tx: &ActorTx,
    integration: IntegrationId,
    run: SyncRunId,
) -> Result<Vec<CustomerId>, PgError> {
    let sql = include_str!("../../../db/queries/devices/customers_seen_in.sql");
    let rows = tx.query(sql, &[&integration.0, &run.0]).await?;
    Ok(rows.iter().map(|row| CustomerId(row.get("customer_id"))).collect())
}

/// Only after a confirmed disappearance or a move. Returns how many were not missing before.
pub async fn mark_missing(
    tx: &ActorTx,
    customer: CustomerId,
    integration: IntegrationId,
    external_ids: &[String],
    since: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/devices/mark_missing.sql");
    let marked = tx.execute(sql, &[&customer.0, &integration.0, &external_ids, &since]).await?;
    Ok(i32::try_from(marked).unwrap_or(i32::MAX))
}

/// The reading that brought this customer's rows turned out not to be complete.
pub async fn mark_incomplete(
    tx: &ActorTx,
    customer: CustomerId,
    integration: IntegrationId,
    run: SyncRunId,
) -> Result<u64, PgError> {
    let sql = include_str!("../../../db/queries/devices/mark_incomplete.sql");
    tx.execute(sql, &[&customer.0, &integration.0, &run.0]).await
}

/// An open condition as the vendor lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionRow {
    pub device_external_id: String,
    pub external_uid: String,
    pub kind: String,
    pub severity: &'static str,
    pub message: String,
    pub raised_at: Timestamp,
}

/// A condition that was not open before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaisedCondition {
    pub id: ConditionId,
    pub device: DeviceId,
    pub external_uid: String,
}

/// Writes one customer's open conditions; those of devices that are not filed here count as unmapped.
pub async fn raise_conditions(
    tx: &ActorTx,
    customer: CustomerId,
    integration: IntegrationId,
    rows: &[ConditionRow],
    observed_at: Timestamp,
) -> Result<(Counts, Vec<RaisedCondition>), PgError> {
    let texts = |text: fn(&ConditionRow) -> &str| rows.iter().map(text).collect::<Vec<&str>>();
    let times: Vec<Timestamp> = rows.iter().map(|row| row.raised_at).collect();
    let (devices, uids) = (texts(|row| &row.device_external_id), texts(|row| &row.external_uid));
    let (kinds, severities, messages) =
        (texts(|row| &row.kind), texts(|row| row.severity), texts(|row| &row.message));
    let sql = include_str!("../../../db/queries/devices/raise_conditions.sql");
    let params = &[
        &customer.0 as _,
        &integration.0 as _,
        &devices as _,
        &uids as _,
        &kinds as _,
        &severities as _,
        &messages as _,
        &times as _,
        &observed_at as _,
    ];
    let written = tx.query(sql, params).await?;
    let mut counts = Counts { read: i32::try_from(rows.len()).unwrap_or(i32::MAX), ..Counts::default() };
    let mut news = Vec::new();
    let mut kept = HashSet::new();
    for row in &written {
        kept.insert(row.get::<_, &str>("external_uid"));
        match (row.get("is_new"), row.get("is_same")) {
            (true, _) => counts.created += 1,
            (false, true) if !row.get::<_, bool>("is_news") => counts.unchanged += 1,
            (false, _) => counts.updated += 1,
        }
        if row.get("is_news") {
            news.push(RaisedCondition {
                id: ConditionId(row.get("id")),
                device: DeviceId(row.get("device_id")),
                external_uid: row.get("external_uid"),
            });
        }
    }
    counts.unmapped = counts.read - i32::try_from(kept.len()).unwrap_or(i32::MAX);
    Ok((counts, news))
}

/// Conditions that the vendor confirmed to be gone. Returns how many were open.
pub async fn clear_conditions(
    tx: &ActorTx,
    customer: CustomerId,
    external_uids: &[String],
    at: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../db/queries/devices/clear_conditions.sql");
    let cleared = tx.execute(sql, &[&customer.0, &external_uids, &at]).await?;
    Ok(i32::try_from(cleared).unwrap_or(i32::MAX))
}

/// Keys of an open condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCondition {
    pub customer: CustomerId,
    pub external_uid: String,
    pub device_external_id: String,
    pub device_missing_since: Option<Timestamp>,
}

/// Open conditions of an integration's devices. Over all customers.
pub async fn open_conditions(
    tx: &ActorTx,
    integration: IntegrationId,
) -> Result<Vec<OpenCondition>, PgError> {
    let rows =
        tx.query(include_str!("../../../db/queries/devices/open_conditions.sql"), &[&integration.0]).await?;
    let read = |row: &pg::Row| OpenCondition {
        customer: CustomerId(row.get("customer_id")),
        external_uid: row.get("external_uid"),
        device_external_id: row.get("device_external_id"),
        device_missing_since: row.get("missing_since"),
    };
    Ok(rows.iter().map(read).collect())
}

fn read_placement(row: &pg::Row) -> Placement {
    Placement { customer: CustomerId(row.get("customer_id")), external_id: row.get("external_id") }
}
