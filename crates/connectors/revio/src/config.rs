//! What a connection to one Rev.io client (one MSP's books) needs.
use std::sync::Arc;

use connector_api::{CallCounts, DayQuota, HttpConfig, Per, Quota, RetryPolicy, VendorError};
use secrecy::SecretString;

pub const BASE_URL: &str = "https://restapi.rev.io";
/// Rows that one page may ask for. The vendor's own default is 10.
pub const PAGE_ROWS_MAX: u32 = 500;
/// The vendor's limit; the rest of a minute is answered with 429.
pub const CALLS_PER_MINUTE_MAX: u32 = 500;
/// The vendor refuses what is over it until the day ends.
pub const DAY: DayQuota = DayQuota { class: None, units_max: 150_000, per: Per::Connection };
/// The vendor names no figure for calls at once.
pub const CONCURRENCY_MAX: usize = 4;
pub const TIMEOUT_MS: u64 = 30_000;
pub const RESPONSE_BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(Clone, Debug)]
pub struct Config {
    /// Scheme and host, without `/v1`; of a sandbox `http://127.0.0.1:PORT/revio`.
    pub base_url: String,
    /// Of the API user, without the client code. Not an e-mail address.
    pub user: String,
    /// Names the MSP's books; a test client often ends with `_sandbox`.
    pub client_code: String,
    pub password: SecretString,
    /// Needed where the vendor has put API management in front: `Ocp-Apim-Subscription-Key`.
    pub subscription_key: Option<SecretString>,
    /// For one attempt of one call.
    pub timeout_ms: u64,
    pub concurrency_max: usize,
    /// Of this client and its clones. Two clients of the same books share the vendor's limit, and not this one.
    pub calls_per_minute_max: u32,
    pub response_bytes_max: usize,
    pub retry: RetryPolicy,
    pub counts: Arc<CallCounts>,
}

impl Config {
    /// Refuses what the vendor would answer with a 401 that says nothing.
    pub fn new(
        base_url: impl Into<String>,
        user: impl Into<String>,
        client_code: impl Into<String>,
        password: SecretString,
    ) -> Result<Self, VendorError> {
        let config = Self {
            base_url: base_url.into(),
            user: user.into().trim().to_owned(),
            client_code: client_code.into().trim().to_owned(),
            password,
            subscription_key: None,
            timeout_ms: TIMEOUT_MS,
            concurrency_max: CONCURRENCY_MAX,
            calls_per_minute_max: CALLS_PER_MINUTE_MAX,
            response_bytes_max: RESPONSE_BYTES_MAX,
            retry: RetryPolicy::default(),
            counts: Arc::default(),
        };
        config.check()?;
        Ok(config)
    }

    pub(crate) fn check(&self) -> Result<(), VendorError> {
        let refused = |reason: &str| Err(VendorError::Misconfigured { reason: reason.into() });
        if self.user.contains('@') {
            return refused(
                "the user name must not be an e-mail address: Rev.io signs in as user@client, with a plain user name",
            );
        }
        if self.user.is_empty() || self.client_code.is_empty() {
            return refused("a user name and a client code are needed");
        }
        // A colon would end the user part of the credentials (RFC 7617, 2).
        let fits = |text: &str| !text.chars().any(|c| c == ':' || c.is_control() || c.is_whitespace());
        if !fits(&self.user) || !fits(&self.client_code) || self.client_code.contains('@') {
            return refused("the user name and the client code must not hold blanks, colons or a second @");
        }
        let path = self.base_url.trim_end_matches('/');
        if path.ends_with("/v1") {
            return refused("the address must not end with /v1: the client adds it");
        }
        Ok(())
    }

    #[must_use]
    pub fn with_subscription_key(mut self, key: SecretString) -> Self {
        self.subscription_key = Some(key);
        self
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
            quotas: vec![Quota::per_minute(self.calls_per_minute_max)],
            response_bytes_max: self.response_bytes_max,
            request_id_header: "x-request-id",
            user_agent: Some(concat!("OberaConnect/", env!("CARGO_PKG_VERSION"))),
            retry: self.retry,
            counts: self.counts.clone(),
            ..HttpConfig::new(self.base_url.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(base: &str, user: &str, client: &str) -> Result<Config, VendorError> {
        Config::new(base, user, client, "secret".into())
    }

    #[test]
    fn an_email_address_is_refused_before_the_vendor_does() {
        let refused = made(BASE_URL, "kim@msp.example", "msp").unwrap_err();
        assert!(refused.to_string().contains("must not be an e-mail address"), "{refused}");
        for (base, user, client) in [
            (BASE_URL, "", "msp"),
            (BASE_URL, "kim", " "),
            (BASE_URL, "ki:m", "msp"),
            (BASE_URL, "kim", "m@sp"),
            ("https://restapi.rev.io/v1/", "kim", "msp"),
        ] {
            let refused = made(base, user, client);
            assert!(matches!(refused, Err(VendorError::Misconfigured { .. })), "{base} {user} {client}");
        }
        assert_eq!(made(BASE_URL, " kim ", "msp_sandbox").unwrap().user, "kim");
    }

    #[test]
    fn debug_shows_no_secret() {
        let config = Config::new(BASE_URL, "kim", "msp", "hunter2".into()).unwrap();
        let text = format!("{:?}", config.with_subscription_key("key-1".into()));
        assert!(!text.contains("hunter2") && !text.contains("key-1"), "{text}");
    }
}
