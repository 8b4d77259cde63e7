//! First stage: HTTP to words. Nothing here knows the database's schema.
pub mod body;
pub mod cursor;
pub mod field;
pub mod filter;
pub mod order;
pub mod prefer;
pub mod query;
pub mod select;

use axum::http::{HeaderMap, Method, header};
use kernel::ApiError;

use crate::error;
use prefer::Prefer;

/// What is done to the path's resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Read,
    /// Like [`Verb::Read`], but only headers are answered.
    Head,
    Insert,
    /// `PUT`: one row by its key.
    Put,
    Update,
    Delete,
    Options,
}

impl Verb {
    pub fn of(method: &Method) -> Result<Self, ApiError> {
        Ok(match *method {
            Method::GET => Self::Read,
            Method::HEAD => Self::Head,
            Method::POST => Self::Insert,
            Method::PUT => Self::Put,
            Method::PATCH => Self::Update,
            Method::DELETE => Self::Delete,
            Method::OPTIONS => Self::Options,
            _ => return Err(error::method(method.as_str())),
        })
    }
}

/// The form of the answer's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    Json(Nulls),
    /// Exactly one row, as an object: anything else is an error.
    Object(Nulls),
    Csv,
    /// A function's single value as it is.
    Text,
    Bytes,
    Xml,
    /// How PostgreSQL would answer, instead of the answer.
    Plan(Explain),
    /// The description of the API.
    OpenApi,
}

/// `application/vnd.pgrst.plan+json; options=analyze|buffers`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explain {
    pub form: ExplainForm,
    /// One bit per entry of [`EXPLAIN_OPTIONS`].
    pub options: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplainForm {
    Text,
    Json,
}

pub const EXPLAIN_OPTIONS: &[&str] = &["analyze", "verbose", "settings", "buffers", "wal"];

impl Explain {
    fn parse<'a>(name: &str, parameters: impl Iterator<Item = &'a str>) -> Self {
        let mut options = 0;
        for list in parameters.filter_map(|parameter| parameter.strip_prefix("options=")) {
            for word in list.trim_matches('"').split('|') {
                if let Some(at) = EXPLAIN_OPTIONS.iter().position(|option| *option == word) {
                    options |= 1 << at;
                }
            }
        }
        let form = if name.ends_with("+json") { ExplainForm::Json } else { ExplainForm::Text };
        Self { form, options }
    }

    pub fn options(self) -> impl Iterator<Item = &'static str> {
        let chosen = EXPLAIN_OPTIONS.iter().enumerate().filter(move |(at, _)| self.options & (1 << at) != 0);
        chosen.map(|(_, option)| *option)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    Kept,
    Stripped,
}

impl Media {
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json(Nulls::Kept) => "application/json; charset=utf-8",
            Self::Json(Nulls::Stripped) => "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8",
            Self::Object(Nulls::Kept) => "application/vnd.pgrst.object+json; charset=utf-8",
            Self::Object(Nulls::Stripped) => {
                "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8"
            }
            Self::Csv => "text/csv; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
            Self::Bytes => "application/octet-stream",
            Self::Xml => "text/xml; charset=utf-8",
            Self::Plan(Explain { form: ExplainForm::Text, .. }) => {
                "application/vnd.pgrst.plan+text; for=\"application/json\"; charset=utf-8"
            }
            Self::Plan(Explain { form: ExplainForm::Json, .. }) => {
                "application/vnd.pgrst.plan+json; for=\"application/json\"; charset=utf-8"
            }
            Self::OpenApi => "application/openapi+json; charset=utf-8",
        }
    }

    /// The media types of `Accept` that are served somewhere, in their order; JSON when there is none.
    fn accepted(accept: Option<&str>) -> Accepted {
        let json = Self::Json(Nulls::Kept);
        let Some(accept) = accept.filter(|text| !text.trim().is_empty()) else {
            return Accepted { first: Some(json), rows: Some(json) };
        };
        let mut known = accept.split(',').filter_map(Self::one).peekable();
        Accepted { first: known.peek().copied(), rows: known.find(|media| media.is_of_rows()) }
    }

    /// Whether rows can be answered in this type without a handler.
    pub fn is_built_in(range: &str) -> bool {
        Self::one(range).is_some_and(|media| media.is_of_rows())
    }

    const fn is_of_rows(&self) -> bool {
        matches!(self, Self::Json(_) | Self::Object(_) | Self::Csv | Self::Plan(_))
    }

    fn one(range: &str) -> Option<Self> {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next()?.to_ascii_lowercase();
        let nulls = if parts.any(|part| part == "nulls=stripped") { Nulls::Stripped } else { Nulls::Kept };
        Some(match name.as_str() {
            "application/json" | "*/*" | "application/*" => Self::Json(Nulls::Kept),
            "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => Self::Json(nulls),
            "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Self::Object(nulls),
            "text/csv" | "text/*" => Self::Csv,
            "text/plain" => Self::Text,
            "application/octet-stream" => Self::Bytes,
            "text/xml" | "application/xml" => Self::Xml,
            "application/openapi+json" => Self::OpenApi,
            "application/vnd.pgrst.plan"
            | "application/vnd.pgrst.plan+text"
            | "application/vnd.pgrst.plan+json" => {
                Self::Plan(Explain::parse(&name, range.split(';').map(str::trim)))
            }
            _ => return None,
        })
    }
}

/// The forms that the caller takes.
#[derive(Clone, Copy, Debug)]
pub struct Accepted {
    /// `None`: nothing that is known without the schema.
    pub first: Option<Media>,
    /// The first that rows can be answered in.
    pub rows: Option<Media>,
}

/// The form of the request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    Json,
    Csv,
    Form,
    Text,
    Xml,
    Bytes,
}

/// What the headers ask for.
#[derive(Clone, Debug)]
pub struct Head {
    pub verb: Verb,
    pub prefer: Prefer,
    pub media: Media,
    /// Instead of the media type's own name, when the database makes the body.
    pub handled: Option<String>,
    pub accepted: Accepted,
    pub content: Content,
    pub range: Option<Window>,
    /// `Accept-Profile` or `Content-Profile`: the schema.
    pub profile: Option<String>,
}

/// Rows to answer: from `offset`, at most `limit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    pub offset: u64,
    pub limit: Option<u64>,
}

impl Head {
    pub fn parse(method: &Method, headers: &HeaderMap) -> Result<Self, ApiError> {
        let verb = Verb::of(method)?;
        let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let prefers = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        let profile =
            if matches!(verb, Verb::Read | Verb::Head) { "accept-profile" } else { "content-profile" };
        let accepted = Media::accepted(text(header::ACCEPT));
        Ok(Self {
            verb,
            accepted,
            media: accepted.first.unwrap_or(Media::Json(Nulls::Kept)),
            handled: None,
            prefer: Prefer::parse(prefers)?,
            content: content(text(header::CONTENT_TYPE))?,
            range: match verb {
                Verb::Read | Verb::Head => text(header::RANGE).map(window).transpose()?.flatten(),
                _ => None,
            },
            profile: headers.get(profile).and_then(|value| value.to_str().ok()).map(str::to_owned),
        })
    }
}

impl Head {
    /// The media type of an answer in this form.
    pub fn content_type(&self, media: Media) -> &str {
        self.handled.as_deref().unwrap_or(media.content_type())
    }
}

fn content(header: Option<&str>) -> Result<Content, ApiError> {
    let Some(header) = header else { return Ok(Content::Json) };
    let name = header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Ok(match name.as_str() {
        ""
        | "application/json"
        | "application/vnd.pgrst.object+json"
        | "application/vnd.pgrst.object"
        | "*/*" => Content::Json,
        "text/csv" => Content::Csv,
        "application/x-www-form-urlencoded" => Content::Form,
        "text/plain" => Content::Text,
        "text/xml" | "application/xml" => Content::Xml,
        "application/octet-stream" => Content::Bytes,
        _ => return Err(error::content_type(&name)),
    })
}

/// `Range: 0-9` in rows. Other units and unreadable values are ignored, as RFC 9110 says.
fn window(header: &str) -> Result<Option<Window>, ApiError> {
    let text = header.trim();
    let text = text.strip_prefix("items=").unwrap_or(text);
    let Some((from, to)) = text.split_once('-') else { return Ok(None) };
    let Ok(offset) = from.parse::<u64>() else { return Ok(None) };
    if to.is_empty() {
        return Ok(Some(Window { offset, limit: None }));
    }
    let Ok(last) = to.parse::<u64>() else { return Ok(None) };
    if last < offset {
        return Err(error::range(
            "The lower boundary must be lower than or equal to the upper boundary in the Range header."
                .to_owned(),
        ));
    }
    Ok(Some(Window { offset, limit: Some((last - offset).saturating_add(1)) }))
}
