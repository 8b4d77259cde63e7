//! Refusals of Graph and of the sign-in, each in its own shape.
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct Refusal {
    pub status: StatusCode,
    pub body: Value,
    /// Where to go on.
    pub location: Option<String>,
}

impl Refusal {
    pub fn new(status: StatusCode, code: &str, message: &str) -> Self {
        let id = Uuid::new_v4();
        let inner = json!({"date": "2026-01-01T00:00:00", "request-id": id, "client-request-id": id});
        Self {
            status,
            body: json!({"error": {"code": code, "message": message, "innerError": inner}}),
            location: None,
        }
    }

    pub fn bad(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message)
    }

    pub fn token() -> Self {
        let message = "Lifetime validation failed, the token is expired.";
        Self::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message)
    }

    pub fn no_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", "Access token is empty.")
    }

    pub fn denied() -> Self {
        let message = "Insufficient privileges to complete the operation.";
        Self::new(StatusCode::FORBIDDEN, "Authorization_RequestDenied", message)
    }

    pub fn non_premium() -> Self {
        let message = "Tenant is not a B2C tenant and doesn't have premium license";
        Self::new(StatusCode::FORBIDDEN, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", message)
    }

    pub fn not_found(what: &str) -> Self {
        let message = format!(
            "Resource '{what}' does not exist or one of its queried reference-property objects are not present."
        );
        Self::new(StatusCode::NOT_FOUND, "Request_ResourceNotFound", &message)
    }

    pub fn segment(path: &str) -> Self {
        Self::bad(&format!("Resource not found for the segment '{path}'."))
    }

    pub fn method(method: &str) -> Self {
        let message = format!("The request uses an unsupported HTTP method {method}.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Request_BadRequest", &message)
    }

    pub fn throttled() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "Too many requests.")
    }

    pub fn server(status: StatusCode) -> Self {
        Self::new(status, "InternalServerError", "An unexpected error occurred.")
    }

    pub fn resync() -> Self {
        let message = "The sync state generation is not found; a full synchronization is needed.";
        Self::new(StatusCode::GONE, "syncStateNotFound", message)
    }

    /// A new round begins at this address.
    pub fn resync_from(code: &str, location: String) -> Self {
        let refusal = Self::new(StatusCode::GONE, code, "The link is too old; begin anew and compare.");
        Self { location: Some(location), ..refusal }
    }

    /// Of the sign-in.
    pub fn sign_in(status: StatusCode, error: &str, number: i64, text: &str) -> Self {
        let (trace, correlation) = (Uuid::new_v4(), Uuid::new_v4());
        let description = format!(
            "AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: 2026-01-01 00:00:00Z"
        );
        let body = json!({
            "error": error, "error_description": description, "error_codes": [number],
            "timestamp": "2026-01-01 00:00:00Z", "trace_id": trace, "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
        });
        Self { status, body, location: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut answer = super::json_response(self.status, &self.body);
        if let Some(location) = self.location.and_then(|location| HeaderValue::from_str(&location).ok()) {
            answer.headers_mut().insert(header::LOCATION, location);
        }
        answer
    }
}
