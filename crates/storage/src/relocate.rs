//! `object/move` and `object/copy`, also into another bucket. Both ends are asked for: the source to read, the target to write.
use axum::{Extension, Json, extract::State, http::HeaderMap};
use pg::{Actor, ActorTx};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    blob::{BlobKey, Stored},
    bucket::Overwrite,
    error::StorageError,
    object::{COLUMNS, Object},
    place::Place,
    save::{Meta, Saved, Target, admit, commit, refusal, write},
    state::{Inner, StorageState},
    told::Told,
    who::Who,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asked {
    bucket_id: String,
    source_key: String,
    destination_key: String,
    destination_bucket: Option<String>,
}

impl Asked {
    async fn ends(&self, state: &Inner, who: &Who) -> Result<(Target, Target), StorageError> {
        let source = Target::find(state, who, &self.bucket_id, &self.source_key).await?;
        let bucket = self.destination_bucket.as_deref().unwrap_or(&self.bucket_id);
        let target = Target::find(state, who, bucket, &self.destination_key).await?;
        Ok((source, target))
    }
}

type Answer = Result<Json<Value>, StorageError>;

pub(crate) async fn copy(
    State(state): State<StorageState>,
    headers: HeaderMap,
    actor: Option<Extension<Actor>>,
    Told(asked): Told<Asked>,
) -> Answer {
    let (state, who) = (&state.0, Who::signed_in(actor.map(|Extension(actor)| actor))?);
    let (source, target) = asked.ends(state, &who).await?;
    let overwrite = Overwrite::asked(&headers);
    let object = readable(state, &who, &source).await?;
    check_rules(state, &target, &object)?;
    admit(state, &who, &target, overwrite).await?;
    let key = BlobKey::new(target.place, state.clock.now());
    state.blobs.copy(&object.key, &key).await?;
    let (meta, stored) = as_is(&object);
    let saved = commit(state, &who, &target, &meta, &key, &stored, overwrite).await?;
    Ok(Json(json!({ "Id": saved.id, "Key": target.full_path() })))
}

pub(crate) async fn relocate(
    State(state): State<StorageState>,
    actor: Option<Extension<Actor>>,
    Told(asked): Told<Asked>,
) -> Answer {
    let (state, who) = (&state.0, Who::signed_in(actor.map(|Extension(actor)| actor))?);
    let (source, target) = asked.ends(state, &who).await?;
    let object = readable(state, &who, &source).await?;
    check_rules(state, &target, &object)?;
    let id = if source.place == target.place {
        rename(state, &who, &source, &target, &object).await?
    } else {
        carry(state, &who, &source, &target, &object).await?.id
    };
    Ok(Json(json!({ "message": "Successfully moved", "Id": id, "Key": target.full_path() })))
}

async fn readable(state: &Inner, who: &Who, source: &Target) -> Result<Object, StorageError> {
    let tx = who.begin(state, source.place).await?;
    let object = Object::find(&tx, source.place, &source.bucket.name, &source.name).await?;
    tx.rollback().await?;
    Ok(object)
}

/// The target's limits hold for what comes from another bucket as well.
fn check_rules(state: &Inner, target: &Target, object: &Object) -> Result<(), StorageError> {
    let limit = target.bucket.limit_bytes(state);
    if object.size_bytes > limit {
        return Err(StorageError::too_large(limit));
    }
    target.bucket.check_type(&object.mime)
}

fn as_is(object: &Object) -> (Meta, Stored) {
    let meta = Meta {
        mime: object.mime.clone(),
        cache_control: object.cache_control.clone(),
        user_metadata: object.user_metadata.clone(),
    };
    let stored = Stored { size_bytes: object.size_bytes, sha256: object.sha256.clone(), head: Vec::new() };
    (meta, stored)
}

/// Within one customer, or within the provider: the row gets another name, the bytes stay where they are.
async fn rename(
    state: &Inner,
    who: &Who,
    source: &Target,
    target: &Target,
    object: &Object,
) -> Result<uuid::Uuid, StorageError> {
    let place = source.place;
    let sql = place.sql(
        "update {objects} as o set bucket = $4, name = $5, updated_at = now() \
         where {of} and o.id = $2 and o.name = $3 returning o.id",
    );
    let tx = who.begin(state, place).await?;
    let moved = tx
        .query_opt(
            &sql,
            &[
                &place.customer(),
                &object.id,
                &source.name.as_str(),
                &target.bucket.name,
                &target.name.as_str(),
            ],
        )
        .await;
    match moved {
        Ok(Some(row)) => {
            let id = row.get(0);
            tx.commit().await?;
            Ok(id)
        }
        Ok(None) => {
            drop(tx);
            Err(who.denied(state, place).await)
        }
        Err(error) => {
            drop(tx);
            Err(refusal(state, who, place, error).await)
        }
    }
}

/// To another customer, or between a customer and the provider: a copy there and the end of this one, in one transaction.
async fn carry(
    state: &Inner,
    who: &Who,
    source: &Target,
    target: &Target,
    object: &Object,
) -> Result<Saved, StorageError> {
    admit(state, who, target, Overwrite::Refuse).await?;
    let key = BlobKey::new(target.place, state.clock.now());
    state.blobs.copy(&object.key, &key).await?;
    let (meta, stored) = as_is(object);
    let tx = who.begin(state, target.place).await?;
    let outcome = async {
        let saved = write(&tx, who, target, &meta, &key, &stored, Overwrite::Refuse).await?;
        let gone = remove(&tx, source, object).await?;
        Ok::<_, pg::PgError>((saved, gone))
    };
    match outcome.await {
        Ok((saved, Some(old))) => {
            tx.commit().await?;
            state.blobs.forget(&old.key).await;
            Ok(saved)
        }
        Ok((_, None)) => {
            drop(tx);
            state.blobs.forget(&key).await;
            Err(who.denied(state, source.place).await)
        }
        Err(error) => {
            drop(tx);
            state.blobs.forget(&key).await;
            Err(refusal(state, who, target.place, error).await)
        }
    }
}

async fn remove(tx: &ActorTx, source: &Target, object: &Object) -> Result<Option<Object>, pg::PgError> {
    let place: Place = source.place;
    let sql = place.sql(&format!(
        "delete from {{objects}} as o where {{of}} and o.id = $2 and o.blob_key = $3 returning {COLUMNS}"
    ));
    let row = tx.query_opt(&sql, &[&place.customer(), &object.id, &object.key.as_str()]).await?;
    Ok(row.as_ref().map(Object::of_row))
}
