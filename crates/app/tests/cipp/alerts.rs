//! What CIPP's checks find is one alert here each, for as long as CIPP lists it; nothing but two complete readings ends one.
use std::collections::BTreeSet;

use kernel::id::CustomerId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

const OPEN: &str = "select count(*) from public.alerts where source = 'cipp' and state <> 'resolved'";
const PATH: &str = "/api/ListAlertResults";

impl World {
    async fn fire(&self, organization: i64, message: &str) {
        let order = json!({ "organization_id": organization, "action": "fire", "message": message });
        self.control("/cipp-alerts", order).await;
    }

    async fn clear(&self, organization: i64, message: &str) {
        let order = json!({ "organization_id": organization, "action": "clear", "message": message });
        self.control("/cipp-alerts", order).await;
    }

    /// Tenant, check and hash of what is open here.
    async fn open(&self) -> BTreeSet<String> {
        let sql = "select o.external_id || a.dedup_key, t.id from public.alerts a
            join public.cipp_tenants t on t.customer_id = a.customer_id and starts_with(a.dedup_key, 'cipp:' || t.id || ':')
            join public.integration_organizations o on o.integration_id = t.integration_id and o.external_id = t.external_id
            where a.source = 'cipp' and a.kind = 'cipp_alert' and a.state <> 'resolved' and a.customer_id = o.customer_id";
        let rows = self.admin.query(sql, &[]).await.expect("alerts");
        let own = |row: &tokio_postgres::Row| {
            row.get::<_, String>(0).replace(&format!("cipp:{}", row.get::<_, Uuid>(1)), "")
        };
        rows.iter().map(own).collect()
    }

    /// The same as the sandbox says, of tenants that were read.
    async fn fired(&self) -> BTreeSet<String> {
        let sql = "select t.external_id from public.cipp_tenants t
            join public.cipp_tenant_parts p on p.customer_id = t.customer_id and p.cipp_tenant_id = t.id and p.part = 'alerts' and p.state = 'complete'";
        let rows = self.admin.query(sql, &[]).await.expect("tenants");
        let read: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        let truth = self.truth().await;
        let all = truth["cipp_alerts"].as_array().expect("a list").iter();
        let text = |row: &Value, name: &str| row[name].as_str().expect(name).to_owned();
        let mine = all.filter(|row| read.contains(row["tenant_id"].as_str().unwrap_or_default()));
        mine.map(|row| format!("{}:{}:{}", text(row, "tenant_id"), text(row, "cmdlet"), text(row, "hash")))
            .collect()
    }

    async fn state_of(&self, message: &str) -> Option<String> {
        let sql = "select state::text from public.alerts where source = 'cipp' and title like '%' || $1 order by resolved_at desc nulls first limit 1";
        self.admin.query_opt(sql, &[&message]).await.expect("an alert").map(|row| row.get(0))
    }

    /// Another organization whose tenant is in no trouble.
    async fn another(&self) -> i64 {
        let sql = "select substr(c.slug, 10)::bigint from public.cipp_tenant_parts p join public.customers c on c.id = p.customer_id
            where p.part = 'alerts' and p.state = 'complete' and c.slug <> 'customer-1' order by 1 limit 1";
        self.admin.query_one(sql, &[]).await.expect("an organization").get(0)
    }

    /// State and reason of the part of the first organization's tenant.
    async fn part(&self) -> (String, Option<String>) {
        let sql = "select p.state, p.reason from public.cipp_tenant_parts p join public.customers c on c.id = p.customer_id
            where p.part = 'alerts' and c.slug = 'customer-1'";
        let row = self.admin.query_one(sql, &[]).await.expect("a part");
        (row.get(0), row.get(1))
    }
}

#[tokio::test]
async fn what_a_check_finds_is_one_alert_until_it_is_found_no_more() {
    let world = World::read(9).await;
    world.db.staff("owner").await;
    let seeded = world.open().await;
    assert_eq!(seeded, world.fired().await);
    assert!(seeded.len() > 5, "{seeded:?}");
    assert_eq!(world.count("select count(*) from public.incidents").await, 0, "none of them is severe");
    world.fire(1, "Trojan on WS-7").await;
    for _ in 0..3 {
        world.sync().await;
    }
    assert_eq!(world.open().await, world.fired().await);
    assert_eq!(world.open().await.len(), seeded.len() + 1, "once, however often it is read");
    let incident = "select count(*) from public.alert_list where source = 'cipp' and severity = 'major' and occurrences = 1
        and title like '%: Defender malware: Trojan on WS-7' and incident_id is not null";
    assert_eq!(world.count(incident).await, 1);
    let told =
        "select count(*) from public.notifications where kind = 'incident' and title like '%Trojan on WS-7'";
    assert_eq!(world.count(told).await, 1);
    // Somebody else's is cleared, and this one stays.
    let other = world.another().await;
    world.fire(other, "Trojan on WS-8").await;
    world.sync().await;
    world.clear(other, "Trojan on WS-8").await;
    world.sync().await;
    assert_eq!(world.state_of("Trojan on WS-8").await.as_deref(), Some("resolved"));
    assert_eq!(world.state_of("Trojan on WS-7").await.as_deref(), Some("open"));
    world.clear(1, "Trojan on WS-7").await;
    world.sync().await;
    assert_eq!(world.open().await, seeded);
    let over =
        "select count(*) from public.incident_list where title like '%Trojan on WS-%' and state = 'resolved'";
    assert_eq!(world.count(over).await, 2, "nobody worked on them");
    // It comes back as another alert, with another incident.
    world.fire(1, "Trojan on WS-7").await;
    world.sync().await;
    assert_eq!(world.state_of("Trojan on WS-7").await.as_deref(), Some("open"));
    let all = "select count(*) from public.incidents where title like '%Trojan on WS-7'";
    assert_eq!(world.count(all).await, 2);
}

#[tokio::test]
async fn less_than_two_complete_readings_end_no_alert() {
    let world = World::new(4).await;
    world.fire(1, "Trojan on WS-7").await;
    world.sync().await;
    let open = world.count(OPEN).await;
    assert!(open > 0);
    world.clear(1, "Trojan on WS-7").await;
    // The reading fails, whichever it is: the first one, or the second that has to bear it out.
    for (kind, state) in [
        ("server_error", "failed"),
        ("error_text", "denied"),
        ("placeholder", "failed"),
        ("not_ok", "failed"),
        ("html_page", "failed"),
        ("dropped_connection", "failed"),
    ] {
        world.fault(kind, PATH, 200).await;
        world.sync().await;
        assert_eq!(world.part().await.0, state, "{kind}");
        assert_eq!(world.count(OPEN).await, open, "{kind}");
        world.clear_faults().await;
    }
    // A row that cannot be read: what can is raised, and nothing ends.
    let broken =
        json!({ "organization_id": 1, "action": "fire", "message": "Trojan on WS-8", "broken": true });
    world.control("/cipp-alerts", broken).await;
    world.fire(1, "Trojan on WS-9").await;
    assert_eq!(world.sync().await, "partial");
    assert_eq!(world.part().await.0, "partial");
    assert_eq!(world.state_of("Trojan on WS-7").await.as_deref(), Some("open"));
    assert_eq!(world.state_of("Trojan on WS-9").await.as_deref(), Some("open"));
    world.clear(1, "Trojan on WS-8").await;
    world.sync().await;
    assert_eq!(world.state_of("Trojan on WS-7").await.as_deref(), Some("resolved"));
    assert_eq!(world.part().await, ("complete".to_owned(), None));
}

#[tokio::test]
async fn the_second_reading_has_to_bear_the_first_one_out() {
    let world = World::new(4).await;
    for message in ["Trojan on WS-7", "Trojan on WS-8"] {
        world.fire(1, message).await;
    }
    world.sync().await;
    let open = world.count(OPEN).await;
    // Half a list once: the second reading has them all.
    let domain = "select t.default_domain from public.cipp_tenants t join public.customers c on c.id = t.customer_id where c.slug = 'customer-1'";
    let domain: String = world.admin.query_one(domain, &[]).await.expect("a domain").get(0);
    let once = |kind: &str| json!({ "vendor": "cipp", "kind": kind, "path_prefix": PATH, "query_contains": domain, "times": 1 });
    world.control("/faults", once("truncated_list")).await;
    world.sync().await;
    assert_eq!(world.count(OPEN).await, open);
    assert_eq!(world.part().await.0, "complete");
    // One is over, and the second reading is no reading: it is the next run's.
    world.clear(1, "Trojan on WS-7").await;
    world.control("/faults", once("truncated_list")).await;
    world.control("/faults", once("placeholder")).await;
    assert_eq!(world.sync().await, "partial");
    let (state, reason) = world.part().await;
    assert!(state == "partial" && reason.is_some_and(|it| it.contains("second reading")), "{state}");
    assert_eq!(world.count(OPEN).await, open);
    world.sync().await;
    assert_eq!(world.count(OPEN).await, open - 1);
}

#[tokio::test]
async fn a_role_without_the_right_stops_nothing_else() {
    let world = World::new(4).await;
    world.fault("error_text", PATH, 200).await;
    assert_eq!(world.sync().await, "complete");
    let named = "select count(*) from public.cipp_tenant_parts where part = 'alerts' and state = 'denied' and permission = 'CIPP.Alert.Read'";
    assert_eq!(world.count(named).await, world.count("select count(*) from public.cipp_tenants").await);
    assert_eq!(world.count(OPEN).await, 0);
}

#[tokio::test]
async fn an_alert_belongs_to_the_customer_of_its_tenant_and_to_no_other() {
    let world = World::new(5).await;
    world.fire(1, "Trojan on WS-7").await;
    world.sync().await;
    let ids = "select id from public.customers where slug in ('customer-1', 'customer-2') order by slug";
    let rows = world.admin.query(ids, &[]).await.expect("customers");
    let (first, second): (Uuid, Uuid) = (rows[0].get(0), rows[1].get(0));
    let seen = async |customer: Uuid| {
        let member = world.db.portal(CustomerId(customer), "portal_admin").await;
        let tx = world.db.pg.act_as(&member).await.expect("a transaction");
        let sql = "select count(*), count(*) filter (where title like '%Trojan on WS-7') from public.alerts";
        let row = tx.query_one(sql, &[]).await.expect("counts");
        let strangers = "select count(*) from public.alerts where customer_id <> $1";
        let strangers: i64 = tx.query_one(strangers, &[&customer]).await.expect("a count").get(0);
        assert_eq!(strangers, 0);
        row.get::<_, i64>(1)
    };
    assert_eq!((seen(first).await, seen(second).await), (1, 0));
    // The tenant is mapped to the other customer: its alert goes there, and is over where it was.
    let moved = "update public.integration_organizations set customer_id = $2, mapped_at = now() where customer_id = $1";
    assert_eq!(world.admin.execute(moved, &[&first, &second]).await.expect("a mapping"), 1);
    world.sync().await;
    let of = "select count(*) from public.alerts where source = 'cipp' and state <> 'resolved' and customer_id = $1";
    let left: i64 = world.admin.query_one(of, &[&first]).await.expect("a count").get(0);
    assert_eq!((left, seen(second).await), (0, 1));
    assert_eq!(world.open().await, world.fired().await);
}
