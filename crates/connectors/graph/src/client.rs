//! The clients: one for the application, one for each tenant. Every call carries a token of its tenant, keeps to the
//! bounds, and speaks one error language.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use connector_api::{
    Answer, Call, Completeness, CredentialState, CredentialWatch, Fact, HttpClient, LinkLimits, LinkWalk,
    LinkedPage, Repeats, VendorError, Walk, walk_links,
};
use kernel::Clock;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use crate::auth::{Token, Tokens};
use crate::config::Config;
use crate::errors::{self, About};
use crate::quotas::{self, TENANT_CONCURRENCY_MAX};
use crate::types::Raw;

/// 999 users each.
const PAGES_MAX: u32 = 5_000;
/// What may stand in a path as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The application of one MSP. Cheap to clone: clones share tokens, connections and bounds.
#[derive(Clone, Debug)]
pub struct Graph {
    shared: Arc<Shared>,
    credentials: CredentialState,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    clock: Clock,
    login: HttpClient,
    graph: HttpClient,
    tenants: Mutex<HashMap<String, Tenant>>,
}

/// What the clients of one tenant share.
#[derive(Clone, Debug)]
struct Tenant {
    tokens: Arc<Tokens>,
    graph: HttpClient,
}

impl Graph {
    pub fn new(config: Config, clock: Clock) -> Result<Self, VendorError> {
        config.check()?;
        let login = HttpClient::new(config.login_http(), clock.clone())?;
        let graph = HttpClient::new(config.graph_http(), clock.clone())?;
        let shared = Shared { config, clock, login, graph, tenants: Mutex::default() };
        Ok(Self { shared: Arc::new(shared), credentials: CredentialState::default() })
    }

    /// Tells `watch` when it changes whether the vendor takes the credentials.
    #[must_use]
    pub fn watched_by(mut self, watch: Arc<dyn CredentialWatch>) -> Self {
        self.credentials = CredentialState::told_to(watch);
        self
    }

    /// The MSP's own tenant.
    pub fn home(&self) -> TenantClient {
        self.tenant(&self.shared.config.home_tenant_id)
    }

    /// Calls in this tenant. Nothing is sent before the first one, and an unknown tenant shows there.
    pub fn tenant(&self, tenant_id: &str) -> TenantClient {
        let id = utf8_percent_encode(tenant_id.trim(), SEGMENT).to_string().to_ascii_lowercase();
        let mut tenants = self.shared.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let tenant = tenants.entry(id.clone()).or_insert_with(|| {
            let config = &self.shared.config;
            Tenant {
                tokens: Arc::new(Tokens::new(config, id.clone(), self.shared.clock.clone())),
                graph: self.shared.graph.share(&id, &config.quotas, TENANT_CONCURRENCY_MAX),
            }
        });
        let Tenant { tokens, graph } = tenant.clone();
        TenantClient { tenant_id: id, tokens, graph, app: self.clone() }
    }
}

/// Calls of the application in one tenant.
#[derive(Clone, Debug)]
pub struct TenantClient {
    tenant_id: String,
    tokens: Arc<Tokens>,
    graph: HttpClient,
    app: Graph,
}

impl TenantClient {
    pub fn tenant_id(&self) -> &str {
        &self.tenant_id
    }

    pub(crate) fn config(&self) -> &Config {
        &self.app.shared.config
    }

    pub(crate) fn now(&self) -> kernel::Timestamp {
        self.app.shared.clock.now()
    }

    /// Whether a token can be had: consent, client id and secret in one.
    pub async fn sign_in(&self) -> Result<(), VendorError> {
        let outcome = self.tokens.get(&self.app.shared.login).await.map(drop);
        self.app.credentials.saw(&outcome).await;
        outcome
    }

    /// As [`Self::sign_in`], whatever token there is.
    pub(crate) async fn sign_in_anew(&self) -> Result<(), VendorError> {
        let outcome = self.tokens.renew(&self.app.shared.login).await.map(drop);
        self.app.credentials.saw(&outcome).await;
        outcome
    }

    /// A successful answer, or an error.
    pub(crate) async fn call(&self, call: Call, about: About) -> Result<Answer, VendorError> {
        let answer = self.answer(call).await?;
        if answer.is_success() {
            return Ok(answer);
        }
        let error = errors::refusal(answer.status, &answer.json().unwrap_or(Value::Null), about);
        tracing::debug!(status = answer.status, vendor.request_id = answer.request_id, tenant.id = self.tenant_id, %error, "Graph refused a call");
        Err(error)
    }

    /// An answer with any status. After a 401 the call is sent once more with a new token.
    pub(crate) async fn answer(&self, call: Call) -> Result<Answer, VendorError> {
        let outcome = self.attempt(call).await;
        self.app.credentials.saw(&outcome).await;
        outcome
    }

    async fn attempt(&self, call: Call) -> Result<Answer, VendorError> {
        let login = &self.app.shared.login;
        let token = self.tokens.get(login).await?;
        let answer = self.send(call.clone(), &token).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let token = self.tokens.replace(login, &token).await?;
        self.send(call, &token).await
    }

    /// A call that carries its own right.
    pub(crate) async fn send_elsewhere(&self, call: &Call) -> Result<Answer, VendorError> {
        self.graph.send(call).await
    }

    async fn send(&self, call: Call, token: &Token) -> Result<Answer, VendorError> {
        self.graph.send(&quotas::classed(call).bearer(token.value.clone())).await
    }

    /// One record.
    pub(crate) async fn one<T>(
        &self,
        call: Call,
        about: About,
        read: impl Fn(Raw) -> Result<T, VendorError>,
    ) -> Result<Fact<T>, VendorError> {
        let answer = self.call(call, about).await?;
        let raw: Raw = parsed(&answer)?;
        Ok(fact(&answer, read(raw)?))
    }

    /// A whole list, sorted by key.
    pub(crate) async fn list<T, K: Ord + std::hash::Hash>(
        &self,
        first: Call,
        about: About,
        read: impl Fn(Raw) -> Result<T, VendorError>,
        key_of: impl Fn(&T) -> K,
    ) -> Walk<T> {
        self.bounded(first, (PAGES_MAX, Repeats::Doubtful), about, read, key_of).await
    }

    /// A list of so many pages at most, sorted by key.
    pub(crate) async fn bounded<T, K: Ord + std::hash::Hash>(
        &self,
        first: Call,
        (pages_max, repeats): (u32, Repeats),
        about: About,
        read: impl Fn(Raw) -> Result<T, VendorError>,
        key_of: impl Fn(&T) -> K,
    ) -> Walk<T> {
        let limits = LinkLimits { pages_max, repeats };
        let (first, read) = (&first, &read);
        let walk: LinkWalk<T> = walk_links(limits, key_of, |link| async move {
            let call = link.map_or_else(|| first.clone(), Call::link);
            let answer = self.call(call, about).await?;
            Ok(fact(&answer, page(&answer, read)?))
        })
        .await;
        walk.walk
    }
}

#[derive(Deserialize)]
struct Body {
    value: Vec<Raw>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    delta: Option<String>,
}

pub(crate) fn page<T>(
    answer: &Answer,
    read: impl Fn(Raw) -> Result<T, VendorError>,
) -> Result<LinkedPage<T>, VendorError> {
    let body: Body = parsed(answer)?;
    let raw_count = body.value.len();
    let items = body.value.into_iter().filter_map(|raw| {
        read(raw).inspect_err(|error| tracing::warn!(%error, "a row of Graph could not be read")).ok()
    });
    Ok(LinkedPage { items: items.collect(), raw_count, next: body.next, resume: body.delta })
}

pub(crate) fn parsed<T: for<'de> Deserialize<'de>>(answer: &Answer) -> Result<T, VendorError> {
    serde_json::from_slice(&answer.body).map_err(|error| VendorError::shape("$", error.to_string()))
}

pub(crate) fn fact<T>(answer: &Answer, value: T) -> Fact<T> {
    Fact {
        value,
        observed_at: answer.observed_at,
        request_id: answer.request_id.clone(),
        completeness: Completeness::Complete,
    }
}

/// An id as one segment of a path.
pub(crate) fn segment(id: &str) -> String {
    utf8_percent_encode(id, SEGMENT).to_string()
}
