//! The client: every call carries a token, keeps to the bounds, and speaks one error language.
use std::sync::Arc;

use connector_api::{
    Answer, Call, Completeness, CredentialState, CredentialWatch, Fact, HttpClient, PartialReason,
    VendorError,
};
use kernel::Clock;
use secrecy::SecretString;
use serde_json::Value;

use crate::auth::{Token, Tokens};
use crate::config::Config;
use crate::errors::{self, NotFoundMeans};
use crate::sign_in::SignedIn;

/// One connection to one NinjaOne host. Cheap to clone: clones share the token, connections and bounds.
#[derive(Clone, Debug)]
pub struct NinjaOne {
    http: HttpClient,
    tokens: Arc<Tokens>,
    /// Of whoever signed in at NinjaOne; without them the application acts itself.
    person: Option<Arc<Tokens>>,
    clock: Clock,
    credentials: CredentialState,
}

impl NinjaOne {
    pub fn new(config: Config, clock: Clock) -> Result<Self, VendorError> {
        let http = HttpClient::new(config.http(), clock.clone())?;
        let tokens = Arc::new(Tokens::of_machine(&config, clock.clone()));
        Ok(Self { http, tokens, person: None, clock, credentials: CredentialState::default() })
    }

    /// Acts as a person who signed in through this application, of the same host. Reading stays the machine's.
    #[must_use]
    pub fn acting_as(
        mut self,
        client_id: String,
        client_secret: SecretString,
        person: Arc<dyn SignedIn>,
    ) -> Self {
        let tokens = Tokens::of_person(client_id, client_secret, person, self.clock.clone());
        self.person = Some(Arc::new(tokens));
        self
    }

    /// Tells `watch` when it changes whether the vendor takes the credentials.
    #[must_use]
    pub fn watched_by(mut self, watch: Arc<dyn CredentialWatch>) -> Self {
        self.credentials = CredentialState::told_to(watch);
        self
    }

    /// Whether somebody signed in, so that scripts and tickets are theirs.
    pub fn acts_as_person(&self) -> bool {
        self.person.is_some()
    }

    pub(crate) async fn token(&self) -> Result<Token, VendorError> {
        self.tokens.get(&self.http).await
    }

    /// A successful answer, or an error. After a 401 the call is sent once more with a new token: a call that
    /// the gateway refused has not reached the application, so this is safe for writes too.
    pub(crate) async fn call(&self, call: Call, not_found: NotFoundMeans) -> Result<Answer, VendorError> {
        let outcome = self.attempt(&self.tokens, call, not_found).await;
        self.credentials.saw(&outcome).await;
        outcome
    }

    /// What many instances let only a person do. A sign-in that ended says nothing of the credentials that read.
    pub(crate) async fn act(&self, call: Call, not_found: NotFoundMeans) -> Result<Answer, VendorError> {
        let Some(person) = &self.person else { return self.call(call, not_found).await };
        self.attempt(person, call, not_found).await.map_err(|error| match error {
            VendorError::Auth { reason } => VendorError::Forbidden {
                reason: format!(
                    "the sign-in at NinjaOne does not work any more, somebody has to sign in again: {reason}"
                ),
            },
            other => other,
        })
    }

    async fn attempt(
        &self,
        tokens: &Tokens,
        call: Call,
        not_found: NotFoundMeans,
    ) -> Result<Answer, VendorError> {
        let token = tokens.get(&self.http).await?;
        let mut answer = self.send(call.clone(), &token, not_found).await?;
        if answer.status == 401 {
            let token = tokens.replace(&self.http, &token).await?;
            answer = self.send(call, &token, not_found).await?;
        }
        if answer.is_success() {
            return Ok(answer);
        }
        let error = errors::from_answer(&answer, not_found);
        tracing::debug!(status = answer.status, vendor.request_id = answer.request_id, %error, "NinjaOne refused a call");
        Err(error)
    }

    async fn send(&self, call: Call, token: &Token, not_found: NotFoundMeans) -> Result<Answer, VendorError> {
        let outcome = self.http.send(&call.bearer(token.value.clone())).await;
        outcome.map_err(|error| errors::from_error(error, not_found))
    }

    /// The rows of a bare array.
    pub(crate) async fn rows(
        &self,
        call: Call,
        not_found: NotFoundMeans,
    ) -> Result<Fact<Vec<Value>>, VendorError> {
        let answer = self.call(call, not_found).await?;
        let Value::Array(rows) = answer.json()? else {
            return Err(VendorError::shape("$", "not an array"));
        };
        Ok(fact(&answer, rows))
    }

    /// A whole list in one answer. Rows that cannot be read make it partial.
    pub(crate) async fn list<T>(
        &self,
        call: Call,
        not_found: NotFoundMeans,
        read: impl Fn(Value) -> Result<T, VendorError>,
    ) -> Result<Fact<Vec<T>>, VendorError> {
        Ok(readable(self.rows(call, not_found).await?, read))
    }
}

pub(crate) fn fact<T>(answer: &Answer, value: T) -> Fact<T> {
    Fact {
        value,
        observed_at: answer.observed_at,
        request_id: answer.request_id.clone(),
        completeness: Completeness::Complete,
    }
}

/// Keeps the rows that can be read; the others are counted and make the fact partial.
pub(crate) fn readable<T>(
    rows: Fact<Vec<Value>>,
    read: impl Fn(Value) -> Result<T, VendorError>,
) -> Fact<Vec<T>> {
    let sent = rows.value.len();
    let mut fact = rows.map(|rows| {
        let items = rows.into_iter().filter_map(|row| {
            read(row).inspect_err(|error| tracing::warn!(%error, "a row of NinjaOne could not be read")).ok()
        });
        items.collect::<Vec<_>>()
    });
    if fact.value.len() < sent {
        let reason = PartialReason::Unreadable { rows: sent - fact.value.len() };
        fact.completeness = fact.completeness.and(Completeness::partial(reason));
    }
    fact
}
