//! Machines and the records that are of them, what is in doubt, and what people decided. Within one customer's transaction, but for
//! [`customers`].
use std::collections::BTreeMap;

use jiff::civil::Date;
use kernel::{
    Timestamp,
    id::{CustomerId, IntegrationId, SyncRunId, UserId},
};
use pg::{ActorTx, PgError, types::Json};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A record of a source, with what a machine is shown by.
#[derive(Clone, Debug)]
pub struct Known {
    pub source: String,
    pub id: Uuid,
    pub name: Option<String>,
    pub serial_number: Option<String>,
    pub entra_device_id: Option<String>,
    pub enrolled_at: Option<Timestamp>,
    pub last_seen_at: Option<Timestamp>,
    pub is_complete: bool,
    /// As [`domain::estate::DeviceClass`] writes it; `None` where the source has none.
    pub class: Option<String>,
    pub os_name: Option<String>,
    pub site_id: Option<Uuid>,
    pub person_id: Option<Uuid>,
}

/// One record of a machine as it was; none where its source took all away.
#[derive(Clone, Debug)]
pub struct Was {
    pub endpoint: Uuid,
    pub is_ended: bool,
    pub record: Option<(String, Uuid)>,
}

#[derive(Clone, Debug)]
pub struct Decided {
    pub id: Uuid,
    pub verdict: String,
    pub records: Vec<Uuid>,
    pub facts: BTreeMap<Uuid, Fact>,
    pub reason: String,
}

/// What a record said when it was decided about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fact {
    pub source: String,
    pub name: Option<String>,
    pub serial_number: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct EndpointRow {
    pub id: Uuid,
    pub name: String,
    pub class: String,
    pub os_name: Option<String>,
    pub serial_number: Option<String>,
    pub sources: Vec<&'static str>,
    pub coverage: &'static str,
    pub confidence: Option<&'static str>,
    pub site_id: Option<Uuid>,
    pub person_id: Option<Uuid>,
    pub open_conflicts: usize,
    pub last_seen_on: Option<Date>,
}

#[derive(Debug, Serialize)]
pub struct RecordRow {
    pub endpoint_id: Uuid,
    pub source: &'static str,
    pub device_id: Option<Uuid>,
    pub managed_device_id: Option<Uuid>,
    pub link_kind: Option<&'static str>,
    pub confidence: Option<&'static str>,
    pub evidence: Vec<String>,
    pub decided_by: &'static str,
    pub decision_id: Option<Uuid>,
}

#[derive(Debug, Serialize)]
pub struct ConflictRow {
    pub kind: &'static str,
    /// Sorted.
    pub records: Vec<Uuid>,
    pub endpoint_ids: Vec<Uuid>,
    pub evidence: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct EndedRow {
    pub id: Uuid,
    pub into_id: Option<Uuid>,
}

/// All that a resolution comes to.
#[derive(Debug)]
pub struct Kept {
    pub endpoints: Vec<EndpointRow>,
    pub records: Vec<RecordRow>,
    pub conflicts: Vec<ConflictRow>,
    pub ended: Vec<EndedRow>,
}

/// A record of a machine that goes on.
#[derive(Clone, Debug)]
pub struct Part {
    /// Of the row that says so.
    pub id: Uuid,
    pub endpoint: Uuid,
    pub record: Uuid,
    pub fact: Fact,
}

/// Until the transaction ends nobody else resolves or decides for this customer.
pub async fn lock(tx: &ActorTx, customer: CustomerId) -> Result<(), PgError> {
    tx.query_one(include_str!("../../../db/queries/endpoints/lock.sql"), &[&customer.0]).await.map(drop)
}

pub async fn records(tx: &ActorTx, customer: CustomerId) -> Result<Vec<Known>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/endpoints/records.sql"), &[&customer.0]).await?;
    let read = |row: &pg::Row| Known {
        source: row.get("source"),
        id: row.get("id"),
        name: row.get("name"),
        serial_number: row.get("serial_number"),
        entra_device_id: row.get("entra_device_id"),
        enrolled_at: row.get("enrolled_at"),
        last_seen_at: row.get("last_seen_at"),
        is_complete: row.get("is_complete"),
        class: row.get("class"),
        os_name: row.get("os_name"),
        site_id: row.get("site_id"),
        person_id: row.get("person_id"),
    };
    Ok(rows.iter().map(read).collect())
}

pub async fn before(tx: &ActorTx, customer: CustomerId) -> Result<Vec<Was>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/endpoints/before.sql"), &[&customer.0]).await?;
    let read = |row: &pg::Row| Was {
        endpoint: row.get("endpoint_id"),
        is_ended: row.get("is_ended"),
        record: row.get::<_, Option<String>>("source").zip(row.get("record_id")),
    };
    Ok(rows.iter().map(read).collect())
}

pub async fn decisions(tx: &ActorTx, customer: CustomerId) -> Result<Vec<Decided>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/endpoints/decisions.sql"), &[&customer.0]).await?;
    let read = |row: &pg::Row| {
        let Json(facts) = row.get("facts");
        let (id, verdict, records) = (row.get("id"), row.get("verdict"), row.get("records"));
        Decided { id, verdict, records, facts, reason: row.get("reason") }
    };
    Ok(rows.iter().map(read).collect())
}

/// Writes what changed.
pub async fn keep(tx: &ActorTx, customer: CustomerId, kept: &Kept, at: Timestamp) -> Result<(), PgError> {
    let (endpoints, ended) = (Json(&kept.endpoints), Json(&kept.ended));
    let (records, conflicts) = (Json(&kept.records), Json(&kept.conflicts));
    tx.execute(include_str!("../../../db/queries/endpoints/keep.sql"), &[&customer.0, &endpoints, &at])
        .await?;
    tx.execute(include_str!("../../../db/queries/endpoints/finish.sql"), &[&customer.0, &ended, &at]).await?;
    let sql = include_str!("../../../db/queries/endpoints/finish_records.sql");
    tx.execute(sql, &[&customer.0, &records, &at]).await?;
    let sql = include_str!("../../../db/queries/endpoints/keep_records.sql");
    tx.query_one(sql, &[&customer.0, &records, &at]).await?;
    let sql = include_str!("../../../db/queries/endpoints/keep_conflicts.sql");
    tx.query_one(sql, &[&customer.0, &conflicts, &at]).await?;
    Ok(())
}

/// Customers with devices of an integration; with a run those whose devices it saw, and those that lost some after `since`.
/// Needs a transaction of [`pg::SystemReason::PlaceDevices`].
pub async fn customers(
    tx: &ActorTx,
    integration: IntegrationId,
    run: Option<SyncRunId>,
    since: Timestamp,
) -> Result<Vec<CustomerId>, PgError> {
    let sql = include_str!("../../../db/queries/endpoints/customers.sql");
    let rows = tx.query(sql, &[&integration.0, &run.map(|run| run.0), &since]).await?;
    Ok(rows.iter().map(|row| CustomerId(row.get("customer_id"))).collect())
}

/// Kind and records of something that waits for a person.
pub async fn conflict(
    tx: &ActorTx,
    customer: CustomerId,
    id: Uuid,
) -> Result<Option<(String, Vec<Uuid>)>, PgError> {
    let sql = include_str!("../../../db/queries/endpoints/conflict.sql");
    let row = tx.query_opt(sql, &[&customer.0, &id]).await?;
    Ok(row.map(|row| (row.get("kind"), row.get("records"))))
}

/// All records of these machines, and of the machines of these records.
pub async fn machines(
    tx: &ActorTx,
    customer: CustomerId,
    endpoints: &[Uuid],
    records: &[Uuid],
) -> Result<Vec<Part>, PgError> {
    let sql = include_str!("../../../db/queries/endpoints/machines.sql");
    let rows = tx.query(sql, &[&customer.0, &endpoints, &records]).await?;
    let read = |row: &pg::Row| Part {
        id: row.get("id"),
        endpoint: row.get("endpoint_id"),
        record: row.get("record_id"),
        fact: Fact {
            source: row.get("source"),
            name: row.get("name"),
            serial_number: row.get("serial_number"),
        },
    };
    Ok(rows.iter().map(read).collect())
}

/// `records` with what they say now.
pub async fn decide(
    tx: &ActorTx,
    customer: CustomerId,
    verdict: &str,
    records: &BTreeMap<Uuid, Fact>,
    reason: &str,
    by: Option<UserId>,
    at: Timestamp,
) -> Result<Uuid, PgError> {
    let sql = include_str!("../../../db/queries/endpoints/decide.sql");
    let (ids, by): (Vec<Uuid>, _) = (records.keys().copied().collect(), by.map(|by| by.0));
    let row = tx.query_one(sql, &[&customer.0, &verdict, &ids, &Json(records), &reason, &by, &at]).await?;
    Ok(row.get("id"))
}

/// False: there is no such decision in force.
pub async fn undo(
    tx: &ActorTx,
    customer: CustomerId,
    decision: Uuid,
    reason: &str,
    by: Option<UserId>,
    at: Timestamp,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/endpoints/undo.sql");
    let by = by.map(|by| by.0);
    Ok(tx.execute(sql, &[&customer.0, &decision, &at, &by, &reason]).await? == 1)
}
