//! The HTTP surface: every API, the console, health; and what holds for all of them.
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use auth::{AuthState, ClientAddr};
use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use functions::Services;
use kernel::{ApiError, ErrorCode};
use metrics_exporter_prometheus::PrometheusHandle;
use pg::Pg;
use realtime::RealtimeState;
use rest::RestState;
use storage::StorageState;
use tower::ServiceExt as _;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, predicate::SizeAbove},
    cors::{AllowOrigin, CorsLayer},
    timeout::TimeoutLayer,
};

use crate::{config::Settings, console, watch};

const REQUEST_WAIT: Duration = Duration::from_secs(60);
const COMPRESS_BYTES_MIN: u64 = 1_024;
/// Scripts only from here; styles also inline, for the positions that widgets compute.
const CONTENT_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
     font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// What the HTTP surface is made of.
#[derive(Clone, Debug)]
pub struct Surface {
    pub pg: Pg,
    pub auth: AuthState,
    pub rest: RestState,
    pub realtime: RealtimeState,
    pub storage: StorageState,
    pub services: Services,
    pub metrics: PrometheusHandle,
}

pub fn router(surface: Surface, settings: &Settings) -> Router {
    let proxies: Arc<[IpAddr]> = settings.trusted_proxies.clone().into();
    let cors = cors(&settings.cors_origins);
    let openapi = functions::openapi::document(env!("CARGO_PKG_VERSION"));
    let apis = Router::new()
        .merge(rest::mounted(surface.rest.clone()))
        .nest("/functions/v1", functions::router(surface.services.clone()))
        .layer(middleware::from_fn_with_state(surface.auth.clone(), auth::authenticate))
        .nest("/auth/v1", auth::router(surface.auth.clone()))
        // Tokens come in each join, and are checked there.
        .nest("/realtime/v1", realtime::router(surface.realtime.clone()));
    // Files are streamed: no compression (ranges, hashes), and their own limits of time.
    let files = Router::new()
        .nest("/storage/v1", storage::router(surface.storage.clone()))
        .layer(middleware::from_fn_with_state(surface.auth.clone(), auth::authenticate));
    let health = Router::new()
        .route("/healthz", get(|| async { Json(serde_json::json!({ "status": "ok" })) }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(surface);
    let all = apis
        .merge(health)
        .route("/openapi.json", get(move || async move { Json(openapi) }))
        .merge(console::router())
        .layer(CompressionLayer::new().gzip(true).compress_when(SizeAbove::new(COMPRESS_BYTES_MIN)))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, REQUEST_WAIT))
        .merge(files);
    let plain = all.clone();
    all.layer(cors)
        .layer(middleware::from_fn_with_state(plain, plain_options))
        .layer(CatchPanicLayer::custom(|_panic| {
            let error =
                ApiError::new(ErrorCode::Internal, "Something went wrong on our side; nothing was changed.");
            (StatusCode::INTERNAL_SERVER_ERROR, Json(error)).into_response()
        }))
        .layer(middleware::from_fn(common_headers))
        .layer(middleware::from_fn(measure))
        .layer(middleware::from_fn_with_state(proxies, client_address))
}

/// `OPTIONS` that is no browser's question before a call (those CORS answers): the API itself says what it offers.
async fn plain_options(State(plain): State<Router>, request: Request, next: Next) -> Response {
    let is_preflight = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if request.method() != Method::OPTIONS || is_preflight || request.headers().contains_key(header::ORIGIN) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    // Without what the first way through the router noted: it would count the parts of the path twice.
    let mut again = Request::new(body);
    *again.method_mut() = parts.method;
    *again.uri_mut() = parts.uri;
    *again.headers_mut() = parts.headers;
    if let Some(address) = parts.extensions.get::<ClientAddr>() {
        again.extensions_mut().insert(*address);
    }
    match plain.oneshot(again).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Only the named origins; without any, browsers of other origins get nothing.
fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            header::RANGE,
            HeaderName::from_static("apikey"),
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("prefer"),
            HeaderName::from_static("range-unit"),
            HeaderName::from_static("accept-profile"),
            HeaderName::from_static("content-profile"),
            HeaderName::from_static("x-client-info"),
            HeaderName::from_static("x-supabase-api-version"),
            header::CACHE_CONTROL,
            header::IF_NONE_MATCH,
            HeaderName::from_static("x-upsert"),
            HeaderName::from_static("x-metadata"),
            HeaderName::from_static("tus-resumable"),
            HeaderName::from_static("upload-length"),
            HeaderName::from_static("upload-metadata"),
            HeaderName::from_static("upload-offset"),
        ])
        .expose_headers([
            header::CONTENT_RANGE,
            header::LOCATION,
            header::ETAG,
            header::RETRY_AFTER,
            HeaderName::from_static("idempotency-replayed"),
            HeaderName::from_static("preference-applied"),
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("tus-resumable"),
            HeaderName::from_static("upload-expires"),
            HeaderName::from_static("upload-length"),
            HeaderName::from_static("upload-offset"),
        ])
        .max_age(Duration::from_secs(600))
}

/// The caller's address; a trusted proxy's word is taken for whom it speaks for.
async fn client_address(State(proxies): State<Arc<[IpAddr]>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    if let Some(peer) = peer {
        let forwarded = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
        let address = match forwarded {
            // The nearest address that is not itself a trusted proxy; what stands before it anybody could have written.
            Some(list) if proxies.contains(&peer) => list
                .rsplit(',')
                .filter_map(|part| part.trim().parse::<IpAddr>().ok())
                .find(|address| !proxies.contains(address))
                .unwrap_or(peer),
            _ => peer,
        };
        request.extensions_mut().insert(ClientAddr(address));
    }
    next.run(request).await
}

async fn common_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        // What serves a file says more strictly what it may do.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn measure(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    // The route, not the path: ids must not become labels.
    let route = request.extensions().get::<MatchedPath>().map_or("console", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    let labels = [("method", method.to_string()), ("route", route.clone()), ("status", status)];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", "route" => route.clone())
        .record(started.elapsed().as_secs_f64());
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let request_id =
        response.headers().get("x-request-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
    tracing::debug!(%method, route, status = response.status().as_u16(), duration_ms, request.id = request_id, "request");
    response
}

async fn ready(State(surface): State<Surface>) -> Response {
    let database = surface.pg.system(pg::SystemReason::Health).await.is_ok();
    let schema = surface.rest.is_loaded();
    // For people: reads go on while they cannot be written down, and are counted meanwhile.
    let access_log = if surface.pg.access().status().failing_since.is_none() { "ok" } else { "failing" };
    let status = if database && schema { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (
        status,
        Json(serde_json::json!({ "database": database, "schema_cache": schema, "access_log": access_log })),
    )
        .into_response()
}

/// For a scraper on this machine or on a trusted proxy's side; others get the same answer as for a path that is not there.
async fn metrics(State(surface): State<Surface>, peer: Option<Extension<ClientAddr>>) -> Response {
    if !peer.is_some_and(|Extension(ClientAddr(address))| address.is_loopback()) {
        return (StatusCode::NOT_FOUND, Json(ApiError::new(ErrorCode::NotFound, "There is nothing here.")))
            .into_response();
    }
    watch::access::measure(&surface.pg);
    let (open, idle, waiting) = surface.pg.status();
    for (state, count) in [("open", open), ("idle", idle), ("waiting", waiting)] {
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("database_connections", "state" => state).set(count as f64);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], surface.metrics.render()).into_response()
}
