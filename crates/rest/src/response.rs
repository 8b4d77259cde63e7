//! Last stage: an answer or an error to HTTP.
use std::fmt::Write as _;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use kernel::ApiError;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    error::{self, Failure},
    request::{
        Head, Media, Nulls, Verb, Window,
        prefer::{Count, Prefer, Returning},
    },
    transaction::Answer,
};

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub fn failure(failure: &Failure) -> Response<Body> {
    let error = &failure.error;
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(error).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, "application/json; charset=utf-8");
    if status == StatusCode::UNAUTHORIZED {
        set(&mut response, header::WWW_AUTHENTICATE, "Bearer");
    }
    if let Some(headers) = &failure.headers {
        response.headers_mut().extend(headers.as_ref().clone());
    }
    response
}

/// Puts into the answer what functions and triggers said of it.
fn tell(response: &mut Response<Body>, told: (Option<String>, Option<String>)) -> Result<(), ApiError> {
    if let Some(text) = told.0 {
        let lists: Vec<serde_json::Map<String, serde_json::Value>> =
            serde_json::from_str(&text).map_err(|_| error::response_headers())?;
        for object in lists {
            let mut pairs = object.iter();
            let (Some((name, serde_json::Value::String(value))), None) = (pairs.next(), pairs.next()) else {
                return Err(error::response_headers());
            };
            let (name, value) = error::header(name, value).ok_or_else(error::response_headers)?;
            if name == header::SET_COOKIE {
                response.headers_mut().append(name, value);
            } else {
                response.headers_mut().insert(name, value);
            }
        }
    }
    if let Some(text) = told.1 {
        *response.status_mut() = text
            .parse()
            .ok()
            .filter(|status| (200..=599).contains(status))
            .and_then(|status| StatusCode::from_u16(status).ok())
            .ok_or_else(error::response_status)?;
    }
    Ok(())
}

/// The planner's plan.
pub fn plan(answer: Answer, media: Media) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body));
    set(&mut response, header::CONTENT_TYPE, media.content_type());
    response
}

/// A description of the API.
pub fn document(text: String, verb: Verb) -> Response<Body> {
    let mut response = Response::new(if verb == Verb::Head { Body::empty() } else { Body::from(text) });
    set(&mut response, header::CONTENT_TYPE, Media::OpenApi.content_type());
    response
}

/// Rows of a relation or function. `window` is what was asked for.
pub fn read(answer: Answer, head: &Head, window: Window) -> Result<Response<Body>, ApiError> {
    if matches!(head.media, Media::Object(_)) && head.verb != Verb::Head && answer.rows != 1 {
        return Err(error::not_one_row(answer.rows));
    }
    let total = answer.total.and_then(|total| u64::try_from(total).ok());
    let rows = u64::try_from(answer.rows).unwrap_or(0);
    if let Some(total) = total.filter(|total| window.offset > *total) {
        return Err(error::range(format!(
            "An offset of {} was requested, but there are only {total} rows.",
            window.offset
        )));
    }
    let told = (answer.headers, answer.status);
    let status =
        if total.is_some_and(|total| rows < total) { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let mut response =
        Response::new(if head.verb == Verb::Head { Body::empty() } else { Body::from(answer.body) });
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, head.content_type(head.media));
    set(&mut response, header::CONTENT_RANGE, &content_range(rows, window.offset, total));
    applied(&mut response, &head.prefer);
    tell(&mut response, told)?;
    Ok(response)
}

/// What was written to `relation`, which is at `base_path`.
pub fn written(
    answer: Answer,
    head: &Head,
    relation: (&str, &[String]),
    base_path: &str,
) -> Result<Response<Body>, ApiError> {
    let told = (answer.headers, answer.status);
    let returning = head.prefer.returning.unwrap_or(Returning::Minimal);
    let all_were_there = answer.rows > 0 && answer.updated == Some(answer.rows);
    let status = match (head.verb, returning) {
        (Verb::Insert, _) if all_were_there => StatusCode::OK,
        (Verb::Put, _) if !all_were_there => StatusCode::CREATED,
        (Verb::Insert, _) => StatusCode::CREATED,
        (_, Returning::Representation) => StatusCode::OK,
        _ => StatusCode::NO_CONTENT,
    };
    let rows = u64::try_from(answer.rows).unwrap_or(0);
    let total = (head.prefer.count == Some(Count::Exact)).then_some(rows);
    let range = match head.verb {
        Verb::Update => content_range(rows, 0, total),
        _ => content_range(0, 0, total),
    };
    let mut response = Response::new(match returning {
        Returning::Representation => Body::from(answer.body),
        _ => Body::empty(),
    });
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_RANGE, &range);
    if returning == Returning::Representation {
        set(&mut response, header::CONTENT_TYPE, head.content_type(head.media));
    }
    if let Some(key) = answer.key
        && head.verb == Verb::Insert
    {
        set(&mut response, header::LOCATION, &location(base_path, relation, &key));
    }
    applied(&mut response, &head.prefer);
    tell(&mut response, told)?;
    Ok(response)
}

/// A function's single value, or nothing.
pub fn value(answer: Answer, head: &Head, is_void: IsVoid) -> Result<Response<Body>, ApiError> {
    let told = (answer.headers, answer.status);
    let mut response = Response::new(Body::empty());
    match is_void {
        IsVoid::Yes => *response.status_mut() = StatusCode::NO_CONTENT,
        IsVoid::No => {
            let media = match head.media {
                Media::Text | Media::Bytes | Media::Xml => head.media,
                _ => Media::Json(Nulls::Kept),
            };
            set(&mut response, header::CONTENT_TYPE, head.content_type(media));
            if head.verb != Verb::Head {
                *response.body_mut() = Body::from(answer.body);
            }
        }
    }
    applied(&mut response, &head.prefer);
    tell(&mut response, told)?;
    Ok(response)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsVoid {
    Yes,
    No,
}

pub fn options(allow: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    set(&mut response, header::ALLOW, allow);
    response
}

fn content_range(rows: u64, offset: u64, total: Option<u64>) -> String {
    let total = total.map_or_else(|| "*".to_owned(), |total| total.to_string());
    if rows == 0 {
        format!("*/{total}")
    } else {
        format!("{offset}-{}/{total}", offset.saturating_add(rows - 1))
    }
}

/// `/rest/v1/tickets?customer_id=eq.…&id=eq.…`
fn location(base_path: &str, (name, key): (&str, &[String]), values: &str) -> String {
    let values: Vec<Option<String>> = serde_json::from_str(values).unwrap_or_default();
    let mut text = format!("{base_path}/{}", utf8_percent_encode(name, UNRESERVED));
    for (index, (column, value)) in key.iter().zip(values).enumerate() {
        let column = utf8_percent_encode(column, UNRESERVED);
        let value = value.unwrap_or_default();
        let value = utf8_percent_encode(&value, UNRESERVED);
        let _infallible = write!(text, "{}{column}=eq.{value}", if index == 0 { '?' } else { '&' });
    }
    text
}

fn applied(response: &mut Response<Body>, prefer: &Prefer) {
    if let Some(text) = prefer.applied() {
        set(response, PREFERENCE_APPLIED, &text);
    }
}

/// Everything written here is ASCII without line breaks; a value that were not is left out.
fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
