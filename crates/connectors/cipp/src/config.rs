//! What a connection to one CIPP deployment needs.
use std::sync::Arc;

use connector_api::{CallCounts, HttpConfig, Quota, RetryPolicy, VendorError};
use secrecy::SecretString;

pub const LOGIN_URL: &str = "https://login.microsoftonline.com";
/// Technicians use the same deployment, and every call becomes calls of Graph behind it.
pub const CONCURRENCY_MAX: usize = 4;
pub const CALLS_PER_MINUTE_MAX: u32 = 240;
/// A deployment that slept needs this long for its first answer.
pub const TIMEOUT_MS: u64 = 60_000;
/// A deployment that was not called for so long sleeps.
pub const IDLE_S: i64 = 600;
pub const RESPONSE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One API client of one deployment.
#[derive(Clone, Debug)]
pub struct Config {
    /// `https://login.microsoftonline.com`; of a sandbox `http://127.0.0.1:PORT/login`.
    pub login_url: String,
    /// The deployment, without `/api`: `https://cipp.msp.example`; of a sandbox `http://127.0.0.1:PORT/cipp`.
    pub api_url: String,
    /// The Entra tenant that the deployment's API client is registered in.
    pub tenant_id: String,
    pub client_id: String,
    pub client_secret: SecretString,
    /// For one attempt of one call.
    pub timeout_ms: u64,
    pub concurrency_max: usize,
    pub quotas: Vec<Quota>,
    pub response_bytes_max: usize,
    pub retry: RetryPolicy,
    pub counts: Arc<CallCounts>,
}

impl Config {
    /// Refuses what the vendor would answer with words about something else. `/api` at the end of the address is cut off.
    pub fn new(
        login_url: impl Into<String>,
        api_url: impl Into<String>,
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: SecretString,
    ) -> Result<Self, VendorError> {
        let api_url: String = api_url.into();
        let api_url = api_url.trim().trim_end_matches('/');
        let config = Self {
            login_url: login_url.into().trim().trim_end_matches('/').to_owned(),
            api_url: api_url.strip_suffix("/api").unwrap_or(api_url).trim_end_matches('/').to_owned(),
            tenant_id: tenant_id.into().trim().to_ascii_lowercase(),
            client_id: client_id.into().trim().to_owned(),
            client_secret,
            timeout_ms: TIMEOUT_MS,
            concurrency_max: CONCURRENCY_MAX,
            quotas: vec![Quota::per_minute(CALLS_PER_MINUTE_MAX)],
            response_bytes_max: RESPONSE_BYTES_MAX,
            retry: RetryPolicy::default(),
            counts: Arc::default(),
        };
        config.check()?;
        Ok(config)
    }

    pub(crate) fn check(&self) -> Result<(), VendorError> {
        let refused = |reason: &str| Err(VendorError::Misconfigured { reason: reason.into() });
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
        if self.client_id.is_empty() || !plain(&self.client_id) {
            return refused("a client id is needed: the application id of the API client, as CIPP shows it");
        }
        if matches!(self.tenant_id.as_str(), "" | "common" | "organizations" | "consumers") {
            return refused("a tenant id is needed: the Entra tenant that the CIPP deployment belongs to");
        }
        if !plain(&self.tenant_id) {
            return refused("the tenant id is neither an id nor a domain");
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

    /// The resource that a token is for.
    pub(crate) fn scope(&self) -> String {
        format!("api://{}/.default", self.client_id)
    }

    pub(crate) fn login_http(&self) -> HttpConfig {
        HttpConfig { quotas: Vec::new(), ..self.http(self.login_url.clone(), "x-ms-request-id") }
    }

    pub(crate) fn api_http(&self) -> HttpConfig {
        self.http(self.api_url.clone(), "request-context")
    }

    fn http(&self, base_url: String, request_id_header: &'static str) -> HttpConfig {
        HttpConfig {
            timeout_ms: self.timeout_ms,
            concurrency_max: self.concurrency_max,
            quotas: self.quotas.clone(),
            response_bytes_max: self.response_bytes_max,
            request_id_header,
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
        let made = |tenant: &str, client: &str| {
            Config::new(LOGIN_URL, "https://cipp.msp.example/api/", tenant, client, "secret".into())
        };
        for (tenant, client) in
            [("", "app"), ("Common", "app"), ("a/b", "app"), ("msp.example", " "), ("msp.example", "a b")]
        {
            assert!(
                matches!(made(tenant, client), Err(VendorError::Misconfigured { .. })),
                "{tenant} {client}"
            );
        }
        let config = made(" MSP.Example ", "app-1").unwrap();
        assert_eq!(
            (config.api_url.as_str(), config.tenant_id.as_str()),
            ("https://cipp.msp.example", "msp.example")
        );
        assert_eq!(config.scope(), "api://app-1/.default");
        assert!(!format!("{config:?}").contains("secret\""));
    }
}
