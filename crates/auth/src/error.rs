use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::{ApiError, ErrorCode};
use pg::PgError;
use vault::VaultError;

/// An error of `/auth/v1` in GoTrue's shape: `{"code": <HTTP status>, "error_code": "...", "msg": "..."}`.
#[derive(Debug, thiserror::Error)]
#[error("{error_code}: {msg}")]
pub struct AuthError {
    pub status: u16,
    pub error_code: &'static str,
    pub msg: String,
    pub retry_after_s: Option<u64>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl AuthError {
    pub(crate) fn new(status: u16, error_code: &'static str, msg: impl Into<String>) -> Self {
        Self { status, error_code, msg: msg.into(), retry_after_s: None, source: None }
    }

    pub(crate) fn validation(msg: impl Into<String>) -> Self {
        Self::new(400, "validation_failed", msg)
    }

    pub(crate) fn invalid_credentials() -> Self {
        Self::new(400, "invalid_credentials", "Invalid login credentials")
    }

    pub(crate) fn session_not_found() -> Self {
        Self::new(403, "session_not_found", "Session from session_id claim in JWT does not exist")
    }

    pub(crate) fn banned() -> Self {
        Self::new(400, "user_banned", "User is banned")
    }

    pub(crate) fn too_many(retry_after_s: u64) -> Self {
        let mut error = Self::new(429, "over_request_rate_limit", "Request rate limit reached");
        error.retry_after_s = Some(retry_after_s.max(1));
        error
    }

    pub(crate) fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(500, "unexpected_failure", "Something went wrong on our side")
        }
    }
}

impl From<PgError> for AuthError {
    fn from(error: PgError) -> Self {
        if error.is_transient() {
            let msg = "The database could not be reached in time; nothing was changed";
            return Self { source: Some(error.into()), ..Self::new(503, "unexpected_failure", msg) };
        }
        Self::internal(error)
    }
}

impl From<VaultError> for AuthError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Database(cause) => cause.into(),
            other => Self::internal(other),
        }
    }
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        if self.status >= 500 {
            tracing::error!(error = &self as &dyn std::error::Error, "signing in failed");
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body =
            serde_json::json!({ "code": status.as_u16(), "error_code": self.error_code, "msg": self.msg });
        let mut response = (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Why an access token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    #[error("the token is missing")]
    Missing,
    #[error("the token is not one of ours")]
    Invalid,
    #[error("the token has expired")]
    Expired,
}

impl From<TokenFault> for ApiError {
    fn from(fault: TokenFault) -> Self {
        let error = Self::new(ErrorCode::NotSignedIn, "You are not signed in.");
        match fault {
            TokenFault::Missing => error.details("No access token came with the request.").hint("Sign in."),
            TokenFault::Invalid => error.details("The access token is not valid.").hint("Sign in again."),
            TokenFault::Expired => {
                error.details("The access token has expired.").hint("Refresh the session.")
            }
        }
    }
}

impl From<TokenFault> for AuthError {
    fn from(fault: TokenFault) -> Self {
        match fault {
            TokenFault::Missing => {
                Self::new(401, "no_authorization", "This endpoint requires a Bearer token")
            }
            TokenFault::Invalid => {
                Self::new(403, "bad_jwt", "invalid JWT: unable to parse or verify signature")
            }
            TokenFault::Expired => Self::new(403, "bad_jwt", "invalid JWT: token is expired"),
        }
    }
}
