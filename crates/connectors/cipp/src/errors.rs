//! CIPP's refusals in the words of connectors. Branches on status and form; texts are for people, save where a 200 carries nothing else.
use connector_api::error::vendor_text;
use connector_api::{Answer, VendorError};
use serde_json::Value;

/// Words of a 200 that tells of a failure, in lower case.
const FAILURES: [&str; 7] =
    ["failed", "error", "could not", "unable to", "no access", "not have access", "unauthorized"];
/// Words of a row that stands in until data is there.
const PLACEHOLDERS: [&str; 5] =
    ["loading data", "check back", "being loaded", "no data found, please", "please wait"];

/// Of an answer that is no success. `right` is what the call needs, for a refusal that names none.
pub(crate) fn refusal(answer: &Answer, endpoint: &str, right: &'static str) -> VendorError {
    let words = words(&answer.body);
    match answer.status {
        // The platform answers so before the app runs. The token was new.
        401 => VendorError::Auth {
            reason: "the deployment refused the token: the API client is unknown to it, switched off or of another tenant".into(),
        },
        403 if words.to_ascii_lowercase().contains("subscription") => {
            VendorError::MissingCapability { capability: "the API (the hosted subscription has ended)".into() }
        }
        403 => VendorError::Forbidden { reason: format!("{right}: {}", or_none(words)) },
        404 => VendorError::MissingCapability { capability: endpoint.to_owned() },
        412 => VendorError::Misconfigured { reason: "the address does not lead to an end point of CIPP".into() },
        503 if words.to_ascii_lowercase().contains("disabled") => {
            VendorError::MissingCapability { capability: format!("{endpoint} (switched off in CIPP)") }
        }
        status if status >= 500 => VendorError::Upstream { status },
        status => VendorError::Rejected { status, message: or_none(words) },
    }
}

/// The words of a body of any form, on one bounded line.
pub(crate) fn words(body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        Ok(body) => said(&body),
        Err(_) => vendor_text(&String::from_utf8_lossy(body)),
    }
}

/// Never reads `copyField`: it holds new passwords.
pub(crate) fn said(body: &Value) -> String {
    vendor_text(&match body {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            items.iter().map(said).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
        }
        Value::Object(members) => {
            let names = ["Results", "resultText", "message", "error"];
            let found = names.iter().find_map(|name| members.get(*name));
            found.map(said).unwrap_or_default()
        }
        _ => String::new(),
    })
}

fn or_none(words: String) -> String {
    if words.is_empty() { "without a message".into() } else { words }
}

pub(crate) fn tells_of_failure(text: &str) -> bool {
    let text = text.to_lowercase();
    FAILURES.iter().any(|word| text.contains(word))
}

pub(crate) fn is_placeholder(text: &str) -> bool {
    let text = text.to_lowercase();
    PLACEHOLDERS.iter().any(|word| text.contains(word))
}

/// What CIPP answers until its cache is filled.
pub(crate) fn not_ready(words: &str) -> VendorError {
    VendorError::NotReady { reason: or_none(vendor_text(words)) }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn refused(status: u16, body: &str) -> VendorError {
        let answer = Answer {
            status,
            content_type: "text/plain".into(),
            request_id: None,
            location: None,
            observed_at: Timestamp::UNIX_EPOCH,
            body: body.as_bytes().to_vec(),
        };
        refusal(&answer, "ListUsers", "Identity.User.Read")
    }

    #[test]
    fn plain_text_is_understood_by_its_status() {
        let denied = refused(403, "Access to this CIPP API endpoint is not allowed");
        assert!(
            matches!(&denied, VendorError::Forbidden { reason } if reason.starts_with("Identity.User.Read: Access"))
        );
        assert_eq!(
            refused(404, "Endpoint not found"),
            VendorError::MissingCapability { capability: "ListUsers".into() }
        );
        assert_eq!(refused(500, "Object reference"), VendorError::Upstream { status: 500 });
        assert!(matches!(refused(401, ""), VendorError::Auth { .. }));
        assert!(matches!(
            refused(403, "Your subscription has expired"),
            VendorError::MissingCapability { .. }
        ));
        assert_eq!(
            refused(400, "\"no such path\""),
            VendorError::Rejected { status: 400, message: "no such path".into() }
        );
        assert!(
            matches!(refused(403, "[\"no rights\"]"), VendorError::Forbidden { reason } if reason.ends_with("no rights"))
        );
    }

    #[test]
    fn a_password_is_never_among_the_words() {
        let body = serde_json::json!({"Results": {"resultText": "Reset the password", "copyField": "Hunter2!", "state": "success"}});
        assert_eq!(said(&body), "Reset the password");
    }
}
