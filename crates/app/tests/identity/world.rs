//! One estate behind two vendors: the RMM and Intune, each customer mapped in both.
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use app::{
    sync::{NoSink, SyncSettings, Syncer},
    vendors::{BoxFuture, Vendors, VendorsError},
};
use connector_api::{Call, HttpClient, HttpConfig, RetryPolicy};
use graph::Graph;
use kernel::{
    Clock,
    id::{CustomerId, IntegrationId},
};
use ninjaone::NinjaOne;
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use testkit::TestDb;
use tokio_postgres::Client;
use uuid::Uuid;

struct Both {
    ninjaone: NinjaOne,
    graph: Graph,
}

impl Vendors for Both {
    fn ninjaone(&self, _: IntegrationId) -> BoxFuture<'_, Result<NinjaOne, VendorsError>> {
        Box::pin(std::future::ready(Ok(self.ninjaone.clone())))
    }

    fn microsoft(&self, _: IntegrationId) -> BoxFuture<'_, Result<Graph, VendorsError>> {
        Box::pin(std::future::ready(Ok(self.graph.clone())))
    }
}

pub struct World {
    pub db: TestDb,
    pub admin: Client,
    pub clock: Clock,
    pub ninjaone: IntegrationId,
    pub graph: IntegrationId,
    sandbox: RunningSandbox,
    vendors: Arc<Both>,
    control: HttpClient,
}

/// Vendor's ids of the records of one machine: `n7` of NinjaOne, `i…` of Intune.
pub type Machine = BTreeSet<String>;
/// Customer's slug and what it has, each machine once.
pub type Machines = BTreeSet<(String, Machine)>;
/// Slug, kind and records.
pub type Doubts = BTreeSet<(String, String, Machine)>;

impl World {
    /// Both vendors were read once.
    pub async fn read(customers: u32, devices: u32) -> Self {
        let world = Self::new(customers, devices).await;
        assert_eq!(world.sync(world.ninjaone).await, "complete");
        world.sync(world.graph).await;
        world
    }

    async fn new(customers: u32, devices: u32) -> Self {
        let db = TestDb::new().await;
        let admin = db.admin_client().await;
        let sandbox = Sandbox::start(SandboxConfig::tests(customers, devices)).await.expect("a sandbox");
        let clock = Clock::system();
        let secret = sandbox.client_secret().clone();
        let config = ninjaone::Config::new(sandbox.base_url(), sandbox.client_id(), secret)
            .with_retry(RetryPolicy::fast());
        let ninjaone = NinjaOne::new(config, clock.clone()).expect("a client");
        let access = sandbox.graph();
        let (id, secret) = (access.client_id.clone(), access.client_secret.clone());
        let home = access.home_tenant_id.to_string();
        let config = graph::Config::new(sandbox.graph_login_url(), sandbox.graph_url(), id, secret, home);
        let mut config = config.expect("a configuration").with_retry(RetryPolicy::fast());
        config.quotas = Vec::new();
        let graph = Graph::new(config, clock.clone()).expect("a client");
        let control = HttpConfig { retry: RetryPolicy::never(), ..HttpConfig::new(sandbox.base_url()) };
        let control = HttpClient::new(control, clock.clone()).expect("a client");
        let vendors = Arc::new(Both { ninjaone, graph });
        let (ninjaone, graph) =
            (integration(&admin, "ninjaone").await, integration(&admin, "microsoft").await);
        let world = Self { db, admin, clock, ninjaone, graph, sandbox, vendors, control };
        world.map_all().await;
        world
    }

    async fn map_all(&self) {
        let truth = self.truth().await;
        let mut customers: BTreeMap<i64, CustomerId> = BTreeMap::new();
        let rows = |name: &str| truth[name].as_array().expect("a list").clone();
        for row in rows("endpoints") {
            let organization = row["organization_id"].as_i64().expect("an organization");
            if let Entry::Vacant(free) = customers.entry(organization) {
                let customer = self.db.customer(&slug(organization)).await;
                self.map(self.ninjaone, &organization.to_string(), customer).await;
                free.insert(customer);
            }
        }
        for tenant in rows("tenants") {
            let customer = tenant["organization_id"].as_i64().and_then(|id| customers.get(&id));
            if let Some(customer) = customer {
                self.map(self.graph, tenant["tenant_id"].as_str().expect("an id"), *customer).await;
            }
        }
    }

    pub async fn map(&self, integration: IntegrationId, external_id: &str, customer: CustomerId) {
        let sql = "insert into public.integration_organizations (integration_id, external_id, name, customer_id, mapped_at, observed_at)
            values ($1, $2, $2, $3, now(), now()) on conflict (integration_id, external_id) do update set customer_id = excluded.customer_id";
        self.admin.execute(sql, &[&integration.0, &external_id, &customer.0]).await.expect("a mapping");
    }

    pub async fn sync(&self, integration: IntegrationId) -> &'static str {
        let sql = "insert into public.sync_runs (integration_id, kind, reason) values ($1, 'full', 'test')";
        self.admin.execute(sql, &[&integration.0]).await.expect("a run");
        let settings =
            SyncSettings { lease: Duration::from_secs(60), poll: Duration::from_millis(50), page_rows: 50 };
        let syncer =
            Syncer::new(self.db.pg.clone(), self.clock.clone(), self.vendors.clone(), Arc::new(NoSink));
        let worked = syncer.with_settings(settings).run_one().await.expect("a worked run");
        worked.expect("a run").1.as_str()
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        self.call(Call::post(format!("/_sandbox{path}")).json(body)).await
    }

    /// A record of Intune tells something else from now on.
    pub async fn tell(&self, organization: i64, intune_id: &str, action: &str, value: &str) {
        let order = json!({ "organization_id": organization, "intune_id": intune_id, "action": action, "value": value });
        self.control("/intune", order).await;
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

    /// Machines that are planned, and what of them cannot be told. Of a tenant that does not let us in only the RMM is known.
    pub async fn planned(&self) -> (Machines, Doubts) {
        let truth = self.truth().await;
        let shut = |organization: i64| {
            let mut tenants = truth["tenants"].as_array().expect("a list").iter();
            tenants.any(|it| it["organization_id"] == organization && it["consent"] == false)
        };
        let (mut machines, mut doubts) = (Machines::new(), Doubts::new());
        for row in truth["endpoints"].as_array().expect("a list") {
            let organization = row["organization_id"].as_i64().expect("an organization");
            let ninja = row["ninja_device_ids"].as_array().expect("a list").iter().map(|id| format!("n{id}"));
            let intune = row["intune_ids"].as_array().expect("a list").iter();
            let intune =
                intune.filter(|_| !shut(organization)).map(|id| format!("i{}", id.as_str().expect("an id")));
            let records: Machine = ninja.chain(intune).collect();
            let kind = match row["how"].as_str().expect("how") {
                "conflict" => Some("serial_and_name"),
                "same_name" => Some("same_name"),
                _ => None,
            };
            match kind {
                Some(kind) if records.iter().any(|it| it.starts_with('i')) => {
                    machines
                        .extend(records.iter().map(|it| (slug(organization), Machine::from([it.clone()]))));
                    doubts.insert((slug(organization), kind.to_owned(), records));
                }
                Some(_) => {
                    machines.extend(records.into_iter().map(|it| (slug(organization), Machine::from([it]))))
                }
                None if records.is_empty() => {}
                None => drop(machines.insert((slug(organization), records))),
            }
        }
        (machines, doubts)
    }

    pub async fn machines(&self) -> Machines {
        let sql = "select c.slug, array_agg(coalesce('n' || d.external_id, 'i' || m.external_id)) from public.endpoint_records r
            join public.endpoints e on e.customer_id = r.customer_id and e.id = r.endpoint_id and e.ended_at is null
            join public.customers c on c.id = r.customer_id
            left join public.devices d on d.customer_id = r.customer_id and d.id = r.device_id
            left join public.managed_devices m on m.customer_id = r.customer_id and m.id = r.managed_device_id
            where r.ended_at is null group by c.slug, r.endpoint_id";
        let rows = self.admin.query(sql, &[]).await.expect("machines");
        rows.iter().map(|row| (row.get(0), row.get::<_, Vec<String>>(1).into_iter().collect())).collect()
    }

    pub async fn doubts(&self) -> Doubts {
        let sql = "select c.slug, x.kind, array(select coalesce('n' || d.external_id, 'i' || m.external_id) from unnest(x.records) u (id)
              left join public.devices d on d.customer_id = x.customer_id and d.id = u.id
              left join public.managed_devices m on m.customer_id = x.customer_id and m.id = u.id)
            from public.endpoint_conflicts x join public.customers c on c.id = x.customer_id where x.resolved_at is null";
        let rows = self.admin.query(sql, &[]).await.expect("conflicts");
        rows.iter()
            .map(|row| (row.get(0), row.get(1), row.get::<_, Vec<String>>(2).into_iter().collect()))
            .collect()
    }

    /// The first planned row of its kind: organization, devices of the RMM, records of Intune.
    pub async fn planned_as(&self, how: &str) -> (i64, Vec<String>, Vec<String>) {
        let truth = self.truth().await;
        let mut rows = truth["endpoints"].as_array().expect("a list").iter();
        let row = rows.find(|row| row["how"] == how && row["organization_id"] == 1).expect(how);
        let ninja = row["ninja_device_ids"].as_array().expect("a list").iter().map(ToString::to_string);
        let intune = row["intune_ids"].as_array().expect("a list").iter();
        let intune = intune.map(|id| id.as_str().expect("an id").to_owned());
        (1, ninja.collect(), intune.collect())
    }

    /// Customer, record and machine of a vendor's id.
    pub async fn place(&self, external_id: &str) -> (CustomerId, Uuid, Uuid) {
        let sql = "select r.customer_id, coalesce(r.device_id, r.managed_device_id), r.endpoint_id from public.endpoint_records r
            left join public.devices d on d.customer_id = r.customer_id and d.id = r.device_id
            left join public.managed_devices m on m.customer_id = r.customer_id and m.id = r.managed_device_id
            where r.ended_at is null and coalesce(d.external_id, m.external_id) = $1";
        let row = self.admin.query_one(sql, &[&external_id]).await.expect("a record");
        (CustomerId(row.get(0)), row.get(1), row.get(2))
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.expect(sql).get(0)
    }
}

pub fn slug(organization: i64) -> String {
    format!("c{organization:05}")
}

async fn integration(admin: &Client, vendor: &str) -> IntegrationId {
    let sql = "insert into public.integrations (vendor, name, base_url) values ($1, $1, 'http://sandbox.example') returning id";
    IntegrationId(admin.query_one(sql, &[&vendor]).await.expect("an integration").get(0))
}
