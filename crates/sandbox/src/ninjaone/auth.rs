//! Tokens: who gets one, and what one may do.
use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde_json::json;

use super::errors::Refusal;
use super::{Answer, json, sign_in};
use crate::config::{AppKind, ClientApp, Scope, Standing};
use crate::server::Shared;
use crate::world::TOKEN_LIFETIME_S;

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub client_id: String,
    pub standing: Standing,
    /// Somebody signed in; otherwise it is a machine.
    pub is_person: bool,
}

pub(crate) async fn require(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    match caller(&shared, request.headers(), request.method()) {
        Err(refusal) => refusal.into_response(),
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
    }
}

fn caller(shared: &Shared, headers: &HeaderMap, method: &Method) -> Result<Caller, Refusal> {
    let missing =
        || Refusal::gateway(StatusCode::BAD_REQUEST, "missing_header", "Authorization header is missing", 2);
    let malformed =
        || Refusal::gateway(StatusCode::BAD_REQUEST, "invalid_header", "Authorization header is invalid", 1);
    let refused =
        || Refusal::gateway(StatusCode::UNAUTHORIZED, "not_authenticated", "Token is invalid or expired", 10);
    let header = headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
    let value = header.to_str().map_err(|_| malformed())?;
    let token = value.strip_prefix("Bearer ").filter(|token| !token.is_empty() && !token.contains(' '));
    let token = token.ok_or_else(malformed)?;
    let token = shared.world().tokens.get(token).cloned().ok_or_else(refused)?;
    if token.expires <= shared.now() {
        return Err(refused());
    }
    let needed = if *method == Method::GET { Scope::Monitoring } else { Scope::Management };
    if !token.scopes.contains(&needed) {
        let message = format!("Scope '{}' is required", needed.as_str());
        return Err(Refusal::app(StatusCode::FORBIDDEN, "FAILURE", message));
    }
    let app = client(shared, &token.client_id).ok_or_else(refused)?;
    Ok(Caller { client_id: token.client_id.clone(), standing: app.standing, is_person: token.is_person })
}

pub(super) fn client<'a>(shared: &'a Shared, id: &str) -> Option<&'a ClientApp> {
    shared.config.clients.iter().find(|app| app.id == id)
}

pub(crate) async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Answer {
    let bad = |error: &str, text: &str| Refusal::oauth(StatusCode::BAD_REQUEST, error, text);
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media.starts_with("application/x-www-form-urlencoded") {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Refusal::app(status, "FAILURE", "HTTP 415 Unsupported Media Type"));
    }
    let fields = form(&body).ok_or_else(|| bad("invalid_request", "the form cannot be read"))?;
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let grant = field("grant_type").ok_or_else(|| bad("invalid_request", "grant_type is missing"))?;
    if !["client_credentials", "authorization_code", "refresh_token"].contains(&grant) {
        return Err(bad("unsupported_grant_type", "the grant type is not supported"));
    }
    let id = field("client_id").ok_or_else(|| bad("invalid_request", "client_id is missing"))?;
    let app = client(&shared, id).ok_or_else(Refusal::unknown_client)?;
    if field("client_secret") != Some(app.secret.expose_secret()) {
        return Err(Refusal::oauth(StatusCode::UNAUTHORIZED, "invalid_client", "the client secret is wrong"));
    }
    let (scopes, is_person) = match (grant, &app.kind) {
        ("client_credentials", AppKind::ApiServices) => {
            let scopes = granted(app, field("scope"))
                .ok_or_else(|| bad("invalid_scope", "the app does not have this scope"))?;
            (scopes, false)
        }
        ("authorization_code" | "refresh_token", AppKind::Web { .. } | AppKind::Native) => {
            (sign_in::scopes_of(&shared, app, grant, &field)?, true)
        }
        _ => return Err(bad("unauthorized_client", "the app may not use this grant type")),
    };
    let scope = scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ");
    let now = shared.now();
    let mut world = shared.world();
    let mut body = json!({ "token_type": "Bearer", "expires_in": TOKEN_LIFETIME_S, "scope": scope });
    if is_person {
        body["refresh_token"] = sign_in::keep_signed_in(&mut world, id, &scopes).into();
    }
    body["access_token"] = world.issue_token(id, scopes, is_person, now).into();
    Ok(json(&body))
}

/// No scope asked for: all that the app was given.
pub(super) fn granted(app: &ClientApp, asked: Option<&str>) -> Option<Vec<Scope>> {
    let words: Vec<&str> = asked.unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return Some(app.scopes.clone());
    }
    words.iter().map(|word| app.scopes.iter().copied().find(|scope| scope.as_str() == *word)).collect()
}

/// A form body has the syntax of a query.
pub(super) fn form(body: &str) -> Option<Vec<(String, String)>> {
    let uri: Uri = format!("/?{body}").parse().ok()?;
    Query::<Vec<(String, String)>>::try_from_uri(&uri).ok().map(|Query(fields)| fields)
}
