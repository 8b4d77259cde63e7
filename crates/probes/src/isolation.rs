//! Asks the product's own APIs for rows of other customers, as somebody outside would: without a token, and with one of a portal
//! user of one customer. What must not be seen is known by canary rows, and by the customer that a row names.
use std::{sync::Once, time::Duration};

use futures_util::StreamExt as _;
use kernel::id::CustomerId;
use reqwest::{Client, Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

/// How every canary's token begins.
pub const CANARY_PREFIX: &str = "canary_";
const REQUEST_MS_MAX: u64 = 10_000;
const CONNECT_MS_MAX: u64 = 3_000;
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Rows of an answer; one foreign row is as bad as many.
const ROWS_MAX: u32 = 20;
/// Faults kept of a round; the rest is counted only.
const FAULTS_MAX: usize = 20;

/// A table, view or function result that portal users may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    pub name: String,
    /// The column that names the customer, when there is one.
    pub customer_column: Option<String>,
    /// A column to ask for where there is no customer's.
    pub any_column: String,
}

/// What is the same for a whole run.
#[derive(Clone, Debug)]
pub struct Questions {
    pub relations: Vec<Relation>,
    /// Buckets that hold files of customers.
    pub buckets: Vec<String>,
}

/// The one customer that the token is of, and others whose files are asked for by name.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    pub customer: CustomerId,
    pub canary: &'a str,
    pub others: &'a [CustomerId],
    pub token: &'a SecretString,
}

/// Something of another customer that came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// `nobody`, or the customer whose member asked.
    pub asker: String,
    /// Method and path of the question.
    pub question: String,
    pub what: String,
}

/// What came of some questions.
#[derive(Clone, Debug, Default)]
pub struct Round {
    pub requests: u32,
    pub findings: Vec<Finding>,
    /// Questions that got no answer to judge: then nobody knows.
    pub faults: Vec<String>,
    pub faults_left_out: usize,
}

impl Round {
    pub fn merge(&mut self, other: Self) {
        self.requests += other.requests;
        self.findings.extend(other.findings);
        self.faults_left_out += other.faults_left_out;
        for fault in other.faults {
            self.fault(fault);
        }
    }

    fn fault(&mut self, fault: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        } else {
            self.faults_left_out += 1;
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the probe's client could not be made")]
pub struct ClientError(#[source] reqwest::Error);

/// Speaks to one address.
#[derive(Clone, Debug)]
pub struct Asker {
    client: Client,
    base_url: String,
}

/// An answer as far as it is looked at.
struct Heard {
    status: StatusCode,
    body: Value,
}

impl Asker {
    pub fn new(base_url: &str) -> Result<Self, ClientError> {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            if rustls::crypto::ring::default_provider().install_default().is_err() {
                tracing::debug!("a TLS provider was installed before");
            }
        });
        let client = Client::builder()
            .timeout(Duration::from_millis(REQUEST_MS_MAX))
            .connect_timeout(Duration::from_millis(CONNECT_MS_MAX))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent("obera isolation probe")
            .build()
            .map_err(ClientError)?;
        Ok(Self { client, base_url: base_url.trim_end_matches('/').to_owned() })
    }

    /// Whether the product says that it is ready.
    pub async fn is_ready(&self) -> bool {
        self.hear(Method::GET, "/readyz", None, None).await.is_ok_and(|heard| heard.status == StatusCode::OK)
    }

    /// Everything without a token: no row may come.
    pub async fn as_nobody(&self, questions: &Questions) -> Round {
        let mut round = Round::default();
        for relation in &questions.relations {
            let path = format!("/rest/v1/{}?limit=1", relation.name);
            self.nothing_to_nobody(&mut round, Method::GET, &path, None).await;
        }
        let path = "/rest/v1/rpc/my_permissions";
        self.nothing_to_nobody(&mut round, Method::POST, path, Some(json!({}))).await;
        for bucket in &questions.buckets {
            let path = format!("/storage/v1/object/list/{bucket}");
            let body = json!({ "prefix": "", "limit": ROWS_MAX });
            self.nothing_to_nobody(&mut round, Method::POST, &path, Some(body)).await;
        }
        round
    }

    async fn nothing_to_nobody(&self, round: &mut Round, method: Method, path: &str, body: Option<Value>) {
        round.requests += 1;
        match self.hear(method.clone(), path, None, body).await {
            Ok(heard) if heard.status.is_success() && has_something(&heard.body) => {
                round.findings.push(Finding {
                    asker: "nobody".to_owned(),
                    question: format!("{method} {path}"),
                    what: "rows without a sign-in".to_owned(),
                });
            }
            Ok(heard) if heard.status.is_server_error() => {
                round.fault(format!("{method} {path} without a token: status {}", heard.status.as_u16()));
            }
            Ok(_) => {}
            Err(error) => round.fault(format!("{method} {path} without a token: {error}")),
        }
    }

    /// Everything as a member of one customer: nothing of another may come. The customer's own canary must come, or the probe is
    /// blind.
    pub async fn as_member(&self, questions: &Questions, member: &Member<'_>) -> Round {
        let mut round = Round::default();
        let own = member.customer;
        let canaries = self
            .ask(&mut round, member, Method::GET, "/rest/v1/canaries?select=customer_id,token", None)
            .await;
        let sees_own = canaries
            .as_ref()
            .and_then(Value::as_array)
            .is_some_and(|rows| rows.iter().any(|row| row["token"].as_str() == Some(member.canary)));
        if !sees_own {
            round.fault(format!("a member of {own} does not see their own canary: the probe is blind"));
            return round;
        }
        for relation in &questions.relations {
            let path = match &relation.customer_column {
                Some(column) => {
                    format!("/rest/v1/{}?select={column}&{column}=neq.{own}&limit={ROWS_MAX}", relation.name)
                }
                None => format!("/rest/v1/{}?select={}&limit={ROWS_MAX}", relation.name, relation.any_column),
            };
            let rows = self.ask(&mut round, member, Method::GET, &path, None).await;
            let is_foreign = relation.customer_column.is_some()
                && rows.as_ref().and_then(Value::as_array).is_some_and(|rows| !rows.is_empty());
            if is_foreign && !round.findings.iter().any(|finding| finding.question.ends_with(&path)) {
                round.findings.push(finding(member, &Method::GET, &path, "rows that are not the customer's"));
            }
        }
        for path in [
            "/rest/v1/customers?select=id,canaries(customer_id,token)".to_owned(),
            format!("/rest/v1/canaries?select=customer_id,token,customers!inner(id)&customers.id=neq.{own}"),
        ] {
            self.ask(&mut round, member, Method::GET, &path, None).await;
        }
        let rpc = "/rest/v1/rpc/my_permissions";
        self.ask(&mut round, member, Method::POST, rpc, Some(json!({}))).await;
        self.ask_for_files(&mut round, questions, member).await;
        round
    }

    async fn ask_for_files(&self, round: &mut Round, questions: &Questions, member: &Member<'_>) {
        for bucket in &questions.buckets {
            let path = format!("/storage/v1/object/list/{bucket}");
            let whole = json!({ "prefix": "", "limit": ROWS_MAX });
            let names = self.ask(round, member, Method::POST, &path, Some(whole)).await;
            let own = member.customer.0;
            let is_foreign = |row: &Value| {
                let folder = row["name"].as_str().and_then(|name| name.parse::<Uuid>().ok());
                folder.is_some_and(|folder| folder != own)
            };
            if names.as_ref().and_then(Value::as_array).is_some_and(|rows| rows.iter().any(is_foreign)) {
                round.findings.push(finding(member, &Method::POST, &path, "the folder of another customer"));
            }
            for other in member.others {
                let body = json!({ "prefix": other.0.to_string(), "limit": 1 });
                let files = self.ask(round, member, Method::POST, &path, Some(body)).await;
                if files.as_ref().and_then(Value::as_array).is_some_and(|rows| !rows.is_empty()) {
                    let question = format!("{path} of {}", other.0);
                    round.findings.push(finding(
                        member,
                        &Method::POST,
                        &question,
                        "files of another customer",
                    ));
                }
            }
        }
    }

    /// The answer, when there is one to judge; what it tells of others is noted.
    async fn ask(
        &self,
        round: &mut Round,
        member: &Member<'_>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Option<Value> {
        round.requests += 1;
        match self.hear(method.clone(), path, Some(member.token), body).await {
            Ok(heard) => {
                // Also of an error: it may tell as much as an answer.
                if let Some(what) = told(&heard.body, member.customer.0, member.canary) {
                    round.findings.push(finding(member, &method, path, &what));
                }
                if heard.status.is_success() {
                    return Some(heard.body);
                }
                round.fault(format!("{method} {path}: status {}", heard.status.as_u16()));
            }
            Err(error) => round.fault(format!("{method} {path}: {error}")),
        }
        None
    }

    async fn hear(
        &self,
        method: Method,
        path: &str,
        token: Option<&SecretString>,
        body: Option<Value>,
    ) -> Result<Heard, Unheard> {
        let mut request = self.client.request(method, format!("{}{path}", self.base_url));
        if let Some(token) = token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.map_err(|error| Unheard::from(&error))?;
        let status = response.status();
        let mut bytes = Vec::new();
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk.map_err(|error| Unheard::from(&error))?);
            if bytes.len() > BODY_BYTES_MAX {
                return Err(Unheard::TooLarge);
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let body = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into_owned()));
        Ok(Heard { status, body })
    }
}

#[derive(Debug, thiserror::Error)]
enum Unheard {
    #[error("no answer within {REQUEST_MS_MAX} ms")]
    TimedOut,
    #[error("no connection")]
    NotConnected,
    #[error("the answer broke off")]
    BrokenOff,
    #[error("an answer of more than {BODY_BYTES_MAX} bytes")]
    TooLarge,
}

impl From<&reqwest::Error> for Unheard {
    fn from(error: &reqwest::Error) -> Self {
        match error {
            _ if error.is_connect() => Self::NotConnected,
            _ if error.is_timeout() => Self::TimedOut,
            _ => Self::BrokenOff,
        }
    }
}

fn finding(member: &Member<'_>, method: &Method, path: &str, what: &str) -> Finding {
    let asker = member.customer.0.to_string();
    Finding { asker, question: format!("{method} {path}"), what: what.to_owned() }
}

fn has_something(body: &Value) -> bool {
    match body {
        Value::Array(rows) => !rows.is_empty(),
        Value::Null => false,
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

/// What a body tells of another customer, at any depth: a canary that is not one's own, or a row that names another customer.
/// The canary itself is not repeated.
fn told(body: &Value, own: Uuid, own_canary: &str) -> Option<String> {
    match body {
        Value::String(text) => {
            let strange =
                text.match_indices(CANARY_PREFIX).any(|(at, _)| !text[at..].starts_with(own_canary));
            strange.then(|| "the canary of another customer".to_owned())
        }
        Value::Array(items) => items.iter().find_map(|item| told(item, own, own_canary)),
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let named =
                value.as_str().filter(|_| name == "customer_id").and_then(|id| id.parse::<Uuid>().ok());
            match named {
                Some(other) if other != own => Some(format!("a row of the customer {other}")),
                _ => told(value, own, own_canary),
            }
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Uuid = Uuid::from_u128(1);

    fn judged(body: Value) -> Option<String> {
        told(&body, OWN, "canary_own")
    }

    #[test]
    fn own_rows_tell_nothing() {
        assert_eq!(judged(json!([])), None);
        assert_eq!(judged(json!([{ "customer_id": OWN, "token": "canary_own", "n": 4, "x": null }])), None);
        assert_eq!(judged(json!({ "customer_id": null, "name": Uuid::from_u128(2) })), None);
    }

    #[test]
    fn what_is_foreign_is_seen_at_any_depth() {
        let other = Uuid::from_u128(2);
        let row = judged(json!([{ "customer_id": OWN, "sites": [{ "customer_id": other }] }]));
        assert_eq!(row, Some(format!("a row of the customer {other}")));
        for body in [
            json!([{ "token": "canary_other" }]),
            json!({ "message": "Key (token)=(canary_other) already exists." }),
            json!("canary_own, canary_other"),
        ] {
            assert_eq!(judged(body.clone()).as_deref(), Some("the canary of another customer"), "{body}");
        }
    }

    #[test]
    fn faults_are_bounded() {
        let mut round = Round::default();
        for number in 0..FAULTS_MAX + 7 {
            round.fault(number.to_string());
        }
        let mut all = Round::default();
        all.merge(round.clone());
        all.merge(round);
        assert_eq!((all.faults.len(), all.faults_left_out), (FAULTS_MAX, 14 + FAULTS_MAX));
    }
}
