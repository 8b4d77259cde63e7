//! Answers of this surface: one shape for errors, whatever was asked.
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::{ApiError, ErrorCode};

pub(crate) const ALLOW: HeaderValue = HeaderValue::from_static("OPTIONS, POST");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An error as an answer, in the one shape.
#[derive(Debug)]
pub(crate) struct Failure {
    pub error: ApiError,
    pub retry_after_s: Option<u64>,
}

impl Failure {
    pub(crate) fn retry_after(error: ApiError, seconds: u64) -> Self {
        Self { error, retry_after_s: Some(seconds) }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self { error, retry_after_s: None }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self.error)).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// An answer as it was computed or stored.
#[derive(Clone, Debug)]
pub(crate) struct Computed {
    pub status: u16,
    pub body: String,
    pub error_code: Option<String>,
}

impl Computed {
    pub(crate) fn of(outcome: Result<serde_json::Value, ApiError>) -> Self {
        match outcome {
            Ok(value) => Self { status: 200, body: value.to_string(), error_code: None },
            Err(error) => Self {
                status: error.status,
                body: serde_json::to_string(&error).unwrap_or_default(),
                error_code: Some(error.code),
            },
        }
    }

    pub(crate) fn into_response(self, origin: Origin) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if origin == Origin::Stored {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Now,
    /// The answer of an earlier call under the same key.
    Stored,
}

pub(crate) fn method_not_allowed() -> Response {
    let error = ApiError::new(ErrorCode::MethodNotAllowed, "Functions are called with POST.")
        .hint("Read and write rows at /rest/v1.");
    let mut response = Failure::from(error).into_response();
    response.headers_mut().insert(header::ALLOW, ALLOW);
    response
}

/// `OPTIONS`: which methods there are. What browsers ask before a call is answered by the server's CORS.
pub(crate) fn options() -> Response {
    (StatusCode::NO_CONTENT, [(header::ALLOW, ALLOW)]).into_response()
}
