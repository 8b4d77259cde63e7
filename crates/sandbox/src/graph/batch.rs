//! `$batch`: up to twenty reads; the answers come in another order, and fail one by one.
use std::collections::HashSet;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::Refusal;
use super::{Reply, answer, ask, auth, base, json_response};
use crate::faults::Tamper;
use crate::server::Shared;

const CALLS_MAX: usize = 20;

#[derive(Deserialize)]
struct Body {
    requests: Vec<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: serde_json::Map<String, Value>,
}

pub(crate) fn run(
    shared: &Shared,
    tamper: Tamper,
    version: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let now = shared.now();
    let base = base(headers);
    let mut world = shared.world();
    let caller = match auth::caller(&mut world, headers, now) {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    let requests = match read(body) {
        Ok(requests) => requests,
        Err(refusal) => return refusal.into_response(),
    };
    let mut responses = Vec::with_capacity(requests.len());
    for (at, inner) in requests.iter().enumerate() {
        let throttles = matches!(tamper, Tamper::ThrottleInner { .. }) && at % 2 == 0;
        let outcome = if throttles {
            Err(Refusal::throttled())
        } else {
            inner.answer(version, &base, |asked| answer(&world, caller, asked), now)
        };
        let mut response = match outcome {
            Ok(Reply::Json(body)) => {
                json!({"id": inner.id, "status": 200, "headers": {"Content-Type": "application/json"}, "body": body})
            }
            Ok(Reply::Text(text)) => {
                json!({"id": inner.id, "status": 200, "headers": {"Content-Type": "text/plain"}, "body": text})
            }
            Err(refusal) => {
                json!({"id": inner.id, "status": refusal.status.as_u16(), "headers": {"Content-Type": "application/json"}, "body": refusal.body})
            }
        };
        if let (true, Tamper::ThrottleInner { retry_after_s: Some(seconds) }) = (throttles, tamper) {
            response["headers"]["Retry-After"] = seconds.to_string().into();
        }
        responses.push(response);
    }
    responses.reverse();
    json_response(StatusCode::OK, &json!({"responses": responses}))
}

fn read(body: &[u8]) -> Result<Vec<Inner>, Refusal> {
    let body: Body = serde_json::from_slice(body)
        .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "BadRequest", "The batch cannot be read."))?;
    let bad = |message: &str| Err(Refusal::new(StatusCode::BAD_REQUEST, "BadRequest", message));
    if body.requests.is_empty() || body.requests.len() > CALLS_MAX {
        return bad("The number of batch request steps must be from 1 to 20.");
    }
    let ids: HashSet<String> = body.requests.iter().map(|inner| inner.id.to_ascii_lowercase()).collect();
    if ids.len() < body.requests.len() {
        return bad("The id of a batch request step is not unique.");
    }
    Ok(body.requests)
}

impl Inner {
    fn answer(
        &self,
        version: &str,
        base: &str,
        answer: impl Fn(&super::Ask<'_>) -> super::Outcome,
        now: jiff::Timestamp,
    ) -> super::Outcome {
        if !self.method.eq_ignore_ascii_case("GET") {
            return Err(Refusal::method(&self.method));
        }
        if !self.url.starts_with('/') {
            return Err(Refusal::bad("The url of a batch request step must be relative."));
        }
        let (path, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let is_eventual = self
            .headers
            .iter()
            .any(|(name, value)| name.eq_ignore_ascii_case("consistencylevel") && value == "eventual");
        let query = query.replace(' ', "%20");
        answer(&ask(&format!("{version}{path}"), &query, is_eventual, base, Tamper::No, now)?)
    }
}
