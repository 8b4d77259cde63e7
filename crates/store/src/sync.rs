//! Synchronizations with a vendor: runs, their leases, and how far each of their parts came.
//!
//! Every write to a run or part is fenced by its lease: `Ok(false)` means that another worker has it now.
use std::time::Duration;

use kernel::{
    Timestamp,
    id::{IntegrationId, SyncRunId, UserId},
};
use pg::{ActorTx, PgError, Row};
use serde_json::Value;
use uuid::Uuid;

use crate::integrations::Vendor;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncKind {
    Full,
    Incremental,
}

impl SyncKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
        }
    }

    fn read(text: &str) -> Self {
        if text == "incremental" { Self::Incremental } else { Self::Full }
    }
}

/// Of a run or a part. Ordered: the later, the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SyncState {
    Queued,
    Running,
    Complete,
    Partial,
    Suspect,
    Failed,
    Cancelled,
}

impl SyncState {
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Running,
        Self::Complete,
        Self::Partial,
        Self::Suspect,
        Self::Failed,
        Self::Cancelled,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Suspect => "suspect",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    fn read(row: &Row) -> Self {
        let text: &str = row.get("state");
        Self::ALL.into_iter().find(|state| state.as_str() == text).unwrap_or(Self::Failed)
    }
}

/// A claimed run and the proof of the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub run: SyncRunId,
    pub integration: IntegrationId,
    pub vendor: Vendor,
    pub kind: SyncKind,
    /// By the clock; nobody waits for what it brings.
    pub is_scheduled: bool,
    /// Only of what the vendor told of.
    pub is_notified: bool,
    pub resumed_count: i32,
    pub owner: Uuid,
}

/// What a part does when its process died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// From its kept place, with its counts: they committed with their rows.
    GoOn,
    /// From the beginning.
    StartOver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenRun {
    pub run: SyncRunId,
    pub kind: SyncKind,
    pub state: SyncState,
}

/// Rows of a part, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub read: i32,
    pub created: i32,
    pub updated: i32,
    pub unchanged: i32,
    pub removed: i32,
    pub unmapped: i32,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.removed += other.removed;
        self.unmapped += other.unmapped;
    }
}

#[derive(Clone, Debug)]
pub struct Part {
    pub part: String,
    pub state: SyncState,
    /// What the part kept to go on after a restart; its form is the part's own.
    pub memory: Option<Value>,
    /// 2 when the first reading was not believed.
    pub reads: i16,
    pub rows_before: Option<i32>,
    pub rows_read: i32,
    pub rows_removed: i32,
    pub error: Option<Value>,
    pub ended_at: Option<Timestamp>,
}

/// A fall that a person accepts: of which run, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedFall {
    pub run: SyncRunId,
    /// 1 to 2,000 characters, not blank.
    pub reason: String,
}

/// Queues a run as the person of `tx`. `None`: one is open already. With an accepted fall the database refuses (`PT409`)
/// unless its run is the one that is held back now.
pub async fn request(
    tx: &ActorTx,
    integration: IntegrationId,
    kind: SyncKind,
    by: Option<UserId>,
    accepted: Option<&AcceptedFall>,
    at: Timestamp,
) -> Result<Option<SyncRunId>, PgError> {
    let sql = include_str!("../../../db/queries/sync/request.sql");
    let id = SyncRunId::new(at);
    let (run, reason) = (accepted.map(|it| it.run.0), accepted.map(|it| it.reason.as_str()));
    let (kind, by) = (kind.as_str(), by.map(|id| id.0));
    let row = tx.query_opt(sql, &[&id.0, &integration.0, &kind, &by, &at, &run, &reason]).await?;
    Ok(row.map(|row| SyncRunId(row.get("id"))))
}

/// Whether parts of a run are held back and may be accepted now. `None`: no such run of this integration.
pub async fn is_held(
    tx: &ActorTx,
    integration: IntegrationId,
    run: SyncRunId,
) -> Result<Option<bool>, PgError> {
    let sql = include_str!("../../../db/queries/sync/is_held.sql");
    Ok(tx.query_opt(sql, &[&run.0, &integration.0]).await?.map(|row| row.get("is_held")))
}

/// Whether a person accepted a fall for this run.
pub async fn has_accepted(tx: &ActorTx, run: SyncRunId) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/sync/has_accepted.sql");
    Ok(tx.query_one(sql, &[&run.0]).await?.get("has_accepted"))
}

/// Rows of a part that a person accepted as gone for this run.
pub async fn accepted_rows(tx: &ActorTx, run: SyncRunId, part: &str) -> Result<Option<i32>, PgError> {
    let sql = include_str!("../../../db/queries/sync/accepted_rows.sql");
    Ok(tx.query_opt(sql, &[&run.0, &part]).await?.and_then(|row| row.get("rows_to_ask")))
}

/// `left` rows are to be asked for one by one; after a restart, those that are still left.
pub async fn begin_asking(tx: &ActorTx, claim: &Claim, part: &str, left: i32) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/sync/begin_asking.sql");
    Ok(tx.execute(sql, &[&claim.run.0, &claim.owner, &part, &left]).await? == 1)
}

/// `rows` more were asked for. `memory`: what the part keeps, if it keeps something.
pub async fn asked(
    tx: &ActorTx,
    claim: &Claim,
    part: &str,
    rows: i32,
    memory: Option<&Value>,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/sync/asked.sql");
    Ok(tx.execute(sql, &[&claim.run.0, &claim.owner, &part, &rows, &memory]).await? == 1)
}

pub async fn open_run(tx: &ActorTx, integration: IntegrationId) -> Result<Option<OpenRun>, PgError> {
    let row = tx.query_opt(include_str!("../../../db/queries/sync/open_run.sql"), &[&integration.0]).await?;
    Ok(row.map(|row| OpenRun {
        run: SyncRunId(row.get("id")),
        kind: SyncKind::read(row.get("kind")),
        state: SyncState::read(&row),
    }))
}

/// Queues what is due by the intervals of the integrations; returns how many.
pub async fn schedule(tx: &ActorTx, now: Timestamp) -> Result<u64, PgError> {
    let due = tx.execute(include_str!("../../../db/queries/sync/schedule.sql"), &[&now]).await?;
    let sql = include_str!("../../../db/queries/sync/schedule_notified.sql");
    Ok(due + tx.execute(sql, &[&now]).await?)
}

/// Takes the oldest run that nobody works on.
pub async fn claim(
    tx: &ActorTx,
    owner: Uuid,
    lease: Duration,
    now: Timestamp,
) -> Result<Option<Claim>, PgError> {
    let sql = include_str!("../../../db/queries/sync/claim.sql");
    let row = tx.query_opt(sql, &[&owner, &lease_ms(lease), &now]).await?;
    Ok(row.map(|row| read_claim(&row, owner)))
}

/// Takes a run again after the connection to the database was lost. `None`: another worker has it, or it ended.
pub async fn reclaim(tx: &ActorTx, claim: &Claim, lease: Duration) -> Result<Option<Claim>, PgError> {
    let sql = include_str!("../../../db/queries/sync/reclaim.sql");
    let row = tx.query_opt(sql, &[&claim.run.0, &claim.owner, &lease_ms(lease)]).await?;
    Ok(row.map(|row| read_claim(&row, claim.owner)))
}

pub async fn renew(tx: &ActorTx, claim: &Claim, lease: Duration) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/sync/renew.sql");
    Ok(tx.execute(sql, &[&claim.run.0, &claim.owner, &lease_ms(lease)]).await? == 1)
}

/// Gives the run back to whoever comes next.
pub async fn release(tx: &ActorTx, claim: &Claim) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/sync/release.sql");
    Ok(tx.execute(sql, &[&claim.run.0, &claim.owner]).await? == 1)
}

/// An incremental run turns into a full one; what its parts did is forgotten.
pub async fn become_full(tx: &ActorTx, claim: &Claim, reason: &str) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/sync/become_full.sql");
    let is_mine = tx.execute(sql, &[&claim.run.0, &claim.owner, &reason]).await? == 1;
    if is_mine {
        tx.execute(include_str!("../../../db/queries/sync/forget_parts.sql"), &[&claim.run.0]).await?;
    }
    Ok(is_mine)
}

/// Adds the parts that are not there yet, in this order.
pub async fn add_parts(tx: &ActorTx, run: SyncRunId, parts: &[&str]) -> Result<(), PgError> {
    tx.execute(include_str!("../../../db/queries/sync/add_parts.sql"), &[&run.0, &parts]).await.map(drop)
}

pub async fn parts(tx: &ActorTx, run: SyncRunId) -> Result<Vec<Part>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/sync/parts.sql"), &[&run.0]).await?;
    let read = |row: &Row| Part {
        part: row.get("part"),
        state: SyncState::read(row),
        memory: row.get("memory"),
        reads: row.get("reads"),
        rows_before: row.get("rows_before"),
        rows_read: row.get("rows_read"),
        rows_removed: row.get("rows_removed"),
        error: row.get("error"),
        ended_at: row.get("ended_at"),
    };
    Ok(rows.iter().map(read).collect())
}

/// A part begins, or is begun again by another process. `rows_before` is written once.
pub async fn start_part(
    tx: &ActorTx,
    claim: &Claim,
    part: &str,
    again: Again,
    rows_before: Option<i32>,
    at: Timestamp,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/sync/start_part.sql");
    let counts_anew = again == Again::StartOver;
    let params =
        &[&claim.run.0 as _, &claim.owner as _, &part as _, &at as _, &rows_before as _, &counts_anew as _];
    Ok(tx.execute(sql, params).await? == 1)
}

pub async fn count_rows(tx: &ActorTx, claim: &Claim, part: &str, counts: &Counts) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/sync/count_rows.sql");
    let Counts { read, created, updated, unchanged, removed, unmapped } = counts;
    let (run, owner) = (&claim.run.0, &claim.owner);
    Ok(tx.execute(sql, &[run, owner, &part, read, created, updated, unchanged, removed, unmapped]).await?
        == 1)
}

/// A page is stored: after a restart the part goes on from `memory`. `unmapped` rows were read and not kept.
pub async fn keep_place(
    tx: &ActorTx,
    claim: &Claim,
    part: &str,
    cursor: Option<&str>,
    memory: Option<&Value>,
    pages: i32,
    unmapped: i32,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/sync/keep_place.sql");
    let params = &[
        &claim.run.0 as _,
        &claim.owner as _,
        &part as _,
        &cursor as _,
        &memory as _,
        &pages as _,
        &unmapped as _,
    ];
    Ok(tx.execute(sql, params).await? == 1)
}

/// The first reading is not believed: the part is suspect and starts a second one.
pub async fn read_again(
    tx: &ActorTx,
    claim: &Claim,
    part: &str,
    memory: Option<&Value>,
    error: &Value,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/sync/read_again.sql");
    Ok(tx.execute(sql, &[&claim.run.0, &claim.owner, &part, &memory, error]).await? == 1)
}

pub async fn finish_part(
    tx: &ActorTx,
    claim: &Claim,
    part: &str,
    state: SyncState,
    error: Option<&Value>,
    at: Timestamp,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/sync/finish_part.sql");
    Ok(tx.execute(sql, &[&claim.run.0, &claim.owner, &part, &state.as_str(), &error, &at]).await? == 1)
}

pub async fn finish_run(
    tx: &ActorTx,
    claim: &Claim,
    state: SyncState,
    error: Option<&Value>,
    at: Timestamp,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/sync/finish_run.sql");
    Ok(tx.execute(sql, &[&claim.run.0, &claim.owner, &state.as_str(), &error, &at]).await? == 1)
}

/// How the run before this one ended.
pub async fn state_before(tx: &ActorTx, claim: &Claim) -> Result<Option<SyncState>, PgError> {
    let sql = include_str!("../../../db/queries/sync/state_before.sql");
    let row = tx.query_opt(sql, &[&claim.integration.0, &claim.run.0]).await?;
    Ok(row.map(|row| SyncState::read(&row)))
}

/// Whether devices may come or go because organizations were mapped or unmapped since the last complete full reading.
/// Needs a transaction of [`pg::SystemReason::PlaceDevices`].
pub async fn mapping_changed(tx: &ActorTx, integration: IntegrationId) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/sync/mapping_changed.sql");
    Ok(tx.query_one(sql, &[&integration.0]).await?.get("changed"))
}

fn read_claim(row: &Row, owner: Uuid) -> Claim {
    Claim {
        run: SyncRunId(row.get("id")),
        integration: IntegrationId(row.get("integration_id")),
        vendor: Vendor::read(row.get("vendor")),
        kind: SyncKind::read(row.get("kind")),
        is_scheduled: row.get("is_scheduled"),
        is_notified: row.get("is_notified"),
        resumed_count: row.get("resumed_count"),
        owner,
    }
}

fn lease_ms(lease: Duration) -> i64 {
    i64::try_from(lease.as_millis()).unwrap_or(i64::MAX)
}
