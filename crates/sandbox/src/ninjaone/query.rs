//! Query parameters, held to the contract: unknown, repeated or malformed ones are refused.
use axum::extract::Query;
use axum::http::Uri;

use super::errors::Refusal;

/// What a parameter may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Is {
    /// A whole number within these bounds.
    Int(i64, i64),
    Text,
    Uid,
}

/// An id in a query.
pub(crate) const ID: Is = Is::Int(0, i32::MAX as i64);
/// An activity id.
pub(crate) const LONG_ID: Is = Is::Int(0, i64::MAX);
/// Rows of a list.
pub(crate) const PAGE: Is = Is::Int(1, 1_000);

#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub fn read(uri: &Uri, known: &[(&str, Is)]) -> Result<Self, Refusal> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| Refusal::bad("The query string cannot be read"))?;
        for (index, (name, value)) in pairs.iter().enumerate() {
            let (_, is) = known
                .iter()
                .find(|(known, _)| known == name)
                .ok_or_else(|| Refusal::bad(format!("Unknown query parameter '{name}'")))?;
            let fits = match is {
                Is::Int(min, max) => value.parse::<i64>().is_ok_and(|number| (*min..=*max).contains(&number)),
                Is::Text => true,
                Is::Uid => value.parse::<uuid::Uuid>().is_ok(),
            };
            if !fits || pairs[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(Refusal::bad(format!("Invalid value of query parameter '{name}'")));
            }
        }
        Ok(Self(pairs))
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// A number of rows.
    pub fn rows(&self, name: &str, default: usize) -> usize {
        self.int(name).and_then(|rows| usize::try_from(rows).ok()).unwrap_or(default)
    }
}

/// An id in a path: a 32-bit integer.
pub(crate) fn path_id(text: &str) -> Result<i64, Refusal> {
    let id = text.parse::<i32>().ok().filter(|id| *id >= 0).map(i64::from);
    id.ok_or_else(|| Refusal::app(axum::http::StatusCode::NOT_FOUND, "FAILURE", "HTTP 404 Not Found"))
}
