//! The row of an upload under way.
use jiff::Timestamp;
use pg::{ActorTx, PgError, Row};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    bucket::Overwrite,
    error::StorageError,
    place::{Place, customer_of},
    save::Meta,
};

/// The address of an upload: `<customer or provider>.<id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UploadId {
    pub place: Place,
    pub id: Uuid,
}

impl UploadId {
    pub(super) fn parse(text: &str) -> Result<Self, StorageError> {
        let parsed = text.split_once('.').and_then(|(folder, id)| {
            let place = match folder {
                "provider" => Place::Provider,
                customer => Place::Customer(customer_of(customer)?),
            };
            Some(Self { place, id: id.parse().ok()? })
        });
        parsed.ok_or_else(StorageError::object_not_found)
    }

    pub(super) fn text(self) -> String {
        format!("{}.{}", self.place.folder(), self.id)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub bucket: String,
    pub name: String,
    pub length: u64,
    pub offset: u64,
    pub part_keys: Vec<String>,
    pub overwrite: Overwrite,
    pub meta: Meta,
    pub expires_at: Timestamp,
    pub is_complete: bool,
}

const FIND: &str = "select o.bucket, o.name, o.length_bytes, o.offset_bytes, o.part_keys, o.is_upsert, o.mime_type, \
      o.cache_control, o.user_metadata, o.expires_at, o.completed_at is not null \
    from {uploads} o where {of} and o.id = $2 and o.expires_at > $3";
const INSERT: &str = "insert into {uploads} as o ({key}id, bucket, name, length_bytes, is_upsert, mime_type, \
      cache_control, user_metadata, user_id, expires_at) \
    select {value}$2::uuid, $3::text, $4::text, $5::bigint, $6::boolean, $7::text, $8::text, $9::jsonb, app.user_id(), \
      $10::timestamptz where {given}";
/// Two senders at the same place: the second one's bytes are not taken.
const ADVANCE: &str = "update {uploads} as o set offset_bytes = $4, part_keys = o.part_keys || $5::text \
    where {of} and o.id = $2 and o.offset_bytes = $3 and o.completed_at is null";
const COMPLETE: &str = "update {uploads} as o set offset_bytes = o.length_bytes, part_keys = array[]::text[], completed_at = now() \
    where {of} and o.id = $2 and o.offset_bytes = $3 and o.completed_at is null";
const DELETE: &str = "delete from {uploads} as o where {of} and o.id = $2 returning o.part_keys";
const OPEN: &str =
    "select count(*) from {uploads} o where {given} and o.user_id = app.user_id() and o.completed_at is null";

impl Upload {
    fn of_row(row: &Row) -> Self {
        let count = |place: usize| u64::try_from(row.get::<_, i64>(place)).unwrap_or(0);
        Self {
            bucket: row.get(0),
            name: row.get(1),
            length: count(2),
            offset: count(3),
            part_keys: row.get(4),
            overwrite: if row.get(5) { Overwrite::Replace } else { Overwrite::Refuse },
            meta: Meta { mime: row.get(6), cache_control: row.get(7), user_metadata: row.get(8) },
            expires_at: row.get(9),
            is_complete: row.get(10),
        }
    }

    /// The upload, if it is the caller's and has not expired.
    pub(super) async fn find(tx: &ActorTx, of: UploadId, now: Timestamp) -> Result<Self, StorageError> {
        let row = tx.query_opt(&of.place.sql(FIND), &[&of.place.customer(), &of.id, &now]).await?;
        row.as_ref().map(Self::of_row).ok_or_else(StorageError::object_not_found)
    }

    pub(super) async fn insert(&self, tx: &ActorTx, of: UploadId) -> Result<(), PgError> {
        let length = i64::try_from(self.length).unwrap_or(i64::MAX);
        let (customer, is_upsert) = (of.place.customer(), self.overwrite == Overwrite::Replace);
        let metadata: &Option<Value> = &self.meta.user_metadata;
        tx.execute_one(
            &of.place.sql(INSERT),
            &[
                &customer,
                &of.id,
                &self.bucket,
                &self.name,
                &length,
                &is_upsert,
                &self.meta.mime,
                &self.meta.cache_control,
                metadata,
                &self.expires_at,
            ],
        )
        .await
    }

    /// `false`: somebody else was here first.
    pub(super) async fn advance(
        tx: &ActorTx,
        of: UploadId,
        from: u64,
        to: u64,
        part_key: &str,
    ) -> Result<bool, PgError> {
        let (from, to) = (i64::try_from(from).unwrap_or(i64::MAX), i64::try_from(to).unwrap_or(i64::MAX));
        let params: [&(dyn pg::types::ToSql + Sync); 5] =
            [&of.place.customer(), &of.id, &from, &to, &part_key];
        Ok(tx.execute(&of.place.sql(ADVANCE), &params).await? == 1)
    }

    /// `false`: somebody else was here first.
    pub(super) async fn complete(tx: &ActorTx, of: UploadId, from: u64) -> Result<bool, PgError> {
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        Ok(tx.execute(&of.place.sql(COMPLETE), &[&of.place.customer(), &of.id, &from]).await? == 1)
    }

    /// The keys of its parts; `None` when there was no such upload.
    pub(super) async fn delete(tx: &ActorTx, of: UploadId) -> Result<Option<Vec<String>>, PgError> {
        let row = tx.query_opt(&of.place.sql(DELETE), &[&of.place.customer(), &of.id]).await?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Uploads of the caller that are not finished.
    pub(super) async fn open_of_caller(tx: &ActorTx, place: Place) -> Result<i64, PgError> {
        Ok(tx.query_one(&place.sql(OPEN), &[&place.customer()]).await?.get(0))
    }
}
