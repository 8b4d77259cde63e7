//! People sign in: a page asks them, and sends them back with a code. There is one person here, who may do everything.
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use kernel::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::auth::{client, form, granted};
use super::errors::Refusal;
use crate::config::{AppKind, ClientApp, Scope};
use crate::server::Shared;
use crate::world::{HANDLES_MAX, World, later};

const CODE_LIFETIME_S: i64 = 60;
/// What only keeps somebody signed in is no right.
const OFFLINE: &str = "offline_access";

/// What a code stands for; it is good once.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    client_id: String,
    redirect_uri: String,
    challenge: Option<String>,
    scopes: Vec<Scope>,
    expires: Timestamp,
}

/// What a refresh token stands for; it is good once, and its answer brings the next.
#[derive(Clone, Debug)]
pub(crate) struct Stay {
    client_id: String,
    scopes: Vec<Scope>,
}

struct Asked<'a> {
    app: &'a ClientApp,
    redirect_uri: String,
    state: String,
    challenge: Option<String>,
    scopes: Vec<Scope>,
}

fn asked<'a>(shared: &'a Shared, query: &str) -> Result<Asked<'a>, Refusal> {
    let bad = |error: &str, text: &str| Refusal::oauth(StatusCode::BAD_REQUEST, error, text);
    let fields = form(query).ok_or_else(|| bad("invalid_request", "the query cannot be read"))?;
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    // An app of the kind API Services has no such page.
    let app =
        field("client_id").and_then(|id| client(shared, id)).filter(|app| app.kind != AppKind::ApiServices);
    let app = app.ok_or_else(Refusal::unknown_client)?;
    let redirect_uri =
        field("redirect_uri").ok_or_else(|| bad("invalid_request", "redirect_uri is missing"))?;
    let is_known = match &app.kind {
        AppKind::Web { redirects } => redirects.iter().any(|known| known == redirect_uri),
        _ => is_loop_back(redirect_uri),
    };
    if !is_known {
        return Err(bad("invalid_request", "the redirect URI is not one of the app's"));
    }
    if field("response_type") != Some("code") {
        return Err(bad("unsupported_response_type", "only code is supported"));
    }
    let challenge = field("code_challenge").map(str::to_owned);
    if challenge.is_some() && field("code_challenge_method") != Some("S256")
        || challenge.is_none() && app.kind == AppKind::Native
    {
        return Err(bad("invalid_request", "a code_challenge of method S256 is needed"));
    }
    let words: Vec<&str> =
        field("scope").unwrap_or_default().split(' ').filter(|word| *word != OFFLINE).collect();
    let scopes = granted(app, Some(&words.join(" ")))
        .ok_or_else(|| bad("invalid_scope", "the app does not have this scope"))?;
    let state = field("state").unwrap_or_default().to_owned();
    Ok(Asked { app, redirect_uri: redirect_uri.to_owned(), state, challenge, scopes })
}

fn is_loop_back(uri: &str) -> bool {
    let host = uri.strip_prefix("http://").and_then(|rest| rest.split(['/', ':']).next());
    matches!(host, Some("127.0.0.1" | "localhost"))
}

/// The page that asks. The form posts the same query back.
pub(crate) async fn page(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let asked = asked(&shared, query.as_deref().unwrap_or_default())?;
    let scopes = asked.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
    let id: String =
        asked.app.id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>NinjaOne (sandbox)</title>\
         <meta name=\"viewport\" content=\"width=device-width\"></head>\
         <body style=\"font: 16px sans-serif; max-width: 28rem; margin: 4rem auto; padding: 0 1rem\"><h1>NinjaOne (sandbox)</h1>\
         <p>You are signed in as <b>Tess Technician</b>. The application <b>{id}</b> wants to act as you: {scopes}.</p>\
         <form method=\"post\"><button name=\"answer\" value=\"allow\">Allow</button> \
         <button name=\"answer\" value=\"deny\">Deny</button></form></body></html>"
    );
    let mut answer = Response::new(Body::from(page));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Ok(answer)
}

/// The person answered.
pub(crate) async fn answered(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    body: String,
) -> Result<Response, Refusal> {
    let asked = asked(&shared, query.as_deref().unwrap_or_default())?;
    let mark = if asked.redirect_uri.contains('?') { '&' } else { '?' };
    let state: String =
        asked.state.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
    let back = |with: String| {
        Redirect::to(&format!("{}{mark}{with}&state={state}", asked.redirect_uri)).into_response()
    };
    if !body.contains("answer=allow") {
        return Ok(back("error=access_denied".to_owned()));
    }
    let code = Uuid::new_v4().simple().to_string();
    let now = shared.now();
    let expires = later(now, CODE_LIFETIME_S);
    let Asked { app, challenge, scopes, .. } = &asked;
    let kept = Code {
        client_id: app.id.clone(),
        redirect_uri: asked.redirect_uri.clone(),
        challenge: challenge.clone(),
        scopes: scopes.clone(),
        expires,
    };
    let mut world = shared.world();
    if world.codes.len() >= HANDLES_MAX {
        world.codes.retain(|_, code| code.expires > now);
    }
    world.codes.insert(code.clone(), kept);
    Ok(back(format!("code={code}")))
}

/// What the code or the refresh token of a request for a token is good for. It is used up.
pub(super) fn scopes_of<'a>(
    shared: &Shared,
    app: &ClientApp,
    grant: &str,
    field: &impl Fn(&str) -> Option<&'a str>,
) -> Result<Vec<Scope>, Refusal> {
    let refused = |text: &str| Refusal::oauth(StatusCode::BAD_REQUEST, "invalid_grant", text);
    let now = shared.now();
    let mut world = shared.world();
    if grant == "refresh_token" {
        let known = field("refresh_token").and_then(|token| world.stays.remove(token));
        let stay = known.filter(|stay| stay.client_id == app.id);
        return stay.map(|stay| stay.scopes).ok_or_else(|| refused("the refresh token is not known"));
    }
    let code = field("code").and_then(|code| world.codes.remove(code));
    let code = code.filter(|code| code.client_id == app.id && code.expires > now);
    let code = code.ok_or_else(|| refused("the code is not known"))?;
    if field("redirect_uri") != Some(&code.redirect_uri) {
        return Err(refused("the redirect URI is another one"));
    }
    if let Some(challenge) = &code.challenge {
        let shown = field("code_verifier").map(|it| BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(it)));
        if shown.as_ref() != Some(challenge) {
            return Err(refused("the code_verifier does not belong to the challenge"));
        }
    }
    Ok(code.scopes)
}

pub(super) fn keep_signed_in(world: &mut World, client_id: &str, scopes: &[Scope]) -> String {
    let token = Uuid::new_v4().simple().to_string();
    // Every sign-in may be forgotten by a sandbox that has seen too many.
    if world.stays.len() >= HANDLES_MAX {
        world.stays.clear();
    }
    world.stays.insert(token.clone(), Stay { client_id: client_id.to_owned(), scopes: scopes.to_vec() });
    token
}
