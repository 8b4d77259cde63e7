//! The sandbox's deployment, every tenant mapped to a customer of its own.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use app::{
    sync::{NoSink, SyncSettings, Syncer},
    vendors::{BoxFuture, Vendors, VendorsError},
};
use cipp::Cipp;
use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use kernel::{
    Clock, Timestamp,
    id::{IntegrationId, SyncRunId},
};
use ninjaone::NinjaOne;
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use testkit::TestDb;
use tokio_postgres::Client;
use uuid::Uuid;

/// Setting (by tenant and name) -> value.
pub type Settings = BTreeMap<(String, String), Value>;

pub struct One(Cipp);

impl Vendors for One {
    fn ninjaone(&self, _: IntegrationId) -> BoxFuture<'_, Result<NinjaOne, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }

    fn cipp(&self, _: IntegrationId) -> BoxFuture<'_, Result<Cipp, VendorsError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

pub struct World {
    pub db: TestDb,
    pub admin: Client,
    pub clock: Clock,
    pub sandbox: RunningSandbox,
    pub integration: IntegrationId,
    vendors: Arc<One>,
    control: HttpClient,
}

impl World {
    /// Nothing is read yet.
    pub async fn new(customers: u32) -> Self {
        let db = TestDb::new().await;
        let admin = db.admin_client().await;
        let start: Timestamp = "2026-03-10T12:00:00Z".parse().expect("a time");
        let clock = Clock::mock(start);
        let config = SandboxConfig { clock: clock.clone(), ..SandboxConfig::tests(customers, 40) };
        let sandbox = Sandbox::start(config).await.expect("a sandbox");
        let (access, home) = (sandbox.cipp(), sandbox.graph().home_tenant_id.to_string());
        let (id, secret) = (access.client_id.clone(), access.client_secret.clone());
        let config = cipp::Config::new(sandbox.graph_login_url(), sandbox.cipp_url(), home, id, secret);
        let mut config = config.expect("a configuration").with_retry(RetryPolicy::fast());
        config.quotas = Vec::new();
        let vendors = Arc::new(One(Cipp::new(config, clock.clone()).expect("a client")));
        let control = HttpConfig { retry: RetryPolicy::never(), ..HttpConfig::new(sandbox.base_url()) };
        let control = HttpClient::new(control, clock.clone()).expect("a client");
        let sql = "insert into public.integrations (vendor, name, base_url) values ('cipp', 'CIPP', 'http://sandbox.example') returning id";
        let integration = IntegrationId(admin.query_one(sql, &[]).await.expect("an integration").get(0));
        let world = Self { db, admin, clock, sandbox, integration, vendors, control };
        for tenant in world.tenants().await {
            let Some(organization) = tenant["organization_id"].as_i64() else { continue };
            let (slug, code) = (format!("customer-{organization}"), format!("C{organization}"));
            let sql = "insert into public.customers (slug, code, name) values ($1, $2, $1) returning id";
            let customer: Uuid =
                world.admin.query_one(sql, &[&slug, &code]).await.expect("a customer").get(0);
            let id = tenant["tenant_id"].as_str().expect("an id");
            let sql = "insert into public.integration_organizations (integration_id, external_id, name, customer_id, mapped_at, observed_at)
                values ($1, $2, $2, $3, now(), now())";
            world.admin.execute(sql, &[&integration.0, &id, &customer]).await.expect("a mapping");
        }
        world
    }

    pub async fn read(customers: u32) -> Self {
        let world = Self::new(customers).await;
        world.sync().await;
        world
    }

    pub fn syncer(&self) -> Syncer {
        let settings =
            SyncSettings { lease: Duration::from_secs(60), poll: Duration::from_millis(50), page_rows: 50 };
        Syncer::new(self.db.pg.clone(), self.clock.clone(), self.vendors.clone(), Arc::new(NoSink))
            .with_settings(settings)
    }

    pub async fn queue(&self) -> SyncRunId {
        let sql = "insert into public.sync_runs (integration_id, kind, reason) values ($1, 'full', 'test') returning id";
        SyncRunId(self.admin.query_one(sql, &[&self.integration.0]).await.expect("a run").get(0))
    }

    pub async fn sync(&self) -> &'static str {
        let run = self.queue().await;
        let (worked, state) = self.syncer().run_one().await.expect("a worked run").expect("a run");
        assert_eq!(worked, run);
        state.as_str()
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
        let answer =
            self.control.send(&call.header(CONTROL_HEADER, token)).await.expect("the control plane answers");
        assert!(answer.is_success(), "{}", String::from_utf8_lossy(&answer.body));
        answer.json().expect("JSON")
    }

    pub async fn truth(&self) -> Value {
        self.call(Call::get("/_sandbox/truth")).await
    }

    pub async fn tenants(&self) -> Vec<Value> {
        self.truth().await["tenants"].as_array().expect("a list").clone()
    }

    /// What is there, of tenants whose settings were read.
    pub async fn found(&self) -> Settings {
        let sql = "select t.external_id, s.setting, s.value from public.tenant_settings s
            join public.cipp_tenants t on t.customer_id = s.customer_id and t.id = s.cipp_tenant_id where s.missing_since is null";
        let rows = self.admin.query(sql, &[]).await.expect("settings");
        rows.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect()
    }

    /// What the sandbox says, of mapped tenants in no trouble.
    pub async fn told(&self) -> Settings {
        let truth = self.truth().await;
        let sql = "select external_id from public.cipp_tenants where not is_excluded and graph_error_count = 0 and missing_since is null";
        let rows = self.admin.query(sql, &[]).await.expect("tenants");
        let well: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        let text = |row: &Value, name: &str| row[name].as_str().expect(name).to_owned();
        let all = truth["settings"].as_array().expect("a list").iter();
        all.map(|row| ((text(row, "tenant_id"), text(row, "setting")), row["value"].clone()))
            .filter(|((tenant, _), _)| well.contains(tenant))
            .collect()
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.expect(sql).get(0)
    }
}
