//! `POST` and `PUT /object/<bucket>/<name>`, and the same through a signed URL.
use std::time::Duration;

use axum::{
    Extension, Json,
    extract::{Path, Query, Request, State},
};
use pg::Actor;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    blob::BlobKey,
    body,
    bucket::Overwrite,
    error::StorageError,
    link::{self, Claims, UPLOAD_LINK_LIFE_S, Verb},
    place::Place,
    save::{Saved, Target, admit, commit},
    state::{Inner, StorageState},
    who::Who,
};

/// Longest time of one upload. The sweep leaves alone what is younger than its own, longer limit.
pub(crate) const UPLOAD_HOURS_MAX: u64 = 6;

type Answer = Result<Json<Value>, StorageError>;

/// `POST`: a new file, or with `x-upsert: true` also over an old one.
pub(crate) async fn create(
    State(state): State<StorageState>,
    Path((bucket, name)): Path<(String, String)>,
    actor: Option<Extension<Actor>>,
    request: Request,
) -> Answer {
    let overwrite = Overwrite::asked(request.headers());
    put(&state.0, actor, &bucket, &name, overwrite, request).await
}

/// `PUT`: the file is replaced, or made.
pub(crate) async fn update(
    State(state): State<StorageState>,
    Path((bucket, name)): Path<(String, String)>,
    actor: Option<Extension<Actor>>,
    request: Request,
) -> Answer {
    put(&state.0, actor, &bucket, &name, Overwrite::Replace, request).await
}

async fn put(
    state: &Inner,
    actor: Option<Extension<Actor>>,
    bucket: &str,
    name: &str,
    overwrite: Overwrite,
    request: Request,
) -> Answer {
    let prepared = async {
        let who = Who::signed_in(actor.map(|Extension(actor)| actor))?;
        let target = Target::find(state, &who, bucket, name).await?;
        admit(state, &who, &target, overwrite).await?;
        Ok((who, target))
    };
    receive(state, prepared.await, overwrite, request).await
}

#[derive(Debug, Deserialize)]
pub(crate) struct Token {
    token: Option<String>,
}

/// `POST /object/upload/sign/<bucket>/<name>`: a URL under which somebody else uploads for the caller.
pub(crate) async fn sign(
    State(state): State<StorageState>,
    Path((bucket, name)): Path<(String, String)>,
    actor: Option<Extension<Actor>>,
    request: Request,
) -> Answer {
    let overwrite = Overwrite::asked(request.headers());
    let state = &state.0;
    let who = Who::signed_in(actor.map(|Extension(actor)| actor))?;
    let target = Target::find(state, &who, &bucket, &name).await?;
    admit(state, &who, &target, overwrite).await?;
    let Who::Person(Actor { user: Some(signer), .. }) = &who else {
        return Err(StorageError::not_signed_in());
    };
    let verb = match overwrite {
        Overwrite::Refuse => Verb::Upload,
        Overwrite::Replace => Verb::Replace,
    };
    let claims = Claims {
        verb,
        bucket: target.bucket.name.clone(),
        name: target.name.as_str().to_owned(),
        object: None,
        signer: signer.0,
        expires: link::expiry(state, UPLOAD_LINK_LIFE_S),
    };
    let token = link::sign(state, &claims).await?;
    let url = format!("/object/upload/sign/{}?token={token}", target.full_path());
    Ok(Json(json!({ "url": url, "token": token })))
}

/// `PUT /object/upload/sign/<bucket>/<name>?token=…`
pub(crate) async fn by_link(
    State(state): State<StorageState>,
    Path((bucket, name)): Path<(String, String)>,
    Query(token): Query<Token>,
    request: Request,
) -> Answer {
    let state = &state.0;
    let mut overwrite = Overwrite::Refuse;
    let prepared = async {
        let token = token.token.ok_or_else(|| StorageError::invalid_link("The URL has no token"))?;
        let is_meant = |verb| matches!(verb, Verb::Upload | Verb::Replace);
        let (claims, bucket, name) = link::open(state, &token, &bucket, &name, is_meant).await?;
        overwrite = claims.verb.overwrite();
        let (place, who) = (Place::of(bucket.kind, &name)?, claims.who());
        let target = Target { place, bucket, name };
        admit(state, &who, &target, overwrite).await?;
        Ok((who, target))
    };
    let prepared = prepared.await;
    receive(state, prepared, overwrite, request).await
}

/// Takes the body of a request that may come in; of one that may not, only enough that the sender sees the answer.
async fn receive(
    state: &Inner,
    prepared: Result<(Who, Target), StorageError>,
    overwrite: Overwrite,
    request: Request,
) -> Answer {
    let (who, target) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            body::drain(body::chunks(request.into_body())).await;
            return Err(error);
        }
    };
    let limit = Duration::from_secs(UPLOAD_HOURS_MAX * 3_600);
    let saved = tokio::time::timeout(limit, keep(state, &who, &target, overwrite, request))
        .await
        .map_err(|_| StorageError::body_too_slow())??;
    Ok(Json(json!({ "Id": saved.id, "Key": target.full_path() })))
}

async fn keep(
    state: &Inner,
    who: &Who,
    target: &Target,
    overwrite: Overwrite,
    request: Request,
) -> Result<Saved, StorageError> {
    let _place = state.upload_place()?;
    let key = BlobKey::new(target.place, state.clock.now());
    let (meta, stored) = body::receive(state, target, &key, request).await?;
    commit(state, who, target, &meta, &key, &stored, overwrite).await
}

/// The answer of paths that would make pictures of pictures.
pub(crate) async fn no_rendering() -> StorageError {
    StorageError::not_offered("Images are served as they are: transformation is not offered here.")
}
