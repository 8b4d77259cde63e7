//! `/bucket`: making, changing, emptying and removing buckets. The policies ask for `buckets:write`.
use axum::{
    Extension, Json,
    extract::{Path, Query, State},
};
use pg::Actor;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    blob::BlobKey,
    bucket::{Bucket, COLUMNS, Kind},
    config::PublicBuckets,
    error::StorageError,
    name::new_bucket_name,
    place::Place,
    save::refusal,
    state::{Inner, StorageState},
    told::Told,
    who::Who,
};

const LIST_ROWS_MAX: i64 = 1_000;
/// Objects that are removed in one transaction when a bucket is emptied.
const EMPTY_ROWS_MAX: i64 = 500;
const MIME_TYPES_MAX: usize = 100;
/// The product itself uses these.
const BUCKETS_KEPT: &[&str] = &["attachments", "evidence", "knowledge"];

type Answer = Result<Json<Value>, StorageError>;
type Caller = Option<Extension<Actor>>;

fn shown(bucket: &Bucket) -> Value {
    json!({
        "id": bucket.name, "name": bucket.name, "owner": "", "public": bucket.is_public, "type": "STANDARD",
        "file_size_limit": bucket.file_size_max_bytes, "allowed_mime_types": bucket.allowed_mime_types,
        "created_at": bucket.created_at.to_string(), "updated_at": bucket.updated_at.to_string(),
        "kind": bucket.kind.name(), "member_access": bucket.member_access, "write_once": bucket.is_write_once,
    })
}

fn signed_in(actor: Caller) -> Result<Who, StorageError> {
    Who::signed_in(actor.map(|Extension(actor)| actor))
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Listing {
    limit: Option<i64>,
    offset: Option<i64>,
    search: Option<String>,
    sort_column: Option<String>,
    sort_order: Option<String>,
}

pub(crate) async fn list(
    State(state): State<StorageState>,
    Query(asked): Query<Listing>,
    actor: Caller,
) -> Answer {
    let who = signed_in(actor)?;
    let column = match asked.sort_column.as_deref() {
        Some("created_at") => "b.created_at",
        Some("updated_at") => "b.updated_at",
        _ => "b.name",
    };
    let order = if asked.sort_order.as_deref() == Some("desc") { "desc" } else { "asc" };
    let sql = format!(
        "select {COLUMNS} from storage.buckets b where $1 = '' or strpos(lower(b.name), lower($1)) > 0 \
         order by {column} {order}, b.name limit $2 offset $3"
    );
    let limit = asked.limit.unwrap_or(LIST_ROWS_MAX).clamp(1, LIST_ROWS_MAX);
    let offset = asked.offset.unwrap_or(0).max(0);
    let tx = who.begin_anywhere(&state.0).await?;
    let rows = tx.query(&sql, &[&asked.search.unwrap_or_default(), &limit, &offset]).await?;
    tx.rollback().await?;
    Ok(Json(rows.iter().map(|row| shown(&Bucket::of_row(row))).collect()))
}

pub(crate) async fn one(
    State(state): State<StorageState>,
    Path(name): Path<String>,
    actor: Caller,
) -> Answer {
    let tx = signed_in(actor)?.begin_anywhere(&state.0).await?;
    let bucket = Bucket::find(&tx, &name).await?;
    tx.rollback().await?;
    Ok(Json(shown(&bucket)))
}

/// What stock clients send, and our own `kind`, `member_access` and `write_once` beside it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wishes {
    id: Option<String>,
    name: Option<String>,
    public: Option<bool>,
    #[serde(rename = "type")]
    kind_of_store: Option<String>,
    file_size_limit: Option<Value>,
    allowed_mime_types: Option<Vec<String>>,
    kind: Option<String>,
    member_access: Option<String>,
    write_once: Option<bool>,
}

/// The checked form of [`Wishes`].
struct Rules {
    is_public: bool,
    file_size_max_bytes: Option<i64>,
    allowed_mime_types: Option<Vec<String>>,
}

impl Wishes {
    fn rules(&self, state: &Inner) -> Result<Rules, StorageError> {
        let is_public = self.public.unwrap_or(false);
        if is_public && state.config.public_buckets == PublicBuckets::Refused {
            return Err(StorageError::forbidden(
                "Public buckets are off in this installation. Share single files with signed URLs, or ask the operator.",
            ));
        }
        if self.kind_of_store.as_deref().is_some_and(|kind| kind != "STANDARD") {
            return Err(StorageError::invalid("Only buckets of the type STANDARD are offered here."));
        }
        let allowed_mime_types = self.allowed_mime_types.clone().filter(|list| !list.is_empty());
        let is_type =
            |text: &String| text.len() <= 255 && text.split('/').filter(|part| !part.is_empty()).count() == 2;
        if allowed_mime_types
            .as_ref()
            .is_some_and(|list| list.len() > MIME_TYPES_MAX || !list.iter().all(is_type))
        {
            return Err(StorageError::invalid(
                "allowed_mime_types is a list of at most 100 types such as image/png or image/*.",
            ));
        }
        let file_size_max_bytes = match &self.file_size_limit {
            None | Some(Value::Null) => None,
            Some(told) => Some(size_bytes(told).ok_or_else(|| {
                StorageError::invalid("file_size_limit is a number of bytes, or a text such as 20MB.")
            })?),
        };
        Ok(Rules { is_public, file_size_max_bytes, allowed_mime_types })
    }
}

/// `1048576`, `"1048576"`, `"1MB"`; units count by 1024. Nothing and zero are no limit of their own.
fn size_bytes(told: &Value) -> Option<i64> {
    let bytes = match told {
        Value::Number(number) => number.as_i64()?,
        Value::String(text) => {
            let text = text.trim().to_ascii_uppercase();
            let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let unit: i64 = match text[digits.len()..].trim() {
                "" | "B" => 1,
                "K" | "KB" => 1 << 10,
                "M" | "MB" => 1 << 20,
                "G" | "GB" => 1 << 30,
                _ => return None,
            };
            digits.trim().parse::<i64>().ok()?.checked_mul(unit)?
        }
        _ => return None,
    };
    (bytes > 0).then_some(bytes)
}

pub(crate) async fn create(
    State(state): State<StorageState>,
    actor: Caller,
    Told(wishes): Told<Wishes>,
) -> Answer {
    let (state, who) = (&state.0, signed_in(actor)?);
    let asked = wishes.id.as_deref().or(wishes.name.as_deref()).unwrap_or_default();
    let name = new_bucket_name(asked)?;
    let rules = wishes.rules(state)?;
    let kind = match wishes.kind.as_deref() {
        None => Kind::Provider,
        Some(text) => Kind::parse(text)
            .ok_or_else(|| StorageError::invalid("kind is `provider` (the default) or `customer`."))?,
    };
    let access = wishes.member_access.as_deref().unwrap_or("none");
    if !["none", "read", "write"].contains(&access) || kind == Kind::Provider && access != "none" {
        return Err(StorageError::invalid(
            "member_access is `none` (the default), `read` or `write`; only buckets of the kind `customer` are open to members.",
        ));
    }
    let tx = who.begin_anywhere(state).await?;
    let done = tx
        .execute_one(
            "insert into storage.buckets (name, kind, member_access, is_public, is_write_once, file_size_max_bytes, \
             allowed_mime_types, created_by) values ($1, $2, $3, $4, $5, $6, $7, app.user_id())",
            &[
                &name,
                &kind.name(),
                &access,
                &rules.is_public,
                &wishes.write_once.unwrap_or(false),
                &rules.file_size_max_bytes,
                &rules.allowed_mime_types,
            ],
        )
        .await;
    match done {
        Ok(()) => {
            tx.commit().await?;
            Ok(Json(json!({ "name": name })))
        }
        Err(error) => {
            drop(tx);
            Err(refusal(state, &who, Place::Provider, error).await)
        }
    }
}

pub(crate) async fn update(
    State(state): State<StorageState>,
    Path(name): Path<String>,
    actor: Caller,
    Told(wishes): Told<Wishes>,
) -> Answer {
    let (state, who) = (&state.0, signed_in(actor)?);
    let rules = wishes.rules(state)?;
    let tx = who.begin_anywhere(state).await?;
    let old = Bucket::find(&tx, &name).await?;
    let access = wishes.member_access.as_deref().unwrap_or(&old.member_access);
    if !["none", "read", "write"].contains(&access) || old.kind == Kind::Provider && access != "none" {
        return Err(StorageError::invalid(
            "member_access is `none`, `read` or `write`, and `none` for the provider's own.",
        ));
    }
    if wishes.kind.as_deref().is_some_and(|kind| kind != old.kind.name()) {
        return Err(StorageError::invalid("The kind of a bucket cannot be changed."));
    }
    let changed = tx
        .execute(
            "update storage.buckets set is_public = $2, file_size_max_bytes = $3, allowed_mime_types = $4, \
             member_access = $5, is_write_once = $6, updated_at = now() where name = $1",
            &[
                &name,
                &rules.is_public,
                &rules.file_size_max_bytes,
                &rules.allowed_mime_types,
                &access,
                &wishes.write_once.unwrap_or(old.is_write_once),
            ],
        )
        .await;
    finish(state, &who, tx, changed, "Successfully updated").await
}

pub(crate) async fn delete(
    State(state): State<StorageState>,
    Path(name): Path<String>,
    actor: Caller,
) -> Answer {
    let (state, who) = (&state.0, signed_in(actor)?);
    let tx = who.begin_anywhere(state).await?;
    Bucket::find(&tx, &name).await?;
    if BUCKETS_KEPT.contains(&name.as_str()) {
        return Err(StorageError::conflict("The product itself uses this bucket."));
    }
    match tx.execute("delete from storage.buckets where name = $1", &[&name]).await {
        Err(error) if error.code().is_some_and(|code| code.code() == "23503") => {
            Err(StorageError::conflict("The bucket you tried to delete is not empty"))
        }
        deleted => finish(state, &who, tx, deleted, "Successfully deleted").await,
    }
}

/// A row that was there and was not touched is a right that is missing.
async fn finish(
    state: &Inner,
    who: &Who,
    tx: pg::ActorTx,
    touched: Result<u64, pg::PgError>,
    message: &str,
) -> Answer {
    match touched {
        Ok(1) => {
            tx.commit().await?;
            Ok(Json(json!({ "message": message })))
        }
        Ok(_) => {
            drop(tx);
            Err(who.denied(state, Place::Provider).await)
        }
        Err(error) => {
            drop(tx);
            Err(refusal(state, who, Place::Provider, error).await)
        }
    }
}

/// Removes all objects, some at a time; what is done is done when it breaks off.
pub(crate) async fn empty(
    State(state): State<StorageState>,
    Path(name): Path<String>,
    actor: Caller,
) -> Answer {
    let (state, who) = (&state.0, signed_in(actor)?);
    let tx = who.begin_anywhere(state).await?;
    let bucket = Bucket::find(&tx, &name).await?;
    let may: bool = match &who {
        Who::Person(actor) if actor.is_staff() => {
            tx.query_one("select app.has('buckets:write') and app.has('files:write')", &[]).await?.get(0)
        }
        _ => false,
    };
    tx.rollback().await?;
    if !may {
        return Err(who.denied(state, Place::Provider).await);
    }
    if bucket.is_write_once {
        return Err(StorageError::conflict("What is in this bucket stays: it is written once."));
    }
    let table = match bucket.kind {
        Kind::Customer => "storage.objects",
        Kind::Provider => "storage.provider_objects",
    };
    let sql = format!(
        "delete from {table} where (bucket, name, id) in \
         (select o.bucket, o.name, o.id from {table} o where o.bucket = $1 limit $2) returning blob_key"
    );
    loop {
        let tx = who.begin_anywhere(state).await?;
        let rows = tx.query(&sql, &[&bucket.name, &EMPTY_ROWS_MAX]).await?;
        tx.commit().await?;
        for row in &rows {
            state.blobs.forget(&BlobKey::from_row(row.get(0))).await;
        }
        if rows.is_empty() {
            return Ok(Json(json!({ "message": "Successfully emptied" })));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (told, bytes) in [
            (json!(1024), Some(1024)),
            (json!("1024"), Some(1024)),
            (json!("20MB"), Some(20 << 20)),
            (json!("1 gb"), Some(1 << 30)),
            (json!("5TB"), None),
            (json!("-1"), None),
            (json!(0), None),
            (json!(true), None),
        ] {
            assert_eq!(size_bytes(&told), bytes, "{told}");
        }
    }
}
