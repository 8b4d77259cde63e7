use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use kernel::secret::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    AuthError, AuthState, Claims, ClientAddr, Origin, TokenFault, UserBody,
    layer::{bearer, presented, request_id, stamped},
    sessions::Scope,
};

/// Largest body of this API.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// How long clients may keep the public keys.
const JWKS_CACHE: &str = "public, max-age=600";
const NO_STORE: &str = "no-store";

/// The routes, relative to `/auth/v1`. Sets `x-request-id`; CORS and the [`ClientAddr`] are the server's.
pub fn router(state: AuthState) -> Router {
    Router::new()
        .route("/token", post(token))
        .route("/logout", post(logout))
        .route("/user", get(user))
        .route("/.well-known/jwks.json", get(jwks))
        .route("/health", get(health))
        .route("/settings", get(settings))
        .fallback(async || AuthError::new(404, "not_found", "There is nothing at this path"))
        .method_not_allowed_fallback(async || {
            AuthError::new(405, "not_found", "This method is not offered at this path")
        })
        .layer(middleware::from_fn_with_state(state.clone(), with_request_id))
        .with_state(state)
}

async fn with_request_id(State(auth): State<AuthState>, mut request: Request, next: Next) -> Response {
    let id = request_id(&mut request, &auth.0.clock);
    stamped(next.run(request).await, id)
}

#[derive(Debug, Deserialize)]
struct TokenQuery {
    #[serde(default)]
    grant_type: String,
}

/// Clients send more fields (`gotrue_meta_security`); they say nothing here.
#[derive(Deserialize)]
struct PasswordGrant {
    email: Option<String>,
    password: Option<String>,
}

#[derive(Deserialize)]
struct RefreshGrant {
    refresh_token: Option<String>,
}

async fn token(
    State(auth): State<AuthState>,
    query: Result<Query<TokenQuery>, QueryRejection>,
    request: Request,
) -> Result<Response, AuthError> {
    let Query(query) = query.map_err(|_| AuthError::validation("The query is not readable"))?;
    let origin = origin(&request);
    let body = request.into_body();
    let answer = match query.grant_type.as_str() {
        "password" => {
            let grant: PasswordGrant = read_json(body).await?;
            let email = grant
                .email
                .filter(|text| !text.is_empty())
                .ok_or_else(|| AuthError::validation("missing email"))?;
            let password = grant
                .password
                .filter(|text| !text.is_empty())
                .ok_or_else(|| AuthError::validation("missing password"))?;
            auth.sign_in(&email, SecretString::from(password), &origin).await?
        }
        "refresh_token" => {
            let grant: RefreshGrant = read_json(body).await?;
            let token = grant
                .refresh_token
                .filter(|text| !text.is_empty())
                .ok_or_else(|| AuthError::validation("refresh_token required"))?;
            auth.refresh(&SecretString::from(token)).await?
        }
        _ => return Err(AuthError::new(400, "invalid_credentials", "unsupported_grant_type")),
    };
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(answer)).into_response())
}

#[derive(Debug, Deserialize)]
struct LogoutQuery {
    scope: Option<String>,
}

async fn logout(
    State(auth): State<AuthState>,
    query: Result<Query<LogoutQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<StatusCode, AuthError> {
    let claims = signed_in(&auth, &headers).await?;
    let scope = query.ok().map(|Query(query)| query.scope.unwrap_or_default());
    let scope = match scope.as_deref() {
        Some("" | "global") => Scope::Global,
        Some("local") => Scope::Local,
        Some("others") => Scope::Others,
        _ => return Err(AuthError::validation("The scope is one of global, local, others")),
    };
    auth.sign_out(claims.sub, claims.session_id, scope).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn user(State(auth): State<AuthState>, headers: HeaderMap) -> Result<Response, AuthError> {
    let claims = signed_in(&auth, &headers).await?;
    let user: UserBody = auth.person_of(claims.sub, claims.session_id).await?;
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(user)).into_response())
}

async fn jwks(State(auth): State<AuthState>) -> Result<Response, AuthError> {
    Ok(([(header::CACHE_CONTROL, JWKS_CACHE)], Json(auth.jwks().await?)).into_response())
}

async fn health() -> Json<Value> {
    Json(
        json!({ "name": "obera-auth", "version": env!("CARGO_PKG_VERSION"), "description": "Sign-in in GoTrue's dialect" }),
    )
}

async fn settings() -> Json<Value> {
    Json(json!({
        "external": { "email": true, "phone": false, "anonymous_users": false },
        "disable_signup": true,
        "mailer_autoconfirm": true,
        "phone_autoconfirm": false,
        "sms_provider": "",
        "mfa_enabled": false,
        "saml_enabled": false,
    }))
}

async fn signed_in(auth: &AuthState, headers: &HeaderMap) -> Result<Claims, AuthError> {
    bearer(headers)?;
    let token = presented(headers)?.ok_or(TokenFault::Missing)?;
    Ok(auth.claims(token).await?)
}

fn origin(request: &Request) -> Origin {
    Origin {
        address: request.extensions().get::<ClientAddr>().map(|address| address.0),
        user_agent: request
            .headers()
            .get(header::USER_AGENT)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
    }
}

async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, AuthError> {
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| {
        AuthError::new(413, "validation_failed", "The request body is too large or broke off")
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|_| AuthError::new(400, "bad_json", "Could not parse request body as JSON"))
}
