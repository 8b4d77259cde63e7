//! Microsoft Graph as far as the product uses it, under `/graph/v1.0` and `/graph/beta`, and the sign-in of tenants under
//! `/login`. The same estate stands behind it: a tenant for each organization (save one), with its people, seats and
//! policies. All reads go through one function, so that a batch can make them as well.
mod activity;
pub(crate) mod alerts;
pub(crate) mod applications;
pub(crate) mod auth;
mod batch;
pub(crate) mod control;
mod delta;
pub(crate) mod errors;
pub(crate) mod intune;
mod managed;
pub(crate) mod paging;
pub(crate) mod people;
mod policies;
mod posture;
mod render;
pub(crate) mod skus;
pub(crate) mod subscriptions;
pub(crate) mod tenants;
pub(crate) mod truth;

use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::faults::Tamper;
use crate::server::Shared;
use crate::sharepoint;
use crate::world::World;
use auth::{App, Caller};
use errors::Refusal;
use tenants::Tenant;

/// What a read comes to.
pub(crate) type Outcome = Result<Reply, Refusal>;

#[derive(Debug)]
pub(crate) enum Reply {
    Json(Value),
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    Beta,
}

/// One read, alone or inside a batch.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    pub version: Version,
    /// Below the version, decoded, without a slash in front.
    pub path: Vec<String>,
    pub query: Vec<(String, String)>,
    /// `ConsistencyLevel: eventual`.
    pub is_eventual: bool,
    /// Scheme, host and path in front of the version, as links need it.
    pub base: &'a str,
    pub tamper: Tamper,
    pub now: Timestamp,
}

impl Ask<'_> {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The words of `$select`; empty without one.
    pub fn select(&self) -> Vec<&str> {
        let words = self.param("$select").unwrap_or_default().split(',').map(str::trim);
        words.filter(|word| !word.is_empty()).collect()
    }

    pub fn version_path(&self) -> &'static str {
        if self.version == Version::Beta { "beta" } else { "v1.0" }
    }
}

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1.0/$batch", post(batch_v1))
        .route("/beta/$batch", post(batch_beta))
        .route("/v1.0/subscriptions", post(subscriptions::create).get(subscriptions::list))
        .route("/v1.0/subscriptions/{id}", patch(subscriptions::renew).delete(subscriptions::remove))
        .route("/_files/{token}", get(sharepoint::file))
        .fallback(one)
        .layer(middleware::from_fn(name_request))
}

pub(crate) fn login_routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", post(auth::token))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(auth::configuration))
}

/// Every answer is named, so that a client can quote it to the vendor's support.
async fn name_request(request: Request, next: Next) -> Response {
    let client = request.headers().get("client-request-id").cloned();
    let mut answer = next.run(request).await;
    if let Ok(name) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        answer.headers_mut().insert("request-id", name);
    }
    if let Some(client) = client {
        answer.headers_mut().insert("client-request-id", client);
    }
    answer
}

async fn one(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let now = shared.now();
    let base = base(&headers);
    let mut world = shared.world();
    let caller = auth::caller(&mut world, &headers, now);
    if let (Ok(caller), true) = (&caller, method == Method::GET)
        && let Some(answer) = content(&mut world, *caller, &uri, &headers, now)
    {
        return answer;
    }
    let outcome = caller.and_then(|caller| {
        if method != Method::GET {
            return Err(Refusal::method(method.as_str()));
        }
        let is_eventual = headers.get("consistencylevel").is_some_and(|value| value == "eventual");
        let ask = ask(uri.path(), uri.query().unwrap_or_default(), is_eventual, &base, tamper, now)?;
        if ask.path.first().is_some_and(|first| first == "sites" || first == "drives") {
            world.library(caller.tenant_id, now);
        }
        answer(&world, caller, &ask)
    });
    response(outcome)
}

/// The content of a file is an address; `None`: it is not asked for.
fn content(
    world: &mut World,
    caller: Caller,
    uri: &Uri,
    headers: &HeaderMap,
    now: Timestamp,
) -> Option<Response> {
    let path: Vec<String> = uri.path().split('/').filter(|part| !part.is_empty()).map(decoded).collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let ["v1.0", "drives", drive, "items", item, "content"] = path.as_slice() else { return None };
    if caller.app != App::SharePoint {
        return Some(Refusal::denied().into_response());
    }
    let unless = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let found = sharepoint::content(world, caller.tenant_id, (drive, item), unless, &base(headers), now);
    Some(found.unwrap_or_else(IntoResponse::into_response))
}

async fn batch_v1(
    state: State<Arc<Shared>>,
    tamper: Extension<Tamper>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    batch::run(&state.0, tamper.0, "/v1.0", &headers, &body)
}

async fn batch_beta(
    state: State<Arc<Shared>>,
    tamper: Extension<Tamper>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    batch::run(&state.0, tamper.0, "/beta", &headers, &body)
}

/// Links lead back to where the request came in: also through a proxy that stands there under Graph's own name.
fn base(headers: &HeaderMap) -> String {
    let named = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let (Some(scheme), Some(host)) = (named("x-forwarded-proto"), named("x-forwarded-host")) {
        return format!("{scheme}://{host}");
    }
    format!("http://{}/graph", named(header::HOST.as_str()).unwrap_or("127.0.0.1"))
}

fn ask<'a>(
    path: &str,
    query: &str,
    is_eventual: bool,
    base: &'a str,
    tamper: Tamper,
    now: Timestamp,
) -> Result<Ask<'a>, Refusal> {
    let path = path.trim_start_matches('/');
    let (version, path) = match path.split_once('/') {
        Some(("v1.0", path)) => (Version::V1, path),
        Some(("beta", path)) => (Version::Beta, path),
        _ => return Err(Refusal::bad("Invalid version.")),
    };
    let path = path.trim_end_matches('/').split('/').map(decoded).collect();
    let uri: Uri = format!("/?{query}").parse().map_err(|_| Refusal::bad("Malformed query."))?;
    let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(&uri)
        .map_err(|_| Refusal::bad("The query specified in the URI is not valid."))?;
    Ok(Ask { version, path, query, is_eventual, base, tamper, now })
}

/// Percent signs become what they stand for; a plus stays a plus.
fn decoded(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let mut text = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = segment.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                text.push(byte);
                at += 3;
            }
            None => {
                text.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn response(outcome: Outcome) -> Response {
    match outcome {
        Ok(Reply::Json(body)) => json_response(StatusCode::OK, &body),
        Ok(Reply::Text(text)) => {
            let mut answer = Response::new(Body::from(text));
            answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            answer
        }
        Err(refusal) => refusal.into_response(),
    }
}

pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut answer = Response::new(Body::from(body.to_string()));
    *answer.status_mut() = status;
    let media = HeaderValue::from_static("application/json;odata.metadata=minimal;charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, media);
    answer
}

/// The right that a path needs.
fn permission(path: &[&str]) -> Option<&'static str> {
    Some(match path {
        ["organization", ..] | ["directory", "subscriptions"] => "Organization.Read.All",
        ["domains", ..] => "Domain.Read.All",
        ["subscribedSkus", ..] => "LicenseAssignment.Read.All",
        ["users", _, "authentication", "methods"] => "UserAuthenticationMethod.Read.All",
        ["users", _, "authentication", "requirements"] | ["identity" | "policies", ..] => "Policy.Read.All",
        ["users", ..] => "User.Read.All",
        ["groups", ..] => "GroupMember.Read.All",
        ["roleManagement", ..] => "RoleManagement.Read.Directory",
        ["reports" | "auditLogs", ..] => "AuditLog.Read.All",
        ["deviceManagement", ..] => "DeviceManagementManagedDevices.Read.All",
        ["applications"] => "Application.Read.All",
        ["contracts"] => "Directory.Read.All",
        ["tenantRelationships", ..] => "DelegatedAdminRelationship.Read.All",
        ["security", "alerts_v2", ..] => "SecurityAlert.Read.All",
        ["security", ..] => "SecurityEvents.Read.All",
        _ => return None,
    })
}

/// Answers one read of one tenant.
pub(crate) fn answer(world: &World, caller: Caller, ask: &Ask<'_>) -> Outcome {
    let (directory, tenant_id) = (&world.directory, caller.tenant_id);
    let tenant = directory.tenants.get(&tenant_id).ok_or_else(Refusal::token)?;
    let path: Vec<&str> = ask.path.iter().map(String::as_str).collect();
    let is_sites = sharepoint::permission(&path).is_some();
    if is_sites {
        return match caller.app {
            App::SharePoint => sharepoint::answer(world, tenant, ask, &path),
            App::Directory => Err(Refusal::denied()),
        };
    }
    if caller.app == App::SharePoint {
        return Err(Refusal::denied());
    }
    let needed = permission(&path).ok_or_else(|| Refusal::segment(&path.join("/")))?;
    if tenant.lacks(needed) {
        return Err(Refusal::denied());
    }
    let listed = |rows: Vec<Value>| paging::page(ask, tenant, rows.len(), 100, |range| rows[range].to_vec());
    match (ask.version, path.as_slice()) {
        (_, ["organization"]) => Ok(Reply::Json(json!({"value": [render::organization(tenant)]}))),
        (_, ["domains"]) => listed(render::domains(tenant)),
        (_, ["subscribedSkus"]) => skus_of(tenant, ask),
        (_, ["directory", "subscriptions"]) => listed(skus::subscriptions(tenant, ask.now)),
        (_, ["users"]) => render::users(tenant, ask),
        (_, ["users", "$count"]) => render::users_count(tenant, ask),
        (_, ["users", "delta" | "delta()" | "microsoft.graph.delta()"]) => delta::users(tenant, ask),
        (_, ["users", id]) => render::one_user(tenant, id, ask),
        (_, ["users", id, "authentication", "methods"]) => policies::methods(tenant, id),
        (Version::Beta, ["users", id, "authentication", "requirements"]) => {
            policies::requirements(tenant, id)
        }
        (_, ["groups"]) => listed(policies::groups(tenant)),
        (_, ["groups", id]) => policies::group(tenant, id).map(Reply::Json),
        (_, ["groups", id, "transitiveMembers", "microsoft.graph.user"]) => {
            policies::members(tenant, id, ask)
        }
        (_, ["identity", "conditionalAccess", "policies"]) => listed(policies::policies(tenant)),
        (_, ["identity", "conditionalAccess", "namedLocations"]) => listed(policies::locations(tenant)),
        (_, ["policies", "identitySecurityDefaultsEnforcementPolicy"]) => {
            Ok(Reply::Json(policies::security_defaults(tenant)))
        }
        (_, ["roleManagement", "directory", "roleAssignments"]) => listed(policies::role_assignments(tenant)),
        (_, ["roleManagement", "directory", "roleDefinitions"]) => listed(policies::role_definitions()),
        (_, ["reports", "authenticationMethods", "userRegistrationDetails"]) => {
            policies::registrations(tenant, ask)
        }
        (_, ["auditLogs", "directoryAudits"]) => {
            activity::directory_audits(tenant, ask, world.settings.activity)
        }
        (_, ["auditLogs", "signIns"]) => activity::sign_ins(tenant, ask, world.settings.activity),
        (_, ["deviceManagement", "managedDevices"]) => managed::list(tenant, ask),
        (_, ["deviceManagement", "managedDevices", id]) => managed::one(tenant, id, ask),
        (_, ["applications"]) => {
            paging::size(ask, 100, 999)?;
            listed(applications::applications(tenant))
        }
        (_, ["security", "alerts_v2"]) => alerts::list(tenant, ask),
        (_, ["security", "alerts_v2", id]) => alerts::one(tenant, id),
        (_, ["security", "secureScores"]) => listed(policies::secure_scores(tenant, ask.now)),
        (_, ["contracts"]) if tenant_id == directory.home => listed(render::contracts(directory)),
        (_, ["tenantRelationships", "delegatedAdminCustomers"]) if tenant_id == directory.home => {
            listed(render::delegated_customers(directory))
        }
        // Only a partner has customers.
        (_, ["contracts"] | ["tenantRelationships", "delegatedAdminCustomers"]) => listed(Vec::new()),
        _ => Err(Refusal::segment(&path.join("/"))),
    }
}

/// Takes only `$select`.
fn skus_of(tenant: &Tenant, ask: &Ask<'_>) -> Outcome {
    if ask.query.iter().any(|(name, _)| name != "$select") {
        return Err(Refusal::bad("Only the query option '$select' is supported for subscribedSkus."));
    }
    let consumed = tenant.consumed();
    let row = |(sku, purchased): (&skus::Sku, &u32)| {
        sku.subscribed(tenant.id, consumed.get(sku).copied().unwrap_or(0), *purchased)
    };
    let mut rows: Vec<Value> = tenant.purchased.iter().map(row).collect();
    if ask.tamper == Tamper::Truncate {
        rows.truncate(rows.len() / 2);
    }
    Ok(Reply::Json(json!({"@odata.context": paging::context(ask, "subscribedSkus"), "value": rows})))
}

impl Tenant {
    /// Rights that the application was not given here.
    pub fn lacks(&self, permission: &str) -> bool {
        match permission {
            "Policy.Read.All" => self.profile == posture::Profile::PoliciesDenied,
            "Application.Read.All" => self.profile == posture::Profile::TrustedLocation,
            "SecurityEvents.Read.All" => self.profile == posture::Profile::GroupOnly,
            _ => false,
        }
    }
}
