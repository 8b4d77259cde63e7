//! One request of an attack, its twin about what exists nowhere, and what is wrong with their answers.
use std::fmt;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use tower::ServiceExt as _;

use super::world::{Expect, Raider, Side};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Read,
    Write,
}

#[derive(Clone, Debug)]
pub struct Shot {
    /// `rest`, `functions`, …
    pub surface: &'static str,
    /// A relation, a function, a route.
    pub subject: String,
    pub kind: Kind,
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl fmt::Display for Shot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?} {}", self.method, self.path, self.headers, self.body)
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    /// Status, headers and body, without what differs between any two answers.
    pub text: String,
}

/// Headers that differ between any two answers.
const OWN_HEADERS: &[&str] = &["date", "x-request-id", "content-length", "server-timing"];

impl Shot {
    pub fn new(surface: &'static str, subject: &str, method: &'static str, path: impl Into<String>) -> Self {
        let kind = if matches!(method, "GET" | "HEAD") { Kind::Read } else { Kind::Write };
        let (subject, headers, body) = (subject.to_owned(), Vec::new(), String::new());
        Self { surface, subject, kind, method, path: path.into(), headers, body }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn json(mut self, body: &serde_json::Value) -> Self {
        self.body = body.to_string();
        self.header("content-type", "application/json")
    }

    pub fn reading(mut self) -> Self {
        self.kind = Kind::Read;
        self
    }

    /// The same about what exists nowhere.
    pub fn twin(&self, side: &Side) -> Self {
        let mut twin = self.clone();
        twin.path = side.ghostly(&twin.path);
        twin.body = side.ghostly(&twin.body);
        for (_, value) in &mut twin.headers {
            *value = side.ghostly(value);
        }
        twin
    }

    pub async fn send(&self, router: &Router, raider: &Raider) -> Answer {
        let mut request = Request::builder().method(self.method).uri(testkit::encode_url(&self.path));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = &raider.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request =
            request.body(Body::from(self.body.clone())).unwrap_or_else(|error| panic!("{self}: {error}"));
        let (parts, body) = router.clone().oneshot(request).await.expect("infallible").into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        let mut text = format!("{}\n", parts.status.as_u16());
        for (name, value) in &parts.headers {
            if !OWN_HEADERS.contains(&name.as_str()) {
                text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
            }
        }
        text.push_str(&String::from_utf8_lossy(&bytes));
        Answer { status: parts.status, text }
    }

    /// Shoots, and says what is wrong.
    pub async fn fire(&self, router: &Router, raider: &Raider, side: &Side) -> Option<String> {
        let answer = self.send(router, raider).await;
        let wrong =
            |what: String| Some(format!("{} | {self}\n    {what}\n    {:.1200}", raider.label, answer.text));
        if answer.status.is_server_error() {
            return wrong("a fault of the server".to_owned());
        }
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            return wrong("refused for its rate, which proves nothing".to_owned());
        }
        match raider.expect {
            Expect::NoFault => return None,
            Expect::Refusal if answer.status != StatusCode::UNAUTHORIZED && !self.is_for_everybody() => {
                return wrong("not refused".to_owned());
            }
            Expect::Refusal | Expect::Nothing => {}
        }
        if let Some(value) = side.told_in(&answer.text, &self.to_string()) {
            return wrong(format!("told {value}"));
        }
        let twin = self.twin(side);
        if raider.expect == Expect::Refusal || twin.to_string() == self.to_string() {
            return None;
        }
        let of_nobody = twin.send(router, raider).await;
        if side.ghostly(&answer.text) != of_nobody.text {
            return wrong(format!(
                "what exists nowhere is answered otherwise: {:.1200}\n    and this:",
                of_nobody.text
            ));
        }
        None
    }

    /// Answered without looking at the token: documents and sign-in itself.
    fn is_for_everybody(&self) -> bool {
        self.surface == "auth" || self.surface == "realtime" || self.surface == "public"
    }
}
