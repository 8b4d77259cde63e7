//! Errors in the dialect of Supabase Storage (`statusCode`, `error`, `message`), with our code beside it.
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::ErrorCode;
use pg::PgError;
use vault::VaultError;

/// An error of `/storage/v1`. The status is the real one, also where the hosted product answers 400.
#[derive(Debug, thiserror::Error)]
#[error("{error}: {message}")]
pub struct StorageError {
    pub code: ErrorCode,
    /// The dialect's word, which stock clients compare.
    pub error: &'static str,
    pub message: String,
    status: u16,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StorageError {
    pub(crate) fn new(code: ErrorCode, error: &'static str, message: impl Into<String>) -> Self {
        Self { code, error, message: message.into(), status: code.status(), source: None }
    }

    pub fn status(&self) -> u16 {
        self.status
    }

    fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// One text for what does not exist and for what the caller may not know of.
    pub(crate) fn object_not_found() -> Self {
        Self::new(ErrorCode::NotFound, "not_found", "Object not found")
    }

    pub(crate) fn bucket_not_found() -> Self {
        Self::new(ErrorCode::NotFound, "Bucket not found", "Bucket not found")
    }

    pub(crate) fn not_offered(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, "not_offered", what)
    }

    pub(crate) fn not_signed_in() -> Self {
        Self::new(ErrorCode::NotSignedIn, "Unauthorized", "You are not signed in.")
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotPermitted, "Unauthorized", message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BodyInvalid, "InvalidRequest", message)
    }

    pub(crate) fn invalid_key(why: &str) -> Self {
        Self::new(ErrorCode::BodyInvalid, "InvalidKey", format!("Invalid key: {why}"))
    }

    /// A signed URL that is forged, changed, expired, or whose signer lost the right.
    pub(crate) fn invalid_link(why: &'static str) -> Self {
        Self::new(ErrorCode::BodyInvalid, "InvalidSignature", why)
    }

    pub(crate) fn duplicate() -> Self {
        Self::new(ErrorCode::Conflict, "Duplicate", "The resource already exists")
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Conflict, "Conflict", message)
    }

    pub(crate) fn too_large(limit_bytes: u64) -> Self {
        let message =
            format!("The object exceeded the maximum allowed size. Here it is {limit_bytes} bytes.");
        Self::new(ErrorCode::TooLarge, "Payload too large", message)
    }

    pub(crate) fn mime_refused(mime: &str) -> Self {
        let message = format!("mime type {mime} is not supported");
        Self::new(ErrorCode::MediaType, "invalid_mime_type", message)
    }

    pub(crate) fn frozen(files_per_hour_max: u64) -> Self {
        let message = format!(
            "Exports are frozen, because the isolation of customers was seen to be broken: until an owner lifts the freeze \
             nobody reads more than {files_per_hour_max} files in an hour."
        );
        Self::new(ErrorCode::ExportsFrozen, "ExportsFrozen", message)
    }

    pub(crate) fn busy() -> Self {
        Self::new(ErrorCode::TooMany, "TooManyRequests", "Too many uploads at this moment; try again soon.")
    }

    pub(crate) fn body_broke_off() -> Self {
        Self::new(ErrorCode::BodyInvalid, "InvalidRequest", "The body ended before it was complete.")
    }

    pub(crate) fn body_too_slow() -> Self {
        Self::new(ErrorCode::TimedOut, "Timeout", "The body stopped arriving; nothing was kept.")
            .with_status(408)
    }

    pub(crate) fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let message = "Something went wrong on our side; nothing was changed.";
        Self { source: Some(source.into()), ..Self::new(ErrorCode::Internal, "InternalError", message) }
    }
}

impl From<PgError> for StorageError {
    /// What the database refused. A refused right becomes 404 or 403 in [`crate::place::Place::denied`].
    fn from(error: PgError) -> Self {
        if error.is_transient() {
            let message = "The database could not be reached in time; nothing was changed.";
            return Self {
                source: Some(error.into()),
                ..Self::new(ErrorCode::DatabaseUnavailable, "DatabaseTimeout", message)
            };
        }
        let told = error.db().map(|db| (db.code().code().to_owned(), db.message().to_owned()));
        match told.as_ref().map(|(code, message)| (code.as_str(), message)) {
            Some(("PT403", message)) => Self::forbidden(message),
            Some(("23505", _)) => Self::duplicate(),
            Some(("42501" | "23503", _)) => Self::object_not_found(),
            Some(("23514", _)) => Self::invalid_key("the name is not one that this bucket takes"),
            Some(("57014", _)) => {
                Self::new(ErrorCode::TimedOut, "DatabaseTimeout", "This took longer than its limit.")
            }
            _ => Self::internal(error),
        }
    }
}

impl From<VaultError> for StorageError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Database(cause) => cause.into(),
            other => Self::internal(other),
        }
    }
}

impl IntoResponse for StorageError {
    fn into_response(self) -> Response {
        if self.status >= 500 {
            tracing::error!(error = &self as &dyn std::error::Error, "a file request failed");
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::json!({
            "statusCode": status.as_str(), "error": self.error, "message": self.message, "code": self.code.as_str(),
        });
        let mut response = (status, Json(body)).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
