use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use kernel::{ApiError, Clock, id::RequestId};
use pg::Actor;

use crate::{AuthState, TokenFault};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const API_KEY: HeaderName = HeaderName::from_static("apikey");

/// The layer for every API but this one: `axum::middleware::from_fn_with_state(auth, authenticate)`.
///
/// Puts a [`RequestId`] and the [`Actor`] into the request's extensions and the id into the answer's `x-request-id`.
/// * No `Authorization`, or `Bearer <apikey>` where the `apikey` header has the same value and it is not a token (what
///   supabase-js sends when nobody is signed in): anonymous.
/// * A token that verifies: that person.
/// * Anything else: 401 `OB2001`.
pub async fn authenticate(State(auth): State<AuthState>, mut request: Request, next: Next) -> Response {
    let id = request_id(&mut request, &auth.0.clock);
    let actor = match presented(request.headers()) {
        Ok(None) => Ok(Actor::anonymous(id)),
        Ok(Some(token)) => auth.verify(token).await.map(|actor| actor.for_request(id)),
        Err(fault) => Err(fault.into()),
    };
    let response = match actor {
        Ok(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Err(error) => refusal(&error),
    };
    stamped(response, id)
}

/// The id that an outer layer gave, or a new one, which later layers find.
pub(crate) fn request_id(request: &mut Request, clock: &Clock) -> RequestId {
    *request.extensions_mut().get_or_insert_with(|| RequestId::new(clock.now()))
}

pub(crate) fn stamped(mut response: Response, id: RequestId) -> Response {
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The bearer's text. `None` without one; two headers, another scheme or odd bytes are a fault.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, TokenFault> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(TokenFault::Invalid);
    }
    let (scheme, token) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(TokenFault::Invalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(TokenFault::Invalid);
    }
    Ok(Some(token.trim()))
}

/// The bearer, unless it only repeats the API key.
pub(crate) fn presented(headers: &HeaderMap) -> Result<Option<&str>, TokenFault> {
    let token = bearer(headers)?;
    let looks_like_token = |text: &str| text.bytes().filter(|byte| *byte == b'.').count() == 2;
    Ok(token.filter(|token| {
        looks_like_token(token) || headers.get(API_KEY).is_none_or(|key| key.as_bytes() != token.as_bytes())
    }))
}

fn refusal(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::UNAUTHORIZED);
    let challenge =
        [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""), (header::CACHE_CONTROL, "no-store")];
    (status, challenge, Json(error)).into_response()
}
