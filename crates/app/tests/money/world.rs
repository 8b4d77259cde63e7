//! Facts as synchronizations leave them, arranged by hand.
use app::money::reconcile;
use kernel::{
    Clock,
    id::{CustomerId, DifferenceId},
};
use store::money::{Ended, Reason};
use testkit::TestDb;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

pub struct World {
    pub db: TestDb,
    pub admin: Client,
    pub clock: Clock,
    pub ninja: Uuid,
    pub revio: Uuid,
    pub product: Uuid,
}

/// A difference as it is kept, numbers as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub id: DifferenceId,
    pub customer: CustomerId,
    pub state: String,
    pub counted: String,
    pub billed: String,
    pub money: Option<String>,
    pub kind: String,
    pub state_text: Option<String>,
    pub close_reason: Option<String>,
    pub is_stale: bool,
    pub first_seen_at: kernel::Timestamp,
}

impl World {
    /// Two sources, each with one complete reading, and the rule for workstations.
    pub async fn new() -> Self {
        let db = TestDb::new().await;
        let admin = db.admin_client().await;
        let ninja = integration(&admin, "ninjaone").await;
        let revio = integration(&admin, "revio").await;
        let sql = "insert into public.billing_products (integration_id, external_id, name, code, rate, currency, is_active, raw, content_hash, observed_at, is_complete)
            values ($1, '201', 'Managed workstation', 'MGD-WKS', 55.00, 'USD', true, '{}', '\\x00', now(), true) returning id";
        let product: Uuid = admin.query_one(sql, &[&revio]).await.expect("a product").get(0);
        let sql = "insert into public.count_rules (name, billing_product_id, device_classes) values ('Managed workstation', $1, '{workstation}')";
        admin.execute(sql, &[&product]).await.expect("a rule");
        let world = Self { db, admin, clock: Clock::system(), ninja, revio, product };
        world.read_both().await;
        world
    }

    /// Both sources were read as a whole, just now.
    pub async fn read_both(&self) {
        for (integration, parts) in
            [(self.ninja, ["organizations", "devices"]), (self.revio, ["organizations", "lines"])]
        {
            self.read(integration, "complete", &parts.map(|part| (part, "complete"))).await;
        }
    }

    pub async fn read(&self, integration: Uuid, state: &str, parts: &[(&str, &str)]) {
        let sql = "insert into public.sync_runs (integration_id, kind, state, queued_at, started_at, ended_at)
            values ($1, 'full', $2::text, clock_timestamp(), clock_timestamp(), clock_timestamp()) returning id";
        let run: Uuid = self.admin.query_one(sql, &[&integration, &state]).await.expect("a run").get(0);
        for (position, (part, state)) in (0_i16..).zip(parts) {
            let sql = "insert into public.sync_parts (sync_run_id, part, position, state) values ($1, $2, $3, $4::text)";
            self.admin.execute(sql, &[&run, part, &position, state]).await.expect("a part");
        }
    }

    /// A customer that is mapped in both sources.
    pub async fn customer(&self, slug: &str) -> CustomerId {
        let customer = self.db.customer(slug).await;
        for integration in [self.ninja, self.revio] {
            let sql = "insert into public.integration_organizations (integration_id, external_id, name, customer_id, mapped_at, observed_at)
                values ($1, $2, $2, $3, now() - interval '1 day', now())";
            self.admin.execute(sql, &[&integration, &slug, &customer.0]).await.expect("a mapping");
        }
        customer
    }

    pub async fn devices(&self, customer: CustomerId, count: i32) -> Vec<Uuid> {
        let sql = "insert into public.devices (customer_id, integration_id, external_id, name, class, vendor_class, raw, content_hash, observed_at, is_complete)
            select $1, $2, 'd' || (n + (select count(*) from public.devices)), 'WS-' || n, 'workstation', 'WINDOWS_WORKSTATION',
                   jsonb_build_object('created', extract(epoch from now() - interval '10 days')), '\\x00', now(), true
            from generate_series(1, $3::integer) n returning id";
        let rows = self.admin.query(sql, &[&customer.0, &self.ninja, &count]).await.expect("devices");
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub async fn line(&self, customer: CustomerId, external_id: &str, quantity: &str) -> Uuid {
        let sql = "insert into public.billing_lines (customer_id, integration_id, external_id, account_ref, product_id, product_ref, name, quantity, rate, currency, status,
              is_active, activated_at, raw, content_hash, observed_at, is_complete)
            select $1, $2, $3, o.external_id, $4, '201', 'Managed workstation', $5::text::numeric, 50.00, 'USD', 'active', true, now() - interval '30 days', '{}', '\\x00', now(), true
            from public.integration_organizations o where o.integration_id = $2 and o.customer_id = $1 returning id";
        let row = self
            .admin
            .query_one(sql, &[&customer.0, &self.revio, &external_id, &self.product, &quantity])
            .await;
        row.expect("a line").get(0)
    }

    pub async fn set_quantity(&self, line: Uuid, quantity: &str) {
        let sql = "update public.billing_lines set quantity = $2::text::numeric where id = $1";
        self.admin.execute(sql, &[&line, &quantity]).await.expect("a line");
    }

    pub async fn run(&self, sql: &str) {
        self.admin.batch_execute(sql).await.expect(sql);
    }

    pub async fn reconcile(&self) -> Ended {
        reconcile::all(&self.db.pg, &self.clock, Reason::Sync, None).await.expect("a comparison").ended
    }

    /// All differences, the oldest first.
    pub async fn kept(&self) -> Vec<Kept> {
        let sql = "select id, customer_id, state, trim_scale(counted)::text, trim_scale(billed)::text, money_per_month::text, cause ->> 'kind', state_text, close_reason,
              stale_since is not null, first_seen_at from public.count_differences order by first_seen_at, id";
        let read = |row: &Row| Kept {
            id: DifferenceId(row.get(0)),
            customer: CustomerId(row.get(1)),
            state: row.get(2),
            counted: row.get(3),
            billed: row.get(4),
            money: row.get(5),
            kind: row.get(6),
            state_text: row.get(7),
            close_reason: row.get(8),
            is_stale: row.get(9),
            first_seen_at: row.get(10),
        };
        self.admin.query(sql, &[]).await.expect("differences").iter().map(read).collect()
    }

    pub async fn single(&self) -> Kept {
        let kept = self.kept().await;
        assert_eq!(kept.len(), 1, "{kept:?}");
        kept.into_iter().next().expect("one")
    }
}

async fn integration(admin: &Client, vendor: &str) -> Uuid {
    let sql = "insert into public.integrations (vendor, name, base_url) values ($1, $1, 'https://vendor.example') returning id";
    admin.query_one(sql, &[&vendor]).await.expect("an integration").get(0)
}
