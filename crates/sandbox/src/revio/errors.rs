//! What is wrong with a request comes as a list, what the gateway refuses as an object.
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    body: Value,
}

impl Refusal {
    pub fn gateway(status: StatusCode, message: &str) -> Self {
        Self { status, body: json!({"statusCode": status.as_u16(), "message": message}) }
    }

    /// The validation's answer: one item for each fault of the request.
    pub fn invalid(messages: &[String]) -> Self {
        let item = |message: &String| json!({"ok": false, "message": message, "status_code": 400});
        let body = messages.iter().map(item).collect();
        Self { status: StatusCode::BAD_REQUEST, body }
    }

    pub fn bad(message: impl Into<String>) -> Self {
        Self::invalid(&[message.into()])
    }

    pub fn not_found(what: &str) -> Self {
        let body = json!([{"ok": false, "message": format!("{what} was not found"), "status_code": 404}]);
        Self { status: StatusCode::NOT_FOUND, body }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        super::json(self.status, self.body.to_string())
    }
}

/// As the gateway writes it when the minute's calls are used up.
pub(crate) fn too_many_requests() -> Refusal {
    Refusal::gateway(StatusCode::TOO_MANY_REQUESTS, "Rate limit is exceeded. Try again in a minute.")
}

pub(crate) fn day_quota() -> Refusal {
    let message = "Out of call volume quota. Quota will be replenished in 06:00:00.";
    Refusal::gateway(StatusCode::FORBIDDEN, message)
}

/// A refusal inside a 200.
pub(crate) fn not_ok() -> Response {
    super::json(StatusCode::OK, json!({"ok": false, "message": "The record is locked"}).to_string())
}

pub(crate) fn list() -> Refusal {
    Refusal::invalid(&["quantity is not valid".to_owned(), "effective_date is not valid".to_owned()])
}
