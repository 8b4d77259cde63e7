//! Answers to requests whose token does not open anything; `obera rest` gives them before a request gets to the router.
//! Source of codes and statuses: PostgREST 14, "Errors" page of its documentation.
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, header},
};

use crate::{
    error::{self, Failure},
    response,
};

/// Why the caller of a stand-alone data API is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Configuration and schema were not read yet.
    NotReady,
    /// A token came, and nothing is configured to verify it with.
    NoSecret,
    /// The token is no token, or is not signed with a known key.
    Invalid(&'static str),
    /// No token came, and nobody is let in without.
    NoAnonymous,
    /// The token is genuine, but not for here or not for now.
    Claims(&'static str),
}

impl Refusal {
    /// The whole answer: 500 for a missing secret, else 401 with `WWW-Authenticate`.
    pub fn response(self) -> Response<Body> {
        if self == Self::NotReady {
            return response::failure(&error::schema_not_loaded().into());
        }
        let (status, code, message, challenge) = match self {
            Self::NotReady | Self::NoSecret => (500, "PGRST300", "Server lacks JWT secret", None),
            Self::Invalid(message) => (401, "PGRST301", message, Some(message)),
            Self::NoAnonymous => (401, "PGRST302", "Anonymous access is disabled", None),
            Self::Claims(message) => (401, "PGRST303", message, Some(message)),
        };
        let headers = challenge.and_then(|why| {
            let value = format!("Bearer error=\"invalid_token\", error_description=\"{why}\"");
            let value = HeaderValue::from_str(&value).ok()?;
            Some(Box::new(HeaderMap::from_iter([(header::WWW_AUTHENTICATE, value)])))
        });
        response::failure(&Failure { error: error::new(status, code, message), headers })
    }
}
