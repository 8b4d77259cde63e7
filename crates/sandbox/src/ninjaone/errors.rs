//! The three layers of errors, each in its own shape.
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use uuid::Uuid;

/// An error of the gateway or of the application.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    body: Value,
}

impl Refusal {
    pub fn gateway(status: StatusCode, error: &str, description: &str, code: u32) -> Self {
        let body = json!({"error": error, "error_description": description, "error_code": code});
        Self { status, body }
    }

    pub fn app(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let incident = Uuid::new_v4().simple().to_string()[..8].to_uppercase();
        let body = json!({
            "resultCode": code,
            "errorMessage": message.into(),
            "incidentId": format!("WEB_MGMT_SERVICE-{incident}"),
        });
        Self { status, body }
    }

    /// The application's way to name the reason in a code.
    pub fn coded(status: StatusCode, code: &str, params: Value) -> Self {
        let mut refusal = Self::app(status, "FAILURE", "");
        refusal.body["errorMessage"] = json!({"code": code, "params": params});
        refusal
    }

    pub fn bad(message: impl Into<String>) -> Self {
        Self::app(StatusCode::BAD_REQUEST, "FAILURE", message)
    }

    pub fn not_found(what: &str) -> Self {
        Self::app(StatusCode::NOT_FOUND, "NOT_FOUND", format!("{what} not found"))
    }

    /// As OAuth writes it.
    pub fn oauth(status: StatusCode, error: &str, description: &str) -> Self {
        Self { status, body: json!({"error": error, "error_description": description}) }
    }

    /// The token end point for a client id of another host.
    pub fn unknown_client() -> Self {
        let body = json!({"resultCode": "Client app not exist", "incidentId": "WEB_MGMT_SERVICE-00000000"});
        Self { status: StatusCode::NOT_FOUND, body }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut answer = super::json(&self.body);
        *answer.status_mut() = self.status;
        answer
    }
}

/// What the edge answers: a page, whatever was asked for.
pub(crate) fn edge_page(status: StatusCode) -> Response {
    let title = match status.as_u16() {
        200 => "One moment please".to_owned(),
        code => format!("{code} {}", status.canonical_reason().unwrap_or_default()),
    };
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    let mut answer = Response::new(Body::from(page));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    answer
}
