//! The sandbox's tenants and books, both synchronizations, and the rules of the two seat products.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use app::{
    money::reconcile,
    sync::{NoSink, SyncSettings, Syncer},
    vendors::{BoxFuture, Vendors, VendorsError},
};
use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use graph::Graph;
use kernel::{
    Clock, Decimal,
    id::{CustomerId, IntegrationId, SyncRunId},
};
use ninjaone::NinjaOne;
use revio::RevIo;
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use store::money::{Ended, Reason};
use testkit::TestDb;
use tokio_postgres::Client;
use uuid::Uuid;

pub const BUSINESS_PREMIUM: &str = "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46";
pub const E3: &str = "05e9a617-0261-4cee-bb44-138d3ef5d965";

pub struct Both {
    pub graph: Graph,
    pub revio: RevIo,
}

impl Vendors for Both {
    fn ninjaone(&self, _: IntegrationId) -> BoxFuture<'_, Result<NinjaOne, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }

    fn revio(&self, _: IntegrationId) -> BoxFuture<'_, Result<RevIo, VendorsError>> {
        Box::pin(std::future::ready(Ok(self.revio.clone())))
    }

    fn microsoft(&self, _: IntegrationId) -> BoxFuture<'_, Result<Graph, VendorsError>> {
        Box::pin(std::future::ready(Ok(self.graph.clone())))
    }
}

pub struct World {
    pub db: TestDb,
    pub admin: Client,
    pub clock: Clock,
    pub sandbox: RunningSandbox,
    pub vendors: Arc<Both>,
    pub graph: IntegrationId,
    pub revio: IntegrationId,
    control: HttpClient,
}

/// What differs: organization, product, billed, counted, money a month (negative: too much).
pub type Wrong = BTreeSet<(i64, String, String, String, String)>;

impl World {
    /// Every organization is a customer with its tenant and its account; nothing is read yet.
    pub async fn new(customers: u32, devices: u32) -> Self {
        let db = TestDb::new().await;
        let admin = db.admin_client().await;
        let sandbox = Sandbox::start(SandboxConfig::tests(customers, devices)).await.expect("a sandbox");
        let clock = Clock::system();
        let (user, code) = (sandbox.revio_user(), sandbox.revio_client_code());
        let config =
            revio::Config::new(sandbox.revio_base_url(), user, code, sandbox.revio_password().clone());
        let config = config.expect("a configuration").with_retry(RetryPolicy::fast());
        let revio = RevIo::new(config, clock.clone()).expect("a client");
        let access = sandbox.graph();
        let config = graph::Config::new(
            sandbox.graph_login_url(),
            sandbox.graph_url(),
            access.client_id.clone(),
            access.client_secret.clone(),
            access.home_tenant_id.to_string(),
        );
        let mut config = config.expect("a configuration").with_retry(RetryPolicy::fast());
        config.quotas = Vec::new();
        let graph = Graph::new(config, clock.clone()).expect("a client");
        let control = HttpConfig { retry: RetryPolicy::never(), ..HttpConfig::new(sandbox.base_url()) };
        let control = HttpClient::new(control, clock.clone()).expect("a client");
        let vendors = Arc::new(Both { graph, revio });
        let (graph, revio) = (integration(&admin, "microsoft").await, integration(&admin, "revio").await);
        let world = Self { db, admin, clock, sandbox, vendors, graph, revio, control };
        world.map_all().await;
        world
    }

    /// Both vendors are read, and the two rules are there.
    pub async fn read(customers: u32, devices: u32) -> Self {
        let world = Self::new(customers, devices).await;
        world.sync(world.graph, "full").await;
        assert_eq!(world.sync(world.revio, "full").await, "complete");
        let sql = "insert into public.count_rules (name, billing_product_id, counts, sku_ids, seat_basis)
            select p.name, p.id, 'seats', array[case p.code when 'M365-BP' then $1::text else $2::text end::uuid], 'assigned'
            from public.billing_products p where p.code in ('M365-BP', 'M365-E3')";
        assert_eq!(world.admin.execute(sql, &[&BUSINESS_PREMIUM, &E3]).await.expect("rules"), 2);
        world
    }

    async fn map_all(&self) {
        for account in self.vendors.revio.customers().await.items {
            let number = account.account_number.expect("a number");
            let organization: i64 = number.trim_start_matches("C-").parse().expect("a number");
            let (slug, code) = (format!("customer-{}", organization - 1_000), format!("C{organization}"));
            let name = account.company_name.expect("a name");
            let sql = "insert into public.customers (slug, code, name) values ($1, $2, $3) returning id";
            let customer: Uuid =
                self.admin.query_one(sql, &[&slug, &code, &name]).await.expect("a customer").get(0);
            self.map(self.revio, &account.id.to_string(), CustomerId(customer)).await;
        }
        for tenant in self.tenants().await {
            let Some(organization) = tenant["organization_id"].as_i64() else { continue };
            let slug = format!("customer-{organization}");
            let sql = "select id from public.customers where slug = $1";
            let customer: Uuid = self.admin.query_one(sql, &[&slug]).await.expect("its customer").get(0);
            self.map(self.graph, tenant["tenant_id"].as_str().expect("an id"), CustomerId(customer)).await;
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

    pub async fn queue(&self, integration: IntegrationId, kind: &str) -> SyncRunId {
        let sql = "insert into public.sync_runs (integration_id, kind, reason) values ($1, $2, 'test') returning id";
        SyncRunId(self.admin.query_one(sql, &[&integration.0, &kind]).await.expect("a run").get(0))
    }

    /// An incremental run by the clock.
    pub async fn scheduled(&self) {
        let sql = "insert into public.sync_runs (integration_id, kind) values ($1, 'incremental')";
        self.admin.execute(sql, &[&self.graph.0]).await.expect("a run");
        let (_, state) = self.syncer().run_one().await.expect("a worked run").expect("a run");
        assert_eq!(state.as_str(), "complete");
    }

    pub async fn sync(&self, integration: IntegrationId, kind: &str) -> &'static str {
        let run = self.queue(integration, kind).await;
        let (worked, state) = self.syncer().run_one().await.expect("a worked run").expect("a run");
        assert_eq!(worked, run);
        state.as_str()
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

    pub async fn truth(&self) -> Value {
        self.call(Call::get("/_sandbox/truth")).await
    }

    pub async fn tenants(&self) -> Vec<Value> {
        self.truth().await["tenants"].as_array().expect("a list").clone()
    }

    /// Seats that are billed wrongly at customers whose tenant lets us in, as the sandbox counts them.
    pub async fn seat_mistakes(&self) -> Vec<Value> {
        let truth = self.truth().await;
        let shut: BTreeSet<i64> = truth["tenants"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|tenant| tenant["consent"] == false)
            .filter_map(|tenant| tenant["organization_id"].as_i64())
            .collect();
        let all = truth["billing_mistakes"].as_array().expect("a list").iter();
        let seats = all.filter(|row| row["counts"] == "seats");
        seats
            .filter(|row| !shut.contains(&row["organization_id"].as_i64().expect("an id")))
            .cloned()
            .collect()
    }

    pub async fn wrong(&self) -> Wrong {
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
        self.seat_mistakes().await.iter().map(read).collect()
    }

    /// Organization and product -> how much is bound and until when, as the sandbox counts it.
    pub async fn planned_commitments(&self) -> BTreeSet<(String, String, String, String)> {
        let read = |row: &Value| {
            let text = |name: &str| row[name].as_str().map(str::to_owned);
            let (quantity, until) = text("committed_quantity").zip(text("committed_until"))?;
            let slug = format!("customer-{}", row["organization_id"]);
            Some((slug, row["product_id"].to_string(), quantity, until))
        };
        self.seat_mistakes().await.iter().filter_map(read).collect()
    }

    /// The same here.
    pub async fn commitments(&self) -> BTreeSet<(String, String, String, String)> {
        let sql = "select c.slug, p.external_id, trim_scale(d.committed_quantity)::text, d.committed_until
            from public.count_differences d join public.billing_products p on p.id = d.product_id
            join public.customers c on c.id = d.customer_id where d.state = 'open' and d.committed_until is not null";
        let rows = self.admin.query(sql, &[]).await.expect("commitments");
        let until = |row: &tokio_postgres::Row| row.get::<_, kernel::Timestamp>(3).to_string();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), until(row))).collect()
    }

    /// What is open here.
    pub async fn open(&self) -> Wrong {
        let sql = "select c.slug, p.external_id, d.billed::text, d.counted::text, d.money_per_month::text
            from public.count_differences d join public.billing_products p on p.id = d.product_id
            join public.customers c on c.id = d.customer_id where d.state = 'open'";
        let plain = |text: &str| text.parse::<Decimal>().expect("a number").to_string();
        let rows = self.admin.query(sql, &[]).await.expect("differences");
        rows.iter()
            .map(|row| {
                let slug: &str = row.get(0);
                let organization = slug.trim_start_matches("customer-").parse().expect("an id");
                (organization, row.get(1), plain(row.get(2)), plain(row.get(3)), row.get(4))
            })
            .collect()
    }

    /// Account (by tenant and id) -> outcome and kind of reason, as the sandbox's plan says; of mapped tenants.
    pub async fn planned_mfa(&self) -> BTreeMap<(String, String), (String, String)> {
        let truth = self.truth().await;
        let mapped: BTreeSet<&str> = truth["tenants"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|tenant| tenant["organization_id"].is_i64())
            .map(|tenant| tenant["tenant_id"].as_str().expect("an id"))
            .collect();
        let rows = truth["mfa"].as_array().expect("a list").iter();
        rows.filter(|row| mapped.contains(row["tenant_id"].as_str().expect("an id")))
            .map(|row| {
                let text = |name: &str| row[name].as_str().expect(name).to_owned();
                ((text("tenant_id"), text("user_id")), (text("outcome"), text("reason")))
            })
            .collect()
    }

    pub async fn found_mfa(&self) -> BTreeMap<(String, String), (String, String)> {
        let sql = "select t.external_id, p.external_id, r.outcome, r.reason_kind from public.mfa_results r
            join public.tenant_people p on p.customer_id = r.customer_id and p.id = r.person_id
            join public.tenants t on t.customer_id = p.customer_id and t.id = p.tenant_id";
        let rows = self.admin.query(sql, &[]).await.expect("results");
        rows.iter().map(|row| ((row.get(0), row.get(1)), (row.get(2), row.get(3)))).collect()
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.expect(sql).get(0)
    }

    pub async fn fault(&self, kind: &str, path: &str, times: u32) {
        let order = json!({ "vendor": "graph", "kind": kind, "path_prefix": path, "times": times });
        self.control("/faults", order).await;
    }
}

async fn integration(admin: &Client, vendor: &str) -> IntegrationId {
    let sql = "insert into public.integrations (vendor, name, base_url) values ($1, $1, 'http://sandbox.example') returning id";
    IntegrationId(admin.query_one(sql, &[&vendor]).await.expect("an integration").get(0))
}
