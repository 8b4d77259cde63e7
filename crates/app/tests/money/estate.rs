//! Both vendors' sandbox, both synchronizations, and the engine between them.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use app::{
    evidence::VaultSigner,
    incidents::flows::VerifyTiming,
    money::{flows, reconcile},
    sync::{NoSink, SyncSettings, Syncer},
    vendors::{BoxFuture, Vendors, VendorsError},
};
use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use flow::{Engine, Registry, Worker, WorkerConfig};
use kernel::{
    Clock, Decimal,
    id::{CustomerId, IntegrationId, SyncRunId},
};
use ninjaone::NinjaOne;
use revio::RevIo;
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use store::{money::Ended, money::Reason, sync::SyncKind};
use testkit::TestDb;
use tokio::task::JoinSet;
use tokio_postgres::Client;
use uuid::Uuid;
use vault::{MasterKey, Vault};

pub struct Both {
    pub ninja: NinjaOne,
    pub revio: RevIo,
}

impl Vendors for Both {
    fn ninjaone(&self, _: IntegrationId) -> BoxFuture<'_, Result<NinjaOne, VendorsError>> {
        Box::pin(std::future::ready(Ok(self.ninja.clone())))
    }

    fn revio(&self, _: IntegrationId) -> BoxFuture<'_, Result<RevIo, VendorsError>> {
        Box::pin(std::future::ready(Ok(self.revio.clone())))
    }
}

pub struct Estate {
    pub db: TestDb,
    pub admin: Client,
    pub clock: Clock,
    pub sandbox: RunningSandbox,
    pub vendors: Arc<Both>,
    pub ninja: IntegrationId,
    pub revio: IntegrationId,
    pub engine: Engine,
    control: HttpClient,
}

/// What differs: organization, product, billed, counted, money a month (negative: too much).
pub type Wrong = BTreeSet<(i64, String, String, String, String)>;

impl Estate {
    /// Every organization is a customer, in both vendors; nothing is read yet.
    pub async fn new(customers: u32, devices: u32) -> Self {
        let db = TestDb::new().await;
        let admin = db.admin_client().await;
        let sandbox = Sandbox::start(SandboxConfig::tests(customers, devices)).await.expect("a sandbox");
        let clock = Clock::system();
        let config =
            ninjaone::Config::new(sandbox.base_url(), sandbox.client_id(), sandbox.client_secret().clone());
        let ninja = NinjaOne::new(config.with_retry(RetryPolicy::fast()), clock.clone()).expect("a client");
        let (user, code) = (sandbox.revio_user(), sandbox.revio_client_code());
        let config =
            revio::Config::new(sandbox.revio_base_url(), user, code, sandbox.revio_password().clone());
        let config = config.expect("a configuration").with_retry(RetryPolicy::fast());
        let revio = RevIo::new(config, clock.clone()).expect("a client");
        let control = HttpConfig { retry: RetryPolicy::never(), ..HttpConfig::new(sandbox.base_url()) };
        let control = HttpClient::new(control, clock.clone()).expect("a client");
        let vendors = Arc::new(Both { ninja, revio });
        let engine = engine(&db, &clock, &vendors).await;
        let (ninja, revio) = (integration(&admin, "ninjaone").await, integration(&admin, "revio").await);
        let estate = Self { db, admin, clock, sandbox, vendors, ninja, revio, engine, control };
        estate.map_all().await;
        estate
    }

    /// Both vendors are read, and the two rules are there.
    pub async fn read(customers: u32, devices: u32) -> Self {
        let estate = Self::new(customers, devices).await;
        assert_eq!(estate.sync_both().await, ["complete", "complete"]);
        let sql = "insert into public.count_rules (name, billing_product_id, device_classes)
            select p.name, p.id, array[case p.code when 'MGD-WKS' then 'workstation' else 'server' end] from public.billing_products p where p.code in ('MGD-WKS', 'MGD-SRV')";
        assert_eq!(estate.admin.execute(sql, &[]).await.expect("rules"), 2);
        estate
    }

    async fn map_all(&self) {
        for organization in self.vendors.ninja.organizations().await.items {
            let id = organization.id.to_string();
            let (slug, code) = (format!("customer-{id}"), format!("C{id}"));
            let sql = "insert into public.customers (slug, code, name) values ($1, $2, $3) returning id";
            let customer: Uuid = self
                .admin
                .query_one(sql, &[&slug, &code, &organization.name])
                .await
                .expect("a customer")
                .get(0);
            self.map(self.ninja, &id, CustomerId(customer)).await;
        }
        for account in self.vendors.revio.customers().await.items {
            let number = account.account_number.expect("a number");
            let organization: i64 = number.trim_start_matches("C-").parse().expect("a number");
            let slug = format!("customer-{}", organization - 1_000);
            let sql = "select id from public.customers where slug = $1";
            let customer: Uuid = self.admin.query_one(sql, &[&slug]).await.expect("its customer").get(0);
            self.map(self.revio, &account.id.to_string(), CustomerId(customer)).await;
        }
    }

    pub async fn map(&self, integration: IntegrationId, external_id: &str, customer: CustomerId) {
        let sql = "insert into public.integration_organizations (integration_id, external_id, name, customer_id, mapped_at, observed_at)
            values ($1, $2, $2, $3, now(), now()) on conflict (integration_id, external_id) do update set customer_id = excluded.customer_id";
        self.admin.execute(sql, &[&integration.0, &external_id, &customer.0]).await.expect("a mapping");
    }

    pub fn syncer(&self) -> Syncer {
        let settings =
            SyncSettings { lease: Duration::from_secs(60), poll: Duration::from_millis(50), page_rows: 50 };
        Syncer::new(self.db.pg.clone(), self.clock.clone(), self.vendors.clone(), Arc::new(NoSink))
            .with_settings(settings)
    }

    pub async fn queue(&self, integration: IntegrationId) -> SyncRunId {
        let sql = "insert into public.sync_runs (integration_id, kind, reason) values ($1, $2, 'test') returning id";
        let kind = SyncKind::Full.as_str();
        SyncRunId(self.admin.query_one(sql, &[&integration.0, &kind]).await.expect("a run").get(0))
    }

    pub async fn sync(&self, integration: IntegrationId) -> &'static str {
        let run = self.queue(integration).await;
        let (worked, state) = self.syncer().run_one().await.expect("a worked run").expect("a run");
        assert_eq!(worked, run);
        state.as_str()
    }

    pub async fn sync_both(&self) -> [&'static str; 2] {
        [self.sync(self.ninja).await, self.sync(self.revio).await]
    }

    pub async fn reconcile(&self) -> Ended {
        reconcile::all(&self.db.pg, &self.clock, Reason::Sync, None).await.expect("a comparison").ended
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        self.call(Call::post(format!("/_sandbox{path}")).json(body)).await
    }

    pub async fn clear_faults(&self) {
        self.call(Call::delete("/_sandbox/faults")).await;
    }

    async fn call(&self, call: Call) -> Value {
        let token = self.sandbox.control_token().clone();
        let answer =
            self.control.send(&call.header(CONTROL_HEADER, token)).await.expect("the control plane answers");
        assert!(answer.is_success(), "{}", String::from_utf8_lossy(&answer.body));
        answer.json().expect("JSON")
    }

    pub async fn mistakes(&self) -> Vec<Value> {
        let truth = self.call(Call::get("/_sandbox/truth")).await;
        let all = truth["billing_mistakes"].as_array().expect("a list").iter();
        all.filter(|row| row["counts"] == "devices").cloned().collect()
    }

    /// What is wrong, as the sandbox counts it.
    pub async fn truth(&self) -> Wrong {
        let read = |row: &Value| {
            let text = |name: &str| row[name].as_str().expect(name).to_owned();
            let sign = if row["direction"] == "over" { "-" } else { "" };
            (
                row["organization_id"].as_i64().expect("an id"),
                row["product_id"].to_string(),
                text("billed_quantity"),
                row["counted_quantity"].to_string(),
                format!("{sign}{}", text("money_per_month")),
            )
        };
        self.mistakes().await.iter().map(read).collect()
    }

    /// What is open here.
    pub async fn open(&self) -> Wrong {
        let sql = "select o.external_id, p.external_id, d.billed::text, d.counted::text, d.money_per_month::text
            from public.count_differences d join public.billing_products p on p.id = d.product_id
            join public.integration_organizations o on o.customer_id = d.customer_id and o.integration_id = $1 where d.state = 'open'";
        let rows = self.admin.query(sql, &[&self.ninja.0]).await.expect("differences");
        let plain = |text: &str| text.parse::<Decimal>().expect("a number").to_string();
        rows.iter()
            .map(|row| {
                let organization = row.get::<_, &str>(0).parse().expect("an id");
                (organization, row.get(1), plain(row.get(2)), plain(row.get(3)), row.get(4))
            })
            .collect()
    }

    /// Organization and product -> how much is bound and until when, as the sandbox counts it.
    pub async fn planned_commitments(&self) -> BTreeSet<(String, String, String, String)> {
        let read = |row: &Value| {
            let text = |name: &str| row[name].as_str().map(str::to_owned);
            let (quantity, until) = text("committed_quantity").zip(text("committed_until"))?;
            Some((row["organization_id"].to_string(), row["product_id"].to_string(), quantity, until))
        };
        self.mistakes().await.iter().filter_map(read).collect()
    }

    /// The same here.
    pub async fn commitments(&self) -> BTreeSet<(String, String, String, String)> {
        let sql =
            "select o.external_id, p.external_id, trim_scale(d.committed_quantity)::text, d.committed_until
            from public.count_differences d join public.billing_products p on p.id = d.product_id
            join public.integration_organizations o on o.customer_id = d.customer_id and o.integration_id = $1
            where d.state = 'open' and d.committed_until is not null";
        let rows = self.admin.query(sql, &[&self.ninja.0]).await.expect("commitments");
        let until = |row: &tokio_postgres::Row| row.get::<_, kernel::Timestamp>(3).to_string();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), until(row))).collect()
    }

    /// Kind of the truth -> kinds of causes that were found for it.
    pub async fn kinds(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in self.mistakes().await {
            let sql = "select d.cause ->> 'kind' from public.count_differences d join public.billing_products p on p.id = d.product_id and p.external_id = $2
                join public.integration_organizations o on o.customer_id = d.customer_id and o.integration_id = $3 and o.external_id = $1 where d.state = 'open'";
            let (organization, product) = (row["organization_id"].to_string(), row["product_id"].to_string());
            let found = self
                .admin
                .query_one(sql, &[&organization, &product, &self.ninja.0])
                .await
                .expect("a difference");
            kinds.entry(row["kind"].as_str().expect("a kind").to_owned()).or_default().insert(found.get(0));
        }
        kinds
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// A worker of the engine; ends when what it gives is dropped.
    pub fn work(&self) -> JoinSet<()> {
        let worker =
            Worker::new(self.engine.clone(), WorkerConfig { poll_ms: 50, ..WorkerConfig::default() });
        let mut working = JoinSet::new();
        working.spawn(worker.run(std::future::pending()));
        working
    }

    /// Until the query gives true.
    pub async fn until(&self, sql: &str) {
        let wait = async {
            while !self.admin.query_one(sql, &[]).await.expect(sql).get::<_, bool>(0) {
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect(sql);
    }

    pub async fn fault(&self, vendor: &str, kind: &str, path: &str, times: u32) {
        let order = json!({ "vendor": vendor, "kind": kind, "path_prefix": path, "times": times });
        self.control("/faults", order).await;
    }
}

async fn engine(db: &TestDb, clock: &Clock, vendors: &Arc<Both>) -> Engine {
    let vault = Vault::new(db.pg.clone(), MasterKey::generate().expect("a key"), clock.clone());
    let vendors: Arc<dyn Vendors> = vendors.clone();
    let registry = flows::handlers(Registry::new(), &vendors);
    let engine = Engine::new(db.pg.clone(), clock.clone(), registry, Arc::new(VaultSigner(vault)));
    let timing = VerifyTiming { delay_ms: 10, every_ms: 50, deadline_ms: 600 };
    for definition in flows::definitions(timing).expect("definitions") {
        engine.register(&definition).await.expect("a registered workflow");
    }
    engine
}

async fn integration(admin: &Client, vendor: &str) -> IntegrationId {
    let sql = "insert into public.integrations (vendor, name, base_url) values ($1, $1, 'http://sandbox.example') returning id";
    IntegrationId(admin.query_one(sql, &[&vendor]).await.expect("an integration").get(0))
}
