//! One error shape and one catalogue of codes. Each code has a page in `docs/errors/<code>.md` (checked by `xtask tidy`).
use serde::Serialize;

/// The body of every error answer: `{"code","message","details","hint"}` (the shape of PostgREST, so stock clients read it).
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct ApiError {
    #[serde(skip)]
    pub status: u16,
    /// Stable code: `OBnnnn` (ours), `PGRSTnnn` (data API dialect), five characters (SQLSTATE).
    pub code: String,
    /// What is wrong, for a person.
    pub message: String,
    /// Which value, which line, what was kept.
    pub details: Option<String>,
    /// The way out.
    pub hint: Option<String>,
}

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            status: code.status(),
            code: code.as_str().into(),
            message: message.into(),
            details: None,
            hint: None,
        }
    }

    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, self.message)?;
        self.details.as_ref().map_or(Ok(()), |details| write!(f, " ({details})"))
    }
}

impl std::error::Error for ApiError {}

macro_rules! catalogue {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal;)+) => {
        /// Our own codes. PostgREST's and SQLSTATE codes pass through `rest` unchanged.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ErrorCode { $($(#[$doc])* $name,)+ }

        impl ErrorCode {
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }
        }
    };
}

catalogue! {
    /// The body is not JSON, or not of the declared shape.
    BodyInvalid = "OB1001", 400;
    /// The body, URL or header is over its limit.
    TooLarge = "OB1002", 413;
    /// A field has a value that the rules of this product refuse.
    ValueRefused = "OB1003", 422;
    /// The method is not offered at this path.
    MethodNotAllowed = "OB1004", 405;
    /// The content type is not one this path reads.
    MediaType = "OB1005", 415;
    /// No token, or one that is malformed, forged, expired or revoked.
    NotSignedIn = "OB2001", 401;
    /// Signed in, but the permission for this verb is missing.
    NotPermitted = "OB2002", 403;
    /// E-mail or password is wrong.
    CredentialsInvalid = "OB2003", 400;
    /// Too many attempts or requests; `Retry-After` says when to come back.
    TooMany = "OB2004", 429;
    /// The refresh token was used before: the whole session is ended.
    RefreshReused = "OB2005", 400;
    /// A service key: nothing here goes past the rights of people.
    ServiceKey = "OB2006", 403;
    /// Nothing with this id that the caller may see.
    NotFound = "OB3001", 404;
    /// The state of the thing does not allow this now.
    Conflict = "OB3002", 409;
    /// The same delivery or idempotency key was seen before with other content.
    Replayed = "OB3003", 409;
    /// This idempotency key was used for a call with another input.
    KeyReused = "OB3004", 422;
    /// A call with this idempotency key is still under way; `Retry-After` says when to ask again.
    KeyInUse = "OB3005", 409;
    /// Exports are frozen, because the isolation of customers was seen to be broken.
    ExportsFrozen = "OB3006", 423;
    /// A vendor answered with an error, too slowly, or not in the shape of its contract.
    VendorFailed = "OB4001", 502;
    /// The integration has no usable credentials.
    VendorNotConfigured = "OB4002", 409;
    /// The vendor's side does not allow it: consent, a permission or a plan is missing there.
    VendorDenies = "OB4003", 409;
    /// The vendor asks to slow down; nothing was done.
    VendorBusy = "OB4004", 503;
    /// The database could not be reached in time; nothing was changed.
    DatabaseUnavailable = "OB5001", 503;
    /// A fault of ours. The request id finds it in the log.
    Internal = "OB5002", 500;
    /// The request took longer than its limit; it was rolled back.
    TimedOut = "OB5003", 504;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ErrorCode::ALL.len());
    }
}
