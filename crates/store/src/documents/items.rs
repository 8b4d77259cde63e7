//! What is in a library: items, shares, words.
use kernel::{
    Timestamp,
    id::{CustomerId, IntegrationId, SyncRunId},
};
use pg::{ActorTx, PgError, Row, types::Json};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::sync::Counts;

#[derive(Debug, Serialize)]
pub struct ItemRow {
    pub external_id: String,
    pub parent_external: Option<String>,
    pub name: String,
    pub kind: &'static str,
    pub mime: Option<String>,
    pub size_bytes: i64,
    pub etag: Option<String>,
    pub ctag: Option<String>,
    pub quick_xor_hash: Option<String>,
    pub web_url: Option<String>,
    pub modified_at: Option<Timestamp>,
    pub modified_by: Option<String>,
    pub is_shared: bool,
    pub is_infected: bool,
}

#[derive(Debug, Serialize)]
pub struct ShareRow {
    pub external_id: String,
    pub scope: &'static str,
    pub kind: &'static str,
    pub link_type: Option<String>,
    pub has_password: bool,
    pub expires_at: Option<Timestamp>,
    pub granted_to: Value,
    pub is_external: bool,
}

/// A round over a library: all of it, or what changed.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    pub id: Uuid,
    pub run: SyncRunId,
    pub is_full: bool,
}

/// An item that the vendor is to be asked about.
#[derive(Clone, Debug)]
pub struct Asked {
    pub id: Uuid,
    pub drive: String,
    pub external_id: String,
}

/// A file whose content is newer than what is kept of it.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: Uuid,
    pub drive: String,
    pub external_id: String,
    pub name: String,
    pub mime: Option<String>,
    pub size_bytes: i64,
    pub ctag: Option<String>,
    pub quick_xor_hash: Option<String>,
    pub is_infected: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextState {
    Extracted,
    /// No words are read of this kind of file.
    Unsupported,
    TooLarge,
    /// The file is damaged or protected, for as long as it does not change.
    Failed,
    /// The vendor found malware in it.
    Infected,
}

impl TextState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Extracted => "extracted",
            Self::Unsupported => "unsupported",
            Self::TooLarge => "too_large",
            Self::Failed => "failed",
            Self::Infected => "infected",
        }
    }
}

/// What came of one version of a file.
#[derive(Clone, Debug)]
pub struct TextEnd {
    pub state: TextState,
    pub reason: Option<String>,
    /// Hexadecimal, and the name in the bucket `documents`.
    pub bytes: Option<(String, String)>,
    /// Words, and whether there are more.
    pub text: Option<(String, bool)>,
}

pub(super) fn counts(read: usize, row: &Row) -> Counts {
    let of = |name: &str| i32::try_from(row.get::<_, i64>(name)).unwrap_or(i32::MAX);
    Counts {
        read: i32::try_from(read).unwrap_or(i32::MAX),
        created: of("created"),
        updated: of("updated"),
        unchanged: of("unchanged"),
        ..Counts::default()
    }
}

/// `link`: where it goes on, when it does not begin at the start.
pub async fn begin_round(
    tx: &ActorTx,
    customer: CustomerId,
    drive: Uuid,
    round: &Round,
    link: Option<&str>,
) -> Result<(), PgError> {
    let sql = include_str!("../../../../db/queries/documents/begin_round.sql");
    tx.execute_one(sql, &[&customer.0, &drive, &round.id, &round.run.0, &round.is_full, &link]).await
}

/// `mark`: the full round that the rows belong to.
pub async fn keep_page(
    tx: &ActorTx,
    customer: CustomerId,
    (site, drive): (Uuid, Uuid),
    mark: Uuid,
    observed_at: Timestamp,
    rows: &[ItemRow],
) -> Result<Counts, PgError> {
    let sql = include_str!("../../../../db/queries/documents/keep_page.sql");
    let row = tx.query_one(sql, &[&customer.0, &site, &drive, &Json(rows), &mark, &observed_at]).await?;
    Ok(counts(rows.len(), &row))
}

pub async fn keep_link(tx: &ActorTx, customer: CustomerId, drive: Uuid, link: &str) -> Result<(), PgError> {
    let sql = include_str!("../../../../db/queries/documents/keep_link.sql");
    tx.execute_one(sql, &[&customer.0, &drive, &link]).await
}

pub async fn end_round(
    tx: &ActorTx,
    customer: CustomerId,
    drive: Uuid,
    link: &str,
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../../db/queries/documents/end_round.sql");
    tx.execute_one(sql, &[&customer.0, &drive, &link, &at]).await
}

pub async fn rework_paths(tx: &ActorTx, customer: CustomerId, drive: Uuid) -> Result<u64, PgError> {
    let sql = include_str!("../../../../db/queries/documents/rework_paths.sql");
    tx.execute(sql, &[&customer.0, &drive]).await
}

/// Ids of items that may be gone, at most `most`.
pub async fn doubtful(
    tx: &ActorTx,
    customer: CustomerId,
    drive: Uuid,
    most: usize,
) -> Result<Vec<String>, PgError> {
    let sql = include_str!("../../../../db/queries/documents/doubtful.sql");
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = tx.query(sql, &[&customer.0, &drive, &most]).await?;
    Ok(rows.iter().map(|row| row.get("external_id")).collect())
}

/// By the vendor's own word only. Returns how many items went with it.
pub async fn mark_drive_missing(
    tx: &ActorTx,
    customer: CustomerId,
    drive: Uuid,
    since: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../../db/queries/documents/mark_drive_missing.sql");
    let row = tx.query_one(sql, &[&customer.0, &drive, &since]).await?;
    Ok(i32::try_from(row.get::<_, i64>("removed")).unwrap_or(i32::MAX))
}

/// By the vendor's own word only.
pub async fn mark_missing(
    tx: &ActorTx,
    customer: CustomerId,
    drive: Uuid,
    items: &[String],
    since: Timestamp,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../../db/queries/documents/mark_missing.sql");
    let row = tx.query_one(sql, &[&customer.0, &drive, &items, &since]).await?;
    Ok(i32::try_from(row.get::<_, i64>("removed")).unwrap_or(i32::MAX))
}

pub async fn mark_present(
    tx: &ActorTx,
    customer: CustomerId,
    drive: Uuid,
    items: &[String],
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../../db/queries/documents/mark_present.sql");
    tx.execute(sql, &[&customer.0, &drive, &items, &at]).await.map(drop)
}

pub async fn ask_all_shares(tx: &ActorTx, customer: CustomerId, site: Uuid) -> Result<(), PgError> {
    let sql = include_str!("../../../../db/queries/documents/ask_all_shares.sql");
    tx.execute(sql, &[&customer.0, &site]).await.map(drop)
}

/// Items after `after`, in the order of their ids, whose shares are to be read.
pub async fn shares_due(
    tx: &ActorTx,
    customer: CustomerId,
    site: Uuid,
    after: &str,
    most: i64,
) -> Result<Vec<Asked>, PgError> {
    let sql = include_str!("../../../../db/queries/documents/shares_due.sql");
    let rows = tx.query(sql, &[&customer.0, &site, &after, &most]).await?;
    let read =
        |row: &Row| Asked { id: row.get("id"), drive: row.get("drive"), external_id: row.get("external_id") };
    Ok(rows.iter().map(read).collect())
}

/// Ids of the shares of an item that are there.
pub async fn shares_present(
    tx: &ActorTx,
    customer: CustomerId,
    document: Uuid,
) -> Result<Vec<String>, PgError> {
    let sql = include_str!("../../../../db/queries/documents/shares_present.sql");
    let rows = tx.query(sql, &[&customer.0, &document]).await?;
    Ok(rows.iter().map(|row| row.get("external_id")).collect())
}

/// What was read of the shares of an item.
#[derive(Debug)]
pub struct SharesRead {
    pub rows: Vec<ShareRow>,
    /// Taken back, by the vendor's own word.
    pub gone: Vec<String>,
    /// Shares that the list lacked are all known to be gone.
    pub is_certain: bool,
    pub observed_at: Timestamp,
}

/// Returns how many were taken back.
pub async fn keep_shares(
    tx: &ActorTx,
    customer: CustomerId,
    document: Uuid,
    read: &SharesRead,
) -> Result<i32, PgError> {
    let sql = include_str!("../../../../db/queries/documents/keep_shares.sql");
    let params = &[
        &customer.0 as _,
        &document as _,
        &Json(&read.rows) as _,
        &read.observed_at as _,
        &read.gone as _,
        &read.is_certain as _,
    ];
    let row = tx.query_one(sql, params).await?;
    Ok(i32::try_from(row.get::<_, i64>("removed")).unwrap_or(i32::MAX))
}

/// Files after `after`, in the order of their ids, that are to be downloaded.
pub async fn texts_due(
    tx: &ActorTx,
    customer: CustomerId,
    site: Uuid,
    after: &str,
    most: i64,
) -> Result<Vec<Due>, PgError> {
    let sql = include_str!("../../../../db/queries/documents/texts_due.sql");
    let rows = tx.query(sql, &[&customer.0, &site, &after, &most]).await?;
    let read = |row: &Row| Due {
        id: row.get("id"),
        drive: row.get("drive"),
        external_id: row.get("external_id"),
        name: row.get("name"),
        mime: row.get("mime"),
        size_bytes: row.get("size_bytes"),
        ctag: row.get("ctag"),
        quick_xor_hash: row.get("quick_xor_hash"),
        is_infected: row.get("is_infected"),
    };
    Ok(rows.iter().map(read).collect())
}

pub async fn keep_text(
    tx: &ActorTx,
    customer: CustomerId,
    due: &Due,
    end: &TextEnd,
    at: Timestamp,
) -> Result<(), PgError> {
    let sql = include_str!("../../../../db/queries/documents/keep_text.sql");
    let (sha256, object) = end.bytes.clone().unzip();
    let (text, is_truncated) = end.text.clone().unzip();
    let params = &[
        &customer.0 as _,
        &due.id as _,
        &end.state.as_str() as _,
        &end.reason as _,
        &due.ctag as _,
        &sha256 as _,
        &object as _,
        &text as _,
        &is_truncated as _,
        &at as _,
    ];
    tx.query_one(sql, params).await.map(drop)
}

/// Names in the bucket `documents` that nothing refers to and no other connection may be about to.
pub async fn unused_objects(
    tx: &ActorTx,
    customer: CustomerId,
    integration: IntegrationId,
) -> Result<Vec<String>, PgError> {
    let sql = include_str!("../../../../db/queries/documents/unused_objects.sql");
    let rows = tx.query(sql, &[&customer.0, &integration.0]).await?;
    Ok(rows.iter().map(|row| row.get("name")).collect())
}
