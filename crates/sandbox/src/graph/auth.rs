//! Tokens of tenants: who gets one, and whose calls they make.
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::json;
use uuid::Uuid;

use super::errors::Refusal;
use super::json_response;
use crate::cipp;
use crate::server::Shared;
use crate::world::{GraphSecret, World, later};

pub(crate) const TOKEN_LIFETIME_S: i64 = 3_599;
/// Tokens that are remembered.
const TOKENS_MAX: usize = 100_000;

/// Which of the two applications calls: each has its own rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum App {
    Directory,
    SharePoint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub tenant_id: Uuid,
    pub app: App,
}

#[derive(Clone, Debug)]
pub(crate) struct GraphToken {
    pub tenant_id: Uuid,
    app: App,
    pub expires: Timestamp,
}

/// The tenant of a token that is good.
pub(crate) fn caller(world: &mut World, headers: &HeaderMap, now: Timestamp) -> Result<Caller, Refusal> {
    world.directory.calls += 1;
    let value = headers.get(header::AUTHORIZATION).ok_or_else(Refusal::no_token)?;
    let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
    let known = token.and_then(|token| world.graph_tokens.get(token)).ok_or_else(Refusal::token)?;
    let caller = Caller { tenant_id: known.tenant_id, app: known.app };
    (known.expires > now).then_some(caller).ok_or_else(Refusal::token)
}

pub(crate) async fn token(
    State(shared): State<Arc<Shared>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    match granted(&shared, &tenant, &headers, &body) {
        Err(refusal) => refusal.into_response(),
        Ok(token) => {
            let body = json!({
                "token_type": "Bearer", "expires_in": TOKEN_LIFETIME_S, "ext_expires_in": TOKEN_LIFETIME_S, "access_token": token,
            });
            json_response(StatusCode::OK, &body)
        }
    }
}

fn granted(shared: &Shared, tenant: &str, headers: &HeaderMap, body: &str) -> Result<String, Refusal> {
    let bad =
        |error: &str, number, text: &str| Refusal::sign_in(StatusCode::BAD_REQUEST, error, number, text);
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = form(body).filter(|_| media.starts_with("application/x-www-form-urlencoded"));
    let form = form.ok_or_else(|| bad("invalid_request", 900_144, "The request body must be a form."))?;
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if field("grant_type") != Some("client_credentials") {
        return Err(bad("unsupported_grant_type", 70_003, "The app requested an unsupported grant type."));
    }
    let unknown_app =
        || bad("unauthorized_client", 700_016, "Application was not found in the directory of the tenant.");
    let access = &shared.config.graph;
    let now = shared.now();
    let mut world = shared.world();
    let found = world.directory.named(tenant);
    let found = found.ok_or_else(|| bad("invalid_request", 90_002, "Tenant not found."))?;
    let (tenant_id, has_consent) = (found.id, found.has_consent);
    let cipp = &shared.config.cipp;
    let is_cipp = field("client_id") == Some(cipp.client_id.as_str()) && tenant_id == world.directory.home;
    let mut apps = vec![
        (App::Directory, &access.client_id, &access.client_secret),
        (App::SharePoint, &access.sharepoint_client_id, &access.sharepoint_client_secret),
    ];
    if is_cipp {
        apps.push((App::Directory, &cipp.client_id, &cipp.client_secret));
    }
    let app = apps.into_iter().find(|(_, id, _)| field("client_id") == Some(id.as_str()));
    let (app, id, known_secret) = app.filter(|_| has_consent).ok_or_else(unknown_app)?;
    let refused =
        |number, text: &str| Refusal::sign_in(StatusCode::UNAUTHORIZED, "invalid_client", number, text);
    match field("client_secret") {
        None => return Err(refused(7_000_218, "The request body must contain 'client_secret'.")),
        Some(secret) if secret != known_secret.expose_secret() => {
            return Err(refused(7_000_215, "Invalid client secret provided."));
        }
        Some(_) if world.settings.graph_secret == GraphSecret::Expired => {
            return Err(refused(7_000_222, "The provided client secret keys are expired."));
        }
        Some(_) => {}
    }
    if is_cipp && field("scope") == Some(format!("api://{id}/.default").as_str()) {
        return Ok(cipp::auth::grant(&mut world, now));
    }
    if field("scope") != Some("https://graph.microsoft.com/.default") {
        return Err(bad("invalid_scope", 1_002_012, "The provided value for scope is not valid."));
    }
    if world.graph_tokens.len() >= TOKENS_MAX {
        world.graph_tokens.retain(|_, token| token.expires > now);
    }
    let value = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let expires = later(now, TOKEN_LIFETIME_S);
    world.graph_tokens.insert(value.clone(), GraphToken { tenant_id, app, expires });
    Ok(value)
}

/// Turns a domain into the id of its tenant, for anybody.
pub(crate) async fn configuration(
    State(shared): State<Arc<Shared>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    let id = shared.world().directory.named(&tenant).map(|tenant| tenant.id);
    let Some(id) = id else {
        return Refusal::sign_in(StatusCode::BAD_REQUEST, "invalid_tenant", 90_002, "Tenant not found.")
            .into_response();
    };
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("127.0.0.1");
    let login = format!("http://{host}/login/{id}");
    let body = json!({
        "token_endpoint": format!("{login}/oauth2/v2.0/token"),
        "issuer": format!("{login}/v2.0"),
        "authorization_endpoint": format!("{login}/oauth2/v2.0/authorize"),
        "jwks_uri": format!("{login}/discovery/v2.0/keys"),
        "tenant_region_scope": "NA",
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": host,
    });
    json_response(StatusCode::OK, &body)
}

/// A form body has the syntax of a query.
fn form(body: &str) -> Option<Vec<(String, String)>> {
    let uri: Uri = format!("/?{body}").parse().ok()?;
    Query::<Vec<(String, String)>>::try_from_uri(&uri).ok().map(|Query(fields)| fields)
}
