//! What can go wrong at a vendor, in words that decide what to do next. No variant carries a secret.
use std::time::Duration;

use jiff::Timestamp;

/// Longest vendor text that an error keeps.
pub const VENDOR_TEXT_CHARS_MAX: usize = 300;

/// How far a call had come when its connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No connection: the vendor has not seen the call.
    Connect,
    /// After bytes left: the vendor may have acted on it.
    Exchange,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VendorError {
    /// The credentials are unknown, wrong or expired, and a new token did not help.
    #[error("the vendor refused the credentials: {reason}")]
    Auth { reason: String },
    /// Signed in, but this right is missing.
    #[error("the vendor forbids this: {reason}")]
    Forbidden { reason: String },
    /// This customer's tenant does not let the application in. The credentials themselves are good: other tenants
    /// of the same connection go on.
    #[error("this tenant does not let the application in: {reason}")]
    NotConsented { reason: String },
    /// The vendor has no record with this id.
    #[error("the vendor has no such record")]
    NotFound,
    /// This instance of the vendor does not offer the path at all: a gap in the service, not in the data.
    #[error("this instance of the vendor does not offer {capability}")]
    MissingCapability { capability: String },
    /// The vendor is still gathering what was asked for, and sent a placeholder instead: no data, and no proof of absence.
    #[error("the vendor has not gathered this yet: {reason}")]
    NotReady { reason: String },
    /// Asked to slow down; the retries allowed were used up, or the wait asked for is over the limit.
    #[error("the vendor is throttling")]
    Throttled { retry_after: Option<Duration> },
    /// Not sent: what the vendor takes in a day is used, or only the part is left that background work leaves to people.
    #[error("the day's quota is used until {until}")]
    QuotaUsed { until: Timestamp },
    /// A server error (5xx) that outlived the retries.
    #[error("the vendor answered {status}")]
    Upstream { status: u16 },
    /// A page (mostly HTML from the edge) where JSON was promised.
    #[error("the vendor answered {status} with {content_type} instead of JSON")]
    NotJson { status: u16, content_type: String },
    #[error("no complete answer in {after_ms} ms")]
    Timeout { after_ms: u64 },
    #[error("the connection failed: {reason}")]
    Connection { stage: Stage, reason: String },
    /// JSON, but not in the shape of the contract.
    #[error("unexpected shape at {path}: {reason}")]
    Shape { path: String, reason: String },
    #[error("the answer is over {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
    /// Any other 4xx: the vendor understood and said no.
    #[error("the vendor rejected the call with {status}: {message}")]
    Rejected { status: u16, message: String },
    /// Our side: the base address or a header is not usable.
    #[error("the connection is not configured correctly: {reason}")]
    Misconfigured { reason: String },
}

impl VendorError {
    pub fn shape(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Shape { path: path.into(), reason: reason.into() }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Throttled { .. }
            | Self::QuotaUsed { .. }
            | Self::NotReady { .. }
            | Self::Upstream { .. }
            | Self::Timeout { .. }
            | Self::Connection { .. } => true,
            // A page at 404 comes from a wrong path; at any other status it comes from an edge under load.
            Self::NotJson { status, .. } => *status != 404,
            Self::Auth { .. }
            | Self::Forbidden { .. }
            | Self::NotConsented { .. }
            | Self::NotFound
            | Self::MissingCapability { .. }
            | Self::Shape { .. }
            | Self::TooLarge { .. }
            | Self::Rejected { .. }
            | Self::Misconfigured { .. } => false,
        }
    }

    /// Whether a write that ended with this error may have taken effect all the same. If so, look for its
    /// effect before anything is sent again.
    pub fn may_have_been_applied(&self) -> bool {
        match self {
            Self::Connection { stage, .. } => *stage == Stage::Exchange,
            Self::NotJson { status, .. } => *status < 400 || *status >= 500,
            Self::Upstream { .. } | Self::Timeout { .. } | Self::Shape { .. } | Self::TooLarge { .. } => true,
            Self::Auth { .. }
            | Self::Forbidden { .. }
            | Self::NotConsented { .. }
            | Self::NotFound
            | Self::MissingCapability { .. }
            | Self::NotReady { .. }
            | Self::Throttled { .. }
            | Self::QuotaUsed { .. }
            | Self::Rejected { .. }
            | Self::Misconfigured { .. } => false,
        }
    }

    /// A stable word for logs, metrics and stored run records.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Auth { .. } => "auth",
            Self::Forbidden { .. } => "forbidden",
            Self::NotConsented { .. } => "not_consented",
            Self::NotFound => "not_found",
            Self::MissingCapability { .. } => "missing_capability",
            Self::NotReady { .. } => "not_ready",
            Self::Throttled { .. } => "throttled",
            Self::QuotaUsed { .. } => "quota_used",
            Self::Upstream { .. } => "upstream",
            Self::NotJson { .. } => "not_json",
            Self::Timeout { .. } => "timeout",
            Self::Connection { .. } => "connection",
            Self::Shape { .. } => "shape",
            Self::TooLarge { .. } => "too_large",
            Self::Rejected { .. } => "rejected",
            Self::Misconfigured { .. } => "misconfigured",
        }
    }
}

/// Vendor text for an error: one line, bounded, without control characters.
pub fn vendor_text(text: &str) -> String {
    let flat = text.split(|c: char| c.is_control() || c == ' ').filter(|word| !word.is_empty());
    flat.collect::<Vec<_>>().join(" ").chars().take(VENDOR_TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_may_have_landed_says_so() {
        let connection = |stage| VendorError::Connection { stage, reason: String::new() };
        assert!(!connection(Stage::Connect).may_have_been_applied());
        assert!(connection(Stage::Exchange).may_have_been_applied());
        assert!(VendorError::Timeout { after_ms: 1 }.may_have_been_applied());
        assert!(VendorError::Upstream { status: 502 }.may_have_been_applied());
        assert!(!VendorError::Throttled { retry_after: None }.may_have_been_applied());
        assert!(!VendorError::Rejected { status: 400, message: String::new() }.may_have_been_applied());
    }

    #[test]
    fn a_page_at_404_is_a_wrong_path_and_at_any_other_status_a_mood_of_the_edge() {
        let page = |status| VendorError::NotJson { status, content_type: "text/html".into() };
        assert!(!page(404).is_transient());
        assert!(page(200).is_transient() && page(403).is_transient() && page(503).is_transient());
    }

    #[test]
    fn vendor_text_is_one_bounded_line() {
        assert_eq!(vendor_text("a\r\n  b\tc"), "a b c");
        assert_eq!(vendor_text(&"x".repeat(5000)).len(), VENDOR_TEXT_CHARS_MAX);
    }
}
