//! What a connection of one MSP to Microsoft 365 needs.
use std::sync::Arc;

use connector_api::{CallCounts, HttpConfig, Quota, RetryPolicy, VendorError};
use secrecy::SecretString;

use crate::quotas::QUOTAS;

pub const LOGIN_URL: &str = "https://login.microsoftonline.com";
pub const GRAPH_URL: &str = "https://graph.microsoft.com";
/// Of users; other lists keep the vendor's default.
pub const PAGE_ROWS_MAX: u32 = 999;
/// Of users with their sign-ins.
pub const PAGE_ROWS_SIGN_INS_MAX: u32 = 500;
/// Over all tenants. A tenant's directory takes 3,500 units in 10 seconds, its mail services 4 calls at once.
pub const CONCURRENCY_MAX: usize = 8;
pub const TIMEOUT_MS: u64 = 60_000;
pub const RESPONSE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Ends of the hosts that files are downloaded from, beside the configured one.
const FILE_HOSTS: &[&str] = &[".sharepoint.com", ".sharepoint.us", ".sharepoint.cn"];

/// One application in the MSP's own tenant.
#[derive(Clone, Debug)]
pub struct Config {
    /// `https://login.microsoftonline.com`; `.us` and `.partner.microsoftonline.cn` elsewhere; of a sandbox
    /// `http://127.0.0.1:PORT/login`.
    pub login_url: String,
    /// `https://graph.microsoft.com`, without `/v1.0`; of a sandbox `http://127.0.0.1:PORT/graph`.
    pub graph_url: String,
    pub client_id: String,
    pub client_secret: SecretString,
    /// The MSP's own tenant: the one that names its customers.
    pub home_tenant_id: String,
    /// For one attempt of one call.
    pub timeout_ms: u64,
    pub concurrency_max: usize,
    /// Of each tenant.
    pub quotas: Vec<Quota>,
    pub counts: Arc<CallCounts>,
    pub response_bytes_max: usize,
    pub retry: RetryPolicy,
}

impl Config {
    /// Refuses what the vendor would answer with words about something else.
    pub fn new(
        login_url: impl Into<String>,
        graph_url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: SecretString,
        home_tenant_id: impl Into<String>,
    ) -> Result<Self, VendorError> {
        let config = Self {
            login_url: login_url.into().trim().trim_end_matches('/').to_owned(),
            graph_url: graph_url.into().trim().trim_end_matches('/').to_owned(),
            client_id: client_id.into().trim().to_owned(),
            client_secret,
            home_tenant_id: home_tenant_id.into().trim().to_ascii_lowercase(),
            timeout_ms: TIMEOUT_MS,
            concurrency_max: CONCURRENCY_MAX,
            quotas: QUOTAS.to_vec(),
            counts: Arc::default(),
            response_bytes_max: RESPONSE_BYTES_MAX,
            retry: RetryPolicy::default(),
        };
        config.check()?;
        Ok(config)
    }

    pub(crate) fn check(&self) -> Result<(), VendorError> {
        let refused = |reason: &str| Err(VendorError::Misconfigured { reason: reason.into() });
        if self.client_id.is_empty() {
            return refused("a client id is needed: the application (client) id of the app registration");
        }
        if matches!(self.home_tenant_id.as_str(), "" | "common" | "organizations" | "consumers") {
            return refused("a home tenant id is needed: the directory (tenant) id of the MSP itself");
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        if !self.home_tenant_id.chars().all(plain) {
            return refused("the home tenant id is neither an id nor a domain");
        }
        if self.graph_url.ends_with("/v1.0") || self.graph_url.ends_with("/beta") {
            return refused("the address of Graph must not end with a version: the client adds it");
        }
        Ok(())
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

    pub(crate) fn login_http(&self) -> HttpConfig {
        self.http(self.login_url.clone(), "x-ms-request-id")
    }

    pub(crate) fn graph_http(&self) -> HttpConfig {
        self.http(self.graph_url.clone(), "request-id")
    }

    fn http(&self, base_url: String, request_id_header: &'static str) -> HttpConfig {
        HttpConfig {
            timeout_ms: self.timeout_ms,
            concurrency_max: self.concurrency_max,
            response_bytes_max: self.response_bytes_max,
            request_id_header,
            // The form that the vendor asks for: whose software, of whom, which version.
            user_agent: Some(concat!("ISV|OberaConnect|OberaConnect/", env!("CARGO_PKG_VERSION"))),
            further_hosts: FILE_HOSTS,
            retry: self.retry,
            counts: self.counts.clone(),
            ..HttpConfig::new(base_url)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused_before_the_vendor_does() {
        let home = "7f0c6d1e-0000-4000-8000-000000000001";
        let made = |graph: &str, client: &str, home: &str| {
            Config::new(LOGIN_URL, graph, client, "secret".into(), home)
        };
        for (graph, client, home) in [
            (GRAPH_URL, " ", home),
            (GRAPH_URL, "app", ""),
            (GRAPH_URL, "app", "Common"),
            (GRAPH_URL, "app", "a/../b"),
            ("https://graph.microsoft.com/v1.0/", "app", home),
        ] {
            let refused = made(graph, client, home);
            assert!(matches!(refused, Err(VendorError::Misconfigured { .. })), "{graph} {client} {home}");
        }
        let config = made("https://graph.microsoft.com/", "app", "MSP.Example").unwrap();
        assert_eq!((config.graph_url.as_str(), config.home_tenant_id.as_str()), (GRAPH_URL, "msp.example"));
        assert!(!format!("{config:?}").contains("secret\""));
    }
}
