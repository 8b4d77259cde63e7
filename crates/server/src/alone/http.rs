//! The HTTP surface of the stand-alone data API: who asks, other origins, and the admin endpoints.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header},
    response::IntoResponse as _,
    routing::get,
};
use pg::{
    Actor,
    foreign::{Caller, Standing},
};
use rest::Refusal;
use tower::ServiceExt as _;

use super::{
    Alone, Live,
    config::{Listen, Timing},
    database, keys,
};

const PREFLIGHT_KEPT_S: &str = "86400";
const LIVE_WAIT: Duration = Duration::from_secs(2);
const EXPOSED: &str = "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, \
     Preference-Applied, Server, Transfer-Encoding, Range-Unit";
const METHODS: &str = "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD";
const TIMING: HeaderName = HeaderName::from_static("server-timing");

pub fn router(alone: Arc<Alone>) -> Router {
    Router::new().fallback(answer).with_state(alone)
}

async fn answer(State(alone): State<Arc<Alone>>, mut request: Request) -> Response<Body> {
    let started = Instant::now();
    let Some(live) = alone.live() else { return Refusal::NotReady.response() };
    let origin = allowed(request.headers(), live.config.origins.as_deref());
    if let Some(origin) = &origin
        && request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    {
        return preflight(request.headers(), origin);
    }
    let caller = caller(&live, request.headers(), alone.clock.now());
    let known = started.elapsed();
    let mut response = match caller {
        Ok(actor) => {
            request.extensions_mut().insert(actor);
            match live.router.clone().oneshot(request).await {
                Ok(response) => response,
                Err(impossible) => match impossible {},
            }
        }
        Err(refusal) => refusal.response(),
    };
    let headers = response.headers_mut();
    if let Some(origin) = origin {
        if origin != "*" {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
    if live.config.timing == Timing::Told {
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        let text = format!("jwt;dur={:.1}, total;dur={:.1}", ms(known), ms(started.elapsed()));
        if let Ok(text) = HeaderValue::try_from(text) {
            headers.insert(TIMING, text);
        }
    }
    response
}

/// The caller as the token says, or the anonymous role.
#[expect(clippy::disallowed_methods, reason = "`obera rest` acts for the roles of the database it serves")]
fn caller(live: &Live, headers: &HeaderMap, now: kernel::Timestamp) -> Result<Actor, Refusal> {
    let verified = bearer(headers).map(|token| live.config.tokens.verify(token, now)).transpose()?;
    let named = verified.as_ref().and_then(|verified| verified.role.as_deref());
    let role = named.or(live.config.anon_role.as_deref()).ok_or(Refusal::NoAnonymous)?;
    let standing = if named.is_some() { Standing::SignedIn } else { Standing::Anonymous };
    let mut caller = Caller::new(role, standing);
    for (name, value) in live.roles.get(role).into_iter().flatten().chain(&live.config.app_settings) {
        caller.set(name, value);
    }
    let claims = match &verified {
        Some(verified) => verified.claims(role),
        None => serde_json::json!({ "role": role }).to_string(),
    };
    caller.set("request.jwt.claims", claims);
    if let Some(function) = &live.config.pre_request {
        caller.call_first(function);
    }
    Ok(caller.into())
}

/// The bearer's text. Other schemes are for somebody before or behind this server.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What to tell a browser of another origin; nothing when it may not call.
fn allowed(headers: &HeaderMap, origins: Option<&[String]>) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    match origins {
        None => Some(HeaderValue::from_static("*")),
        Some(origins) => {
            origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
        }
    }
}

fn preflight(headers: &HeaderMap, origin: &HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let told = response.headers_mut();
    told.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    told.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    told.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_KEPT_S));
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).and_then(|value| value.to_str().ok());
    let names = ["Authorization", asked.unwrap_or_default(), "Accept", "Accept-Language", "Content-Language"];
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    if let Ok(names) = HeaderValue::try_from(names.join(", ")) {
        told.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
    }
    if origin != "*" {
        told.insert(header::VARY, HeaderValue::from_static("Origin"));
    }
    response
}

/// For whoever watches over the server: not for the world.
pub fn admin(alone: Arc<Alone>) -> Router {
    Router::new()
        .route("/live", get(live))
        .route("/ready", get(ready))
        .route("/config", get(config))
        .with_state(alone)
}

/// Whether the API's own address takes connections.
async fn live(State(alone): State<Arc<Alone>>) -> StatusCode {
    if is_reachable(&alone.address).await { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }
}

/// And whether database and schema are there.
async fn ready(State(alone): State<Arc<Alone>>) -> StatusCode {
    if !is_reachable(&alone.address).await {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let is_loaded = alone.live().is_some_and(|live| live.state.is_loaded());
    let is_there = async { alone.pg.act_as(&database::login()).await?.rollback().await };
    if is_loaded && is_there.await.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn config(State(alone): State<Arc<Alone>>) -> Response<Body> {
    match alone.live() {
        Some(live) => keys::dump(&live.texts).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn is_reachable(address: &Listen) -> bool {
    let reached = async {
        match address {
            Listen::Port(host, port) => {
                let host = match host.as_str() {
                    "0.0.0.0" => "127.0.0.1",
                    "::" => "::1",
                    host => host,
                };
                tokio::net::TcpStream::connect((host, *port)).await.is_ok()
            }
            Listen::Socket(path, _) => tokio::net::UnixStream::connect(path).await.is_ok(),
        }
    };
    tokio::time::timeout(LIVE_WAIT, reached).await.unwrap_or(false)
}
