//! What happens in tenants, and from when to when that was read. Within one customer's transaction.
use kernel::{Timestamp, id::CustomerId};
use pg::{ActorTx, PgError, types::Json};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// Events that one reading forgets.
const FORGOTTEN_ROWS_MAX: i64 = 50_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    DirectoryChanges,
    SignIns,
}

impl Stream {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DirectoryChanges => "directory_changes",
            Self::SignIns => "sign_in_log",
        }
    }
}

#[derive(Debug, Serialize)]
pub struct DirectoryChangeRow {
    pub external_id: String,
    pub happened_at: Timestamp,
    pub activity: String,
    pub category: String,
    pub service: Option<String>,
    pub outcome: &'static str,
    pub outcome_reason: Option<String>,
    pub actor_kind: &'static str,
    pub actor_external: Option<String>,
    pub actor_name: String,
    pub actor_ip: Option<String>,
    pub target_kind: Option<String>,
    pub target_external: Option<String>,
    pub target_name: Option<String>,
    pub skus_added: Vec<Uuid>,
    pub skus_removed: Vec<Uuid>,
    pub properties: Value,
    pub further_targets: i32,
}

#[derive(Debug, Serialize)]
pub struct SignInRow {
    pub external_id: String,
    pub happened_at: Timestamp,
    pub user_external: Option<String>,
    pub user_name: String,
    pub user_principal_name: Option<String>,
    pub app_name: Option<String>,
    pub client_app: Option<String>,
    pub ip_address: Option<String>,
    pub city: Option<String>,
    pub country: Option<String>,
    pub device_name: Option<String>,
    pub operating_system: Option<String>,
    pub outcome: &'static str,
    pub error_code: i32,
    pub reason: Option<String>,
    pub conditional_access: Option<String>,
    pub risk: Option<String>,
}

/// What was written, and how much of it came after its time had been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub created: i32,
    pub late: i32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    pub read_from: Option<Timestamp>,
    /// Until then everything is read, or known to be lost.
    pub settled_to: Option<Timestamp>,
    pub gap_from: Option<Timestamp>,
}

/// A stream of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Of {
    pub customer: CustomerId,
    pub tenant: Uuid,
    pub stream: Stream,
}

#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub from: Timestamp,
    pub to: Timestamp,
}

pub async fn keep_directory_changes(
    tx: &ActorTx,
    of: Of,
    rows: &[DirectoryChangeRow],
    observed_at: Timestamp,
    late_before: Option<Timestamp>,
) -> Result<Kept, PgError> {
    let sql = include_str!("../../../db/queries/activity/keep_directory_changes.sql");
    keep(tx, sql, of, &Json(rows), observed_at, late_before).await
}

pub async fn keep_sign_ins(
    tx: &ActorTx,
    of: Of,
    rows: &[SignInRow],
    observed_at: Timestamp,
    late_before: Option<Timestamp>,
) -> Result<Kept, PgError> {
    let sql = include_str!("../../../db/queries/activity/keep_sign_ins.sql");
    keep(tx, sql, of, &Json(rows), observed_at, late_before).await
}

async fn keep<T: Serialize + std::fmt::Debug + Sync>(
    tx: &ActorTx,
    sql: &str,
    of: Of,
    rows: &Json<&[T]>,
    observed_at: Timestamp,
    late_before: Option<Timestamp>,
) -> Result<Kept, PgError> {
    let row = tx.query_one(sql, &[&of.customer.0, &of.tenant, rows, &observed_at, &late_before]).await?;
    let count = |name: &str| i32::try_from(row.get::<_, i64>(name)).unwrap_or(i32::MAX);
    Ok(Kept { created: count("created"), late: count("late") })
}

pub async fn ledger(tx: &ActorTx, of: Of) -> Result<Ledger, PgError> {
    let sql = include_str!("../../../db/queries/activity/ledger.sql");
    let row = tx.query_one(sql, &[&of.customer.0, &of.tenant, &of.stream.as_str()]).await?;
    Ok(Ledger {
        read_from: row.get("read_from"),
        settled_to: row.get("settled_to"),
        gap_from: row.get("gap_from"),
    })
}

pub async fn was_read(tx: &ActorTx, of: Of, span: Span, kept: Kept, at: Timestamp) -> Result<(), PgError> {
    extend(tx, of, ("read", None), span, kept, at).await
}

/// The vendor does not keep it any more.
pub async fn is_lost(tx: &ActorTx, of: Of, span: Span, reason: &str, at: Timestamp) -> Result<(), PgError> {
    extend(tx, of, ("lost", Some(reason)), span, Kept::default(), at).await
}

async fn extend(
    tx: &ActorTx,
    of: Of,
    (state, reason): (&str, Option<&str>),
    span: Span,
    kept: Kept,
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/activity/extend_span.sql");
    let params = &[
        &of.customer.0 as _,
        &of.tenant as _,
        &of.stream.as_str() as _,
        &state as _,
        &span.from as _,
        &span.to as _,
        &kept.created as _,
        &kept.late as _,
        &at as _,
        &reason as _,
    ];
    tx.execute(sql, params).await.map(drop)
}

pub async fn set_gap(
    tx: &ActorTx,
    of: Of,
    span: Span,
    (reason, permission): (&str, Option<&str>),
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/activity/set_gap.sql");
    let params = &[
        &of.customer.0 as _,
        &of.tenant as _,
        &of.stream.as_str() as _,
        &span.from as _,
        &span.to as _,
        &reason as _,
        &permission as _,
        &at as _,
    ];
    tx.execute(sql, params).await.map(drop)
}

pub async fn fill_gap(tx: &ActorTx, of: Of) -> Result<(), PgError> {
    let sql = include_str!("../../../db/queries/activity/fill_gap.sql");
    tx.execute(sql, &[&of.customer.0, &of.tenant, &of.stream.as_str()]).await.map(drop)
}

/// Events before `before`, and the word that they were read.
pub async fn forget(tx: &ActorTx, of: Of, before: Timestamp) -> Result<(), PgError> {
    let sql = match of.stream {
        Stream::DirectoryChanges => include_str!("../../../db/queries/activity/forget_directory_changes.sql"),
        Stream::SignIns => include_str!("../../../db/queries/activity/forget_sign_ins.sql"),
    };
    tx.execute(sql, &[&of.customer.0, &of.tenant, &before, &FORGOTTEN_ROWS_MAX]).await?;
    let sql = include_str!("../../../db/queries/activity/forget_spans.sql");
    tx.execute(sql, &[&of.customer.0, &of.tenant, &of.stream.as_str(), &before]).await.map(drop)
}
