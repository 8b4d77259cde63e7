//! The audit log as signed hash chains, one per customer; the provider's own rows are the chain of the zero id.
//!
//! A **link** covers up to [`SEAL_ROWS_MAX`] rows: the Merkle root over their canonical texts, the hash of the link
//! before it, and an Ed25519 signature. Changing, removing or reordering a sealed row breaks its link, and a link cannot be
//! replaced without the signing key. Two limits, on purpose in the open:
//! * A row that is removed **before** it is sealed leaves no trace here. Seal often; [`VerifyReport::unsealed_rows`] says
//!   how many wait.
//! * Cutting off the newest links together with their rows leaves a shorter, valid chain. Keep [`Head`]s (or an export)
//!   elsewhere and hand them to [`verify`] as anchors.
//!
//! **Rows of transactions in flight are not skipped.** Rows are found by "has no link yet", not by a position in time, so
//! a row whose transaction commits late is taken by a later call. [`SEAL_LAG_MS`] only makes it likely that links follow
//! the order of time; nothing depends on it.
mod chain;
mod file;
mod once;
mod verify;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::VaultError;

pub use file::{TrustedKeys, export, heads_of_export, verify_file};
pub use once::{SealReport, seal_once};
pub use verify::verify;

/// Rows that one call seals; also the most rows of one link.
pub const SEAL_ROWS_MAX: usize = 2_000;
/// Rows younger than this wait for the next call.
pub const SEAL_LAG_MS: i64 = 2_000;
/// Longest line of an export that is read.
pub const EXPORT_LINE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Faults that a report names; it counts no further.
pub const FAULTS_MAX: usize = 100;

#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("the database refused")]
    Database(#[from] pg::PgError),
    #[error("the signing key could not be used")]
    Key(#[from] VaultError),
    #[error("the export could not be read or written")]
    File(#[from] std::io::Error),
    #[error("{0} rows were to be sealed, {1} were: somebody else changes the log")]
    RowsChanged(usize, u64),
}

/// The newest link of a chain. Kept elsewhere it anchors the chain: an older state of it is noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub customer_id: Uuid,
    pub seq: i64,
    pub hash: String,
}

/// What does not verify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The zero id for the provider's own chain.
    pub customer_id: Uuid,
    /// The link, counted from 1 within its chain; 0 for the file as a whole.
    pub seq: i64,
    pub what: String,
}

/// What a verification found. The first fault of each chain is named; later links of a broken chain are not judged.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VerifyReport {
    pub links: u64,
    pub rows: u64,
    /// Rows that no link covers yet (online only).
    pub unsealed_rows: u64,
    pub oldest_unsealed_at: Option<Timestamp>,
    pub heads: Vec<Head>,
    /// Ids of the keys that signed.
    pub keys: Vec<String>,
    pub faults: Vec<Fault>,
}

impl VerifyReport {
    pub fn is_intact(&self) -> bool {
        self.faults.is_empty()
    }
}

/// The canonical text of a row: a JSON array of its columns in this order, times in UTC with microseconds. It depends on
/// no setting of the session.
macro_rules! canonical_row {
    () => {
        "jsonb_build_array(l.id, to_char(l.at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), l.customer_id, \
         l.table_name, l.verb, l.actor_role, l.actor_id, l.request_id, l.reason, l.row_id, l.before, l.after)::text"
    };
}
/// The leaf of a row: SHA-256 of a zero byte and the canonical text (see `chain::leaf`).
macro_rules! leaf {
    () => {
        concat!("sha256('\\x00'::bytea || convert_to(", $crate::seal::canonical_row!(), ", 'UTF8'))")
    };
}
pub(crate) use {canonical_row, leaf};
