//! Calls of functions: the log, and the answers kept under idempotency keys. All but the sweep run as the caller.
use kernel::Timestamp;
use pg::{ActorTx, PgError};
use uuid::Uuid;

/// A call that begins under a key.
#[derive(Clone, Debug)]
pub struct NewCall<'a> {
    pub id: Uuid,
    pub function: &'a str,
    pub request: Option<Uuid>,
    pub began_at: Timestamp,
    pub key: &'a str,
    /// Of the canonical input, as hex.
    pub input_sha256: &'a str,
    /// Until then nobody else may take the key.
    pub lease_until: Timestamp,
}

/// What is stored under a key.
#[derive(Clone, Debug)]
pub struct StoredCall {
    pub id: Uuid,
    pub input_sha256: Option<String>,
    pub began_at: Timestamp,
    pub lease_until: Option<Timestamp>,
    /// Status and body, once the call has ended.
    pub answer: Option<(i16, String)>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    pub ended_at: Timestamp,
    pub status: i16,
    pub error_code: Option<&'a str>,
}

/// False when the key is taken.
pub async fn begin(tx: &ActorTx, new: &NewCall<'_>) -> Result<bool, PgError> {
    let rows = tx
        .execute(
            include_str!("../../../db/queries/function_calls/begin.sql"),
            &[
                &new.id,
                &new.function,
                &new.request,
                &new.began_at,
                &new.key,
                &new.input_sha256,
                &new.lease_until,
            ],
        )
        .await?;
    Ok(rows == 1)
}

/// Locks the row until the transaction ends.
pub async fn under_key(tx: &ActorTx, function: &str, key: &str) -> Result<Option<StoredCall>, PgError> {
    let row = tx
        .query_opt(include_str!("../../../db/queries/function_calls/under_key.sql"), &[&function, &key])
        .await?;
    Ok(row.map(|row| {
        let answer = row.get::<_, Option<i16>>("status").zip(row.get::<_, Option<String>>("answer"));
        StoredCall {
            id: row.get("id"),
            input_sha256: row.get("input_sha256"),
            began_at: row.get("began_at"),
            lease_until: row.get("lease_until"),
            answer,
        }
    }))
}

/// Frees the key; the call itself stays in the log.
pub async fn forget_key(tx: &ActorTx, id: Uuid) -> Result<(), PgError> {
    tx.execute(include_str!("../../../db/queries/function_calls/forget_key.sql"), &[&id]).await.map(drop)
}

/// Ends a call that began under a key. False when its row is gone or no longer this caller's to see.
pub async fn finish(
    tx: &ActorTx,
    id: Uuid,
    outcome: Outcome<'_>,
    answer: Option<&str>,
) -> Result<bool, PgError> {
    let rows = tx
        .execute(
            include_str!("../../../db/queries/function_calls/finish.sql"),
            &[&id, &outcome.ended_at, &outcome.status, &outcome.error_code, &answer],
        )
        .await?;
    Ok(rows == 1)
}

/// Writes a call without a key, when it has ended.
pub async fn record(
    tx: &ActorTx,
    id: Uuid,
    function: &str,
    request: Option<Uuid>,
    began_at: Timestamp,
    outcome: Outcome<'_>,
) -> Result<(), PgError> {
    tx.execute_one(
        include_str!("../../../db/queries/function_calls/record.sql"),
        &[&id, &function, &request, &began_at, &outcome.ended_at, &outcome.status, &outcome.error_code],
    )
    .await
}

/// Over all people: frees keys and answers that began before this time. Returns how many.
pub async fn sweep(tx: &ActorTx, before: Timestamp) -> Result<u64, PgError> {
    tx.execute(include_str!("../../../db/queries/function_calls/forget_keys.sql"), &[&before]).await
}
