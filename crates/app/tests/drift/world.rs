//! The sandbox's tenants, their synchronization, a provider's baseline, and the engine.
use std::{collections::BTreeSet, sync::Arc, time::Duration};

use ::cipp::Cipp;
use app::{
    drift::{self, flows},
    evidence::VaultSigner,
    incidents::flows::VerifyTiming,
    sync::{NoSink, SyncSettings, Syncer},
    vendors::{BoxFuture, Vendors, VendorsError},
};
use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use flow::{Decision, Engine, Registry, Worker, WorkerConfig};
use jiff::SignedDuration;
use kernel::{
    Clock,
    id::{ApprovalId, CustomerId, IntegrationId},
};
use ninjaone::NinjaOne;
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use testkit::TestDb;
use tokio::task::JoinSet;
use tokio_postgres::Client;
use uuid::Uuid;
use vault::{MasterKey, Vault};

/// From so many customers on, some tenants are in trouble.
const CUSTOMERS: u32 = 9;

pub struct Only {
    pub cipp: Cipp,
}

impl Vendors for Only {
    fn ninjaone(&self, _: IntegrationId) -> BoxFuture<'_, Result<NinjaOne, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }

    fn cipp(&self, _: IntegrationId) -> BoxFuture<'_, Result<Cipp, VendorsError>> {
        Box::pin(std::future::ready(Ok(self.cipp.clone())))
    }
}

pub struct World {
    pub db: TestDb,
    pub admin: Client,
    pub clock: Clock,
    pub sandbox: RunningSandbox,
    pub vendors: Arc<Only>,
    pub integration: IntegrationId,
    pub engine: Engine,
    control: HttpClient,
}

/// Tenant (Microsoft's id) and setting.
pub type Places = BTreeSet<(String, String)>;

impl World {
    /// Every tenant of a customer is mapped; nothing is read, nothing demanded yet.
    pub async fn new() -> Self {
        let db = TestDb::new().await;
        let admin = db.admin_client().await;
        let clock = Clock::mock(Clock::system().now());
        let config = SandboxConfig { clock: clock.clone(), ..SandboxConfig::tests(CUSTOMERS, 60) };
        let sandbox = Sandbox::start(config).await.expect("a sandbox");
        let (access, home) = (sandbox.cipp(), sandbox.graph().home_tenant_id.to_string());
        let (id, secret) = (access.client_id.clone(), access.client_secret.clone());
        let config = cipp::Config::new(sandbox.graph_login_url(), sandbox.cipp_url(), home, id, secret);
        let config = config.expect("a configuration").with_retry(RetryPolicy::fast());
        let mut config = config.with_timeout_ms(1_000);
        // A clock that stands still would wait for its minute for ever.
        config.quotas = Vec::new();
        let cipp = Cipp::new(config, clock.clone()).expect("a client");
        let control = HttpConfig { retry: RetryPolicy::never(), ..HttpConfig::new(sandbox.base_url()) };
        let control = HttpClient::new(control, clock.clone()).expect("a client");
        let vendors = Arc::new(Only { cipp });
        let engine = engine(&db, &clock, &vendors).await;
        let sql = "insert into public.integrations (vendor, name, base_url) values ('cipp', 'CIPP', 'http://sandbox.example') returning id";
        let integration = IntegrationId(admin.query_one(sql, &[]).await.expect("an integration").get(0));
        let world = Self { db, admin, clock, sandbox, vendors, integration, engine, control };
        world.map_all().await;
        world
    }

    /// Everything in the library is demanded of everybody, and all tenants were read and judged.
    pub async fn judged() -> Self {
        let world = Self::new().await;
        world.demand_all().await;
        world.sync().await;
        world.judge().await;
        world
    }

    async fn map_all(&self) {
        for tenant in self.truth().await["tenants"].as_array().expect("a list") {
            let Some(organization) = tenant["organization_id"].as_i64() else { continue };
            let (slug, code) = (format!("customer-{organization}"), format!("C{organization}"));
            let sql = "insert into public.customers (slug, code, name) values ($1, $2, $1) returning id";
            let customer: Uuid = self.admin.query_one(sql, &[&slug, &code]).await.expect("a customer").get(0);
            let sql = "insert into public.integration_organizations (integration_id, external_id, name, customer_id, mapped_at, observed_at) values ($1, $2, $2, $3, now(), now())";
            let id = tenant["tenant_id"].as_str().expect("an id");
            self.admin.execute(sql, &[&self.integration.0, &id, &customer]).await.expect("a mapping");
        }
    }

    pub async fn demand_all(&self) {
        self.run(
            "insert into public.baselines (kind, name) values ('provider', 'Everybody');
             insert into public.baseline_entries (baseline_id, setting, rule, severity, why)
               select b.id, s.setting, s.rule, s.severity, s.why from public.baselines b, public.standards s",
        )
        .await;
    }

    pub async fn run(&self, sql: &str) {
        self.admin.batch_execute(sql).await.expect(sql);
    }

    pub async fn sync(&self) -> &'static str {
        let sql = "insert into public.sync_runs (integration_id, kind, reason) values ($1, 'full', 'test')";
        self.admin.execute(sql, &[&self.integration.0]).await.expect("a run");
        let settings =
            SyncSettings { lease: Duration::from_secs(60), poll: Duration::from_millis(50), page_rows: 50 };
        let syncer =
            Syncer::new(self.db.pg.clone(), self.clock.clone(), self.vendors.clone(), Arc::new(NoSink))
                .with_settings(settings);
        syncer.run_one().await.expect("a worked run").expect("a run").1.as_str()
    }

    pub async fn judge(&self) -> usize {
        drift::when_due(&self.db.pg, &self.clock).await.expect("an evaluation")
    }

    pub fn later(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        self.call(Call::post(format!("/_sandbox{path}")).json(body)).await
    }

    pub async fn fault(&self, kind: &str, path: &str, times: u32) {
        let order = json!({ "vendor": "cipp", "kind": kind, "path_prefix": path, "times": times });
        self.control("/faults", order).await;
    }

    pub async fn clear_faults(&self) {
        self.call(Call::delete("/_sandbox/faults")).await;
    }

    async fn call(&self, call: Call) -> Value {
        let token = self.sandbox.control_token().clone();
        let answer = self.control.send(&call.header(CONTROL_HEADER, token)).await.expect("it answers");
        assert!(answer.is_success(), "{}", String::from_utf8_lossy(&answer.body));
        answer.json().expect("JSON")
    }

    pub async fn truth(&self) -> Value {
        self.call(Call::get("/_sandbox/truth")).await
    }

    /// Where the sandbox's own values are not as the library demands, of tenants that were read as a whole.
    pub async fn planted(&self) -> Places {
        let sql = "select t.external_id from public.cipp_tenants t join public.cipp_tenant_parts p on p.customer_id = t.customer_id and p.cipp_tenant_id = t.id
            where p.part = 'settings' and p.observed_at is not null and not t.is_excluded";
        let rows = self.admin.query(sql, &[]).await.expect("tenants");
        let read: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        let rows =
            self.admin.query("select setting, rule::text from public.standards", &[]).await.expect("rules");
        let rules: Vec<(String, domain::drift::Rule)> =
            rows.iter().map(|row| (row.get(0), serde_json::from_str(row.get(1)).expect("a rule"))).collect();
        let truth = self.truth().await;
        let mut planted = Places::new();
        for row in truth["settings"].as_array().expect("a list") {
            let tenant = row["tenant_id"].as_str().expect("an id");
            let setting = row["setting"].as_str().expect("a name");
            let Some((_, rule)) = rules.iter().find(|(name, _)| name == setting) else { continue };
            if read.contains(tenant) && !rule.holds(&row["value"]) {
                planted.insert((tenant.to_owned(), setting.to_owned()));
            }
        }
        planted
    }

    /// What is kept in these states.
    pub async fn found(&self, states: &str) -> Places {
        let sql = format!(
            "select t.external_id, d.setting from public.drifts d join public.cipp_tenants t on t.customer_id = d.customer_id and t.id = d.cipp_tenant_id
             where d.state in ({states})"
        );
        let rows = self.admin.query(&sql, &[]).await.expect("drifts");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// An open drift of a setting that is on or off.
    pub async fn pick(&self) -> Picked {
        let sql = "select d.customer_id, d.id, d.setting, t.external_id from public.drifts d
            join public.cipp_tenants t on t.customer_id = d.customer_id and t.id = d.cipp_tenant_id
            where d.state = 'open' and d.actual = 'false' order by d.setting, t.external_id limit 1";
        let row = self.admin.query_one(sql, &[]).await.expect("a drift");
        Picked { customer: CustomerId(row.get(0)), id: row.get(1), setting: row.get(2), tenant: row.get(3) }
    }

    /// State, what is said of it, why it closed.
    pub async fn state(&self, picked: &Picked) -> (String, String, Option<String>) {
        let sql = "select state, coalesce(state_text, ''), close_reason from public.drifts where id = $1";
        let row = self.admin.query_one(sql, &[&picked.id]).await.expect("the drift");
        (row.get(0), row.get(1), row.get(2))
    }

    /// As the tenant itself has it.
    pub async fn value(&self, picked: &Picked) -> Value {
        let truth = self.truth().await;
        let mut rows = truth["settings"].as_array().expect("a list").iter();
        let is_it = |row: &&Value| row["tenant_id"] == *picked.tenant && row["setting"] == *picked.setting;
        rows.find(is_it).expect("the setting")["value"].clone()
    }

    /// A worker of the engine; ends when what it gives is dropped.
    pub fn work(&self) -> JoinSet<()> {
        let config = WorkerConfig { poll_ms: 50, ..WorkerConfig::default() };
        let worker = Worker::new(self.engine.clone(), config);
        let mut working = JoinSet::new();
        working.spawn(worker.run(std::future::pending()));
        working
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

    pub async fn decide(&self, picked: &Picked, decision: Decision) {
        let owner = self.db.staff("owner").await;
        self.until("select exists (select from flow.approvals where state = 'waiting')").await;
        let approval =
            ApprovalId(self.db.read("select id from flow.approvals where state = 'waiting'").await);
        let (pg, engine) = (&self.db.pg, &self.engine);
        let said = "Looked at it";
        app::workflows::decide(pg, engine, &owner, picked.customer, approval, decision, said)
            .await
            .expect("a decision");
        self.until("select not exists (select from flow.runs where ended_at is null)").await;
    }
}

pub struct Picked {
    pub customer: CustomerId,
    pub id: Uuid,
    pub setting: String,
    pub tenant: String,
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
