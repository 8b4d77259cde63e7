//! The body of an upload: the file itself, or a form that has it as one of its fields.
use std::{pin::Pin, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequest as _, Multipart, Request, multipart::Field},
    http::{HeaderMap, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use serde_json::Value;

use crate::{
    blob::{BlobKey, Stored},
    error::StorageError,
    save::{Meta, Target},
    sniff,
    state::Inner,
};

/// Longest silence of a sender.
const BODY_WAIT: Duration = Duration::from_secs(30);
/// What is still read of a refused upload, so that the sender sees the answer.
const DRAIN_BYTES_MAX: u64 = 32 * 1024 * 1024;
const DRAIN_WAIT: Duration = Duration::from_secs(5);
/// Largest custom metadata of a file.
pub(crate) const METADATA_BYTES_MAX: usize = 16 * 1024;
const FORM_FIELDS_MAX: usize = 16;

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, StorageError>> + Send>>;

/// The chunks of a body; a sender that falls silent is an error.
pub(crate) fn chunks(body: Body) -> Chunks {
    let chunks = futures_util::stream::unfold(body.into_data_stream(), |mut stream| async {
        match tokio::time::timeout(BODY_WAIT, stream.next()).await {
            Ok(Some(Ok(chunk))) => Some((Ok(chunk), stream)),
            Ok(Some(Err(_))) => Some((Err(StorageError::body_broke_off()), stream)),
            Ok(None) => None,
            Err(_) => Some((Err(StorageError::body_too_slow()), stream)),
        }
    });
    // After a refusal it may be asked once more than it has.
    Box::pin(chunks.fuse())
}

/// Reads on for a moment after a refusal.
pub(crate) async fn drain(mut chunks: Chunks) {
    let mut left = DRAIN_BYTES_MAX;
    let reading = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            left = left.saturating_sub(chunk.len() as u64);
            if left == 0 {
                return;
            }
        }
    };
    let _late = tokio::time::timeout(DRAIN_WAIT, reading).await;
}

/// Writes the file of this request under `key`.
pub(crate) async fn receive(
    state: &Inner,
    target: &Target,
    key: &BlobKey,
    request: Request,
) -> Result<(Meta, Stored), StorageError> {
    let limit = target.bucket.limit_bytes(state);
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind.is_some_and(|kind| sniff::essence(kind) == "multipart/form-data") {
        return receive_form(state, target, key, request, limit).await;
    }
    let meta = Meta {
        mime: sniff::tidy(kind),
        cache_control: cache_control(
            request.headers().get(header::CACHE_CONTROL).and_then(|v| v.to_str().ok()),
        ),
        user_metadata: metadata_header(request.headers())?,
    };
    let told = content_length(request.headers());
    let mut body = chunks(request.into_body());
    let outcome = async {
        if told.is_some_and(|bytes| bytes > limit) {
            return Err(StorageError::too_large(limit));
        }
        target.bucket.check_type(&meta.mime)?;
        state.blobs.put(key, &mut body, limit).await
    };
    match outcome.await {
        Ok(stored) => checked(state, target, key, meta, stored).await,
        Err(error) => {
            drain(body).await;
            Err(error)
        }
    }
}

/// A label that hides something else is refused where the bucket names its types.
async fn checked(
    state: &Inner,
    target: &Target,
    key: &BlobKey,
    meta: Meta,
    stored: Stored,
) -> Result<(Meta, Stored), StorageError> {
    if let Err(error) = target.bucket.check_content(&stored.head) {
        state.blobs.forget(key).await;
        return Err(error);
    }
    Ok((meta, stored))
}

async fn receive_form(
    state: &Inner,
    target: &Target,
    key: &BlobKey,
    request: Request,
    limit: u64,
) -> Result<(Meta, Stored), StorageError> {
    let header_metadata = metadata_header(request.headers())?;
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| StorageError::invalid("The form has no boundary, or is not one."))?;
    let mut parts = FormParts::default();
    match parts.read(state, target, key, &mut form, limit).await {
        Ok(()) => {}
        Err(error) => {
            let _late = tokio::time::timeout(DRAIN_WAIT, form.next_field()).await;
            if parts.file.is_some() {
                state.blobs.forget(key).await;
            }
            return Err(error);
        }
    }
    let (mime, stored) = parts.file.ok_or_else(|| StorageError::invalid("The form has no file."))?;
    let meta = Meta {
        mime,
        cache_control: cache_control(parts.cache_control.as_deref()),
        user_metadata: parts.metadata.or(header_metadata),
    };
    checked(state, target, key, meta, stored).await
}

/// Fields come in any order; what is not known is the file (clients call it ``, `file`, or anything).
#[derive(Default)]
struct FormParts {
    cache_control: Option<String>,
    metadata: Option<Value>,
    file: Option<(String, Stored)>,
}

impl FormParts {
    async fn read(
        &mut self,
        state: &Inner,
        target: &Target,
        key: &BlobKey,
        form: &mut Multipart,
        limit: u64,
    ) -> Result<(), StorageError> {
        for _ in 0..FORM_FIELDS_MAX {
            let field = tokio::time::timeout(BODY_WAIT, form.next_field())
                .await
                .map_err(|_| StorageError::body_too_slow())?
                .map_err(|_| StorageError::body_broke_off())?;
            let Some(mut field) = field else { return Ok(()) };
            match field.name() {
                Some("cacheControl") => self.cache_control = Some(small_text(&mut field).await?),
                Some("metadata") => self.metadata = Some(parse_metadata(&small_text(&mut field).await?)?),
                _ if self.file.is_some() => return Err(StorageError::invalid("The form has two files.")),
                _ => {
                    let mime = sniff::tidy(field.content_type());
                    target.bucket.check_type(&mime)?;
                    let mut body = field_chunks(field);
                    self.file = Some((mime, state.blobs.put(key, &mut body, limit).await?));
                }
            }
        }
        Err(StorageError::invalid("The form has too many fields."))
    }
}

fn field_chunks(field: Field<'_>) -> Pin<Box<dyn Stream<Item = Result<Bytes, StorageError>> + Send + '_>> {
    Box::pin(futures_util::stream::unfold(field, |mut field| async {
        match tokio::time::timeout(BODY_WAIT, field.chunk()).await {
            Ok(Ok(Some(chunk))) => Some((Ok(chunk), field)),
            Ok(Ok(None)) => None,
            Ok(Err(_)) => Some((Err(StorageError::body_broke_off()), field)),
            Err(_) => Some((Err(StorageError::body_too_slow()), field)),
        }
    }))
}

async fn small_text(field: &mut Field<'_>) -> Result<String, StorageError> {
    let mut bytes = Vec::new();
    loop {
        let chunk = tokio::time::timeout(BODY_WAIT, field.chunk())
            .await
            .map_err(|_| StorageError::body_too_slow())?
            .map_err(|_| StorageError::body_broke_off())?;
        let Some(chunk) = chunk else { break };
        bytes.extend_from_slice(&chunk);
        if bytes.len() > METADATA_BYTES_MAX {
            return Err(StorageError::too_large(METADATA_BYTES_MAX as u64));
        }
    }
    String::from_utf8(bytes).map_err(|_| StorageError::invalid("A field of the form is not UTF-8."))
}

fn metadata_header(headers: &HeaderMap) -> Result<Option<Value>, StorageError> {
    let Some(value) = headers.get("x-metadata") else { return Ok(None) };
    let text = STANDARD
        .decode(value.as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| StorageError::invalid("x-metadata is not base64 of UTF-8."))?;
    parse_metadata(&text).map(Some)
}

/// An object of bounded size.
pub(crate) fn parse_metadata(text: &str) -> Result<Value, StorageError> {
    if text.len() > METADATA_BYTES_MAX {
        return Err(StorageError::too_large(METADATA_BYTES_MAX as u64));
    }
    serde_json::from_str::<Value>(text)
        .ok()
        .filter(|value| value.is_object() && !text.contains("\\u0000"))
        .ok_or_else(|| StorageError::invalid("The metadata is not a JSON object."))
}

/// `3600` and `max-age=3600` say the same; everything else is `no-cache`.
pub(crate) fn cache_control(told: Option<&str>) -> String {
    let seconds = told.and_then(|text| {
        let text = text.trim();
        text.parse::<u32>().ok().or_else(|| {
            text.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.trim().parse::<u32>().ok())
        })
    });
    seconds.map_or_else(|| "no-cache".to_owned(), |seconds| format!("max-age={seconds}"))
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_control_is_one_of_two_forms() {
        assert_eq!(cache_control(Some("3600")), "max-age=3600");
        assert_eq!(cache_control(Some("public, max-age=60")), "max-age=60");
        for other in [None, Some(""), Some("immutable"), Some("max-age=x\r\nset-cookie: a")] {
            assert_eq!(cache_control(other), "no-cache");
        }
    }

    #[test]
    fn metadata_is_an_object() {
        assert!(parse_metadata("{\"a\":1}").is_ok());
        for bad in ["1", "[]", "{", "{\"a\":\"\\u0000\"}"] {
            assert!(parse_metadata(bad).is_err(), "{bad}");
        }
    }
}
