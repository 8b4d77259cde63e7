//! The protocol's requests and headers.
use axum::{
    Extension,
    extract::{OriginalUri, Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use kernel::id::uuid_v7;
use pg::Actor;

use super::{
    row::{Upload, UploadId},
    work,
};
use crate::{
    blob::BlobKey,
    body::{cache_control, chunks, drain, parse_metadata},
    bucket::Overwrite,
    error::StorageError,
    save::{Meta, Target, admit, refusal},
    sniff,
    state::{Inner, StorageState},
    who::Who,
};

/// How long an upload may be resumed.
pub(crate) const UPLOAD_LIFE_HOURS: i64 = 24;
/// Uploads of one person that are not finished.
const OPEN_UPLOADS_MAX: i64 = 50;
const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,creation-with-upload,expiration,termination";
const CHUNK_TYPE: &str = "application/offset+octet-stream";

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

/// `OPTIONS`: what is spoken here.
pub(crate) async fn describe(State(state): State<StorageState>) -> Response {
    let headers = [
        (TUS_RESUMABLE, HeaderValue::from_static(VERSION)),
        (HeaderName::from_static("tus-version"), HeaderValue::from_static(VERSION)),
        (HeaderName::from_static("tus-extension"), HeaderValue::from_static(EXTENSIONS)),
        (HeaderName::from_static("tus-max-size"), HeaderValue::from(state.0.config.file_bytes_max)),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Every answer names the version; a client of another one is told so before anything happens.
fn stamped(result: Result<Response, StorageError>) -> Response {
    let mut response = result.unwrap_or_else(StorageError::into_response);
    response.headers_mut().insert(TUS_RESUMABLE, HeaderValue::from_static(VERSION));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn check_version(headers: &HeaderMap) -> Option<Response> {
    if headers.get(TUS_RESUMABLE).is_some_and(|version| version == VERSION) {
        return None;
    }
    let version = [(HeaderName::from_static("tus-version"), HeaderValue::from_static(VERSION))];
    let error = StorageError::invalid("Tus-Resumable must be 1.0.0.");
    Some((StatusCode::PRECONDITION_FAILED, version, error).into_response())
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, StorageError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let parsed = value.to_str().ok().and_then(|text| text.parse().ok());
    parsed.map(Some).ok_or_else(|| StorageError::invalid(format!("{name} is not a number of bytes.")))
}

fn expires(at: Timestamp) -> HeaderValue {
    let text = httpdate::fmt_http_date(std::time::SystemTime::from(at));
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// `Upload-Metadata`: pairs of a key and base64, between commas.
pub(super) fn metadata(headers: &HeaderMap) -> Result<Vec<(String, String)>, StorageError> {
    let Some(value) = headers.get("upload-metadata") else { return Ok(Vec::new()) };
    let odd = || StorageError::invalid("Upload-Metadata is not pairs of a key and base64.");
    let text = value.to_str().map_err(|_| odd())?;
    text.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, encoded) = pair.split_once(' ').unwrap_or((pair, ""));
            let decoded =
                STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            decoded.map(|decoded| (key.to_owned(), decoded)).ok_or_else(odd)
        })
        .collect()
}

/// `POST /upload/resumable`
pub(crate) async fn create(
    State(state): State<StorageState>,
    OriginalUri(uri): OriginalUri,
    actor: Option<Extension<Actor>>,
    request: Request,
) -> Response {
    if let Some(refused) = check_version(request.headers()) {
        return refused;
    }
    let path = uri.path().trim_end_matches('/').to_owned();
    let headers = request.headers().clone();
    let mut body = chunks(request.into_body());
    let begun = begin(&state.0, actor.map(|Extension(actor)| actor), &headers).await;
    let (who, of, mut upload) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            drain(body).await;
            return stamped(Err(error));
        }
    };
    let has_body = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == CHUNK_TYPE);
    if has_body || upload.length == 0 {
        let received = async {
            let _place = state.0.upload_place()?;
            work::receive(&state.0, &who, of, &mut upload, &mut body).await
        };
        // A body that broke off is not a failed creation: what arrived is kept, the offset says how much.
        if let Err(error) = received.await
            && (error.status() != 400 || upload.length == 0)
        {
            drain(body).await;
            return stamped(Err(error));
        }
    }
    let location = HeaderValue::from_str(&format!("{path}/{}", of.text()));
    let headers = [
        (header::LOCATION, location.unwrap_or_else(|_| HeaderValue::from_static(""))),
        (UPLOAD_OFFSET, HeaderValue::from(upload.offset)),
        (UPLOAD_EXPIRES, expires(upload.expires_at)),
    ];
    stamped(Ok((StatusCode::CREATED, headers).into_response()))
}

async fn begin(
    state: &Inner,
    actor: Option<Actor>,
    headers: &HeaderMap,
) -> Result<(Who, UploadId, Upload), StorageError> {
    let who = Who::signed_in(actor)?;
    let Some(length) = number(headers, &UPLOAD_LENGTH)? else {
        return Err(StorageError::invalid(
            "Upload-Length is missing; uploads of unknown length are not taken.",
        ));
    };
    let pairs = metadata(headers)?;
    let told = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let (Some(bucket), Some(name)) = (told("bucketName"), told("objectName")) else {
        return Err(StorageError::invalid("Upload-Metadata names no bucketName or no objectName."));
    };
    let target = Target::find(state, &who, bucket, name).await?;
    let overwrite = Overwrite::asked(headers);
    let limit = target.bucket.limit_bytes(state);
    if length > limit {
        return Err(StorageError::too_large(limit));
    }
    let meta = Meta {
        mime: sniff::tidy(told("contentType").or(told("filetype"))),
        cache_control: cache_control(told("cacheControl")),
        user_metadata: told("metadata").map(parse_metadata).transpose()?,
    };
    target.bucket.check_type(&meta.mime)?;
    admit(state, &who, &target, overwrite).await?;
    let now = state.clock.now();
    let of = UploadId { place: target.place, id: uuid_v7(now) };
    let upload = Upload {
        bucket: target.bucket.name.clone(),
        name: target.name.as_str().to_owned(),
        length,
        offset: 0,
        part_keys: Vec::new(),
        overwrite,
        meta,
        expires_at: now
            .saturating_add(SignedDuration::from_hours(UPLOAD_LIFE_HOURS))
            .unwrap_or(Timestamp::MAX),
        is_complete: false,
    };
    let tx = who.begin(state, of.place).await?;
    if Upload::open_of_caller(&tx, of.place).await? >= OPEN_UPLOADS_MAX {
        return Err(StorageError::busy());
    }
    match upload.insert(&tx, of).await {
        Ok(()) => tx.commit().await?,
        Err(error) => {
            drop(tx);
            return Err(refusal(state, &who, of.place, error).await);
        }
    }
    Ok((who, of, upload))
}

/// The caller's upload of this address.
async fn find(
    state: &Inner,
    actor: Option<Extension<Actor>>,
    id: &str,
) -> Result<(Who, UploadId, Upload), StorageError> {
    let who = Who::signed_in(actor.map(|Extension(actor)| actor))?;
    let of = UploadId::parse(id)?;
    let tx = who.begin(state, of.place).await?;
    let found = Upload::find(&tx, of, state.clock.now()).await;
    drop(tx);
    Ok((who, of, found?))
}

/// `HEAD /upload/resumable/<id>`
pub(crate) async fn offset(
    State(state): State<StorageState>,
    Path(id): Path<String>,
    actor: Option<Extension<Actor>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = check_version(&headers) {
        return refused;
    }
    stamped(find(&state.0, actor, &id).await.map(|(_, _, upload)| {
        let headers = [
            (UPLOAD_OFFSET, HeaderValue::from(upload.offset)),
            (UPLOAD_LENGTH, HeaderValue::from(upload.length)),
            (UPLOAD_EXPIRES, expires(upload.expires_at)),
        ];
        (StatusCode::OK, headers).into_response()
    }))
}

/// `PATCH /upload/resumable/<id>`
pub(crate) async fn patch(
    State(state): State<StorageState>,
    Path(id): Path<String>,
    actor: Option<Extension<Actor>>,
    request: Request,
) -> Response {
    if let Some(refused) = check_version(request.headers()) {
        return refused;
    }
    let headers = request.headers().clone();
    let mut body = chunks(request.into_body());
    let state = &state.0;
    let outcome = async {
        if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != CHUNK_TYPE) {
            return Err(StorageError::mime_refused("of this request"));
        }
        let (who, of, mut upload) = find(state, actor, &id).await?;
        let from = number(&headers, &UPLOAD_OFFSET)?;
        if from != Some(upload.offset) || upload.is_complete {
            return Err(StorageError::conflict(format!("This upload goes on at {}.", upload.offset)));
        }
        let _place = state.upload_place()?;
        let offset = work::receive(state, &who, of, &mut upload, &mut body).await?;
        Ok((offset, upload.expires_at))
    };
    let outcome = outcome.await;
    if outcome.is_err() {
        drain(body).await;
    }
    stamped(outcome.map(|(offset, at)| {
        let headers = [(UPLOAD_OFFSET, HeaderValue::from(offset)), (UPLOAD_EXPIRES, expires(at))];
        (StatusCode::NO_CONTENT, headers).into_response()
    }))
}

/// `DELETE /upload/resumable/<id>`: the upload is given up. A file that was finished stays.
pub(crate) async fn terminate(
    State(state): State<StorageState>,
    Path(id): Path<String>,
    actor: Option<Extension<Actor>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = check_version(&headers) {
        return refused;
    }
    let state = &state.0;
    let outcome = async {
        let (who, of, _) = find(state, actor, &id).await?;
        let tx = who.begin(state, of.place).await?;
        let parts = Upload::delete(&tx, of).await?.ok_or_else(StorageError::object_not_found)?;
        tx.commit().await?;
        for part in parts {
            state.blobs.forget(&BlobKey::from_row(part)).await;
        }
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    stamped(outcome.await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upload_metadata_is_pairs() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "upload-metadata",
            HeaderValue::from_static("bucketName a25vd2xlZGdl, objectName YS50eHQ=,empty"),
        );
        let pairs = metadata(&headers).expect("pairs");
        assert_eq!(pairs[0], ("bucketName".to_owned(), "knowledge".to_owned()));
        assert_eq!(pairs[1].1, "a.txt");
        assert_eq!(pairs[2], ("empty".to_owned(), String::new()));
        headers.insert("upload-metadata", HeaderValue::from_static("bucketName ???"));
        assert!(metadata(&headers).is_err());
    }
}
