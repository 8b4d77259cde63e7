//! The sandbox's devices, synchronized, with the engine that changes them and the intake of what they report.
use std::{sync::Arc, time::Duration};

use app::{
    evidence::VaultSigner,
    incidents::{flows::VerifyTiming, sink::IncidentSink},
    maintenance::{self, Feature, Start, Started, flows},
    sync::{SyncSettings, Syncer},
    vendors::{BoxFuture, Vendors, VendorsError},
};
use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use flow::{Engine, Registry, Worker, WorkerConfig};
use jiff::SignedDuration;
use kernel::{
    ApiError, Clock,
    id::{CustomerId, DeviceId, IntegrationId},
};
use ninjaone::NinjaOne;
use pg::Actor;
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use testkit::TestDb;
use tokio::task::JoinSet;
use tokio_postgres::Client;
use uuid::Uuid;
use vault::{MasterKey, Vault};

const CUSTOMERS: u32 = 2;

pub struct Only(NinjaOne);

impl Vendors for Only {
    fn ninjaone(&self, _: IntegrationId) -> BoxFuture<'_, Result<NinjaOne, VendorsError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

pub struct World {
    pub db: TestDb,
    pub admin: Client,
    pub clock: Clock,
    pub ninja: NinjaOne,
    pub engine: Engine,
    pub owner: Actor,
    vendors: Arc<Only>,
    integration: IntegrationId,
    sandbox: RunningSandbox,
    control: HttpClient,
}

/// A healthy device that is online.
#[derive(Clone, Copy, Debug)]
pub struct Picked {
    pub customer: CustomerId,
    pub id: DeviceId,
    pub external: i64,
}

impl World {
    /// Every organization is a customer, and everything was read once.
    pub async fn new() -> Self {
        let db = TestDb::new().await;
        let admin = db.admin_client().await;
        let clock = Clock::mock(Clock::system().now());
        let config = SandboxConfig { clock: clock.clone(), ..SandboxConfig::tests(CUSTOMERS, 24) };
        let sandbox = Sandbox::start(config).await.expect("a sandbox");
        let config =
            ninjaone::Config::new(sandbox.base_url(), sandbox.client_id(), sandbox.client_secret().clone())
                .with_retry(RetryPolicy::fast());
        let ninja = NinjaOne::new(config, clock.clone()).expect("a client");
        let control = HttpConfig { retry: RetryPolicy::never(), ..HttpConfig::new(sandbox.base_url()) };
        let control = HttpClient::new(control, clock.clone()).expect("a client");
        let vendors = Arc::new(Only(ninja.clone()));
        let engine = engine(&db, &clock, &vendors).await;
        let owner = db.staff("owner").await;
        let sql = "insert into public.integrations (vendor, name, base_url) values ('ninjaone', 'Ninja', $1) returning id";
        let url = sandbox.base_url();
        let integration = IntegrationId(admin.query_one(sql, &[&url]).await.expect("an integration").get(0));
        for organization in 1..=CUSTOMERS {
            let (slug, code) = (format!("customer-{organization}"), format!("C{organization}"));
            let sql = "insert into public.customers (slug, code, name) values ($1, $2, $1) returning id";
            let customer: Uuid = admin.query_one(sql, &[&slug, &code]).await.expect("a customer").get(0);
            let sql = "insert into public.integration_organizations (integration_id, external_id, name, customer_id, mapped_at, observed_at) values ($1, $2, $2, $3, now(), now())";
            let id = organization.to_string();
            admin.execute(sql, &[&integration.0, &id, &customer]).await.expect("a mapping");
        }
        let world = Self { db, admin, clock, ninja, engine, owner, vendors, integration, sandbox, control };
        world.sync().await;
        world
    }

    pub async fn sync(&self) {
        let sql = "insert into public.sync_runs (integration_id, kind, reason) values ($1, 'full', 'test')";
        self.admin.execute(sql, &[&self.integration.0]).await.expect("a run");
        let settings =
            SyncSettings { lease: Duration::from_secs(60), poll: Duration::from_millis(50), page_rows: 50 };
        let sink = Arc::new(IncidentSink(self.engine.clone()));
        let syncer = Syncer::new(self.db.pg.clone(), self.clock.clone(), self.vendors.clone(), sink)
            .with_settings(settings);
        let state = syncer.run_one().await.expect("a worked run").expect("a run").1;
        assert_eq!(state.as_str(), "complete");
    }

    pub async fn pick(&self) -> Picked {
        let sql = "select d.customer_id, d.id, d.external_id from public.devices d
            where d.vendor_class like 'WINDOWS%' and not d.is_offline and d.approval = 'approved'
              and not exists (select from public.alerts a where a.customer_id = d.customer_id and a.device_id = d.id)
            order by d.external_id::bigint limit 1";
        let row = self.admin.query_one(sql, &[]).await.expect("a device");
        let external = row.get::<_, String>(2).parse().expect("an id");
        Picked { customer: CustomerId(row.get(0)), id: DeviceId(row.get(1)), external }
    }

    pub async fn start(&self, picked: Picked, minutes: i64) -> Result<Vec<Started>, ApiError> {
        let order = Start {
            devices: &[picked.id],
            minutes,
            reason: "A new power supply",
            features: &[Feature::Patching, Feature::Tasks],
        };
        let now = self.clock.now();
        maintenance::start(&self.db.pg, &self.engine, &self.owner, picked.customer, &order, now).await
    }

    /// In maintenance, proven.
    pub async fn begun(&self, minutes: i64) -> (Picked, JoinSet<()>) {
        let working = self.work();
        let picked = self.pick().await;
        self.start(picked, minutes).await.expect("a run");
        self.until("select exists (select from public.device_maintenances where state = 'active')").await;
        self.runs_ended().await;
        (picked, working)
    }

    pub async fn end(&self, picked: Picked) -> Result<Vec<Started>, ApiError> {
        let (pg, engine) = (&self.db.pg, &self.engine);
        maintenance::end(pg, engine, &self.owner, picked.customer, &[picked.id]).await
    }

    pub async fn look(&self) -> usize {
        maintenance::when_due(&self.db.pg, &self.engine, &self.clock).await.expect("a look")
    }

    pub async fn ill(&self, picked: Picked, kind: &str) {
        self.control("/trigger", json!({"kind": kind, "device_id": picked.external})).await;
        self.sync().await;
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        let call = Call::post(format!("/_sandbox{path}")).json(body);
        let token = self.sandbox.control_token().clone();
        let answer = self.control.send(&call.header(CONTROL_HEADER, token)).await.expect("it answers");
        assert!(answer.is_success(), "{}", String::from_utf8_lossy(&answer.body));
        answer.json().expect("JSON")
    }

    pub fn later(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// State and how it ended, of the newest window.
    pub async fn window(&self) -> (String, Option<String>) {
        let sql = "select state, end_reason from public.device_maintenances order by requested_at desc, id desc limit 1";
        let row = self.admin.query_one(sql, &[]).await.expect("a window");
        (row.get(0), row.get(1))
    }

    pub async fn outcomes(&self) -> Vec<String> {
        let sql = "select coalesce(outcome, 'muted') from public.alert_mutes order by muted_at, id";
        self.admin.query(sql, &[]).await.expect("mutes").iter().map(|row| row.get(0)).collect()
    }

    pub fn work(&self) -> JoinSet<()> {
        let config = WorkerConfig { poll_ms: 50, ..WorkerConfig::default() };
        let worker = Worker::new(self.engine.clone(), config);
        let mut working = JoinSet::new();
        working.spawn(worker.run(std::future::pending()));
        working
    }

    pub async fn runs_ended(&self) {
        self.until("select not exists (select from flow.runs where ended_at is null)").await;
    }

    /// Until the query gives true; the clock goes on meanwhile.
    pub async fn until(&self, sql: &str) {
        let wait = async {
            while !self.admin.query_one(sql, &[]).await.expect(sql).get::<_, bool>(0) {
                self.clock.advance(SignedDuration::from_millis(100));
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect(sql);
    }
}

async fn engine(db: &TestDb, clock: &Clock, vendors: &Arc<Only>) -> Engine {
    let vault = Vault::new(db.pg.clone(), MasterKey::generate().expect("a key"), clock.clone());
    let vendors: Arc<dyn Vendors> = vendors.clone();
    let registry = flows::handlers(Registry::new(), &vendors);
    let engine = Engine::new(db.pg.clone(), clock.clone(), registry, Arc::new(VaultSigner(vault)));
    let timing = VerifyTiming { delay_ms: 10, every_ms: 50, deadline_ms: 3_000 };
    for definition in flows::definitions(timing).expect("definitions") {
        engine.register(&definition).await.expect("a registered workflow");
    }
    engine
}
