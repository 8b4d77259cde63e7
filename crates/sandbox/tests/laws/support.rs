//! A sandbox with a token, and a receiver of webhooks.
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use connector_api::{Answer, Call, HttpClient, HttpConfig, RetryPolicy, VendorError};
use kernel::{Clock, Timestamp};
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use secrecy::SecretString;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub struct Host {
    pub sandbox: RunningSandbox,
    pub http: HttpClient,
    pub token: SecretString,
}

pub fn noon() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// Time stands still, so that two sandboxes can be compared.
pub fn config(customers: u32, devices: u32) -> SandboxConfig {
    SandboxConfig { clock: Clock::mock(noon()), ..SandboxConfig::tests(customers, devices) }
}

pub async fn host(customers: u32, devices: u32) -> Host {
    host_with(config(customers, devices)).await
}

pub async fn host_with(config: SandboxConfig) -> Host {
    let sandbox = Sandbox::start(config).await.unwrap();
    let http = HttpConfig {
        retry: RetryPolicy::never(),
        request_id_header: "x-nj-request-id",
        ..HttpConfig::new(sandbox.base_url())
    };
    let http = HttpClient::new(http, Clock::system()).unwrap();
    let mut host = Host { sandbox, http, token: "".into() };
    host.token = host.sign_in(&[]).await.json().unwrap()["access_token"].as_str().unwrap().into();
    host
}

impl Host {
    /// Asks for a token; `changes` replace the fields of the form.
    pub async fn sign_in(&self, changes: &[(&'static str, &str)]) -> Answer {
        let mut form = vec![
            ("grant_type", "client_credentials".into()),
            ("client_id", self.sandbox.client_id().into()),
            ("client_secret", self.sandbox.client_secret().clone()),
        ];
        form.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        form.extend(changes.iter().map(|(name, value)| (*name, SecretString::from(*value))));
        self.http.send(&Call::post("/ws/oauth/token").form(form)).await.unwrap()
    }

    pub async fn send(&self, call: Call) -> Result<Answer, VendorError> {
        self.http.send(&call.bearer(self.token.clone())).await
    }

    pub async fn get(&self, path: &str, query: &[(&'static str, &str)]) -> Answer {
        let call = query.iter().fold(Call::get(path), |call, (name, value)| call.query(name, value));
        self.send(call).await.unwrap()
    }

    pub async fn rows(&self, path: &str, query: &[(&'static str, &str)]) -> Vec<Value> {
        let answer = self.get(path, query).await;
        assert_eq!(answer.status, 200, "{path} {query:?}: {}", String::from_utf8_lossy(&answer.body));
        answer.json().unwrap().as_array().unwrap().clone()
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Call::post(path).json(body)).await.unwrap()
    }

    /// One call of the control plane that has to succeed.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let call = Call::post(format!("/_sandbox{path}")).json(body);
        let answer =
            self.http.send(&call.header(CONTROL_HEADER, self.sandbox.control_token().clone())).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        answer.json().unwrap()
    }

    pub async fn state(&self) -> Value {
        let call = Call::get("/_sandbox/state").header(CONTROL_HEADER, self.sandbox.control_token().clone());
        self.http.send(&call).await.unwrap().json().unwrap()
    }
}

pub fn ids(rows: &[Value]) -> Vec<i64> {
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

/// Keeps what it gets, and answers as told: first the statuses in the list, then 200.
pub struct Receiver {
    pub url: String,
    got: Got,
    _tasks: JoinSet<()>,
}

type Got = Arc<Mutex<(Vec<(HeaderMap, Value)>, Vec<u16>)>>;

impl Receiver {
    pub async fn start(mut statuses: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?from=ninja", listener.local_addr().unwrap());
        statuses.reverse();
        let got: Got = Arc::new(Mutex::new((Vec::new(), statuses)));
        let app = Router::new().route("/hook", post(receive)).with_state(got.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, got, _tasks: tasks }
    }

    pub fn got(&self) -> Vec<(HeaderMap, Value)> {
        self.got.lock().unwrap().0.clone()
    }
}

async fn receive(State(got): State<Got>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut got = got.lock().unwrap();
    got.0.push((headers, serde_json::from_slice(&body).unwrap()));
    got.1.pop().map_or(StatusCode::OK, |status| StatusCode::from_u16(status).unwrap())
}
