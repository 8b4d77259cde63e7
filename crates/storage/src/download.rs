//! Serving bytes: ranges, conditions, and headers under which nothing of a file runs in a browser.
use std::{ops::Range, time::SystemTime};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pg::access::Source;
use uuid::Uuid;

use crate::{
    bucket::Bucket, error::StorageError, name::ObjectName, object::Object, place::Place, sniff, state::Inner,
    who::Who,
};

/// Nothing in a file may run, load or send anything, even when a browser is talked into showing it.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";
/// RFC 5987's attr-char.
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');
/// An overwrite may take the bytes away between the row and the reading: then the row is read again.
const TRIES_MAX: u32 = 3;

/// Who else may keep a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exposure {
    Private,
    Public,
}

/// One wish for bytes.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    pub method: &'a Method,
    pub headers: &'a HeaderMap,
    /// `?download` or `?download=name`.
    pub download: Option<String>,
    pub exposure: Exposure,
    /// Only this object, whatever has the name now.
    pub only: Option<Uuid>,
}

/// The object and its bytes, for whoever may see the row.
pub(crate) async fn serve(
    state: &Inner,
    who: &Who,
    bucket: &Bucket,
    name: &ObjectName,
    wish: &Wish<'_>,
) -> Result<Response, StorageError> {
    let place = Place::of(bucket.kind, name)?;
    for _ in 0..TRIES_MAX {
        let tx = who.begin(state, place).await?;
        let object = Object::find(&tx, place, &bucket.name, name).await?;
        who.may_leave(state, &tx).await?;
        tx.rollback().await?;
        if wish.only.is_some_and(|id| id != object.id) {
            return Err(StorageError::object_not_found());
        }
        if let Some(response) = answer(state, &object, wish).await? {
            // Without bytes nothing of the file left.
            if wish.method != Method::HEAD && response.status().is_success() {
                let is_part = response.status() == StatusCode::PARTIAL_CONTENT;
                who.note(state, Source::File, &bucket.name, 1, if is_part { "part" } else { "whole" });
            }
            return Ok(response);
        }
    }
    Err(StorageError::internal(format!("the bytes of {}/{name} are not in the object store", bucket.name)))
}

/// `None`: the bytes are not there any more.
async fn answer(state: &Inner, object: &Object, wish: &Wish<'_>) -> Result<Option<Response>, StorageError> {
    let mut headers = common_headers(object, wish);
    if is_known(wish.headers, object) {
        return Ok(Some((StatusCode::NOT_MODIFIED, headers).into_response()));
    }
    let range = match asked_range(wish.headers, object) {
        Asked::Whole => None,
        Asked::Part(range) => Some(range),
        Asked::Nothing => {
            headers.insert(header::CONTENT_RANGE, value(&format!("bytes */{}", object.size_bytes)));
            return Ok(Some((StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response()));
        }
    };
    let (status, bytes) = match range {
        None => (StatusCode::OK, 0..object.size_bytes),
        Some(range) => {
            let told = format!("bytes {}-{}/{}", range.start, range.end - 1, object.size_bytes);
            headers.insert(header::CONTENT_RANGE, value(&told));
            (StatusCode::PARTIAL_CONTENT, range)
        }
    };
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.end - bytes.start));
    headers.insert(header::CONTENT_TYPE, value(&object.mime));
    headers.insert(header::CONTENT_DISPOSITION, disposition(object, wish.download.as_deref()));
    if wish.method == Method::HEAD {
        return Ok(Some((status, headers).into_response()));
    }
    let Some(stream) = state.blobs.read(&object.key, bytes).await? else { return Ok(None) };
    Ok(Some((status, headers, Body::from_stream(stream)).into_response()))
}

fn common_headers(object: &Object, wish: &Wish<'_>) -> HeaderMap {
    let cache = match wish.exposure {
        Exposure::Private => "private, no-cache".to_owned(),
        Exposure::Public => format!("public, {}", object.cache_control),
    };
    let sharing = match wish.exposure {
        Exposure::Private => "same-origin",
        Exposure::Public => "cross-origin",
    };
    let pairs: [(HeaderName, HeaderValue); 9] = [
        (header::ETAG, value(&object.etag())),
        (header::LAST_MODIFIED, value(&httpdate::fmt_http_date(SystemTime::from(object.updated_at)))),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (header::CACHE_CONTROL, value(&cache)),
        (header::VARY, HeaderValue::from_static("authorization")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY)),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static(sharing)),
        (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("none")),
    ];
    pairs.into_iter().collect()
}

/// What came from a database column was checked when it was written; if it cannot stand in a header, it is left out.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Only what cannot run is shown; a download has a name.
fn disposition(object: &Object, download: Option<&str>) -> HeaderValue {
    let kind = if download.is_none() && sniff::is_shown(&object.mime) { "inline" } else { "attachment" };
    let own = object.name.rsplit('/').next().unwrap_or_default();
    let name = download.filter(|name| !name.is_empty()).unwrap_or(own);
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || " ._-()".contains(c) { c } else { '_' })
        .take(200)
        .collect();
    let name: String =
        name.chars().filter(|c| !c.is_control() && !matches!(c, '/' | '\\')).take(255).collect();
    let encoded = utf8_percent_encode(&name, ATTRIBUTE);
    value(&format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"))
}

/// `If-None-Match` names this content.
fn is_known(headers: &HeaderMap, object: &Object) -> bool {
    let etag = object.etag();
    headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|list| {
        list.split(',').map(|tag| tag.trim()).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    Nothing,
}

/// One range (RFC 9110). Several, or something else, are answered with the whole; one outside of the file with 416.
fn asked_range(headers: &HeaderMap, object: &Object) -> Asked {
    let Some(text) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else {
        return Asked::Whole;
    };
    if headers.get(header::IF_RANGE).is_some_and(|tag| tag.as_bytes() != object.etag().as_bytes()) {
        return Asked::Whole;
    }
    range_of(text, object.size_bytes)
}

fn range_of(text: &str, size: u64) -> Asked {
    let Some((first, last)) = text.trim().strip_prefix("bytes=").and_then(|spec| spec.split_once('-')) else {
        return Asked::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), _) if last.is_empty() => first..size,
        (_, Ok(count)) if first.is_empty() => size.saturating_sub(count)..size,
        _ => return Asked::Whole,
    };
    if range.is_empty() { Asked::Nothing } else { Asked::Part(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (text, asked) in [
            ("bytes=0-4", Asked::Part(0..5)),
            ("bytes=5-", Asked::Part(5..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-30", Asked::Part(0..10)),
            ("bytes=8-99", Asked::Part(8..10)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=4-2", Asked::Whole),
            ("bytes=0-1,4-5", Asked::Whole),
            ("bytes=x-", Asked::Whole),
            ("items=0-1", Asked::Whole),
            ("bytes=0-18446744073709551615", Asked::Part(0..10)),
        ] {
            assert_eq!(range_of(text, 10), asked, "{text}");
        }
        assert_eq!(range_of("bytes=0-", 0), Asked::Nothing, "an empty file has no ranges");
    }

    proptest::proptest! {
        #![proptest_config(testkit::forgery::cases(1_000))]

        #[test]
        fn a_range_is_within_the_file(text in "(bytes=)?[0-9 ,-]{0,44}", any in ".{0,40}", size in 0_u64..1 << 40) {
            for text in [text, any] {
                if let Asked::Part(range) = range_of(&text, size) {
                    proptest::prop_assert!(range.start < range.end && range.end <= size, "{range:?} of {size}");
                }
            }
        }
    }
}
