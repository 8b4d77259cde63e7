//! Downloads, what is known of a file, and signed URLs for reading.
use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::{HeaderMap, Method},
    response::Response,
};
use pg::Actor;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    bucket::Bucket,
    config::PublicBuckets,
    download::{Exposure, Wish, serve},
    error::StorageError,
    link::{self, Claims, LINK_LIFE_S_MAX, Verb},
    name::ObjectName,
    object::Object,
    place::Place,
    state::{Inner, StorageState},
    told::Told,
    who::Who,
};

/// Names in one request for signed URLs.
const SIGN_NAMES_MAX: usize = 1_000;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    download: Option<String>,
    token: Option<String>,
}

type Target = Path<(String, String)>;

/// `GET /object/<bucket>/<name>` and `/object/authenticated/…`
pub(crate) async fn download(
    State(state): State<StorageState>,
    Path((bucket, name)): Target,
    Query(wanted): Query<Wanted>,
    actor: Option<Extension<Actor>>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, StorageError> {
    let who = Who::signed_in(actor.map(|Extension(actor)| actor))?;
    let name = ObjectName::parse(&name)?;
    let bucket = Bucket::of(&state.0, &who, &bucket).await?;
    let wish = Wish {
        method: &method,
        headers: &headers,
        download: wanted.download,
        exposure: Exposure::Private,
        only: None,
    };
    serve(&state.0, &who, &bucket, &name, &wish).await
}

/// `GET /object/public/<bucket>/<name>`: nobody need be signed in, where the operator and the bucket allow it.
pub(crate) async fn public(
    State(state): State<StorageState>,
    Path((bucket, name)): Target,
    Query(wanted): Query<Wanted>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, StorageError> {
    let (bucket, name) = find_public(&state.0, &bucket, &name).await?;
    let wish = Wish {
        method: &method,
        headers: &headers,
        download: wanted.download,
        exposure: Exposure::Public,
        only: None,
    };
    serve(&state.0, &Who::Public, &bucket, &name, &wish).await
}

/// `GET /object/sign/<bucket>/<name>?token=…`
pub(crate) async fn by_link(
    State(state): State<StorageState>,
    Path((bucket, name)): Target,
    Query(wanted): Query<Wanted>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, StorageError> {
    let state = &state.0;
    let token = wanted.token.ok_or_else(|| StorageError::invalid_link("The URL has no token"))?;
    let (claims, bucket, name) = link::open(state, &token, &bucket, &name, |verb| verb == Verb::Read).await?;
    let wish = Wish {
        method: &method,
        headers: &headers,
        download: wanted.download,
        exposure: Exposure::Private,
        only: claims.object,
    };
    serve(state, &claims.who(), &bucket, &name, &wish).await
}

/// `GET /object/info/<bucket>/<name>` and `/object/info/authenticated/…`
pub(crate) async fn info(
    State(state): State<StorageState>,
    Path((bucket, name)): Target,
    actor: Option<Extension<Actor>>,
) -> Result<Json<Value>, StorageError> {
    let who = Who::signed_in(actor.map(|Extension(actor)| actor))?;
    let name = ObjectName::parse(&name)?;
    let bucket = Bucket::of(&state.0, &who, &bucket).await?;
    told(&state.0, &who, &bucket, &name).await
}

/// `GET /object/info/public/<bucket>/<name>`
pub(crate) async fn public_info(
    State(state): State<StorageState>,
    Path((bucket, name)): Target,
) -> Result<Json<Value>, StorageError> {
    let (bucket, name) = find_public(&state.0, &bucket, &name).await?;
    told(&state.0, &Who::Public, &bucket, &name).await
}

async fn told(
    state: &Inner,
    who: &Who,
    bucket: &Bucket,
    name: &ObjectName,
) -> Result<Json<Value>, StorageError> {
    let place = Place::of(bucket.kind, name)?;
    let tx = who.begin(state, place).await?;
    let object = Object::find(&tx, place, &bucket.name, name).await?;
    tx.rollback().await?;
    Ok(Json(object.info(&bucket.name)))
}

async fn find_public(state: &Inner, bucket: &str, name: &str) -> Result<(Bucket, ObjectName), StorageError> {
    if state.config.public_buckets == PublicBuckets::Refused {
        return Err(StorageError::bucket_not_found());
    }
    let bucket = Bucket::of(state, &Who::Public, bucket).await?;
    if !bucket.is_public {
        return Err(StorageError::bucket_not_found());
    }
    Ok((bucket, ObjectName::parse(name)?))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignOne {
    expires_in: Value,
    transform: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignMany {
    expires_in: Value,
    paths: Vec<String>,
}

/// Seconds; one of the stock clients sends them as text.
fn life_s(told: &Value) -> Result<i64, StorageError> {
    told.as_i64()
        .or_else(|| told.as_str()?.trim().parse().ok())
        .filter(|seconds| (1..=LINK_LIFE_S_MAX).contains(seconds))
        .ok_or_else(|| {
            StorageError::invalid(format!(
                "expiresIn is a number of seconds between 1 and {LINK_LIFE_S_MAX}."
            ))
        })
}

/// `POST /object/sign/<bucket>/<name>`
pub(crate) async fn sign(
    State(state): State<StorageState>,
    Path((bucket, name)): Target,
    actor: Option<Extension<Actor>>,
    Told(asked): Told<SignOne>,
) -> Result<Json<Value>, StorageError> {
    let who = Who::signed_in(actor.map(|Extension(actor)| actor))?;
    if asked.transform.is_some_and(|transform| !transform.is_null()) {
        return Err(StorageError::not_offered(
            "Images are served as they are: transformation is not offered here.",
        ));
    }
    let life_s = life_s(&asked.expires_in)?;
    let name = ObjectName::parse(&name)?;
    let bucket = Bucket::of(&state.0, &who, &bucket).await?;
    let url = sign_name(&state.0, &who, &bucket, &name, life_s).await?;
    Ok(Json(json!({ "signedURL": url })))
}

/// `POST /object/sign/<bucket>`: each name with its URL, or with why there is none.
pub(crate) async fn sign_many(
    State(state): State<StorageState>,
    Path(bucket): Path<String>,
    actor: Option<Extension<Actor>>,
    Told(asked): Told<SignMany>,
) -> Result<Json<Value>, StorageError> {
    let who = Who::signed_in(actor.map(|Extension(actor)| actor))?;
    let life_s = life_s(&asked.expires_in)?;
    if asked.paths.len() > SIGN_NAMES_MAX {
        return Err(StorageError::invalid(format!("At most {SIGN_NAMES_MAX} paths at once.")));
    }
    let bucket = Bucket::of(&state.0, &who, &bucket).await?;
    let mut answers = Vec::with_capacity(asked.paths.len());
    for path in asked.paths {
        let signed = match ObjectName::parse(&path) {
            Ok(name) => sign_name(&state.0, &who, &bucket, &name, life_s).await,
            Err(error) => Err(error),
        };
        answers.push(match signed {
            Ok(url) => json!({ "error": null, "path": path, "signedURL": url }),
            Err(error) if error.status() >= 500 => return Err(error),
            Err(_) => {
                let why = "Either the object does not exist or you do not have access to it";
                json!({ "error": why, "path": path, "signedURL": null })
            }
        });
    }
    Ok(Json(Value::Array(answers)))
}

async fn sign_name(
    state: &Inner,
    who: &Who,
    bucket: &Bucket,
    name: &ObjectName,
    life_s: i64,
) -> Result<String, StorageError> {
    let Who::Person(Actor { user: Some(signer), .. }) = who else {
        return Err(StorageError::not_signed_in());
    };
    let place = Place::of(bucket.kind, name)?;
    let tx = who.begin(state, place).await?;
    let object = Object::find(&tx, place, &bucket.name, name).await?;
    tx.rollback().await?;
    let claims = Claims {
        verb: Verb::Read,
        bucket: bucket.name.clone(),
        name: name.as_str().to_owned(),
        object: Some(object.id),
        signer: signer.0,
        expires: link::expiry(state, life_s),
    };
    let token = link::sign(state, &claims).await?;
    // The name as it is: stock clients encode the whole URL themselves.
    Ok(format!("/object/sign/{}/{name}?token={token}", bucket.name))
}
