//! The row of a file, and how the dialect writes it.
use jiff::Timestamp;
use pg::{ActorTx, PgError, Row};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{blob::BlobKey, error::StorageError, name::ObjectName, place::Place};

pub(crate) const COLUMNS: &str = "o.id, o.name, o.blob_key, o.sha256, o.size_bytes, o.mime_type, o.cache_control, \
    o.user_metadata, o.owner_id, o.created_at, o.updated_at";

#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub id: Uuid,
    pub name: String,
    pub key: BlobKey,
    pub sha256: String,
    pub size_bytes: u64,
    pub mime: String,
    pub cache_control: String,
    pub user_metadata: Option<Value>,
    pub owner: Option<Uuid>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Object {
    pub(crate) fn of_row(row: &Row) -> Self {
        Self {
            id: row.get(0),
            name: row.get(1),
            key: BlobKey::from_row(row.get(2)),
            sha256: row.get(3),
            size_bytes: u64::try_from(row.get::<_, i64>(4)).unwrap_or(0),
            mime: row.get(5),
            cache_control: row.get(6),
            user_metadata: row.get(7),
            owner: row.get(8),
            created_at: row.get(9),
            updated_at: row.get(10),
        }
    }

    /// The object, if the caller of the transaction may see it.
    pub(crate) async fn find(
        tx: &ActorTx,
        place: Place,
        bucket: &str,
        name: &ObjectName,
    ) -> Result<Self, StorageError> {
        Self::look(tx, place, bucket, name).await?.ok_or_else(StorageError::object_not_found)
    }

    pub(crate) async fn look(
        tx: &ActorTx,
        place: Place,
        bucket: &str,
        name: &ObjectName,
    ) -> Result<Option<Self>, PgError> {
        let sql = place.sql(&format!(
            "select {COLUMNS} from {{objects}} o where {{of}} and o.bucket = $2 and o.name = $3"
        ));
        let row = tx.query_opt(&sql, &[&place.customer(), &bucket, &name.as_str()]).await?;
        Ok(row.as_ref().map(Self::of_row))
    }

    pub(crate) fn etag(&self) -> String {
        format!("\"{}\"", self.sha256)
    }

    /// What `list` calls metadata.
    pub(crate) fn system_metadata(&self) -> Value {
        json!({
            "eTag": self.etag(), "size": self.size_bytes, "mimetype": self.mime, "cacheControl": self.cache_control,
            "lastModified": self.updated_at.to_string(), "contentLength": self.size_bytes, "httpStatusCode": 200,
        })
    }

    /// One line of `list`, under a name relative to the folder.
    pub(crate) fn listed(&self, name: &str) -> Value {
        json!({
            "name": name, "id": self.id, "updated_at": self.updated_at.to_string(), "created_at": self.created_at.to_string(),
            "last_accessed_at": self.updated_at.to_string(), "metadata": self.system_metadata(),
        })
    }

    /// One line of what was removed.
    pub(crate) fn removed(&self, bucket: &str) -> Value {
        let mut line = self.listed(&self.name);
        line["bucket_id"] = json!(bucket);
        line["owner"] = json!(self.owner.map(|id| id.to_string()).unwrap_or_default());
        line["owner_id"] = json!(self.owner);
        line["version"] = json!(self.key.version());
        line["user_metadata"] = json!(self.user_metadata);
        line
    }

    /// `object/info`.
    pub(crate) fn info(&self, bucket: &str) -> Value {
        json!({
            "id": self.id, "version": self.key.version(), "name": self.name, "bucket_id": bucket, "size": self.size_bytes,
            "content_type": self.mime, "cache_control": self.cache_control, "etag": self.etag(), "sha256": self.sha256,
            "metadata": self.user_metadata, "last_modified": self.updated_at.to_string(),
            "created_at": self.created_at.to_string(), "updated_at": self.updated_at.to_string(),
        })
    }
}
