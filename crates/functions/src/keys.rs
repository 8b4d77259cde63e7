//! `Idempotency-Key`: the same call under the same key has one effect and one answer, for a day.
//!
//! A key belongs to one person and one function. Who begins holds a lease on it until the function's time-out and a
//! margin; the answer is stored beside it. A process that dies in between leaves the lease to run out, then the key is free.
use axum::http::HeaderMap;
use jiff::SignedDuration;
use kernel::{ApiError, ErrorCode, Timestamp, id::uuid_v7};
use pg::{Actor, Pg, PgError, SystemReason};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::function_calls::{self as calls, NewCall, Outcome, StoredCall};
use uuid::Uuid;

use crate::answer::{Computed, Failure};

pub const KEY_CHARS_MAX: usize = 255;
/// How long a key stands for its call.
pub const KEY_HOURS: i64 = 24;
/// After a call's time-out nothing of it can run any more; this is for writing down how it ended.
pub const LEASE_MARGIN_MS: u64 = 5_000;
const ASK_AGAIN_S_MAX: u64 = 5;
const HEADER: &str = "idempotency-key";
/// Changes between looking at a key and taking it that are put up with.
const TRIES_MAX: u32 = 3;

/// A key as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        let mut sent = headers.get_all(HEADER).iter();
        let Some(value) = sent.next() else { return Ok(None) };
        let is_plain = |text: &&str| {
            !text.is_empty()
                && text.len() <= KEY_CHARS_MAX
                && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        match value.to_str().ok().filter(is_plain) {
            Some(text) if sent.next().is_none() => Ok(Some(Self(text.to_owned()))),
            _ => Err(ApiError::new(ErrorCode::ValueRefused, "The idempotency key was refused.")
                .details(format!("One header, 1 to {KEY_CHARS_MAX} visible ASCII characters without spaces."))
                .hint("Send a UUID. Nothing was changed.")),
        }
    }
}

/// SHA-256 of the input, whatever the order of its fields and its white space.
pub(crate) fn input_sha256(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(value) => sorted(value).to_string().into_bytes(),
        Err(_) => body.to_vec(),
    };
    hex::encode(Sha256::digest(text))
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// A call that wants a key.
pub(crate) struct Claim<'a> {
    pub function: &'static str,
    pub key: &'a Key,
    pub input_sha256: &'a str,
    pub timeout_ms: u64,
    pub now: Timestamp,
}

pub(crate) enum Claimed {
    /// The key is this call's: carry it out and [`finish`] it.
    Begun(Uuid),
    /// It was answered before.
    Answered(Computed),
}

/// The policies let nobody begin a call whose session has ended.
fn not_begun(error: PgError) -> ApiError {
    if error.db().is_some_and(|db| db.code().code() == "42501") {
        return ApiError::new(ErrorCode::NotSignedIn, "Your session has ended. Sign in again.");
    }
    error.into()
}

enum Standing {
    Free,
    Answered(Computed),
    Refused(Failure),
}

/// Takes the key, or finds the answer that belongs to it.
pub(crate) async fn claim(pg: &Pg, actor: &Actor, claim: &Claim<'_>) -> Result<Claimed, Failure> {
    let lease_ms = i64::try_from(claim.timeout_ms + LEASE_MARGIN_MS).unwrap_or(i64::MAX);
    let new = NewCall {
        id: uuid_v7(claim.now),
        function: claim.function,
        request: actor.request.map(|id| id.0),
        began_at: claim.now,
        key: &claim.key.0,
        input_sha256: claim.input_sha256,
        lease_until: claim.now.saturating_add(SignedDuration::from_millis(lease_ms)).unwrap_or(claim.now),
    };
    for _ in 0..TRIES_MAX {
        let tx = pg.act_as(actor).await.map_err(ApiError::from)?;
        if calls::begin(&tx, &new).await.map_err(not_begun)? {
            tx.commit().await.map_err(ApiError::from)?;
            return Ok(Claimed::Begun(new.id));
        }
        let stored = calls::under_key(&tx, claim.function, &claim.key.0).await.map_err(ApiError::from)?;
        // Swept between the two statements.
        let Some(stored) = stored else { continue };
        match standing(&stored, claim) {
            Standing::Answered(answer) => return Ok(Claimed::Answered(answer)),
            Standing::Refused(failure) => return Err(failure),
            Standing::Free => {
                calls::forget_key(&tx, stored.id).await.map_err(ApiError::from)?;
                let is_begun = calls::begin(&tx, &new).await.map_err(ApiError::from)?;
                tx.commit().await.map_err(ApiError::from)?;
                if is_begun {
                    return Ok(Claimed::Begun(new.id));
                }
            }
        }
    }
    Err(in_use(1))
}

fn standing(stored: &StoredCall, claim: &Claim<'_>) -> Standing {
    let key_ends = stored.began_at.saturating_add(SignedDuration::from_hours(KEY_HOURS));
    if key_ends.is_ok_and(|at| at <= claim.now) {
        return Standing::Free;
    }
    if stored.input_sha256.as_deref() != Some(claim.input_sha256) {
        let error = ApiError::new(ErrorCode::KeyReused, "This idempotency key was used with another input.")
            .hint("Make a new key for a new intention. Nothing was changed.");
        return Standing::Refused(error.into());
    }
    if let Some((status, body)) = &stored.answer {
        let status = u16::try_from(*status).unwrap_or(500);
        let error_code = serde_json::from_str::<Value>(body)
            .ok()
            .filter(|_| status >= 400)
            .and_then(|body| body["code"].as_str().map(str::to_owned));
        return Standing::Answered(Computed { status, body: body.clone(), error_code });
    }
    match stored.lease_until.map(|until| until.as_millisecond() - claim.now.as_millisecond()) {
        Some(left_ms) if left_ms > 0 => {
            Standing::Refused(in_use(u64::try_from(left_ms).unwrap_or(0).div_ceil(1_000)))
        }
        _ => Standing::Free,
    }
}

fn in_use(left_s: u64) -> Failure {
    let seconds = left_s.clamp(1, ASK_AGAIN_S_MAX);
    let error = ApiError::new(ErrorCode::KeyInUse, "The call with this key is still under way.")
        .hint(format!("Ask again in {seconds} s, unchanged, and get its answer."));
    Failure::retry_after(error, seconds)
}

/// Stores the answer. What says that nothing was done and is worth trying again frees the key instead.
pub(crate) async fn finish(
    pg: &Pg,
    actor: &Actor,
    id: Uuid,
    answer: &Computed,
    now: Timestamp,
) -> Result<(), PgError> {
    let tx = pg.act_as(actor).await?;
    let is_final = answer.status != ErrorCode::DatabaseUnavailable.status();
    let body = is_final.then_some(answer.body.as_str());
    let is_there = calls::finish(&tx, id, outcome(answer, now), body).await?;
    if !is_final {
        calls::forget_key(&tx, id).await?;
    }
    tx.commit().await?;
    if !is_there {
        tracing::warn!(call = %id, "a call's end could not be stored: its session has ended");
    }
    Ok(())
}

/// Writes down a call without a key.
pub(crate) async fn record(
    pg: &Pg,
    actor: &Actor,
    function: &str,
    began_at: Timestamp,
    answer: &Computed,
    now: Timestamp,
) -> Result<(), PgError> {
    let tx = pg.act_as(actor).await?;
    let request = actor.request.map(|id| id.0);
    calls::record(&tx, uuid_v7(began_at), function, request, began_at, outcome(answer, now)).await?;
    tx.commit().await
}

fn outcome(answer: &Computed, now: Timestamp) -> Outcome<'_> {
    Outcome {
        ended_at: now,
        status: i16::try_from(answer.status).unwrap_or(500),
        error_code: answer.error_code.as_deref(),
    }
}

/// What one sweep did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SweepReport {
    pub keys_forgotten: u64,
}

/// Forgets keys and answers after [`KEY_HOURS`]. Any number of processes may sweep at once.
pub async fn sweep(pg: &Pg, now: Timestamp) -> Result<SweepReport, PgError> {
    let before = now.saturating_sub(SignedDuration::from_hours(KEY_HOURS)).unwrap_or(Timestamp::MIN);
    let tx = pg.system(SystemReason::SweepCalls).await?;
    let keys_forgotten = calls::sweep(&tx, before).await?;
    tx.commit().await?;
    Ok(SweepReport { keys_forgotten })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_fields_does_not_make_another_input() {
        let one = input_sha256(br#"{"a":1,"b":{"c":[1,2],"d":null}}"#);
        assert_eq!(one, input_sha256(br#" {"b": {"d": null, "c": [1, 2]}, "a": 1}"#));
        assert_ne!(one, input_sha256(br#"{"a":1,"b":{"c":[2,1],"d":null}}"#));
        assert_eq!(input_sha256(b"{}"), input_sha256(b" { } "));
    }

    #[test]
    fn keys_are_short_and_plain() {
        let sent = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, text.parse().expect("a header"));
            Key::of(&headers)
        };
        assert_eq!(Key::of(&HeaderMap::new()).expect("none"), None);
        assert!(sent("0190b2f4-b1c0").is_ok_and(|key| key.is_some()));
        assert!(sent(&"k".repeat(KEY_CHARS_MAX)).is_ok());
        for wrong in ["", "two words", &"k".repeat(KEY_CHARS_MAX + 1)] {
            assert_eq!(sent(wrong).expect_err("refused").code, "OB1003", "{wrong}");
        }
        let mut two = HeaderMap::new();
        two.append(HEADER, "a".parse().expect("a header"));
        two.append(HEADER, "b".parse().expect("a header"));
        assert!(Key::of(&two).is_err());
    }
}
