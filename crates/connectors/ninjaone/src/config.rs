//! What a connection to one NinjaOne host needs.
use std::sync::Arc;

use connector_api::{CallCounts, HttpConfig, Quota, RetryPolicy};
use secrecy::SecretString;

/// Rows that one page may ask for.
pub const PAGE_ROWS_MAX: u32 = 1_000;
/// The class of calls that read reports over all devices: they wait for each other, never alerts or actions for them.
pub const REPORTS: &str = "reports";
/// Our own bound, because the vendor publishes none.
pub const REPORT_CALLS_PER_MINUTE_MAX: u32 = 1_200;
/// The vendor names no figure; large integrations stay at a few calls at once.
pub const CONCURRENCY_MAX: usize = 4;
pub const TIMEOUT_MS: u64 = 30_000;
/// A page of 1,000 detailed devices is about 3 MB.
pub const RESPONSE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One API app on one host. Each host is an island: a client id of one is unknown to the others.
#[derive(Clone, Debug)]
pub struct Config {
    /// `https://app.ninjarmm.com` (US), `us2`, `eu`, `ca`, `oc`, `fed`; or a sandbox. Without a path.
    pub base_url: String,
    pub client_id: String,
    pub client_secret: SecretString,
    /// Space-separated scopes; `None` asks for all that the app was given.
    pub scope: Option<String>,
    /// For one attempt of one call.
    pub timeout_ms: u64,
    pub concurrency_max: usize,
    pub response_bytes_max: usize,
    pub retry: RetryPolicy,
    pub counts: Arc<CallCounts>,
}

impl Config {
    pub fn new(
        base_url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: SecretString,
    ) -> Self {
        Self {
            base_url: base_url.into(),
            client_id: client_id.into(),
            client_secret,
            scope: None,
            timeout_ms: TIMEOUT_MS,
            concurrency_max: CONCURRENCY_MAX,
            response_bytes_max: RESPONSE_BYTES_MAX,
            retry: RetryPolicy::default(),
            counts: Arc::default(),
        }
    }

    /// For tests: retries wait a millisecond or two.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Where every attempt is counted.
    #[must_use]
    pub fn with_counts(mut self, counts: Arc<CallCounts>) -> Self {
        self.counts = counts;
        self
    }

    #[must_use]
    pub fn with_timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }

    pub(crate) fn http(&self) -> HttpConfig {
        HttpConfig {
            timeout_ms: self.timeout_ms,
            concurrency_max: self.concurrency_max,
            response_bytes_max: self.response_bytes_max,
            request_id_header: "x-nj-request-id",
            user_agent: Some(concat!("OberaConnect/", env!("CARGO_PKG_VERSION"))),
            retry: self.retry,
            quotas: vec![Quota::of(REPORTS, REPORT_CALLS_PER_MINUTE_MAX, 60_000)],
            counts: self.counts.clone(),
            ..HttpConfig::new(self.base_url.clone())
        }
    }
}
