//! Graph's refusals in the words of connectors. Branches on status and code; texts are for people only.
use connector_api::VendorError;
use connector_api::error::vendor_text;
use serde_json::Value;

use crate::permissions::MISSING;

/// Codes of a tenant without Entra ID P1. Services differ in the case of codes.
const NON_PREMIUM: [&str; 2] =
    ["authentication_requestfromnonpremiumtenantorb2ctenant", "accountwithoutlicense"];
/// The application has no service principal, or none of its roles, in the tenant.
const NO_IDENTITY: [&str; 2] = ["authorization_identitynotfound", "authorization_identitydisabled"];
const RESYNC: [&str; 5] = [
    "syncstatenotfound",
    "syncstateinvalid",
    "resyncrequired",
    "resyncchangesapplydifferences",
    "resyncchangesuploaddifferences",
];

/// What a call needs and what it is about: what makes its refusals readable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    pub permission: &'static str,
    pub not_found: NotFoundMeans,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum NotFoundMeans {
    /// The path names one record: it does not exist.
    Record,
    /// The path is a list that every tenant should have: this one does not.
    Capability(&'static str),
}

impl About {
    pub const fn list(permission: &'static str, capability: &'static str) -> Self {
        Self { permission, not_found: NotFoundMeans::Capability(capability) }
    }

    pub const fn record(permission: &'static str) -> Self {
        Self { permission, not_found: NotFoundMeans::Record }
    }
}

/// Of an answer that is no success.
pub(crate) fn refusal(status: u16, body: &Value, about: About) -> VendorError {
    let (code, message) = (code(body), message(body));
    match status {
        // The token was new: it is not the secret that is wrong.
        401 => VendorError::NotConsented { reason: message },
        403 if NON_PREMIUM.contains(&code.as_str()) => {
            VendorError::MissingCapability { capability: "sign-in reports (Entra ID P1)".into() }
        }
        403 if NO_IDENTITY.contains(&code.as_str()) => VendorError::NotConsented { reason: message },
        403 => VendorError::Forbidden { reason: format!("{MISSING}{}: {message}", about.permission) },
        404 => match about.not_found {
            NotFoundMeans::Record => VendorError::NotFound,
            NotFoundMeans::Capability(name) => VendorError::MissingCapability { capability: name.into() },
        },
        429 => VendorError::Throttled { retry_after: None },
        status if status >= 500 => VendorError::Upstream { status },
        status => VendorError::Rejected { status, message },
    }
}

/// The list of changes cannot go on from the link: a whole round is needed.
pub(crate) fn wants_resync(status: u16, body: &Value) -> bool {
    status == 410 || (status == 400 && RESYNC.contains(&code(body).as_str()))
}

/// Whether the code is this one, in lower case.
pub(crate) fn code_is(body: &Value, wanted: &str) -> bool {
    code(body) == wanted
}

/// A file that is not given out because the vendor found malware in it.
pub(crate) fn is_malware(body: &Value) -> bool {
    let inner = body["error"]["innerError"]["code"].as_str().unwrap_or_default().to_ascii_lowercase();
    [code(body), inner].iter().any(|code| code.contains("malware") || code.contains("virus"))
}

fn code(body: &Value) -> String {
    body["error"]["code"].as_str().unwrap_or_default().to_ascii_lowercase()
}

fn message(body: &Value) -> String {
    let error = &body["error"];
    let words: Vec<&str> =
        [&error["code"], &error["message"]].into_iter().filter_map(Value::as_str).collect();
    let words = vendor_text(&words.join(": "));
    if words.is_empty() { "without a message".into() } else { words }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::permissions::{POLICIES, missing_permission};

    fn refused(status: u16, code: &str, about: About) -> VendorError {
        refusal(status, &json!({"error": {"code": code, "message": "words"}}), about)
    }

    #[test]
    fn a_403_says_what_is_missing() {
        let about = About::list(POLICIES, "conditional access");
        let denied = refused(403, "Authorization_RequestDenied", about);
        assert_eq!(missing_permission(&denied), Some(POLICIES));
        let poor = refused(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", about);
        assert!(matches!(poor, VendorError::MissingCapability { .. }));
        let unknown = refused(403, "Authorization_IdentityNotFound", about);
        assert!(matches!(unknown, VendorError::NotConsented { .. }));
    }

    #[test]
    fn a_404_is_a_missing_record_or_a_missing_service() {
        assert_eq!(refused(404, "Request_ResourceNotFound", About::record(POLICIES)), VendorError::NotFound);
        let list = refused(404, "ResourceNotFound", About::list(POLICIES, "roles"));
        assert_eq!(list, VendorError::MissingCapability { capability: "roles".into() });
    }

    #[test]
    fn a_lost_link_is_known_by_status_or_code() {
        let body = |code: &str| json!({"error": {"code": code}});
        assert!(wants_resync(410, &Value::Null) && wants_resync(400, &body("SyncStateNotFound")));
        assert!(
            !wants_resync(400, &body("Request_BadRequest")) && !wants_resync(404, &body("syncStateNotFound"))
        );
    }
}
