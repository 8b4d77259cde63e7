//! What a bucket says about its files.
use axum::http::HeaderMap;
use pg::{ActorTx, Row};

use crate::{error::StorageError, sniff, state::Inner, who::Who};

/// Whose files a bucket holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Files of customers; the first folder of a name is the customer.
    Customer,
    /// Files of the provider itself.
    Provider,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Provider => "provider",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Customer, Self::Provider].into_iter().find(|kind| kind.name() == text)
    }
}

/// May a second file take the place of the first one of the same name?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overwrite {
    Refuse,
    Replace,
}

impl Overwrite {
    /// `x-upsert: true`.
    pub(crate) fn asked(headers: &HeaderMap) -> Self {
        match headers.get("x-upsert") {
            Some(value) if value.as_bytes().eq_ignore_ascii_case(b"true") => Self::Replace,
            _ => Self::Refuse,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub name: String,
    pub kind: Kind,
    pub is_public: bool,
    pub is_write_once: bool,
    pub member_access: String,
    pub file_size_max_bytes: Option<i64>,
    pub allowed_mime_types: Option<Vec<String>>,
    pub created_at: jiff::Timestamp,
    pub updated_at: jiff::Timestamp,
}

pub(crate) const COLUMNS: &str = "b.name, b.kind, b.is_public, b.is_write_once, b.member_access, b.file_size_max_bytes, \
    b.allowed_mime_types, b.created_at, b.updated_at";

impl Bucket {
    pub(crate) fn of_row(row: &Row) -> Self {
        Self {
            name: row.get(0),
            kind: Kind::parse(row.get(1)).unwrap_or(Kind::Provider),
            is_public: row.get(2),
            is_write_once: row.get(3),
            member_access: row.get(4),
            file_size_max_bytes: row.get(5),
            allowed_mime_types: row.get(6),
            created_at: row.get(7),
            updated_at: row.get(8),
        }
    }

    /// The bucket, if the caller of the transaction may see it.
    pub(crate) async fn find(tx: &ActorTx, name: &str) -> Result<Self, StorageError> {
        let sql = format!("select {COLUMNS} from storage.buckets b where b.name = $1");
        let row = tx.query_opt(&sql, &[&name]).await?;
        row.as_ref().map(Self::of_row).ok_or_else(StorageError::bucket_not_found)
    }

    /// The bucket, if this caller may see it.
    pub(crate) async fn of(state: &Inner, who: &Who, name: &str) -> Result<Self, StorageError> {
        let tx = who.begin_anywhere(state).await?;
        let bucket = Self::find(&tx, name).await?;
        tx.rollback().await?;
        Ok(bucket)
    }

    /// Largest file here, in bytes.
    pub(crate) fn limit_bytes(&self, state: &Inner) -> u64 {
        let own = self.file_size_max_bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(u64::MAX);
        own.min(state.config.file_bytes_max)
    }

    /// Refuses a type that the bucket does not take.
    pub(crate) fn check_type(&self, mime: &str) -> Result<(), StorageError> {
        if sniff::is_allowed(mime, self.allowed_mime_types.as_deref()) {
            return Ok(());
        }
        Err(StorageError::mime_refused(mime))
    }

    /// Refuses what is something else than its label says, where labels matter.
    pub(crate) fn check_content(&self, head: &[u8]) -> Result<(), StorageError> {
        match sniff::active_content(head) {
            Some(seen) if !sniff::is_allowed(seen, self.allowed_mime_types.as_deref()) => {
                Err(StorageError::mime_refused(seen))
            }
            _ => Ok(()),
        }
    }
}
