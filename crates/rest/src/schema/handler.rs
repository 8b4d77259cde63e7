//! Who makes the body of an answer in the database itself: media types are domains, and what returns such a domain answers in
//! it. Source: PostgREST 14, "Media Type Handlers" page of its documentation.
use super::{RelationId, Schema, catalog::RawHandler};

/// The domain of a handler that answers to whatever is asked for.
const ANY: &str = "*/*";
/// What is answered where any type will do, and nobody says which one it is.
const UNNAMED: &str = "application/octet-stream";
/// Forms of this API alone: nobody takes them over.
const VENDOR: &str = "application/vnd.pgrst.";

/// A media type and how its value comes out of SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// Lower case; [`ANY`] for all.
    pub name: String,
    pub form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    Bytes,
}

/// An aggregate over rows.
#[derive(Debug)]
pub struct Handler {
    pub media: MediaType,
    /// `"schema"."name"`
    pub sql: String,
    pub makes: Makes,
    /// Whose rows; `None`: of every relation.
    of: Option<RelationId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Makes {
    /// The whole body, as an aggregate.
    Body,
    /// One feature of GeoJSON out of one row.
    Feature,
}

impl MediaType {
    pub fn new(name: &str, base: &str) -> Self {
        let form = if base == "bytea" { Form::Bytes } else { Form::Text };
        Self { name: name.to_ascii_lowercase(), form }
    }

    /// The media type of the answer, if `range` (without parameters) takes this one.
    fn answers(&self, range: &str) -> Option<String> {
        if range.starts_with(VENDOR) {
            return None;
        }
        if self.name == ANY {
            return Some(if range.contains('*') { UNNAMED } else { range }.to_owned());
        }
        let is_taken = match range.strip_suffix("/*") {
            Some(kind) => kind == "*" || self.name.split('/').next() == Some(kind),
            None => range == self.name,
        };
        is_taken.then(|| self.name.clone())
    }

    /// The media type of the answer to `accept`, if this is the first in it that fits. `is_built_in` says which others are
    /// served.
    pub fn chosen(&self, accept: &str, is_built_in: impl Fn(&str) -> bool) -> Option<String> {
        for range in ranges(accept) {
            if let Some(name) = self.answers(&range) {
                return Some(name);
            }
            if is_built_in(&range) {
                return None;
            }
        }
        None
    }
}

impl Handler {
    pub fn aggregate(raw: &RawHandler, of: Option<RelationId>) -> Self {
        Self { media: MediaType::new(&raw.media, &raw.base), sql: raw.sql.clone(), makes: Makes::Body, of }
    }

    pub fn features(sql: &str) -> Self {
        let media = MediaType::new("application/geo+json", "json");
        Self { media, sql: sql.to_owned(), makes: Makes::Feature, of: None }
    }
}

impl Schema {
    /// The handler of rows of a relation that is the first to fit in `accept`, and the media type of its answer. One of the
    /// relation alone goes before one of all, and one for every type before one for this.
    pub fn handler(
        &self,
        accept: &str,
        relation: RelationId,
        is_built_in: impl Fn(&str) -> bool,
    ) -> Option<(&Handler, String)> {
        let mut here: Vec<&Handler> =
            self.handlers.iter().filter(|one| one.of.is_none_or(|of| of == relation)).collect();
        here.sort_by_key(|one| (one.media.name != ANY, one.of.is_none()));
        for range in ranges(accept) {
            if range.starts_with(VENDOR) {
                return None;
            }
            // Where any type will do, what was there before handlers were made stays: JSON.
            let wanted = if range == ANY { "application/json" } else { range.as_str() };
            let found = here.iter().find_map(|one| match one.media.name.as_str() {
                ANY => Some((*one, one.media.answers(&range)?)),
                name => (name == wanted).then(|| (*one, one.media.name.clone())),
            });
            if found.is_some() {
                return found;
            }
            if is_built_in(&range) {
                return None;
            }
        }
        None
    }
}

/// The media ranges of `Accept` without their parameters, in order.
fn ranges(accept: &str) -> impl Iterator<Item = String> {
    let accept = if accept.trim().is_empty() { ANY } else { accept };
    accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handler(name: &str, of: Option<RelationId>) -> Handler {
        let raw =
            RawHandler { media: name.to_owned(), sql: name.to_owned(), relation: 0, base: "text".to_owned() };
        Handler::aggregate(&raw, of)
    }

    #[test]
    fn the_first_range_that_somebody_makes_is_answered() {
        let schema = Schema {
            handlers: vec![
                handler("Text/Tab", None),
                handler("text/csv", Some(1)),
                handler("*/*", Some(2)),
                handler("application/vnd.pgrst.object", Some(1)),
            ],
            ..Schema::default()
        };
        let built_in = |range: &str| {
            ["application/json", "text/csv", "*/*", "application/vnd.pgrst.object"].contains(&range)
        };
        for (accept, relation, wanted) in [
            ("text/tab", 0, Some("text/tab")),
            ("text/csv, text/tab", 0, None),
            ("image/png, text/tab;q=0.1", 0, Some("text/tab")),
            ("text/csv", 1, Some("text/csv")),
            ("", 1, None),
            ("*/*", 1, None),
            ("application/vnd.pgrst.object, text/csv", 1, None),
            ("image/png", 2, Some("image/png")),
            ("", 2, Some("application/octet-stream")),
            ("application/json", 2, Some("application/json")),
            ("application/vnd.pgrst.object", 2, None),
            ("image/png", 0, None),
        ] {
            let found = schema.handler(accept, relation, built_in).map(|(_, name)| name);
            assert_eq!(found.as_deref(), wanted, "{accept:?} of {relation}");
        }
    }

    #[test]
    fn a_function_answers_in_its_own_type() {
        let png = MediaType::new("image/png", "bytea");
        let built_in = |range: &str| range == "application/json";
        for (accept, wanted) in [
            ("image/png", true),
            ("image/*", true),
            ("", true),
            ("application/json, image/png", false),
            ("text/html", false),
        ] {
            assert_eq!(png.chosen(accept, built_in).is_some(), wanted, "{accept:?}");
        }
        assert_eq!(png.form, Form::Bytes);
    }
}
