//! A caller of the product's APIs.
use std::time::{Duration, Instant};

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::process::{PASSWORD, SandboxProcess};

const POLL: Duration = Duration::from_millis(150);

pub fn client() -> reqwest::Client {
    static PROVIDER: std::sync::Once = std::sync::Once::new();
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::builder().timeout(Duration::from_secs(20)).build().expect("a client")
}

/// A signed-in person.
#[derive(Clone)]
pub struct Caller {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Caller {
    pub fn nobody(url: &str) -> Self {
        Self { http: client(), url: url.to_owned(), token: None }
    }

    pub async fn sign_in(url: &str, email: &str) -> Self {
        Self::try_sign_in(url, email).await.expect("signed in")
    }

    pub async fn try_sign_in(url: &str, email: &str) -> Option<Self> {
        let http = client();
        let answer = http
            .post(format!("{url}/auth/v1/token?grant_type=password"))
            .json(&json!({ "email": email, "password": PASSWORD }))
            .send()
            .await
            .ok()?;
        let body: Value = answer.json().await.ok()?;
        Some(Self { http, url: url.to_owned(), token: Some(body["access_token"].as_str()?.to_owned()) })
    }

    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> reqwest::Result<Response> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await
    }

    pub async fn raw(&self, method: Method, path: &str, body: Vec<u8>) -> (StatusCode, Value) {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .body(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        answer(request.send().await.expect("an answer")).await
    }

    pub async fn call(&self, name: &str, body: &Value) -> (StatusCode, Value) {
        answer(
            self.send(Method::POST, &format!("/functions/v1/{name}"), Some(body)).await.expect("an answer"),
        )
        .await
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.send(Method::GET, path, None).await.expect("an answer")).await
    }

    /// Rows of the data API; empty while the product is away.
    pub async fn rows(&self, path: &str) -> Vec<Value> {
        let Ok(response) = self.send(Method::GET, &format!("/rest/v1/{path}"), None).await else {
            return Vec::new();
        };
        match response.json().await {
            Ok(Value::Array(rows)) => rows,
            _ => Vec::new(),
        }
    }

    /// Waits until the rows are as wanted.
    pub async fn wait_rows(&self, what: &str, path: &str, is_there: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let rows = self.rows(path).await;
            if is_there(&rows) {
                return rows;
            }
            assert!(Instant::now() < deadline, "waited for {what}; last: {rows:?}");
            pause().await;
        }
    }
}

/// Between two looks at a condition; nothing is assumed after it.
pub async fn pause() {
    let mut tick = tokio::time::interval(POLL);
    tick.tick().await;
    tick.tick().await;
}

async fn answer(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

impl SandboxProcess {
    pub async fn control(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = client()
            .request(method, format!("{}/_sandbox/{path}", self.base_url))
            .header("x-sandbox-control", &self.control_token);
        let (status, answer) = answer(request.json(body).send().await.expect("the sandbox answers")).await;
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    pub async fn trigger(&self, order: Value) -> Value {
        self.control(Method::POST, "trigger", &order).await
    }

    pub async fn fault(&self, fault: Value) {
        self.control(Method::POST, "faults", &fault).await;
    }

    /// How often a script ran, by the parameters (with our key) that came with it.
    pub async fn script_runs(&self) -> serde_json::Map<String, Value> {
        let state = self.control(Method::GET, "state", &json!({})).await;
        state["script_runs_by_parameters"].as_object().expect("runs by parameters").clone()
    }
}
