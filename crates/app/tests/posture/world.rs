//! The sandbox's tenants behind three connections, each mapped to a customer of its own.
use std::{collections::BTreeSet, sync::Arc, time::Duration};

use app::{
    posture::checks,
    sync::{NoSink, SyncSettings, Syncer},
    vendors::{BoxFuture, Vendors, VendorsError},
};
use cipp::Cipp;
use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use graph::Graph;
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

/// Tenant, check and key of a finding.
pub type Findings = BTreeSet<(String, String, String)>;

pub struct Three {
    graph: Graph,
    sharepoint: Graph,
    cipp: Cipp,
}

impl Vendors for Three {
    fn ninjaone(&self, _: IntegrationId) -> BoxFuture<'_, Result<NinjaOne, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }

    fn microsoft(&self, _: IntegrationId) -> BoxFuture<'_, Result<Graph, VendorsError>> {
        Box::pin(std::future::ready(Ok(self.graph.clone())))
    }

    fn sharepoint(&self, _: IntegrationId) -> BoxFuture<'_, Result<Graph, VendorsError>> {
        Box::pin(std::future::ready(Ok(self.sharepoint.clone())))
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
    pub microsoft: IntegrationId,
    pub sharepoint: IntegrationId,
    pub cipp: IntegrationId,
    vendors: Arc<Three>,
    control: HttpClient,
}

impl World {
    /// Nothing is read yet.
    pub async fn new(customers: u32) -> Self {
        let db = TestDb::new().await;
        let admin = db.admin_client().await;
        let clock = Clock::mock("2026-03-10T12:00:00Z".parse::<Timestamp>().unwrap());
        let config = SandboxConfig { clock: clock.clone(), ..SandboxConfig::tests(customers, 60) };
        let sandbox = Sandbox::start(config).await.unwrap();
        let vendors = Arc::new(vendors(&sandbox, &clock));
        let control = HttpConfig { retry: RetryPolicy::never(), ..HttpConfig::new(sandbox.base_url()) };
        let control = HttpClient::new(control, clock.clone()).unwrap();
        let microsoft = integration(&admin, "microsoft").await;
        let (sharepoint, cipp) = (integration(&admin, "sharepoint").await, integration(&admin, "cipp").await);
        let world = Self { db, admin, clock, sandbox, microsoft, sharepoint, cipp, vendors, control };
        for tenant in world.truth().await["tenants"].as_array().unwrap() {
            let Some(organization) = tenant["organization_id"].as_i64() else { continue };
            let (slug, code) = (format!("customer-{organization}"), format!("C{organization}"));
            let sql = "insert into public.customers (slug, code, name) values ($1, $2, $1) returning id";
            let customer: Uuid = world.admin.query_one(sql, &[&slug, &code]).await.unwrap().get(0);
            for integration in [microsoft, sharepoint, cipp] {
                let sql = "insert into public.integration_organizations (integration_id, external_id, name, customer_id, mapped_at, observed_at)
                    values ($1, $2, $2, $3, now(), now())";
                let id = tenant["tenant_id"].as_str().unwrap();
                world.admin.execute(sql, &[&integration.0, &id, &customer]).await.unwrap();
            }
        }
        world
    }

    /// Everything is read, the sharing of every site as well, and the checks are worked out.
    pub async fn judged(customers: u32) -> Self {
        let world = Self::new(customers).await;
        world.sync(world.sharepoint).await;
        world.admin.batch_execute("update public.document_sites set reads = 'sharing'").await.unwrap();
        for integration in [world.sharepoint, world.microsoft, world.cipp] {
            world.sync(integration).await;
        }
        world.judge().await;
        world
    }

    pub fn vendors(&self) -> Arc<dyn Vendors> {
        self.vendors.clone()
    }

    pub async fn judge(&self) -> usize {
        checks::when_due(&self.db.pg, &self.clock).await.unwrap()
    }

    pub async fn sync(&self, integration: IntegrationId) -> &'static str {
        let sql = "insert into public.sync_runs (integration_id, kind) values ($1, 'full') returning id";
        let run = SyncRunId(self.admin.query_one(sql, &[&integration.0]).await.unwrap().get(0));
        let settings =
            SyncSettings { lease: Duration::from_secs(60), poll: Duration::from_millis(50), page_rows: 50 };
        let syncer =
            Syncer::new(self.db.pg.clone(), self.clock.clone(), self.vendors.clone(), Arc::new(NoSink));
        let (worked, state) = syncer.with_settings(settings).run_one().await.unwrap().expect("a run");
        assert_eq!(worked, run);
        state.as_str()
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        self.call(Call::post(format!("/_sandbox{path}")).json(body)).await
    }

    pub async fn fault(&self, vendor: &str, kind: &str, path: &str, times: u32) {
        let order = json!({ "vendor": vendor, "kind": kind, "path_prefix": path, "times": times });
        self.control("/faults", order).await;
    }

    pub async fn clear_faults(&self) {
        self.call(Call::delete("/_sandbox/faults")).await;
    }

    async fn call(&self, call: Call) -> Value {
        let token = self.sandbox.control_token().clone();
        let answer = self.control.send(&call.header(CONTROL_HEADER, token)).await.unwrap();
        assert!(answer.is_success(), "{}", String::from_utf8_lossy(&answer.body));
        answer.json().unwrap()
    }

    pub async fn truth(&self) -> Value {
        self.call(Call::get("/_sandbox/truth")).await
    }

    /// What the sandbox says must be found, of checks whose outcome is known.
    pub async fn told(&self) -> Findings {
        let known = self.outcomes("outcome <> 'unknown'").await;
        let truth = self.truth().await;
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        let all = truth["posture"].as_array().unwrap().iter();
        all.map(|row| (text(row, "tenant_id"), text(row, "check"), text(row, "key")))
            .filter(|(tenant, check, _)| known.contains(&(tenant.clone(), check.clone())))
            .collect()
    }

    pub async fn found(&self) -> Findings {
        let sql = "select p.external_id, k.check_key, f.key from public.posture_findings f
            join public.posture_checks k on k.customer_id = f.customer_id and k.id = f.posture_check_id
            join public.posture_tenants p on p.customer_id = k.customer_id and p.id = k.posture_tenant_id where k.outcome <> 'unknown'";
        let rows = self.admin.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }

    /// Tenant and check.
    pub async fn outcomes(&self, only: &str) -> BTreeSet<(String, String)> {
        let sql = format!(
            "select p.external_id, k.check_key from public.posture_checks k
            join public.posture_tenants p on p.customer_id = k.customer_id and p.id = k.posture_tenant_id where {only}"
        );
        let rows = self.admin.query(sql.as_str(), &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.unwrap().get(0)
    }
}

fn vendors(sandbox: &RunningSandbox, clock: &Clock) -> Three {
    let (access, of_cipp) = (sandbox.graph(), sandbox.cipp());
    let home = access.home_tenant_id.to_string();
    let graph = |id: &str, secret: &kernel::secret::SecretString| {
        let (login, url) = (sandbox.graph_login_url(), sandbox.graph_url());
        let config = graph::Config::new(login, url, id.to_owned(), secret.clone(), home.clone()).unwrap();
        let mut config = config.with_retry(RetryPolicy::fast());
        config.quotas = Vec::new();
        Graph::new(config, clock.clone()).unwrap()
    };
    let (id, secret) = (of_cipp.client_id.clone(), of_cipp.client_secret.clone());
    let config = cipp::Config::new(sandbox.graph_login_url(), sandbox.cipp_url(), home.clone(), id, secret);
    let mut config = config.unwrap().with_retry(RetryPolicy::fast());
    config.quotas = Vec::new();
    Three {
        graph: graph(&access.client_id, &access.client_secret),
        sharepoint: graph(&access.sharepoint_client_id, &access.sharepoint_client_secret),
        cipp: Cipp::new(config, clock.clone()).unwrap(),
    }
}

async fn integration(admin: &Client, vendor: &str) -> IntegrationId {
    let sql = "insert into public.integrations (vendor, name, base_url) values ($1, $1, 'http://sandbox.example') returning id";
    IntegrationId(admin.query_one(sql, &[&vendor]).await.unwrap().get(0))
}
