//! Errors come as a list, as an object or as text; some come with a 200. All become one shape.
use connector_api::error::vendor_text;
use connector_api::{Answer, VendorError};
use serde_json::Value;

/// What a 404 means at a path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NotFoundMeans {
    /// The path names one record: it does not exist.
    Record,
    /// The path is a list or an operation that every client should have: this one does not.
    Capability(&'static str),
}

/// `None` when the answer is a success: 2xx, and not `ok: false`.
pub(crate) fn refusal(answer: &Answer, not_found: NotFoundMeans) -> Option<VendorError> {
    let body = serde_json::from_slice::<Value>(&answer.body).ok();
    if answer.is_success() && !body.as_ref().is_some_and(says_no) {
        return None;
    }
    let text = match &body {
        Some(body) => message(body),
        None => vendor_text(&String::from_utf8_lossy(&answer.body)),
    };
    let text = if text.is_empty() { "without a message".to_owned() } else { text };
    Some(match answer.status {
        401 => VendorError::Auth { reason: text },
        // API management refuses the rest of the day like this.
        403 if text.to_ascii_lowercase().contains("quota") => VendorError::Throttled { retry_after: None },
        403 => VendorError::Forbidden { reason: text },
        404 => match not_found {
            NotFoundMeans::Record => VendorError::NotFound,
            NotFoundMeans::Capability(name) => VendorError::MissingCapability { capability: name.into() },
        },
        status if status >= 500 => VendorError::Upstream { status },
        status => VendorError::Rejected { status, message: text },
    })
}

/// A page at 404 comes from the edge: the path is not served to this client.
pub(crate) fn from_error(error: VendorError, not_found: NotFoundMeans) -> VendorError {
    match (&error, not_found) {
        (VendorError::NotJson { status: 404, .. }, NotFoundMeans::Capability(name)) => {
            VendorError::MissingCapability { capability: name.into() }
        }
        _ => error,
    }
}

fn says_no(body: &Value) -> bool {
    match body {
        Value::Object(members) => members.get("ok") == Some(&Value::Bool(false)),
        Value::Array(items) => items.iter().any(says_no),
        _ => false,
    }
}

/// The words of any of the shapes, on one bounded line.
fn message(body: &Value) -> String {
    let word = |item: &Value| match item {
        Value::String(text) => text.clone(),
        item => {
            let texts =
                ["message", "error", "error_description"].map(|name| item.get(name).and_then(Value::as_str));
            texts.into_iter().flatten().collect::<Vec<_>>().join(": ")
        }
    };
    let words = match body {
        Value::Array(items) => {
            items.iter().map(word).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
        }
        item => word(item),
    };
    vendor_text(&words)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn refused(status: u16, body: &str) -> Option<VendorError> {
        let answer = Answer {
            status,
            content_type: "application/json".into(),
            request_id: None,
            observed_at: Timestamp::UNIX_EPOCH,
            location: None,
            body: body.as_bytes().to_vec(),
        };
        refusal(&answer, NotFoundMeans::Capability("bills"))
    }

    #[test]
    fn each_shape_is_understood() {
        let rejected =
            |status, message: &str| Some(VendorError::Rejected { status, message: message.into() });
        let list = r#"[{"ok":false,"message":"quantity is required"},{"ok":false,"error":"bad rate"}]"#;
        assert_eq!(refused(400, list), rejected(400, "quantity is required; bad rate"));
        assert_eq!(
            refused(405, r#"{"status_code":405,"message":"Method not allowed"}"#),
            rejected(405, "Method not allowed")
        );
        assert_eq!(refused(400, "Bad\r\nrequest"), rejected(400, "Bad request"));
        assert_eq!(refused(400, "\"no\""), rejected(400, "no"));
        assert_eq!(refused(400, ""), rejected(400, "without a message"));
        assert_eq!(refused(502, "oops"), Some(VendorError::Upstream { status: 502 }));
        assert!(matches!(refused(401, "{}"), Some(VendorError::Auth { .. })));
        assert!(matches!(
            refused(403, r#"{"message":"role lacks the right"}"#),
            Some(VendorError::Forbidden { .. })
        ));
        let quota = r#"{"statusCode":403,"message":"Out of call volume quota. Quota will be replenished in 02:00:00."}"#;
        assert_eq!(refused(403, quota), Some(VendorError::Throttled { retry_after: None }));
        assert!(matches!(refused(404, "[]"), Some(VendorError::MissingCapability { .. })));
    }

    #[test]
    fn a_no_inside_a_200_is_a_no() {
        let no = refused(200, r#"{"ok":false,"message":"line is locked"}"#);
        assert_eq!(no, Some(VendorError::Rejected { status: 200, message: "line is locked".into() }));
        assert!(refused(200, r#"[{"ok":false}]"#).is_some());
        assert_eq!(
            [refused(200, r#"{"ok":true}"#), refused(201, r#"{"id":1}"#), refused(200, "")],
            [None, None, None]
        );
    }
}
