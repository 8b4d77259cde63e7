//! What is past its time, as the rules of `db/rules/90_retention.sql` say.
use kernel::Timestamp;
use pg::{ActorTx, PgError};

/// One table that had rows past their time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    pub table: String,
    pub removed: u64,
    /// There may be more.
    pub is_full: bool,
    pub problem: Option<String>,
}

/// Deletes at most `rows_max` rows of each table. Empty while another process does it.
pub async fn expire(tx: &ActorTx, now: Timestamp, rows_max: i32) -> Result<Vec<Expired>, PgError> {
    let rows = tx.query(include_str!("../../../db/queries/retention/expire.sql"), &[&now, &rows_max]).await?;
    let expired = rows.iter().map(|row| Expired {
        table: row.get(0),
        removed: u64::try_from(row.get::<_, i64>(1)).unwrap_or_default(),
        is_full: row.get(2),
        problem: row.get(3),
    });
    Ok(expired.collect())
}
