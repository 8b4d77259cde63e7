//! One HTTP client per vendor connection: bounded in time, size, concurrency and retries.
use std::sync::{Arc, Once};
use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;
use kernel::Clock;
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::call::{Body, Call, Expect, Place, Repeat};
use crate::quota::{Buckets, CallCounts, Counted, Quota};
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
    /// Attempts beyond these wait for their turn.
    pub quotas: Vec<Quota>,
    /// Where every attempt is counted.
    pub counts: Arc<CallCounts>,
    /// The header in which the vendor names the request.
    pub request_id_header: &'static str,
    /// Who we say we are; `None` says nothing.
    pub user_agent: Option<&'static str>,
    /// Ends of host names, such as `.sharepoint.com`, to which [`Call::elsewhere`] may lead over https.
    pub further_hosts: &'static [&'static str],
    pub retry: RetryPolicy,
}

impl HttpConfig {
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            timeout_ms: 30_000,
            response_bytes_max: 64 * 1024 * 1024,
            concurrency_max: 4,
            quotas: Vec::new(),
            counts: Arc::default(),
            request_id_header: "x-request-id",
            user_agent: None,
            further_hosts: &[],
            retry: RetryPolicy::default(),
        }
    }
}

/// A complete answer with any status but 429. With a JSON call it is never a page.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub request_id: Option<String>,
    pub observed_at: Timestamp,
    /// Where the vendor sends the caller on to. It may hold a right: neither log nor keep it.
    pub location: Option<String>,
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

/// Cheap to clone: clones share connections, quotas and the bound on concurrency.
#[derive(Clone, Debug)]
pub struct HttpClient {
    inner: reqwest::Client,
    base: Url,
    config: Arc<HttpConfig>,
    permits: Arc<Semaphore>,
    buckets: Arc<Buckets>,
    /// Of one of the customers behind the connection.
    share: Option<Share>,
    clock: Clock,
}

/// What one customer may take of a connection: its own quotas, and so few calls at once that the others get their turn.
#[derive(Clone, Debug)]
struct Share {
    tenant: Arc<str>,
    buckets: Arc<Buckets>,
    permits: Arc<Semaphore>,
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
        let buckets = Arc::new(Buckets::new(&config.quotas));
        Ok(Self { inner, base, config: Arc::new(config), permits, buckets, share: None, clock })
    }

    /// A client for one customer behind this connection: with quotas and a bound on concurrency of its own beside those that
    /// it shares with all.
    #[must_use]
    pub fn share(&self, tenant: &str, quotas: &[Quota], concurrency_max: usize) -> Self {
        let share = Share {
            tenant: tenant.into(),
            buckets: Arc::new(Buckets::new(quotas)),
            permits: Arc::new(Semaphore::new(concurrency_max.max(1))),
        };
        Self { share: Some(share), ..self.clone() }
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

    /// Its turn comes in this order: the customer's own calls at once, the quotas, the calls at once of all. So no customer
    /// that waits for its quota keeps another from calling.
    async fn attempt(&self, call: &Call) -> Result<Exchange, VendorError> {
        let request = self.request(call)?;
        let _own = match &self.share {
            Some(share) => Some(permit(&share.permits).await?),
            None => None,
        };
        self.config.counts.spend(call.class, self.tenant(), call.units, self.clock.now())?;
        let patience = Duration::from_millis(self.config.retry.wait_total_ms_max);
        let mut waited = Duration::ZERO;
        for buckets in self.share.iter().map(|share| &share.buckets).chain([&self.buckets]) {
            waited += buckets.wait(call.class, call.units, patience).await?;
        }
        let _shared = permit(&self.permits).await?;
        let after_ms = call.timeout_ms.unwrap_or(self.config.timeout_ms);
        let outcome = tokio::time::timeout(Duration::from_millis(after_ms), self.exchange(call, request))
            .await
            .unwrap_or(Err(VendorError::Timeout { after_ms }));
        self.came_to(call, &outcome, waited);
        outcome
    }

    /// Counts an attempt, and keeps away for as long as the vendor asked to.
    fn came_to(&self, call: &Call, outcome: &Result<Exchange, VendorError>, waited: Duration) {
        let (throttled, failed, asked) = match outcome {
            Err(VendorError::Throttled { retry_after }) => (1, 0, *retry_after),
            Ok(exchange) if exchange.answer.status >= 500 => (0, 1, exchange.retry_after),
            Ok(_) => (0, 0, None),
            Err(_) => (0, 1, None),
        };
        if let Some(wait) = asked {
            let buckets = self.share.as_ref().map_or(&self.buckets, |share| &share.buckets);
            buckets.stay_away(call.class, wait);
        }
        let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        let counted = Counted { calls: 1, units: 0, throttled, failed, waited_ms };
        self.config.counts.add(call.class, self.tenant(), counted);
    }

    fn tenant(&self) -> &str {
        self.share.as_ref().map_or("", |share| &share.tenant)
    }

    /// Where `call` goes, for a page that a person opens.
    pub fn address(&self, call: &Call) -> Result<String, VendorError> {
        self.url(call).map(String::from)
    }

    fn url(&self, call: &Call) -> Result<Url, VendorError> {
        let mut url = match call.place {
            Place::Below => {
                let mut url = self.base.clone();
                url.set_path(&format!("{}{}", self.base.path().trim_end_matches('/'), call.path));
                url
            }
            Place::Link => self.given(&call.path)?,
            Place::Elsewhere if call.bearer.is_some() => {
                let reason = "a token is not sent to another place".into();
                return Err(VendorError::Misconfigured { reason });
            }
            Place::Elsewhere => self.given_elsewhere(&call.path)?,
        };
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        Ok(url)
    }

    fn request(&self, call: &Call) -> Result<reqwest::Request, VendorError> {
        let url = self.url(call)?;
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

    fn given_elsewhere(&self, link: &str) -> Result<Url, VendorError> {
        let refused = |reason: &str| VendorError::shape("location", reason);
        let url = Url::parse(link).map_err(|_| refused("not an address"))?;
        let place = |url: &Url| (url.scheme().to_owned(), url.port_or_known_default());
        let host = url.host_str().unwrap_or_default();
        let is_base = place(&url) == place(&self.base) && url.host_str() == self.base.host_str();
        let is_further = url.scheme() == "https"
            && url.port().is_none()
            && self.config.further_hosts.iter().any(|end| host.ends_with(end));
        let is_plain = url.username().is_empty() && url.password().is_none();
        (is_plain && (is_base || is_further))
            .then_some(url)
            .ok_or_else(|| refused("it leads to a host that is not the vendor's"))
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
        let location = header(LOCATION.as_str()).map(str::to_owned);
        let bytes_max = self.config.response_bytes_max;
        let body = read(response, call.bytes_max.map_or(bytes_max, |own| own.min(bytes_max))).await?;
        if call.expect == Expect::Json && is_page(&content_type, &body) {
            return Err(VendorError::NotJson { status, content_type });
        }
        let answer =
            Answer { status, content_type, request_id, observed_at: self.clock.now(), location, body };
        Ok(Exchange { answer, retry_after })
    }
}

async fn permit(permits: &Semaphore) -> Result<SemaphorePermit<'_>, VendorError> {
    let closed = |_| VendorError::Misconfigured { reason: "the client was closed".into() };
    permits.acquire().await.map_err(closed)
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
        Err(VendorError::QuotaUsed { .. }) => None,
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
    fn a_file_is_fetched_from_the_vendors_hosts_only_and_without_a_token() {
        let config =
            HttpConfig { further_hosts: &[".sharepoint.com"], ..HttpConfig::new("http://127.0.0.1:9/graph") };
        let client = HttpClient::new(config, Clock::system()).unwrap();
        let made = |call: Call| client.request(&call);
        for good in ["https://acme.sharepoint.com/x?t=1", "http://127.0.0.1:9/download/x"] {
            assert!(made(Call::elsewhere(good)).is_ok(), "{good}");
            assert!(made(Call::elsewhere(good).bearer("secret".into())).is_err(), "{good}");
        }
        for bad in [
            "http://acme.sharepoint.com/x",
            "https://acme.sharepoint.com:8443/x",
            "https://acme.sharepoint.com.evil.example/x",
            "https://evilsharepoint.com/x",
            "https://user@acme.sharepoint.com/x",
            "http://127.0.0.1:10/x",
            "https://127.0.0.1/x",
            "/x",
        ] {
            assert!(made(Call::elsewhere(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_base_address_must_be_http() {
        for bad in ["", "nonsense", "ftp://x", "file:///etc/passwd"] {
            let made = HttpClient::new(HttpConfig::new(bad), Clock::system());
            assert!(matches!(made, Err(VendorError::Misconfigured { .. })), "{bad}");
        }
    }
}
