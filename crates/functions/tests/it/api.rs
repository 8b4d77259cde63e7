//! The surface with the product's functions and one more, which counts its effects and can be held up.
use std::sync::{
    Arc, LazyLock, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use app::{
    evidence::VaultSigner,
    vendors::{BoxFuture, Vendors, VendorsError},
};
use axum::{
    Router,
    body::Body,
    http::{Method, Request},
};
use flow::{Engine, Registry};
use functions::{Call, Entry, Function, RateClass, Services};
use garde::Validate;
use kernel::{
    ApiError, Clock, ErrorCode, Timestamp,
    id::{CustomerId, IntegrationId},
    secret::SecretString,
};
use ninjaone::NinjaOne;
use pg::{Actor, Pg};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use testkit::{Answer, TestDb};
use tokio::sync::Notify;
use uuid::Uuid;
use vault::{MasterKey, Vault};

pub const TIMEOUT_MS: u64 = 20_000;

/// No vendor is asked in these tests.
struct NoVendors;

impl Vendors for NoVendors {
    fn ninjaone(&self, _: IntegrationId) -> BoxFuture<'_, Result<NinjaOne, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }
}

/// What calls with one `mark` did, and the gate that holds them up.
#[derive(Default)]
pub struct Mark {
    pub effects: AtomicUsize,
    pub entered: Notify,
    pub gate: Notify,
}

static MARKS: LazyLock<Mutex<std::collections::HashMap<Uuid, Arc<Mark>>>> = LazyLock::new(Mutex::default);

pub fn mark(id: Uuid) -> Arc<Mark> {
    MARKS.lock().expect("a lock").entry(id).or_default().clone()
}

impl Mark {
    pub fn effects(&self) -> usize {
        self.effects.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
pub struct Count;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    Answer,
    Wait,
    Refuse,
    Away,
    Panic,
}

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Input {
    #[garde(skip)]
    pub mark: Uuid,
    #[garde(skip)]
    pub then: Then,
    #[serde(default)]
    #[garde(skip)]
    pub customer_id: Option<CustomerId>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    pub number: usize,
}

impl Function for Count {
    const NAME: &'static str = "count";
    const SUMMARY: &'static str = "Counts.";
    const PERMISSION: &'static str = "nothing";
    const PERMISSIONS: &'static [&'static str] = &[];
    const RATE: RateClass = RateClass::Sync;
    const TIMEOUT_MS: u64 = TIMEOUT_MS;
    const KEPT: &'static str = "The number stays counted.";
    const BODY_BYTES_MAX: usize = 1_000;
    type Input = Input;
    type Output = Output;

    fn customer(input: &Input) -> Option<CustomerId> {
        input.customer_id
    }

    fn example() -> Value {
        json!({})
    }

    async fn call(_: &Call, input: Input) -> Result<Output, ApiError> {
        let mark = mark(input.mark);
        let number = mark.effects.fetch_add(1, Ordering::SeqCst) + 1;
        mark.entered.notify_one();
        match input.then {
            Then::Answer => {}
            Then::Wait => mark.gate.notified().await,
            Then::Refuse => return Err(ApiError::new(ErrorCode::Conflict, "Not now.")),
            Then::Away => return Err(ApiError::new(ErrorCode::DatabaseUnavailable, "Away.")),
            Then::Panic => panic!("asked for"),
        }
        Ok(Output { number })
    }
}

/// Never answers.
#[derive(Debug)]
pub struct Hang;

impl Function for Hang {
    const NAME: &'static str = "hang";
    const SUMMARY: &'static str = "Hangs.";
    const PERMISSION: &'static str = "nothing";
    const PERMISSIONS: &'static [&'static str] = &[];
    const RATE: RateClass = RateClass::Act;
    const TIMEOUT_MS: u64 = 50;
    const KEPT: &'static str = "The number stays counted.";
    type Input = Input;
    type Output = Output;

    fn example() -> Value {
        json!({})
    }

    async fn call(_: &Call, input: Input) -> Result<Output, ApiError> {
        mark(input.mark).effects.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }
}

pub struct Api {
    pub db: TestDb,
    pub clock: Clock,
    pub router: Router,
    pub contoso: CustomerId,
    pub fabrikam: CustomerId,
    pub owner: Actor,
    pub technician: Actor,
    pub at_contoso: Actor,
    pub at_fabrikam: Actor,
}

pub trait MustFail {
    fn must_fail(&self, code: ErrorCode);
}

impl MustFail for Answer {
    /// The one shape of errors, with this status and code.
    #[track_caller]
    fn must_fail(&self, code: ErrorCode) {
        let body = self.json();
        assert_eq!((self.status.as_u16(), &body["code"]), (code.status(), &json!(code.as_str())), "{body}");
        let mut fields: Vec<_> = body.as_object().expect("an object").keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["code", "details", "hint", "message"]);
    }
}

impl Api {
    pub async fn new() -> Self {
        let db = TestDb::new().await;
        let now: Timestamp = db.read::<Timestamp>("select now()").await;
        Self::over(db, Clock::mock(now)).await
    }

    pub async fn over(db: TestDb, clock: Clock) -> Self {
        let (contoso, fabrikam) = (db.customer("contoso").await, db.customer("fabrikam").await);
        Self {
            router: router(&services(&db, &clock)),
            owner: db.staff("owner").await,
            technician: db.staff("technician").await,
            at_contoso: db.portal(contoso, "portal_admin").await,
            at_fabrikam: db.portal(fabrikam, "portal_admin").await,
            clock,
            contoso,
            fabrikam,
            db,
        }
    }

    pub async fn count(&self, actor: &Actor, mark: Uuid, then: &str, key: Option<&str>) -> Answer {
        self.call(actor, "count", &json!({ "mark": mark, "then": then }), key).await
    }

    pub async fn call(&self, actor: &Actor, name: &str, input: &Value, key: Option<&str>) -> Answer {
        let body = input.to_string();
        send(self.router.clone(), Some(actor.clone()), Method::POST, &format!("/{name}"), body, key).await
    }

    pub async fn ask(&self, actor: Option<&Actor>, method: Method, path: &str, body: &str) -> Answer {
        send(self.router.clone(), actor.cloned(), method, path, body.to_owned(), None).await
    }

    /// Function, status and code of the calls written down for a person, sorted.
    pub async fn written(&self, actor: &Actor) -> Vec<(String, Option<i16>, Option<String>)> {
        let user = actor.user.expect("a person").0;
        let sql =
            "select function, status, error_code from app.function_calls where user_id = $1 order by 1, 2, 3";
        let rows = self.db.admin_client().await.query(sql, &[&user]).await.expect("rows");
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }
}

pub fn services(db: &TestDb, clock: &Clock) -> Services {
    services_over(db.pg.clone(), clock)
}

pub fn services_over(pg: Pg, clock: &Clock) -> Services {
    let master = MasterKey::from_hex(&SecretString::from("07c1".repeat(16))).expect("a key");
    let vault = Vault::new(pg.clone(), master, clock.clone());
    let engine = Engine::new(pg.clone(), clock.clone(), Registry::new(), Arc::new(VaultSigner(vault)));
    Services {
        pg,
        engine,
        vendors: Arc::new(NoVendors),
        public_url: None,
        console_url: "http://127.0.0.1".into(),
        clock: clock.clone(),
    }
}

pub fn router(services: &Services) -> Router {
    let mut entries = functions::entries();
    entries.extend([Entry::of::<Count>(), Entry::of::<Hang>()]);
    functions::router_of(services.clone(), entries)
}

pub async fn send(
    router: Router,
    actor: Option<Actor>,
    method: Method,
    path: &str,
    body: String,
    key: Option<&str>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    if let Some(actor) = actor {
        request = request.extension(actor);
    }
    let request = request.body(Body::from(body)).expect("a request");
    Answer::to(request, router).await
}
