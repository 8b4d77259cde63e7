//! `DELETE /object/<bucket>` with a list of names, and `DELETE /object/<bucket>/<name>`.
use axum::{
    Extension, Json,
    extract::{Path, State},
};
use pg::Actor;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    bucket::Bucket,
    error::StorageError,
    name::ObjectName,
    object::{COLUMNS, Object},
    place::Place,
    state::{Inner, StorageState},
    told::Told,
    who::Who,
};

const NAMES_MAX: usize = 1_000;

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    prefixes: Vec<String>,
}

/// Answers with what was removed. Names that are not there, or not the caller's, are simply not in the answer.
pub(crate) async fn many(
    State(state): State<StorageState>,
    Path(bucket): Path<String>,
    actor: Option<Extension<Actor>>,
    Told(asked): Told<Asked>,
) -> Result<Json<Value>, StorageError> {
    let (state, who) = (&state.0, Who::signed_in(actor.map(|Extension(actor)| actor))?);
    if asked.prefixes.len() > NAMES_MAX {
        return Err(StorageError::invalid(format!("At most {NAMES_MAX} names at once.")));
    }
    let bucket = Bucket::of(state, &who, &bucket).await?;
    let mut by_place: Vec<(Place, Vec<String>)> = Vec::new();
    for name in &asked.prefixes {
        let Ok(name) = ObjectName::parse(name) else { continue };
        let Ok(place) = Place::of(bucket.kind, &name) else { continue };
        let name = name.as_str().to_owned();
        match by_place.iter_mut().find(|(known, _)| *known == place) {
            Some((_, names)) => names.push(name),
            None => by_place.push((place, vec![name])),
        }
    }
    let removed = remove(state, &who, &bucket, &by_place).await?;
    Ok(Json(removed.iter().map(|object| object.removed(&bucket.name)).collect()))
}

pub(crate) async fn one(
    State(state): State<StorageState>,
    Path((bucket, name)): Path<(String, String)>,
    actor: Option<Extension<Actor>>,
) -> Result<Json<Value>, StorageError> {
    let (state, who) = (&state.0, Who::signed_in(actor.map(|Extension(actor)| actor))?);
    let name = ObjectName::parse(&name)?;
    let bucket = Bucket::of(state, &who, &bucket).await?;
    let place = Place::of(bucket.kind, &name)?;
    let removed = remove(state, &who, &bucket, &[(place, vec![name.as_str().to_owned()])]).await?;
    if !removed.is_empty() {
        return Ok(Json(json!({ "message": "Successfully deleted" })));
    }
    let tx = who.begin(state, place).await?;
    let is_there = Object::look(&tx, place, &bucket.name, &name).await?.is_some();
    tx.rollback().await?;
    Err(if is_there { who.denied(state, place).await } else { StorageError::object_not_found() })
}

/// All rows in one transaction; the bytes after it.
pub(crate) async fn remove(
    state: &Inner,
    who: &Who,
    bucket: &Bucket,
    by_place: &[(Place, Vec<String>)],
) -> Result<Vec<Object>, StorageError> {
    let tx = match (who, by_place) {
        // Background work is of one customer at a time.
        (Who::Product, [(place, _)]) => who.begin(state, *place).await?,
        _ => who.begin_anywhere(state).await?,
    };
    let mut removed = Vec::new();
    for (place, names) in by_place {
        let sql = place.sql(&format!(
            "delete from {{objects}} as o where {{of}} and o.bucket = $2 and o.name = any ($3) returning {COLUMNS}"
        ));
        let rows = tx.query(&sql, &[&place.customer(), &bucket.name, names]).await?;
        removed.extend(rows.iter().map(Object::of_row));
    }
    tx.commit().await?;
    for object in &removed {
        state.blobs.forget(&object.key).await;
    }
    Ok(removed)
}
