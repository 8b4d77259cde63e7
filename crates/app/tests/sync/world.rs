//! One database, one sandbox, one integration between them.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use app::{
    sync::{ConditionSink, NoSink, SyncObserver, SyncPoint, SyncSettings, Syncer},
    vendors::{BoxFuture, Vendors, VendorsError},
};
use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use kernel::{
    Clock,
    id::{CustomerId, IntegrationId, SyncRunId},
};
use ninjaone::NinjaOne;
use pg::Pg;
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use store::sync::{SyncKind, SyncState};
use testkit::TestDb;
use tokio::{sync::Notify, task::JoinSet};
use tokio_postgres::Client;
use uuid::Uuid;

/// Long enough that no lease of a living worker runs out in a test.
const LEASE: Duration = Duration::from_secs(60);
/// Shorter than a page that a fault delays.
pub const TIMEOUT_MS: u64 = 400;
pub const SLOW_MS: u64 = 700;

pub struct SandboxVendors(pub NinjaOne);

impl Vendors for SandboxVendors {
    fn ninjaone(&self, _: IntegrationId) -> BoxFuture<'_, Result<NinjaOne, VendorsError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

pub struct World {
    pub db: TestDb,
    pub admin: Client,
    pub vendor: Vendor,
    pub integration: IntegrationId,
}

/// The vendor's side alone.
pub struct Vendor {
    pub sandbox: RunningSandbox,
    pub client: NinjaOne,
    control: HttpClient,
}

/// A part as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub state: String,
    pub reads: i16,
    pub pages: i32,
    pub read: i32,
    pub created: i32,
    pub updated: i32,
    pub unchanged: i32,
    pub removed: i32,
    pub unmapped: i32,
    pub before: Option<i32>,
    pub error: Option<Value>,
}

impl Vendor {
    pub async fn new(customers: u32, devices: u32) -> Self {
        let sandbox = Sandbox::start(SandboxConfig::tests(customers, devices)).await.expect("a sandbox");
        let client = client(&sandbox, sandbox.client_secret().clone());
        let control = HttpConfig { retry: RetryPolicy::never(), ..HttpConfig::new(sandbox.base_url()) };
        let control = HttpClient::new(control, Clock::system()).expect("a client");
        Self { sandbox, client, control }
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        self.call(Call::post(format!("/_sandbox{path}")).json(body)).await
    }

    pub async fn state(&self) -> Value {
        self.call(Call::get("/_sandbox/state")).await
    }

    /// Devices of which something beside their record is not well.
    pub async fn facts(&self) -> Vec<Value> {
        let truth = self.call(Call::get("/_sandbox/truth")).await;
        truth["device_facts"].as_array().expect("facts").clone()
    }

    pub async fn clear_faults(&self) {
        self.call(Call::delete("/_sandbox/faults")).await;
    }

    pub async fn fault(&self, fault: Value) {
        self.control("/faults", fault).await;
    }

    async fn call(&self, call: Call) -> Value {
        let token = self.sandbox.control_token().clone();
        let answer =
            self.control.send(&call.header(CONTROL_HEADER, token)).await.expect("the control plane answers");
        assert!(answer.is_success(), "{}", String::from_utf8_lossy(&answer.body));
        answer.json().expect("JSON")
    }

    /// Device -> organization, as the vendor lists them without a fault.
    pub async fn truth(&self) -> BTreeMap<i64, i64> {
        self.clear_faults().await;
        let walk = self.client.devices_detailed(1_000).await;
        assert!(walk.completeness.is_complete(), "{}", walk.completeness);
        walk.items.into_iter().map(|device| (device.id, device.organization_id)).collect()
    }

    pub async fn open_alerts(&self) -> BTreeSet<String> {
        self.clear_faults().await;
        let alerts = self.client.alerts().await.expect("alerts");
        alerts.value.into_iter().map(|alert| alert.uid).collect()
    }
}

pub fn client(sandbox: &RunningSandbox, secret: kernel::secret::SecretString) -> NinjaOne {
    let config = ninjaone::Config::new(sandbox.base_url(), sandbox.client_id(), secret)
        .with_retry(RetryPolicy::fast())
        .with_timeout_ms(TIMEOUT_MS);
    NinjaOne::new(config, Clock::system()).expect("a client")
}

impl World {
    /// Every organization is a customer of its own.
    pub async fn mapped(customers: u32, devices: u32) -> Self {
        let world = Self::unmapped(customers, devices).await;
        world.map_all().await;
        world
    }

    /// Nothing is known yet.
    pub async fn unmapped(customers: u32, devices: u32) -> Self {
        let (db, vendor) = (TestDb::new().await, Vendor::new(customers, devices).await);
        let admin = db.admin_client().await;
        let integration = integration(&admin, &vendor).await;
        Self { db, admin, vendor, integration }
    }

    pub async fn map_all(&self) {
        map_all(&self.admin, &self.vendor, self.integration).await;
    }

    pub fn syncer(&self) -> Syncer {
        self.syncer_with(Arc::new(NoSink))
    }

    pub fn syncer_with(&self, sink: Arc<dyn ConditionSink>) -> Syncer {
        syncer(&self.db.pg, &self.vendor, sink)
    }

    /// Queues a run and works it to its end.
    pub async fn sync(&self, kind: SyncKind) -> (SyncRunId, SyncState) {
        let run = self.queue(kind).await;
        let (worked, state) = self.syncer().run_one().await.expect("a worked run").expect("a run");
        assert_eq!(worked, run);
        (run, state)
    }

    pub async fn queue(&self, kind: SyncKind) -> SyncRunId {
        queue(&self.admin, self.integration, kind).await
    }

    pub async fn parts(&self, run: SyncRunId) -> BTreeMap<String, Part> {
        parts(&self.admin, run).await
    }

    pub async fn part(&self, run: SyncRunId, part: &str) -> Part {
        self.parts(run).await.remove(part).expect("the part")
    }

    /// Devices filed as present: id -> customer. A device that is filed twice fails here.
    pub async fn live(&self) -> BTreeMap<i64, CustomerId> {
        live(&self.admin).await
    }

    /// The live devices are exactly the vendor's, each under the customer of its organization.
    pub async fn assert_live_is_truth(&self) {
        let truth = self.vendor.truth().await;
        let customers = self.customers().await;
        let expected: BTreeMap<_, _> = truth
            .iter()
            .filter_map(|(id, organization)| Some((*id, *customers.get(organization)?)))
            .collect();
        assert_eq!(self.live().await, expected);
    }

    /// Organization -> customer.
    pub async fn customers(&self) -> BTreeMap<i64, CustomerId> {
        let sql = "select external_id, customer_id from public.integration_organizations where customer_id is not null";
        let rows = self.admin.query(sql, &[]).await.expect("organizations");
        rows.iter()
            .map(|row| (row.get::<_, String>(0).parse().expect("an id"), CustomerId(row.get(1))))
            .collect()
    }

    /// As if the device had been with this customer until now, and no machine of the other's.
    pub async fn place(&self, device: i64, customer: CustomerId) {
        let sql = "delete from public.endpoint_records r using public.devices d where d.id = r.device_id and d.external_id = $1";
        self.admin.execute(sql, &[&device.to_string()]).await.expect("a device of no machine");
        for table in
            ["device_healths", "device_volumes", "device_patches", "device_programs", "device_custom_fields"]
        {
            let sql = format!(
                "delete from public.{table} f using public.devices d where d.customer_id = f.customer_id and d.id = f.device_id and d.external_id = $1"
            );
            self.admin.execute(&sql, &[&device.to_string()]).await.expect("a device without facts");
        }
        let sql = "update public.devices set customer_id = $2, site_id = null where external_id = $1";
        self.admin.execute(sql, &[&device.to_string(), &customer.0]).await.expect("a moved row");
    }

    /// Devices that are marked missing although the vendor still has them, pending ones included.
    pub async fn falsely_missing(&self) -> Vec<i64> {
        self.vendor.clear_faults().await;
        let sql = "select distinct external_id from public.devices d where missing_since is not null
            and not exists (select from public.devices o where o.external_id = d.external_id and o.missing_since is null)";
        let mut wrong = Vec::new();
        for row in self.admin.query(sql, &[]).await.expect("missing devices") {
            let id: i64 = row.get::<_, String>(0).parse().expect("an id");
            if self.vendor.client.device(id).await.expect("an answer").is_some() {
                wrong.push(id);
            }
        }
        wrong
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.expect("a count").get(0)
    }

    /// One process after another dies, each so many boundaries further on; what it held is free again.
    pub async fn die_at(&self, boundaries: &[usize]) {
        for nth in boundaries {
            let stop = StopAt::new(*nth);
            let doomed = self.syncer().with_observer(stop.clone());
            let mut process = JoinSet::new();
            process.spawn(async move { doomed.run_one().await });
            tokio::select! {
                () = stop.reached.notified() => {}
                // It ended before the boundary.
                _ = process.join_next() => {}
            }
            process.shutdown().await;
            self.expire_leases().await;
        }
    }

    /// The worker of every running run is gone: its lease is over.
    pub async fn expire_leases(&self) {
        let sql =
            "update public.sync_runs set lease_until = now() - interval '1 second' where state = 'running'";
        self.admin.batch_execute(sql).await.expect("expired leases");
    }
}

pub fn syncer(pg: &Pg, vendor: &Vendor, sink: Arc<dyn ConditionSink>) -> Syncer {
    let vendors = Arc::new(SandboxVendors(vendor.client.clone()));
    let settings = SyncSettings { lease: LEASE, poll: Duration::from_millis(50), page_rows: 10 };
    Syncer::new(pg.clone(), Clock::system(), vendors, sink).with_settings(settings)
}

pub async fn integration(admin: &Client, vendor: &Vendor) -> IntegrationId {
    let sql = "insert into public.integrations (vendor, name, base_url) values ('ninjaone', 'Ninja', $1) returning id";
    let url = vendor.sandbox.base_url();
    IntegrationId(admin.query_one(sql, &[&url]).await.expect("an integration").get(0))
}

pub async fn map_all(admin: &Client, vendor: &Vendor, integration: IntegrationId) {
    let organizations = vendor.client.organizations().await;
    assert!(organizations.completeness.is_complete());
    for organization in organizations.items {
        let id = organization.id.to_string();
        let (slug, code) = (format!("customer-{id}"), format!("C{id}"));
        let sql = "insert into public.customers (slug, code, name) values ($1, $2, $3)
            on conflict (slug) do update set name = excluded.name returning id";
        let customer: Uuid =
            admin.query_one(sql, &[&slug, &code, &organization.name]).await.expect("a customer").get(0);
        let sql = "insert into public.integration_organizations (integration_id, external_id, name, customer_id, mapped_at, observed_at)
            values ($1, $2, $3, $4, now(), now())
            on conflict (integration_id, external_id) do update set customer_id = excluded.customer_id";
        admin.execute(sql, &[&integration.0, &id, &organization.name, &customer]).await.expect("a mapping");
    }
}

pub async fn queue(admin: &Client, integration: IntegrationId, kind: SyncKind) -> SyncRunId {
    let sql = "insert into public.sync_runs (integration_id, kind) values ($1, $2) returning id";
    SyncRunId(admin.query_one(sql, &[&integration.0, &kind.as_str()]).await.expect("a run").get(0))
}

pub async fn parts(admin: &Client, run: SyncRunId) -> BTreeMap<String, Part> {
    let sql = "select part, state::text, reads, rows_read, rows_created, rows_updated, rows_unchanged, rows_removed,
        rows_unmapped, rows_before, error, pages_read from public.sync_parts where sync_run_id = $1 order by position";
    let read = |row: &tokio_postgres::Row| {
        let part = Part {
            state: row.get(1),
            reads: row.get(2),
            pages: row.get(11),
            read: row.get(3),
            created: row.get(4),
            updated: row.get(5),
            unchanged: row.get(6),
            removed: row.get(7),
            unmapped: row.get(8),
            before: row.get(9),
            error: row.get(10),
        };
        (row.get(0), part)
    };
    admin.query(sql, &[&run.0]).await.expect("parts").iter().map(read).collect()
}

pub async fn live(admin: &Client) -> BTreeMap<i64, CustomerId> {
    let sql = "select external_id, customer_id from public.devices where missing_since is null";
    let mut live = BTreeMap::new();
    for row in admin.query(sql, &[]).await.expect("devices") {
        let id: i64 = row.get::<_, String>(0).parse().expect("an id");
        assert_eq!(live.insert(id, CustomerId(row.get(1))), None, "device {id} is filed under two customers");
    }
    live
}

/// Stops the world at the n-th boundary: says so, and goes on only when it is told to.
#[derive(Default)]
pub struct StopAt {
    left: AtomicUsize,
    pub reached: Notify,
    pub go_on: Notify,
}

impl StopAt {
    pub fn new(nth: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(nth), ..Self::default() })
    }
}

impl SyncObserver for StopAt {
    fn at(&self, _: SyncPoint) -> BoxFuture<'_, ()> {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.reached.notify_one();
            return Box::pin(self.go_on.notified());
        }
        Box::pin(std::future::ready(()))
    }
}

/// Counts boundaries.
#[derive(Default)]
pub struct Counting(AtomicUsize);

impl Counting {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl SyncObserver for Counting {
    fn at(&self, _: SyncPoint) -> BoxFuture<'_, ()> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }
}

pub fn fault(kind: &str, path: &str, times: u32) -> Value {
    let mut fault = json!({ "kind": kind, "path_prefix": path, "times": times });
    if kind == "slow" {
        fault["delay_ms"] = SLOW_MS.into();
    }
    fault
}
