//! Faults on demand: each is used up by the requests that it fits.
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use uuid::Uuid;

use crate::cipp;
use crate::graph::errors as graph;
use crate::ninjaone::errors::{Refusal, edge_page};
use crate::revio::errors as revio;
use crate::server::Shared;
use crate::world::World;

/// Faults that may wait at the same time.
pub const FAULTS_MAX: usize = 1_000;
const COLD_START_MS: u64 = 20_000;
/// Longest answer that is cut in the middle.
const CUT_BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultKind {
    TooManyRequests,
    ServerError,
    HtmlPage,
    /// The call is done at once, the answer comes late.
    Slow,
    /// The call is done, the connection closes in the middle of the answer.
    DroppedConnection,
    /// `after`, `cursor`, `olderThan` is ignored; of Rev.io the page before comes again.
    RepeatedPage,
    /// A list shows the first half of its rows.
    TruncatedList,
    /// The next script or maintenance window (of Rev.io: the next write of a line) reports success and changes nothing.
    LyingSuccess,
    /// Rev.io: a 200 that says `ok: false`.
    NotOk,
    /// Rev.io: 400 with a list of faults.
    ErrorList,
    /// Rev.io: 400 with bare text.
    ErrorText,
    /// Rev.io: the calls of the day are used up.
    DayQuota,
    /// Rev.io: the first row of the list is gone for good when a later page is read.
    PageShift,
    /// Graph: a page without rows in the middle of a list.
    EmptyPage,
    /// Graph: every other call inside a batch is throttled.
    BatchThrottled,
    /// Graph: the token is not taken any more.
    ExpiredToken,
    /// Graph: a right is missing.
    MissingPermission,
    /// Graph: the link of a list of changes is forgotten.
    SyncStateLost,
    /// CIPP: the deployment slept; its first answer takes `delay_ms` (20 s unless said).
    ColdStart,
    /// CIPP: a row that says that data is being gathered.
    Placeholder,
    /// CIPP: a 200 with one false row that tells of a failure.
    FalseRow,
    /// Graph: a byte of a downloaded file is another one.
    BrokenFile,
}

impl FaultKind {
    /// The only vendors that have it; empty for what every one has.
    fn only_of(self) -> &'static [Vendor] {
        match self {
            Self::NotOk | Self::ErrorText => &[Vendor::Revio, Vendor::Cipp],
            Self::ErrorList | Self::DayQuota | Self::PageShift => &[Vendor::Revio],
            Self::ColdStart | Self::Placeholder | Self::FalseRow => &[Vendor::Cipp],
            Self::EmptyPage
            | Self::BatchThrottled
            | Self::ExpiredToken
            | Self::MissingPermission
            | Self::SyncStateLost
            | Self::BrokenFile => &[Vendor::Graph],
            _ => &[],
        }
    }
}

/// Whose requests a fault fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Vendor {
    #[default]
    Ninjaone,
    Revio,
    Graph,
    Cipp,
}

impl Vendor {
    fn name(self) -> &'static str {
        match self {
            Self::Ninjaone => "ninjaone",
            Self::Revio => "revio",
            Self::Graph => "graph",
            Self::Cipp => "cipp",
        }
    }
}

/// Whether the call takes effect before its answer is replaced by an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    #[default]
    Before,
    After,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultOrder {
    kind: FaultKind,
    #[serde(default)]
    vendor: Vendor,
    /// Of the path under `/v2`, or `/ws`; the prefixes `/api` (of NinjaOne), `/revio`, `/graph` and `/cipp` are not part of it. Default: every
    /// path under `/v2`, of Rev.io under `/v1`, of Graph under `/v1.0` (the sign-in is `/login`), of CIPP under `/api`.
    path_prefix: Option<String>,
    /// Default: any.
    method: Option<String>,
    /// Graph: only calls in this tenant.
    tenant_id: Option<Uuid>,
    /// A part of the query that the request must have, such as `cursor=`.
    query_contains: Option<String>,
    /// Default: once.
    times: Option<u32>,
    /// For `too_many_requests`; without it the answer names no time.
    retry_after_s: Option<u64>,
    /// For `slow`.
    delay_ms: Option<u64>,
    /// For `html_page` and `server_error`.
    status: Option<u16>,
    #[serde(default)]
    stage: Stage,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    orders: Vec<FaultOrder>,
    /// Requests that one of them met.
    used: u64,
}

impl Faults {
    pub fn add(&mut self, order: FaultOrder) -> Result<(), String> {
        if self.orders.len() >= FAULTS_MAX {
            return Err("too many faults are waiting".into());
        }
        let only = order.kind.only_of();
        if !only.is_empty() && !only.contains(&order.vendor) {
            let names: Vec<&str> = only.iter().map(|it| it.name()).collect();
            return Err(format!("this fault needs \"vendor\": {}", names.join(" or ")));
        }
        self.orders.push(order);
        Ok(())
    }

    pub fn clear(&mut self) {
        self.orders.clear();
    }

    pub fn waiting(&self) -> u32 {
        self.orders.iter().map(|order| order.times.unwrap_or(1)).sum()
    }

    pub fn used(&self) -> u64 {
        self.used
    }

    /// The first fault that fits this request, used up by one.
    fn take(&mut self, method: &Method, uri: &Uri, tenant: Option<Uuid>) -> Option<FaultOrder> {
        let of_tenant = |order: &FaultOrder| order.tenant_id.is_none() || order.tenant_id == tenant;
        let at = self.orders.iter().position(|order| of_tenant(order) && order.fits(method, uri))?;
        let order = &mut self.orders[at];
        let left = order.times.unwrap_or(1).saturating_sub(1);
        order.times = Some(left);
        let taken = order.clone();
        self.used += 1;
        if left == 0 {
            self.orders.remove(at);
        }
        Some(taken)
    }
}

impl FaultOrder {
    fn fits(&self, method: &Method, uri: &Uri) -> bool {
        let path = uri.path();
        let (vendor, path) = if let Some(path) = path.strip_prefix("/revio") {
            (Vendor::Revio, path)
        } else if path.starts_with("/login/") {
            (Vendor::Graph, path)
        } else if let Some(path) = path.strip_prefix("/graph") {
            (Vendor::Graph, path)
        } else if let Some(path) = path.strip_prefix("/cipp") {
            (Vendor::Cipp, path)
        } else {
            (Vendor::Ninjaone, path.strip_prefix("/api").unwrap_or(path))
        };
        let query = uri.query().unwrap_or_default();
        let goes_on = || ["after=", "cursor=", "olderThan="].iter().any(|name| query.contains(name));
        let of_kind = match self.kind {
            FaultKind::RepeatedPage | FaultKind::PageShift if vendor == Vendor::Revio => {
                *method == Method::GET && is_later_page(query)
            }
            FaultKind::LyingSuccess if vendor == Vendor::Revio => {
                (*method == Method::PUT || *method == Method::DELETE)
                    && path.starts_with("/v1/ServiceProduct")
            }
            FaultKind::LyingSuccess if vendor == Vendor::Cipp => *method == Method::POST,
            FaultKind::RepeatedPage if vendor == Vendor::Graph => query.contains("skiptoken"),
            FaultKind::BatchThrottled => path.ends_with("/$batch"),
            FaultKind::BrokenFile => path.starts_with("/_files/"),
            FaultKind::EmptyPage => *method == Method::GET,
            FaultKind::RepeatedPage => *method == Method::GET && goes_on(),
            FaultKind::TruncatedList => *method == Method::GET,
            FaultKind::LyingSuccess => {
                *method == Method::POST && path.ends_with("/script/run") || path.ends_with("/maintenance")
            }
            _ => true,
        };
        let of_method =
            self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method.as_str()));
        let of_query = self.query_contains.as_deref().is_none_or(|part| query.contains(part));
        let root = match vendor {
            Vendor::Ninjaone => "/v2",
            Vendor::Revio => "/v1",
            Vendor::Graph if self.kind == FaultKind::BrokenFile => "/_files",
            Vendor::Graph => "/v1.0",
            Vendor::Cipp => "/api",
        };
        let of_path = path.starts_with(self.path_prefix.as_deref().unwrap_or(root));
        self.vendor == vendor && of_kind && of_method && of_query && of_path
    }
}

/// A page after the first; one of a single row looks at a border and is not meant.
fn is_later_page(query: &str) -> bool {
    let number = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value.and_then(|value| value.parse::<u64>().ok())
    };
    number("search.page").is_some_and(|page| page > 1) && number("search.page_size") != Some(1)
}

/// For the handlers that have to lie themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tamper {
    #[default]
    No,
    RepeatPage,
    Truncate,
    Lie,
    Shift,
    EmptyPage,
    /// A library's link is answered as one that is too old, with the address of a new round.
    ForgetLink,
    Corrupt,
    ThrottleInner {
        retry_after_s: Option<u64>,
    },
}

pub(crate) async fn apply(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let fault = {
        let mut world = shared.world();
        let tenant = tenant_of(&world, &request);
        world.faults.take(request.method(), request.uri(), tenant)
    };
    let kind = fault.as_ref().map(|fault| fault.kind);
    let of_library = request.uri().path().starts_with("/graph/v1.0/drives/");
    let retry_after_s = fault.as_ref().and_then(|fault| fault.retry_after_s);
    request.extensions_mut().insert(match kind {
        Some(FaultKind::RepeatedPage) => Tamper::RepeatPage,
        Some(FaultKind::TruncatedList) => Tamper::Truncate,
        Some(FaultKind::LyingSuccess) => Tamper::Lie,
        Some(FaultKind::PageShift) => Tamper::Shift,
        Some(FaultKind::EmptyPage) => Tamper::EmptyPage,
        Some(FaultKind::SyncStateLost) if of_library => Tamper::ForgetLink,
        Some(FaultKind::BrokenFile) => Tamper::Corrupt,
        Some(FaultKind::BatchThrottled) => Tamper::ThrottleInner { retry_after_s },
        _ => Tamper::No,
    });
    let Some(fault) = fault else { return next.run(request).await };
    let replaces = matches!(
        fault.kind,
        FaultKind::TooManyRequests
            | FaultKind::ServerError
            | FaultKind::HtmlPage
            | FaultKind::NotOk
            | FaultKind::ErrorList
            | FaultKind::ErrorText
            | FaultKind::DayQuota
            | FaultKind::ExpiredToken
            | FaultKind::MissingPermission
            | FaultKind::Placeholder
            | FaultKind::FalseRow
    ) || fault.kind == FaultKind::SyncStateLost && !of_library;
    if replaces && fault.stage == Stage::Before {
        return replacement(&fault);
    }
    let answer = next.run(request).await;
    match fault.kind {
        FaultKind::Slow => {
            tokio::time::sleep(Duration::from_millis(fault.delay_ms.unwrap_or(1_000))).await;
            answer
        }
        FaultKind::ColdStart => {
            tokio::time::sleep(Duration::from_millis(fault.delay_ms.unwrap_or(COLD_START_MS))).await;
            answer
        }
        FaultKind::DroppedConnection => cut(answer).await,
        _ if replaces => replacement(&fault),
        _ => answer,
    }
}

/// Whose token it is, at Graph; in the path of a sign-in.
fn tenant_of(world: &World, request: &Request) -> Option<Uuid> {
    if let Some(path) = request.uri().path().strip_prefix("/login/") {
        return world.directory.named(path.split('/').next()?).map(|tenant| tenant.id);
    }
    let token = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    world.graph_tokens.get(token).map(|token| token.tenant_id)
}

fn replacement(fault: &FaultOrder) -> Response {
    let status = |default| fault.status.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(default);
    match fault.kind {
        FaultKind::TooManyRequests => {
            let mut answer = match fault.vendor {
                Vendor::Revio => revio::too_many_requests().into_response(),
                Vendor::Graph => graph::Refusal::throttled().into_response(),
                Vendor::Cipp => cipp::text(429, "Too many requests"),
                Vendor::Ninjaone => {
                    Refusal::gateway(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Slow down", 20)
                        .into_response()
                }
            };
            if let Some(seconds) = fault.retry_after_s {
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            answer
        }
        FaultKind::NotOk if fault.vendor == Vendor::Cipp => cipp::not_ok(),
        FaultKind::ErrorText if fault.vendor == Vendor::Cipp => cipp::text(
            status(StatusCode::FORBIDDEN).as_u16(),
            "Access to this CIPP API endpoint is not allowed",
        ),
        FaultKind::Placeholder => cipp::placeholder(),
        FaultKind::FalseRow => cipp::false_row(),
        FaultKind::HtmlPage => edge_page(status(StatusCode::OK)),
        FaultKind::NotOk => revio::not_ok(),
        FaultKind::ErrorList => revio::list().into_response(),
        FaultKind::ErrorText => (StatusCode::BAD_REQUEST, "The request is not valid").into_response(),
        FaultKind::DayQuota => revio::day_quota().into_response(),
        FaultKind::ExpiredToken => graph::Refusal::token().into_response(),
        FaultKind::MissingPermission => graph::Refusal::denied().into_response(),
        FaultKind::SyncStateLost => graph::Refusal::resync().into_response(),
        _ if fault.vendor == Vendor::Cipp => cipp::text(
            status(StatusCode::INTERNAL_SERVER_ERROR).as_u16(),
            "Exception while executing function",
        ),
        _ if fault.vendor == Vendor::Graph => {
            let mut answer =
                graph::Refusal::server(status(StatusCode::INTERNAL_SERVER_ERROR)).into_response();
            if let Some(seconds) = fault.retry_after_s {
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            answer
        }
        _ if fault.vendor == Vendor::Revio => {
            revio::Refusal::gateway(status(StatusCode::INTERNAL_SERVER_ERROR), "Internal server error")
                .into_response()
        }
        _ => Refusal::app(status(StatusCode::INTERNAL_SERVER_ERROR), "FAILURE", "Internal error")
            .into_response(),
    }
}

/// Half of the body, then the end of the connection. An answer without a body becomes one with a body that breaks.
async fn cut(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let whole = to_bytes(body, CUT_BYTES_MAX).await.unwrap_or_default();
    if parts.status == StatusCode::NO_CONTENT {
        parts.status = StatusCode::OK;
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    let half = whole.slice(..whole.len() / 2);
    let broken =
        futures_util::stream::iter([Ok::<Bytes, std::io::Error>(half), Err(std::io::Error::other("cut"))]);
    Response::from_parts(parts, Body::from_stream(broken))
}
