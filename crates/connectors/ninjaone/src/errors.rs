//! Three layers answer with errors of three shapes: the edge (a page), the gateway and the application.
use connector_api::error::vendor_text;
use connector_api::{Answer, VendorError};
use serde_json::Value;

use crate::fields::Fields;

/// What a 404 means at a path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NotFoundMeans {
    /// The path names one record: it does not exist.
    Record,
    /// The path is a list or an operation that every instance should have: this one does not.
    Capability(&'static str),
}

pub(crate) fn from_answer(answer: &Answer, not_found: NotFoundMeans) -> VendorError {
    let body = answer.json().unwrap_or(Value::Null);
    let text = message(&body);
    match answer.status {
        401 => VendorError::Auth { reason: text },
        403 => VendorError::Forbidden { reason: text },
        404 => missing(not_found),
        // Calls that need a user fail like this for a machine token.
        500 if asks_for_a_user(&text) => {
            VendorError::Forbidden { reason: format!("a signed-in user seems to be needed: {text}") }
        }
        status if status >= 500 => VendorError::Upstream { status },
        status => VendorError::Rejected { status, message: text },
    }
}

/// A page at 404 comes from the edge: the path is not served by this instance.
pub(crate) fn from_error(error: VendorError, not_found: NotFoundMeans) -> VendorError {
    match (&error, not_found) {
        (VendorError::NotJson { status: 404, .. }, NotFoundMeans::Capability(name)) => {
            VendorError::MissingCapability { capability: name.into() }
        }
        _ => error,
    }
}

fn missing(not_found: NotFoundMeans) -> VendorError {
    match not_found {
        NotFoundMeans::Record => VendorError::NotFound,
        NotFoundMeans::Capability(name) => VendorError::MissingCapability { capability: name.into() },
    }
}

fn asks_for_a_user(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["nullpointer", "null pointer", "user context", "because \"user\" is null"]
        .iter()
        .any(|sign| text.contains(sign))
}

/// The words of any of the shapes, on one bounded line.
pub(crate) fn message(body: &Value) -> String {
    let at = Fields(body);
    let code = at.at("errorMessage").and_then(|inner| inner.text("code"));
    let parts = [
        at.text("resultCode"),
        at.text("errorMessage").or(code),
        at.text("errorDetails"),
        at.text("error"),
        at.text("error_description"),
        at.text("errorCode"),
        at.text("message"),
        at.text("incidentId").map(|id| format!("incident {id}")),
    ];
    let words = parts.into_iter().flatten().collect::<Vec<_>>().join(": ");
    if words.is_empty() { "without a message".into() } else { vendor_text(&words) }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &Value) -> Answer {
        Answer {
            status,
            content_type: "application/json".into(),
            request_id: None,
            observed_at: Timestamp::UNIX_EPOCH,
            location: None,
            body: body.to_string().into_bytes(),
        }
    }

    #[test]
    fn each_layer_is_understood() {
        let list = NotFoundMeans::Capability("alerts");
        let gateway =
            json!({"error": "not_authenticated", "error_description": "bad token", "error_code": 10});
        assert!(
            matches!(from_answer(&answer(401, &gateway), list), VendorError::Auth { reason } if reason.contains("bad token"))
        );
        let user = json!({"resultCode": "FAILURE", "errorMessage": "java.lang.NullPointerException", "incidentId": "X-1"});
        assert!(matches!(from_answer(&answer(500, &user), list), VendorError::Forbidden { .. }));
        let coded = json!({"resultCode": "FAILURE", "errorMessage": {"code": "not_allowed", "params": {}}});
        assert!(
            matches!(from_answer(&answer(400, &coded), list), VendorError::Rejected { status: 400, message } if message.contains("not_allowed"))
        );
        assert_eq!(from_answer(&answer(502, &Value::Null), list), VendorError::Upstream { status: 502 });
    }

    #[test]
    fn a_missing_record_is_not_a_missing_capability() {
        let gone = answer(404, &json!({"resultCode": "NOT_FOUND"}));
        assert_eq!(from_answer(&gone, NotFoundMeans::Record), VendorError::NotFound);
        let list = NotFoundMeans::Capability("tickets");
        assert!(
            matches!(from_answer(&gone, list), VendorError::MissingCapability { capability } if capability == "tickets")
        );
        let page = VendorError::NotJson { status: 404, content_type: "text/html".into() };
        assert!(matches!(from_error(page.clone(), list), VendorError::MissingCapability { .. }));
        assert_eq!(from_error(page.clone(), NotFoundMeans::Record), page);
    }
}
