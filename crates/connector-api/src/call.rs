//! One request, as a vendor's client describes it.
use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value;

use crate::quota::CLASS_COMMON;

/// One request. `Debug` shows no token and no body.
#[derive(Clone, Debug)]
pub struct Call {
    pub(crate) method: Method,
    pub(crate) place: Place,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(String, SecretString)>,
    pub(crate) bearer: Option<SecretString>,
    pub(crate) body: Body,
    pub(crate) expect: Expect,
    pub(crate) repeat: Repeat,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) bytes_max: Option<usize>,
    pub(crate) class: &'static str,
    pub(crate) units: u32,
}

#[derive(Clone)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    JsonText(String),
    Form(Vec<(&'static str, SecretString)>),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Json(_) => "Json(..)",
            Self::JsonText(_) => "JsonText(..)",
            Self::Form(_) => "Form(..)",
        })
    }
}

/// What `path` of a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Appended to the base address.
    Below,
    /// A whole address that the vendor gave.
    Link,
    /// The same, at a further host of the vendor's.
    Elsewhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    Json,
    Anything,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    Reads,
    OnlyIfNeverSent,
}

impl Call {
    fn new(method: Method, path: impl Into<String>) -> Self {
        let repeat = if method == Method::GET { Repeat::Reads } else { Repeat::OnlyIfNeverSent };
        Self {
            method,
            place: Place::Below,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            bearer: None,
            body: Body::Empty,
            expect: Expect::Json,
            repeat,
            timeout_ms: None,
            bytes_max: None,
            class: CLASS_COMMON,
            units: 1,
        }
    }

    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A link that the vendor gave, as it is. It has to lead to the configured host and below the configured path; any
    /// other ends as [`VendorError::Shape`], before a token is sent anywhere.
    pub fn link(link: impl Into<String>) -> Self {
        Self { place: Place::Link, ..Self::new(Method::GET, link) }
    }

    /// An address that the vendor gave for a file: at the configured host, or over https at one of
    /// [`HttpConfig::further_hosts`]. It carries its own right; a call with a token is refused.
    pub fn elsewhere(link: impl Into<String>) -> Self {
        Self { place: Place::Elsewhere, ..Self::new(Method::GET, link) }
    }

    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    pub fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path)
    }

    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    #[must_use]
    pub fn query_opt(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: SecretString) -> Self {
        self.headers.push((name.into(), value));
        self
    }

    #[must_use]
    pub fn bearer(mut self, token: SecretString) -> Self {
        self.bearer = Some(token);
        self
    }

    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = Body::Json(body);
        self
    }

    /// JSON that is sent as it is written: for numbers whose digits a float would lose.
    #[must_use]
    pub fn json_text(mut self, body: String) -> Self {
        self.body = Body::JsonText(body);
        self
    }

    #[must_use]
    pub fn form(mut self, fields: Vec<(&'static str, SecretString)>) -> Self {
        self.body = Body::Form(fields);
        self
    }

    /// The answer may be of any content type: only its status matters.
    #[must_use]
    pub fn any_content(mut self) -> Self {
        self.expect = Expect::Anything;
        self
    }

    /// This POST changes nothing at the vendor (a token exchange, a search): retry it like a GET.
    #[must_use]
    pub fn changes_nothing(mut self) -> Self {
        self.repeat = Repeat::Reads;
        self
    }

    /// The largest answer to this call, where it is less than the client's.
    #[must_use]
    pub fn bytes_max(mut self, bytes_max: usize) -> Self {
        self.bytes_max = Some(bytes_max);
        self
    }

    #[must_use]
    pub fn timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = Some(timeout_ms);
        self
    }

    /// Which quotas of the vendor it takes from, and how much.
    #[must_use]
    pub fn class(mut self, class: &'static str, units: u32) -> Self {
        self.class = class;
        self.units = units;
        self
    }

    /// As given: below the base address, or a whole link.
    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn units(&self) -> u32 {
        self.units
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let call = Call::post("/x")
            .bearer("token-1".into())
            .header("authorization", "header-1".into())
            .form(vec![("client_secret", "form-1".into())]);
        let text = format!("{call:?}");
        assert!(["token-1", "header-1", "form-1"].iter().all(|secret| !text.contains(secret)), "{text}");
    }
}
