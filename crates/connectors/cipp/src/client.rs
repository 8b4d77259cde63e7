//! The client: one deployment, one token, a few calls at once, one error language.
use std::collections::BTreeMap;
use std::sync::Arc;

use connector_api::{
    Answer, Call, Completeness, CredentialState, CredentialWatch, Fact, HttpClient, PartialReason,
    VendorError, Walk,
};
use jiff::{SignedDuration, Timestamp};
use kernel::Clock;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::auth::{Token, Tokens};
use crate::config::{Config, IDLE_S};
use crate::errors::{self, is_placeholder, not_ready, said};
use crate::fields::Fields;

/// What its calls are counted as.
const CLASS: &str = "cipp";

/// One CIPP deployment. Cheap to clone: clones share the token, connections and bounds.
#[derive(Clone, Debug)]
pub struct Cipp {
    shared: Arc<Shared>,
    credentials: CredentialState,
}

#[derive(Debug)]
struct Shared {
    tokens: Tokens,
    clock: Clock,
    login: HttpClient,
    api: HttpClient,
    /// When the deployment answered last. Held while it is woken: the others wait.
    awake_at: Mutex<Option<Timestamp>>,
}

/// What a read asks for, and what makes its refusals readable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// Without `/api`.
    pub endpoint: &'static str,
    pub right: &'static str,
}

impl Ask {
    pub const fn of(endpoint: &'static str, right: &'static str) -> Self {
        Self { endpoint, right }
    }

    pub fn call(self) -> Call {
        Call::get(format!("/api/{}", self.endpoint))
    }

    /// For one tenant, named by its default domain.
    pub fn about(self, domain: &str) -> Call {
        self.call().query("tenantFilter", domain)
    }
}

impl Cipp {
    pub fn new(config: Config, clock: Clock) -> Result<Self, VendorError> {
        config.check()?;
        let login = HttpClient::new(config.login_http(), clock.clone())?;
        let api = HttpClient::new(config.api_http(), clock.clone())?;
        let tokens = Tokens::new(&config, clock.clone());
        let shared = Shared { tokens, clock, login, api, awake_at: Mutex::default() };
        Ok(Self { shared: Arc::new(shared), credentials: CredentialState::default() })
    }

    /// Tells `watch` when it changes whether the vendor takes the credentials.
    #[must_use]
    pub fn watched_by(mut self, watch: Arc<dyn CredentialWatch>) -> Self {
        self.credentials = CredentialState::told_to(watch);
        self
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Whether a token can be had. The deployment itself is not asked.
    pub async fn sign_in(&self) -> Result<(), VendorError> {
        let outcome = self.shared.tokens.get(&self.shared.login).await.map(drop);
        self.credentials.saw(&outcome).await;
        outcome
    }

    /// An answer with any status. After a 401 the call is sent once more with a new token.
    pub(crate) async fn answer(&self, call: Call) -> Result<Answer, VendorError> {
        let outcome = self.attempt(call).await;
        match &outcome {
            Ok(answer) if answer.status == 401 => {
                let refused = errors::refusal(answer, "", "");
                self.credentials.saw::<()>(&Err(refused)).await;
            }
            outcome => self.credentials.saw(outcome).await,
        }
        outcome
    }

    async fn attempt(&self, call: Call) -> Result<Answer, VendorError> {
        let login = &self.shared.login;
        let token = self.shared.tokens.get(login).await?;
        self.wake().await;
        let answer = self.send(call.clone(), &token).await?;
        // The platform refuses before the app runs: nothing was done.
        if answer.status != 401 {
            return Ok(answer);
        }
        let token = self.shared.tokens.replace(login, &token).await?;
        self.send(call, &token).await
    }

    async fn send(&self, call: Call, token: &Token) -> Result<Answer, VendorError> {
        let answer = self.shared.api.send(&call.class(CLASS, 1).bearer(token.value.clone())).await?;
        *self.shared.awake_at.lock().await = Some(self.now());
        Ok(answer)
    }

    /// A deployment that slept takes long for its first answer: it is woken by a call that needs no sign-in, once for all.
    async fn wake(&self) {
        let mut awake_at = self.shared.awake_at.lock().await;
        let idle = SignedDuration::from_secs(IDLE_S);
        if awake_at.is_some_and(|at| self.now().duration_since(at) < idle) {
            return;
        }
        let woken = self.shared.api.send(&Call::get("/api/PublicPing").any_content()).await;
        if let Err(error) = woken {
            tracing::debug!(%error, "the CIPP deployment did not answer a ping");
        }
        // Also after a failure: the call itself shows what is wrong.
        *awake_at = Some(self.now());
    }

    /// A successful answer, or an error.
    pub(crate) async fn call(&self, call: Call, ask: Ask) -> Result<Answer, VendorError> {
        let answer = self.answer(call).await?;
        if answer.is_success() {
            return Ok(answer);
        }
        let error = errors::refusal(&answer, ask.endpoint, ask.right);
        tracing::debug!(status = answer.status, endpoint = ask.endpoint, %error, "CIPP refused a call");
        Err(error)
    }

    /// The rows of an answer of any form.
    pub(crate) async fn rows(&self, call: Call, ask: Ask) -> Result<Fact<Vec<Value>>, VendorError> {
        let answer = self.call(call, ask).await?;
        Ok(fact(&answer, rows(&answer)?))
    }

    /// A whole list, sorted by key.
    pub(crate) async fn list<T>(
        &self,
        call: Call,
        ask: Ask,
        read: impl Fn(Value) -> Result<T, VendorError>,
        key_of: impl Fn(&T) -> String,
    ) -> Walk<T> {
        match self.rows(call, ask).await {
            Ok(rows) => walk(rows, ask, read, key_of),
            Err(error) => Walk::stopped(error),
        }
    }
}

pub(crate) fn walk<T>(
    rows: Fact<Vec<Value>>,
    ask: Ask,
    read: impl Fn(Value) -> Result<T, VendorError>,
    key_of: impl Fn(&T) -> String,
) -> Walk<T> {
    let sent = rows.value.len();
    let read_or_told = |row: Value| {
        read(row)
            .inspect_err(
                |error| tracing::warn!(endpoint = ask.endpoint, %error, "a row of CIPP could not be read"),
            )
            .ok()
    };
    let readable: Vec<T> = rows.value.into_iter().filter_map(read_or_told).collect();
    let unreadable = sent - readable.len();
    let came = readable.len();
    let items: BTreeMap<String, T> = readable.into_iter().map(|item| (key_of(&item), item)).collect();
    let repeats = came - items.len();
    let completeness = match unreadable {
        0 => rows.completeness,
        rows => Completeness::partial(PartialReason::Unreadable { rows }),
    };
    Walk {
        items: items.into_values().collect(),
        completeness,
        observed_at: Some(rows.observed_at),
        request_id: rows.request_id,
        pages: 1,
        repeats,
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

/// A list comes as an array, inside `Results`, as one object where it has one row, and as `null` or nothing where it has none. Text
/// in its place is a failure, or a placeholder; so is a row that stands for one.
pub(crate) fn rows(answer: &Answer) -> Result<Vec<Value>, VendorError> {
    if answer.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    let body: Value = match serde_json::from_slice(&answer.body) {
        Ok(body) => body,
        Err(_) if !matches!(answer.body.first(), Some(b'[' | b'{')) => {
            return Err(no(&errors::words(&answer.body)));
        }
        Err(error) => return Err(VendorError::shape("$", error.to_string())),
    };
    rows_of(body)
}

fn rows_of(body: Value) -> Result<Vec<Value>, VendorError> {
    let queued = Fields(&body).get("Metadata").and_then(|it| Fields(it).flag("Queued")) == Some(true);
    if queued {
        return Err(not_ready(
            &Fields(&body).get("Metadata").and_then(|it| Fields(it).text("QueueMessage")).unwrap_or_default(),
        ));
    }
    match body {
        Value::Null => Ok(Vec::new()),
        Value::Array(rows) if !rows.is_empty() && rows.iter().all(Value::is_string) => {
            Err(no(&said(&Value::Array(rows))))
        }
        Value::Array(rows) => rows.iter().find_map(stands_in).map_or(Ok(rows), Err),
        Value::Object(mut members) => match members.remove("Results") {
            // The false row of a list of tenants has both.
            Some(results) if members.is_empty() || members.contains_key("Metadata") => rows_of(results),
            Some(results) => {
                members.insert("Results".to_owned(), results);
                let row = Value::Object(members);
                stands_in(&row).map_or(Ok(vec![row]), Err)
            }
            None => {
                let row = Value::Object(members);
                stands_in(&row).map_or(Ok(vec![row]), Err)
            }
        },
        Value::String(text) if text.trim().is_empty() => Ok(Vec::new()),
        other => Err(no(&said(&other))),
    }
}

/// A row that is no row: a placeholder, or a failure in its place.
fn stands_in(row: &Value) -> Option<VendorError> {
    let at = Fields(row);
    let named = ["UPN", "License", "displayName", "Tenant"];
    let placeholder = named.iter().filter_map(|name| at.text(name)).find(|text| is_placeholder(text));
    if let Some(text) = placeholder {
        return Some(not_ready(&text));
    }
    let without_id =
        at.get("customerId").is_some_and(|id| id.as_str().is_some_and(|id| id.trim().is_empty()));
    without_id.then(|| {
        let words = at.text("Results").or_else(|| at.text("displayName")).unwrap_or_default();
        no(&words)
    })
}

/// A failure inside a 200.
fn no(words: &str) -> VendorError {
    if is_placeholder(words) {
        return not_ready(words);
    }
    let message =
        if words.is_empty() { "without a message".into() } else { connector_api::error::vendor_text(words) };
    VendorError::Rejected { status: 200, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<usize, VendorError> {
        rows(&Answer {
            status: 200,
            content_type: "application/json".into(),
            request_id: None,
            location: None,
            observed_at: Timestamp::UNIX_EPOCH,
            body: body.as_bytes().to_vec(),
        })
        .map(|rows| rows.len())
    }

    #[test]
    fn every_form_of_a_list_is_read() {
        for (body, rows) in [
            ("[]", 0),
            ("null", 0),
            ("", 0),
            (" \n", 0),
            (r#"[{"a":1},{"a":2}]"#, 2),
            (r#"{"a":1}"#, 1),
            (r#"{"Results":[{"a":1}],"Metadata":{"Queued":false}}"#, 1),
            (r#"{"Results":{"a":1}}"#, 1),
            (r#"{"Results":null}"#, 0),
        ] {
            assert_eq!(read(body), Ok(rows), "{body}");
        }
    }

    #[test]
    fn what_stands_in_for_data_is_no_data() {
        for body in [
            r#"[{"UPN":"Loading data for all tenants. Please check back in a few minutes"}]"#,
            r#"[{"License":"Loading data for all tenants. Please check back after the job completes"}]"#,
            r#"{"Results":[],"Metadata":{"Queued":true,"QueueMessage":"Loading data for all tenants"}}"#,
        ] {
            assert!(matches!(read(body), Err(VendorError::NotReady { .. })), "{body}");
        }
        for body in [
            r#"[{"customerId":"","defaultDomainName":"","displayName":"Failed to retrieve tenants.","Results":"why"}]"#,
            r#"{"customerId":"","displayName":"Failed to retrieve tenants.","Results":"why"}"#,
            r#"["Could not connect"]"#,
            r#""Could not connect""#,
            r#"{"Results":"Could not connect"}"#,
            "Could not connect",
        ] {
            assert!(matches!(read(body), Err(VendorError::Rejected { status: 200, .. })), "{body}");
        }
        assert!(matches!(read(r#"[{"a":"#), Err(VendorError::Shape { .. })));
    }
}
