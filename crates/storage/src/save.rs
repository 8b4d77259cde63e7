//! Bytes first, row second. The row makes the file appear, in one transaction with the old one's end.
use pg::{ActorTx, PgError};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    blob::{BlobKey, Stored},
    bucket::{Bucket, Overwrite},
    error::StorageError,
    name::ObjectName,
    place::Place,
    state::Inner,
    who::{Who, is_refused},
};

/// Where a file is to go.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub place: Place,
    pub bucket: Bucket,
    pub name: ObjectName,
}

/// What its sender says about a file.
#[derive(Clone, Debug)]
pub(crate) struct Meta {
    pub mime: String,
    /// `max-age=n` or `no-cache`.
    pub cache_control: String,
    pub user_metadata: Option<Value>,
}

#[derive(Clone, Debug)]
pub(crate) struct Saved {
    pub id: Uuid,
    /// Bytes that this file took the place of.
    replaced: Option<BlobKey>,
}

impl Target {
    pub(crate) async fn find(
        state: &Inner,
        who: &Who,
        bucket: &str,
        name: &str,
    ) -> Result<Self, StorageError> {
        let name = ObjectName::parse(name)?;
        let bucket = Bucket::of(state, who, bucket).await?;
        Ok(Self { place: Place::of(bucket.kind, &name)?, bucket, name })
    }

    /// `Key` of the dialect: the bucket and the name.
    pub(crate) fn full_path(&self) -> String {
        format!("{}/{}", self.bucket.name, self.name)
    }

    /// A link speaks through background work, which the write-once policy does not bind.
    fn overwrite(&self, who: &Who, asked: Overwrite) -> Overwrite {
        match who {
            Who::Link(_) if self.bucket.is_write_once => Overwrite::Refuse,
            _ => asked,
        }
    }
}

/// Asks the policies, before any byte is taken: does the very statement that will save the file, and takes it back.
pub(crate) async fn admit(
    state: &Inner,
    who: &Who,
    target: &Target,
    overwrite: Overwrite,
) -> Result<(), StorageError> {
    let meta = Meta { mime: "text/plain".into(), cache_control: "no-cache".into(), user_metadata: None };
    let stored = Stored { size_bytes: 0, sha256: "0".repeat(64), head: Vec::new() };
    let key = BlobKey::new(target.place, state.clock.now());
    let tx = who.begin(state, target.place).await?;
    let outcome = write(&tx, who, target, &meta, &key, &stored, target.overwrite(who, overwrite)).await;
    match outcome {
        Ok(_) => Ok(tx.rollback().await?),
        Err(error) => {
            drop(tx);
            Err(refusal(state, who, target.place, error).await)
        }
    }
}

/// Makes the file appear. When this fails, nothing refers to `key`, and its bytes are forgotten.
pub(crate) async fn commit(
    state: &Inner,
    who: &Who,
    target: &Target,
    meta: &Meta,
    key: &BlobKey,
    stored: &Stored,
    overwrite: Overwrite,
) -> Result<Saved, StorageError> {
    let tx = who.begin(state, target.place).await?;
    match write(&tx, who, target, meta, key, stored, target.overwrite(who, overwrite)).await {
        Ok(saved) => {
            // When the answer to this is lost, the row may be there: the bytes stay, and the sweep decides.
            tx.commit().await?;
            saved.forget_replaced(state).await;
            Ok(saved)
        }
        Err(error) => {
            drop(tx);
            state.blobs.forget(key).await;
            Err(refusal(state, who, target.place, error).await)
        }
    }
}

impl Saved {
    pub(crate) async fn forget_replaced(&self, state: &Inner) {
        if let Some(old) = &self.replaced {
            state.blobs.forget(old).await;
        }
    }
}

pub(crate) async fn refusal(state: &Inner, who: &Who, place: Place, error: PgError) -> StorageError {
    if is_refused(&error) { who.denied(state, place).await } else { error.into() }
}

const LOCK: &str = "select pg_advisory_xact_lock(hashtextextended($1, 10))";
/// The row is locked, so that a rename cannot carry the old bytes away before they are forgotten.
const OLD: &str =
    "select o.blob_key from {objects} o where {of} and o.bucket = $2 and o.name = $3 for no key update";
const INSERT: &str = "insert into {objects} as o \
      ({key}bucket, name, blob_key, sha256, size_bytes, mime_type, cache_control, user_metadata, owner_id) \
    select {value}$2::text, $3::text, $4::text, $5::text, $6::bigint, $7::text, $8::text, $9::jsonb, \
      coalesce(app.user_id(), $10::uuid) where {given}";
const REPLACE: &str = " on conflict ({key}bucket, name) do update set blob_key = excluded.blob_key, \
      sha256 = excluded.sha256, size_bytes = excluded.size_bytes, mime_type = excluded.mime_type, \
      cache_control = excluded.cache_control, user_metadata = excluded.user_metadata, owner_id = excluded.owner_id, \
      updated_at = now()";

/// The statement itself. Those who write the same name take turns.
pub(crate) async fn write(
    tx: &ActorTx,
    who: &Who,
    target: &Target,
    meta: &Meta,
    key: &BlobKey,
    stored: &Stored,
    overwrite: Overwrite,
) -> Result<Saved, PgError> {
    let place = target.place;
    let (customer, bucket, name) = (place.customer(), &target.bucket.name, target.name.as_str());
    tx.query(LOCK, &[&target.full_path()]).await?;
    let (sql, replaced) = match overwrite {
        Overwrite::Refuse => (place.sql(&format!("{INSERT} returning o.id")), None),
        Overwrite::Replace => {
            let old = tx.query_opt(&place.sql(OLD), &[&customer, bucket, &name]).await?;
            let old = old.map(|row| BlobKey::from_row(row.get(0)));
            (place.sql(&format!("{INSERT}{REPLACE} returning o.id")), old)
        }
    };
    let size_bytes = i64::try_from(stored.size_bytes).unwrap_or(i64::MAX);
    let row = tx
        .query_one(
            &sql,
            &[
                &customer,
                bucket,
                &name,
                &key.as_str(),
                &stored.sha256,
                &size_bytes,
                &meta.mime,
                &meta.cache_control,
                &meta.user_metadata,
                &who.signer(),
            ],
        )
        .await?;
    Ok(Saved { id: row.get(0), replaced })
}
