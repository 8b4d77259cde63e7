//! The API over a throw-away database and store, asked by URL.
use axum::{Router, body::Body, http::Request};
use kernel::{Clock, Timestamp, id::CustomerId, secret::SecretString};
use pg::Actor;
use serde_json::{Value, json};
use storage::{PublicBuckets, StorageConfig, StorageState};
use testkit::{Answer, TestDb};
use vault::{MasterKey, Vault};

use crate::store::Store;

pub struct Api {
    pub db: TestDb,
    pub clock: Clock,
    pub vault: Vault,
    pub store: Store,
    pub state: StorageState,
    pub router: Router,
    /// Two customers, and a person of each.
    pub contoso: CustomerId,
    pub fabrikam: CustomerId,
    pub at_contoso: Actor,
    pub at_fabrikam: Actor,
    pub owner: Actor,
}

pub trait MustFail {
    fn must_fail(&self, status: u16, error: &str);
}

impl MustFail for Answer {
    /// The dialect's error with this status and word.
    #[track_caller]
    fn must_fail(&self, status: u16, error: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        let body = self.json();
        assert_eq!(
            (&body["statusCode"], &body["error"]),
            (&json!(status.to_string()), &json!(error)),
            "{body}"
        );
        assert!(body["message"].as_str().is_some_and(|text| !text.is_empty()));
    }
}

/// One request in the making.
pub struct Ask<'a> {
    api: &'a Api,
    actor: Option<Actor>,
    method: &'static str,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

impl Ask<'_> {
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn body(mut self, bytes: impl Into<Body>) -> Self {
        self.body = bytes.into();
        self
    }

    pub fn json(self, value: &Value) -> Self {
        let text = value.to_string();
        self.header("content-type", "application/json").body(text)
    }

    /// A form as the stock clients send it: `cacheControl`, then the file in a field without a name.
    pub fn form(self, mime: &str, content: &str) -> Self {
        let text = format!(
            "--bound\r\nContent-Disposition: form-data; name=\"cacheControl\"\r\n\r\n3600\r\n\
             --bound\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n{{\"origin\":\"form\"}}\r\n\
             --bound\r\nContent-Disposition: form-data; name=\"\"; filename=\"blob\"\r\nContent-Type: {mime}\r\n\r\n{content}\r\n--bound--\r\n"
        );
        self.header("content-type", "multipart/form-data; boundary=bound").body(text)
    }

    pub async fn send(self) -> Answer {
        let mut request = Request::builder().method(self.method).uri(&self.url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(actor) = self.actor {
            request = request.extension(actor);
        }
        let request = request.body(self.body).expect("a request");
        Answer::to(request, self.api.router.clone()).await
    }
}

impl Api {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut StorageConfig)) -> Self {
        let db = TestDb::new().await;
        let store = Store::new();
        // The policies compare with the database's clock, so the mock starts at the present, in its precision.
        let now = Timestamp::from_microsecond(Clock::system().now().as_microsecond()).expect("a time");
        let clock = Clock::mock(now);
        let master = MasterKey::from_hex(&SecretString::from("07c1".repeat(16))).expect("a key");
        let vault = Vault::new(db.pg.clone(), master, clock.clone());
        let mut config = store.config();
        change(&mut config);
        let state = StorageState::open(db.pg.clone(), vault.clone(), clock.clone(), config).expect("a store");
        let (contoso, fabrikam) = (db.customer("contoso").await, db.customer("fabrikam").await);
        let at_contoso = db.portal(contoso, "portal_admin").await;
        let at_fabrikam = db.portal(fabrikam, "portal_admin").await;
        let owner = db.staff("owner").await;
        let router = storage::router(state.clone());
        Self { db, clock, vault, store, state, router, contoso, fabrikam, at_contoso, at_fabrikam, owner }
    }

    /// As if the process had been killed and started again: nothing in memory is kept.
    pub fn restart(&mut self) {
        let config = self.store.config();
        self.state = StorageState::open(self.db.pg.clone(), self.vault.clone(), self.clock.clone(), config)
            .expect("a store");
        self.router = storage::router(self.state.clone());
    }

    pub fn ask(&self, actor: &Actor, method: &'static str, url: impl Into<String>) -> Ask<'_> {
        Ask { actor: Some(actor.clone()), ..self.nobody(method, url) }
    }

    pub fn nobody(&self, method: &'static str, url: impl Into<String>) -> Ask<'_> {
        Ask { api: self, actor: None, method, url: url.into(), headers: Vec::new(), body: Body::empty() }
    }

    /// Puts a text into `attachments` as the customer's person.
    pub async fn attach(&self, actor: &Actor, customer: CustomerId, name: &str, content: &str) -> Answer {
        self.ask(actor, "POST", format!("/object/attachments/{customer}/{name}"))
            .header("content-type", "text/plain")
            .body(content.to_owned())
            .send()
            .await
    }

    /// Files in the store, whole or half, as `<place>/<name>`.
    pub fn blobs(&self) -> Vec<String> {
        self.store.blobs()
    }
}

pub fn public(config: &mut StorageConfig) {
    config.public_buckets = PublicBuckets::Allowed;
}
