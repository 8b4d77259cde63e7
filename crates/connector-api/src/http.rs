//! One HTTP client per vendor connection: bounded in time, size, concurrency and retries.
use std::sync::{Arc, Once};
use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;
use kernel::Clock;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::pace::Pace;
use crate::retry::retry_after;
use crate::{RetryPolicy, Stage, VendorError};

/// Time to open a connection, inside the time of the call.
const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// Connections kept open while nobody uses them.
const IDLE_CONNECTIONS_MAX: usize = 8;

#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Scheme, host, and the path that every call's path is appended to.
    pub base_url: String,
    /// For one attempt, from connect to the last byte.
    pub timeout_ms: u64,
    pub response_bytes_max: usize,
    /// Attempts under way at the same time.
    pub concurrency_max: usize,
    /// Attempts in any minute; `None` counts none. More wait for their turn.
    pub calls_per_minute_max: Option<u32>,
    /// The header in which the vendor names the request.
    pub request_id_header: &'static str,
    /// Who we say we are; `None` says nothing.
    pub user_agent: Option<&'static str>,
    pub retry: RetryPolicy,
}

impl HttpConfig {
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            timeout_ms: 30_000,
            response_bytes_max: 64 * 1024 * 1024,
            concurrency_max: 4,
            calls_per_minute_max: None,
            request_id_header: "x-request-id",
            user_agent: None,
            retry: RetryPolicy::default(),
        }
    }
}

/// One request. `Debug` shows no token and no body.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    place: Place,
    path: String,
    query: Vec<(&'static str, String)>,
    headers: Vec<(String, SecretString)>,
    bearer: Option<SecretString>,
    body: Body,
    expect: Expect,
    repeat: Repeat,
    timeout_ms: Option<u64>,
}

#[derive(Clone)]
enum Body {
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
enum Place {
    /// Appended to the base address.
    Below,
    /// A whole address that the vendor gave.
    Link,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Json,
    Anything,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
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

    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
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

    #[must_use]
    pub fn timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = Some(timeout_ms);
        self
    }
}

/// A complete answer with any status but 429. With a JSON call it is never a page.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub request_id: Option<String>,
    pub observed_at: Timestamp,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn json(&self) -> Result<Value, VendorError> {
        serde_json::from_slice(&self.body).map_err(|error| VendorError::shape("$", error.to_string()))
    }
}

/// Cheap to clone: clones share connections and the bounds on concurrency and pace.
#[derive(Clone, Debug)]
pub struct HttpClient {
    inner: reqwest::Client,
    base: Url,
    config: Arc<HttpConfig>,
    permits: Arc<Semaphore>,
    pace: Option<Arc<Pace>>,
    clock: Clock,
}

impl HttpClient {
    pub fn new(config: HttpConfig, clock: Clock) -> Result<Self, VendorError> {
        install_tls_provider();
        let misconfigured = |reason: String| VendorError::Misconfigured { reason };
        let base = Url::parse(config.base_url.trim_end_matches('/'))
            .map_err(|error| misconfigured(format!("base address: {error}")))?;
        if !matches!(base.scheme(), "https" | "http") || base.host_str().is_none() {
            return Err(misconfigured("base address: http or https with a host".into()));
        }
        // A redirect of an API is an error, and following one would hand the token to another place.
        let named = config.user_agent.map(HeaderValue::from_static);
        let headers = named.map(|name| (USER_AGENT, name)).into_iter().collect();
        let inner = reqwest::Client::builder()
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(Duration::from_millis(CONNECT_TIMEOUT_MS))
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .no_proxy()
            .build()
            .map_err(|error| misconfigured(plain(&error)))?;
        let permits = Arc::new(Semaphore::new(config.concurrency_max.max(1)));
        let pace = config.calls_per_minute_max.map(|calls| Arc::new(Pace::per_minute(calls)));
        Ok(Self { inner, base, config: Arc::new(config), permits, pace, clock })
    }

    /// A client with its own pace (calls in any minute), which shares connections and all other bounds with this one.
    #[must_use]
    pub fn with_own_pace(&self, calls_per_minute_max: u32) -> Self {
        Self { pace: Some(Arc::new(Pace::per_minute(calls_per_minute_max))), ..self.clone() }
    }

    /// Sends and, where that is safe, sends again. 5xx with JSON comes back as an answer, so that the vendor's
    /// client can read its words.
    pub async fn send(&self, call: &Call) -> Result<Answer, VendorError> {
        let mut waited = Duration::ZERO;
        let mut attempt = 1;
        loop {
            let outcome = self.attempt(call).await;
            let again = again(call, &outcome);
            let outcome = outcome.map(|exchange| exchange.answer);
            let Some(asked) = again else { return outcome };
            let jitter = rand::random_range(0.0..=1.0);
            let Some(wait) = self.config.retry.wait(attempt, waited, asked, jitter) else { return outcome };
            tracing::debug!(
                path = call.path,
                attempt,
                wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                "asking the vendor again"
            );
            tokio::time::sleep(wait).await;
            waited += wait;
            attempt += 1;
        }
    }

    async fn attempt(&self, call: &Call) -> Result<Exchange, VendorError> {
        let request = self.request(call)?;
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| VendorError::Misconfigured { reason: "the client was closed".into() })?;
        if let Some(pace) = &self.pace {
            pace.wait().await;
        }
        let after_ms = call.timeout_ms.unwrap_or(self.config.timeout_ms);
        tokio::time::timeout(Duration::from_millis(after_ms), self.exchange(call, request))
            .await
            .unwrap_or(Err(VendorError::Timeout { after_ms }))
    }

    fn request(&self, call: &Call) -> Result<reqwest::Request, VendorError> {
        let mut url = match call.place {
            Place::Below => {
                let mut url = self.base.clone();
                url.set_path(&format!("{}{}", self.base.path().trim_end_matches('/'), call.path));
                url
            }
            Place::Link => self.given(&call.path)?,
        };
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &call.headers {
            headers.append(header_name(name)?, header_value(value.expose_secret())?);
        }
        if let Some(token) = &call.bearer {
            let value = header_value(&format!("Bearer {}", token.expose_secret()))?;
            headers.insert(reqwest::header::AUTHORIZATION, value);
        }
        let request = self.inner.request(call.method.clone(), url).headers(headers);
        let request = match &call.body {
            Body::Empty => request,
            Body::Json(body) => request.json(body),
            Body::JsonText(body) => request.header(CONTENT_TYPE, "application/json").body(body.clone()),
            Body::Form(fields) => {
                let fields: Vec<_> =
                    fields.iter().map(|(name, value)| (name, value.expose_secret())).collect();
                request.form(&fields)
            }
        };
        request.build().map_err(|error| VendorError::Misconfigured { reason: plain(&error) })
    }

    fn given(&self, link: &str) -> Result<Url, VendorError> {
        let refused = |reason: &str| VendorError::shape("link", reason);
        let url = Url::parse(link).map_err(|_| refused("not an address"))?;
        let place = |url: &Url| {
            (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default())
        };
        let below = format!("{}/", self.base.path().trim_end_matches('/'));
        let ours = place(&url) == place(&self.base)
            && url.path().starts_with(&below)
            && url.username().is_empty()
            && url.password().is_none();
        ours.then_some(url).ok_or_else(|| refused("it leads to another place than the configured one"))
    }

    async fn exchange(&self, call: &Call, request: reqwest::Request) -> Result<Exchange, VendorError> {
        let response = self.inner.execute(request).await.map_err(connection)?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = header(RETRY_AFTER.as_str()).and_then(|value| retry_after(value, self.clock.now()));
        if status == 429 {
            return Err(VendorError::Throttled { retry_after });
        }
        let content_type = header(CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
        let request_id = header(self.config.request_id_header).map(str::to_owned);
        let body = read(response, self.config.response_bytes_max).await?;
        if call.expect == Expect::Json && is_page(&content_type, &body) {
            return Err(VendorError::NotJson { status, content_type });
        }
        let answer = Answer { status, content_type, request_id, observed_at: self.clock.now(), body };
        Ok(Exchange { answer, retry_after })
    }
}

/// An answer, and how long the vendor asked to wait.
struct Exchange {
    answer: Answer,
    retry_after: Option<Duration>,
}

/// Whether to try again, and how long the vendor asked to wait.
fn again(call: &Call, outcome: &Result<Exchange, VendorError>) -> Option<Option<Duration>> {
    if let Err(VendorError::Connection { stage: Stage::Connect, .. }) = outcome {
        return Some(None);
    }
    if call.repeat == Repeat::OnlyIfNeverSent {
        return None;
    }
    match outcome {
        Ok(exchange) => (exchange.answer.status >= 500).then_some(exchange.retry_after),
        Err(VendorError::Throttled { retry_after }) => Some(*retry_after),
        Err(error) => error.is_transient().then_some(None),
    }
}

async fn read(response: reqwest::Response, bytes_max: usize) -> Result<Vec<u8>, VendorError> {
    let declared = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if declared > bytes_max {
        return Err(VendorError::TooLarge { bytes_max });
    }
    let mut body = Vec::with_capacity(declared);
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(connection)?;
        if body.len() + chunk.len() > bytes_max {
            return Err(VendorError::TooLarge { bytes_max });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A page instead of JSON: by its content type, or by its first character when the type says nothing.
fn is_page(content_type: &str, body: &[u8]) -> bool {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    if media == "application/json" || media.ends_with("+json") {
        return false;
    }
    media == "text/html" || body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

fn header_name(name: &str) -> Result<HeaderName, VendorError> {
    name.parse().map_err(|_| VendorError::Misconfigured { reason: "a header name is not valid".into() })
}

fn header_value(value: &str) -> Result<HeaderValue, VendorError> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| VendorError::Misconfigured { reason: "a header value is not valid".into() })?;
    value.set_sensitive(true);
    Ok(value)
}

fn connection(error: reqwest::Error) -> VendorError {
    let stage = if error.is_connect() { Stage::Connect } else { Stage::Exchange };
    VendorError::Connection { stage, reason: plain(&error) }
}

/// The innermost cause: without the address, which may hold a secret of the user's own.
fn plain(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if std::ptr::addr_eq(cause, error) { "the request could not be made".into() } else { cause.to_string() }
}

/// rustls wants its provider named once per process. Another part of the program may have done it already.
fn install_tls_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            tracing::debug!("a TLS provider was installed before");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_from_json() {
        assert!(is_page("text/html; charset=utf-8", b"<html>"));
        assert!(is_page("", b"  <!doctype html>"));
        assert!(!is_page("application/json", b"<"));
        assert!(!is_page("application/problem+json", b"{}"));
        assert!(!is_page("text/plain", b"42"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let call = Call::post("/x")
            .bearer("token-1".into())
            .header("authorization", "header-1".into())
            .form(vec![("client_secret", "form-1".into())]);
        let text = format!("{call:?}");
        assert!(["token-1", "header-1", "form-1"].iter().all(|secret| !text.contains(secret)), "{text}");
    }

    #[test]
    fn a_base_address_must_be_http() {
        for bad in ["", "nonsense", "ftp://x", "file:///etc/passwd"] {
            let made = HttpClient::new(HttpConfig::new(bad), Clock::system());
            assert!(matches!(made, Err(VendorError::Misconfigured { .. })), "{bad}");
        }
    }
}
