//! The sandbox's sites, their synchronization, and a store for files in memory whose rows are real.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use app::{
    documents::{BUCKET, Files, FilesError},
    sync::{NoSink, SyncSettings, Syncer},
    vendors::{BoxFuture, Vendors, VendorsError},
};
use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use graph::Graph;
use kernel::{
    Clock,
    id::{CustomerId, IntegrationId, SyncRunId},
};
use ninjaone::NinjaOne;
use pg::{Pg, WorkReason};
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::TestDb;
use tokio_postgres::Client;
use uuid::Uuid;

struct Only(Graph);

impl Vendors for Only {
    fn ninjaone(&self, _: IntegrationId) -> BoxFuture<'_, Result<NinjaOne, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }

    fn sharepoint(&self, _: IntegrationId) -> BoxFuture<'_, Result<Graph, VendorsError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

/// Bytes in memory, rows under the policies of background work.
pub struct Shelf {
    pg: Pg,
    pub bytes: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Files for Shelf {
    fn keep<'a>(
        &'a self,
        name: &'a str,
        mime: &'a str,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), FilesError>> {
        Box::pin(async move {
            let customer = CustomerId(name.split('/').next().unwrap().parse().unwrap());
            let (sha256, size) = (hex::encode(Sha256::digest(&bytes)), i64::try_from(bytes.len()).unwrap());
            self.bytes.lock().unwrap().insert(name.to_owned(), bytes);
            let sql = "insert into storage.objects (customer_id, bucket, name, blob_key, sha256, size_bytes, mime_type)
                values ($1, $2, $3, $3, $4, $5, $6) on conflict (customer_id, bucket, name) do nothing";
            let tx = self.pg.work_for(customer, WorkReason::Files).await.unwrap();
            tx.execute(sql, &[&customer.0, &BUCKET, &name, &sha256, &size, &mime]).await.unwrap();
            tx.commit().await.unwrap();
            Ok(())
        })
    }

    fn forget<'a>(
        &'a self,
        customer: CustomerId,
        names: &'a [String],
    ) -> BoxFuture<'a, Result<(), FilesError>> {
        Box::pin(async move {
            let tx = self.pg.work_for(customer, WorkReason::Files).await.unwrap();
            let sql =
                "delete from storage.objects where customer_id = $1 and bucket = $2 and name = any ($3)";
            tx.execute(sql, &[&customer.0, &BUCKET, &names]).await.unwrap();
            tx.commit().await.unwrap();
            self.bytes.lock().unwrap().retain(|name, _| !names.contains(name));
            Ok(())
        })
    }
}

pub struct World {
    pub db: TestDb,
    pub admin: Client,
    pub clock: Clock,
    pub sandbox: RunningSandbox,
    pub id: IntegrationId,
    pub shelf: Arc<Shelf>,
    vendors: Arc<Only>,
    control: HttpClient,
}

impl World {
    /// Every organization is a customer, whose tenant a connection to Microsoft 365 shows; nothing is read yet.
    pub async fn new(customers: u32, devices: u32) -> Self {
        let db = TestDb::new().await;
        let admin = db.admin_client().await;
        let sandbox = Sandbox::start(SandboxConfig::tests(customers, devices)).await.unwrap();
        let clock = Clock::system();
        let access = sandbox.graph();
        let (client, secret) = (access.sharepoint_client_id.clone(), access.sharepoint_client_secret.clone());
        let (login, url) = (sandbox.graph_login_url(), sandbox.graph_url());
        let home = access.home_tenant_id.to_string();
        let config = graph::Config::new(login, url, client, secret, home).unwrap();
        let mut config = config.with_retry(RetryPolicy::fast());
        config.quotas = Vec::new();
        let vendors = Arc::new(Only(Graph::new(config, clock.clone()).unwrap()));
        let control = HttpConfig { retry: RetryPolicy::never(), ..HttpConfig::new(sandbox.base_url()) };
        let control = HttpClient::new(control, clock.clone()).unwrap();
        let (microsoft, id) =
            (integration(&admin, "microsoft").await, integration(&admin, "sharepoint").await);
        let shelf = Arc::new(Shelf { pg: db.pg.clone(), bytes: Mutex::default() });
        let world = Self { db, admin, clock, sandbox, id, shelf, vendors, control };
        for tenant in world.truth().await["tenants"].as_array().unwrap() {
            let Some(organization) = tenant["organization_id"].as_i64() else { continue };
            let (slug, code) = (format!("customer-{organization}"), format!("C{organization}"));
            let name = tenant["name"].as_str().unwrap();
            let sql = "insert into public.customers (slug, code, name) values ($1, $2, $3) returning id";
            let customer: Uuid = world.admin.query_one(sql, &[&slug, &code, &name]).await.unwrap().get(0);
            let sql = "insert into public.integration_organizations (integration_id, external_id, name, customer_id, mapped_at, observed_at)
                values ($1, $2, $3, $4, now(), now())";
            let tenant = tenant["tenant_id"].as_str().unwrap();
            world.admin.execute(sql, &[&microsoft.0, &tenant, &name, &customer]).await.unwrap();
        }
        world
    }

    /// The documentation of IT is read as a whole, of other sites the sharing.
    pub async fn read(customers: u32, devices: u32) -> Self {
        let world = Self::new(customers, devices).await;
        assert_eq!(world.sync("full").await, "complete");
        world.choose().await;
        assert_eq!(world.sync("full").await, "complete", "{:?}", world.trouble().await);
        world
    }

    pub async fn choose(&self) {
        let sql = "update public.document_sites set reads = case name when 'IT Documentation' then 'documents' else 'sharing' end";
        self.admin.batch_execute(sql).await.unwrap();
    }

    pub async fn trouble(&self) -> Vec<String> {
        let sql = "select p.part || ' ' || p.state || ' ' || coalesce(p.error ->> 'message', '') from public.sync_parts p
            join public.sync_runs r on r.id = p.sync_run_id order by r.queued_at desc, p.position limit 5";
        self.admin.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    pub fn syncer(&self) -> Syncer {
        let settings =
            SyncSettings { lease: Duration::from_secs(60), poll: Duration::from_millis(50), page_rows: 50 };
        Syncer::new(self.db.pg.clone(), self.clock.clone(), self.vendors.clone(), Arc::new(NoSink))
            .with_settings(settings)
            .with_files(self.shelf.clone())
    }

    pub async fn queue(&self, kind: &str) -> SyncRunId {
        let sql = "insert into public.sync_runs (integration_id, kind, reason) values ($1, $2, 'test') returning id";
        SyncRunId(self.admin.query_one(sql, &[&self.id.0, &kind]).await.unwrap().get(0))
    }

    pub async fn sync(&self, kind: &str) -> &'static str {
        let run = self.queue(kind).await;
        let (worked, state) = self.syncer().run_one().await.unwrap().expect("a run");
        assert_eq!(worked, run);
        state.as_str()
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        self.call(Call::post(format!("/_sandbox{path}")).json(body)).await
    }

    pub async fn order(&self, mut order: Value) -> Value {
        order["organization_id"] = json!(1);
        self.control("/documents", order).await
    }

    pub async fn fault(&self, kind: &str, path: &str, times: u32) {
        let order = json!({ "vendor": "graph", "kind": kind, "path_prefix": path, "times": times, "retry_after_s": 0 });
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

    async fn told(&self, list: &str, read: impl Fn(&Value) -> String) -> BTreeSet<String> {
        let truth = self.truth().await;
        let mapped: BTreeSet<&str> = truth["tenants"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|tenant| tenant["organization_id"].is_i64())
            .map(|tenant| tenant["tenant_id"].as_str().unwrap())
            .collect();
        let rows = truth[list].as_array().unwrap().iter();
        rows.filter(|row| mapped.contains(row["tenant_id"].as_str().unwrap())).map(read).collect()
    }

    /// Tenant, site and path of every file, as the sandbox has them.
    pub async fn planned_files(&self) -> BTreeSet<String> {
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        self.told("documents", |row| {
            format!("{} {} {}", text(row, "tenant_id"), text(row, "site"), text(row, "path"))
        })
        .await
    }

    pub async fn found_files(&self) -> BTreeSet<String> {
        self.set(
            "select t.external_id || ' ' || s.name || ' ' || d.path from public.documents d
             join public.document_sites s on s.customer_id = d.customer_id and s.id = d.site_id
             join public.document_tenants t on t.customer_id = s.customer_id and t.id = s.tenant_id
             where d.missing_since is null and d.kind <> 'folder'",
        )
        .await
    }

    pub async fn planned_shares(&self) -> BTreeSet<String> {
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        self.told("shares", |row| {
            let (site, path, scope, kind) =
                (text(row, "site"), text(row, "path"), text(row, "scope"), text(row, "kind"));
            let tenant = text(row, "tenant_id");
            format!(
                "{tenant} {site} {path} {scope} {kind} {} {} {}",
                row["expires"], row["has_password"], row["risky"]
            )
        })
        .await
    }

    pub async fn found_shares(&self) -> BTreeSet<String> {
        self.set(
            "select concat_ws(' ', t.external_id, s.name, d.path, h.scope, h.kind, h.expires_at is not null, h.has_password, h.risk in (1, 3))
             from public.document_shares h join public.documents d on d.customer_id = h.customer_id and d.id = h.document_id
             join public.document_sites s on s.customer_id = d.customer_id and s.id = d.site_id
             join public.document_tenants t on t.customer_id = s.customer_id and t.id = s.tenant_id where h.missing_since is null",
        )
        .await
        .into_iter()
        .map(|row| row.split(' ').map(|word| match word { "t" => "true", "f" => "false", other => other }).collect::<Vec<_>>().join(" "))
        .collect()
    }

    pub async fn set(&self, sql: &str) -> BTreeSet<String> {
        self.admin.query(sql, &[]).await.expect(sql).iter().map(|row| row.get(0)).collect()
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// Customer's slug and path of what one of the provider's people finds.
    pub async fn search(&self, actor: &pg::Actor, term: &str) -> Vec<(String, String, String)> {
        let tx = self.db.pg.act_as(actor).await.unwrap();
        let sql = "select c.slug, h.path, coalesce(h.snippet, '') from public.search_documents($1) h
            join public.customers c on c.id = h.customer_id order by h.rank desc, h.path";
        let rows = tx.query(sql, &[&term]).await.unwrap();
        tx.rollback().await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }
}

async fn integration(admin: &Client, vendor: &str) -> IntegrationId {
    let sql = "insert into public.integrations (vendor, name, base_url) values ($1, $1, 'http://sandbox.example') returning id";
    IntegrationId(admin.query_one(sql, &[&vendor]).await.unwrap().get(0))
}
