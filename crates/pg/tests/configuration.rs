//! Configuration items and relationships over what is synchronized, what depends on what, and objects as they were.
use kernel::id::CustomerId;
use pg::{Actor, WorkReason};
use serde_json::{Value, json};
use testkit::TestDb;
use uuid::Uuid;

struct World {
    db: TestDb,
    acme: CustomerId,
    harbor: CustomerId,
    technician: Actor,
    portal: Actor,
}

/// Two customers alike: a site, a tenant with two domains, and `machines` machines known to both sources, each with its person.
fn estate(machines: i32) -> String {
    format!(
        "insert into public.integrations (vendor, name, base_url) values ('ninjaone', 'N', 'http://127.0.0.1:1'), ('microsoft', 'M', 'http://127.0.0.1:1'), ('revio', 'R', 'http://127.0.0.1:1');
         insert into public.sites (customer_id, name, integration_id, external_id, observed_at)
           select c.id, 'Main office', i.id, '1', now() from public.customers c, public.integrations i where i.vendor = 'ninjaone';
         insert into public.tenants (customer_id, integration_id, external_id, name, domains, observed_at, is_complete)
           select c.id, i.id, c.slug, c.name, array[c.slug || '.example', c.slug || '.onmicrosoft.example'], now(), true from public.customers c, public.integrations i where i.vendor = 'microsoft';
         insert into public.license_skus (customer_id, tenant_id, sku_id, part_number, name, purchased, suspended, warning, assigned, status, raw, content_hash, observed_at, is_complete)
           select t.customer_id, t.id, '00000000-0000-7000-8000-000000000001', 'SPB', 'Business Premium', 1, 0, 0, 1, 'Enabled', '{{}}', '', now(), true from public.tenants t;
         insert into public.devices (customer_id, integration_id, external_id, site_id, name, class, vendor_class, raw, content_hash, observed_at, is_complete)
           select s.customer_id, s.integration_id, n::text, s.id, 'WS' || lpad(n::text, 5, '0'), 'workstation', 'W', '{{}}', '', now(), true from public.sites s, generate_series(1, {machines}) n;
         insert into public.managed_devices (customer_id, tenant_id, external_id, name, raw, content_hash, observed_at, is_complete)
           select t.customer_id, t.id, n::text, 'WS' || lpad(n::text, 5, '0'), '{{}}', '', now(), true from public.tenants t, generate_series(1, {machines}) n;
         insert into public.tenant_people (customer_id, tenant_id, external_id, user_principal_name, display_name, user_type, account_enabled, sku_ids, raw, content_hash, observed_at, is_complete)
           select t.customer_id, t.id, n::text, 'p' || n || '@' || t.domains[1], 'Person ' || n, 'member', true, '{{00000000-0000-7000-8000-000000000001}}', '{{}}', '', now(), true
           from public.tenants t, generate_series(1, {machines}) n;
         insert into public.endpoints (customer_id, name, class, sources, coverage, site_id, person_id, changed_at, created_at)
           select d.customer_id, d.name, d.class, '{{ninjaone,intune}}', 'covered', d.site_id, p.id, now(), now()
           from public.devices d join public.tenant_people p on p.customer_id = d.customer_id and p.external_id = d.external_id;
         insert into public.endpoint_records (customer_id, endpoint_id, source, device_id, managed_device_id, decided_by, since)
           select e.customer_id, e.id, 'ninjaone', d.id, null::uuid, 'rule', now() from public.endpoints e join public.devices d on d.customer_id = e.customer_id and d.name = e.name
           union all
           select e.customer_id, e.id, 'intune', null, m.id, 'rule', now() from public.endpoints e join public.managed_devices m on m.customer_id = e.customer_id and m.name = e.name;
         insert into public.billing_products (integration_id, external_id, name, currency, is_active, raw, content_hash, observed_at, is_complete)
           select i.id, '1', 'Managed workstation', 'USD', true, '{{}}', '', now(), true from public.integrations i where i.vendor = 'revio';
         insert into public.count_rules (name, billing_product_id, device_classes) select 'Workstations', p.id, '{{workstation}}' from public.billing_products p;
         insert into public.billing_lines (customer_id, integration_id, external_id, account_ref, product_id, product_ref, name, quantity, rate, currency, status, is_active, raw, content_hash, observed_at, is_complete)
           select c.id, p.integration_id, c.slug, '1', p.id, '1', 'Workstations', 2, 30, 'USD', 'ACTIVE', true, '{{}}', '', now(), true from public.customers c, public.billing_products p;
         analyze"
    )
}

impl World {
    async fn new(machines: i32) -> Self {
        let db = TestDb::new().await;
        let (acme, harbor) = (db.customer("acme").await, db.customer("harbor").await);
        db.arrange(&estate(machines)).await;
        let technician = db.staff("technician").await;
        let portal = db.portal(acme, "portal_admin").await;
        Self { db, acme, harbor, technician, portal }
    }

    async fn rows(&self, actor: &Actor, sql: &str) -> Result<Vec<Value>, String> {
        let tx = self.db.pg.act_as(actor).await.expect("a transaction");
        let rows = tx.query(&format!("select to_jsonb(x) from ({sql}) x"), &[]).await;
        let rows = rows.map_err(|error| format!("{error:?}"))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn change(&self, actor: &Actor, sql: &str) -> Result<(), String> {
        let tx = self.db.pg.act_as(actor).await.expect("a transaction");
        tx.query(sql, &[]).await.map_err(|error| format!("{error:?}"))?;
        tx.commit().await.map_err(|error| format!("{error:?}"))
    }

    /// As a synchronization of acme does.
    async fn synchronize(&self, sql: &str) {
        let tx = self.db.pg.work_for(self.acme, WorkReason::Sync).await.expect("a transaction");
        tx.query(sql, &[]).await.expect("a write");
        tx.commit().await.expect("a commit");
    }

    async fn id(&self, table: &str, name: &str) -> Uuid {
        let column = if table == "tenant_people" { "display_name" } else { "name" };
        self.db
            .read(&format!(
                "select id from public.{table} where customer_id = '{}' and {column} = '{name}'",
                self.acme.0
            ))
            .await
    }

    /// `direction rule other` of an item, in order.
    async fn relationships(&self, item: Uuid) -> Vec<String> {
        let sql = format!(
            "select direction || ' ' || rule || ' ' || coalesce(other_name, '?') as line from public.configuration_relationship_list
             where customer_id = '{}' and item_id = '{item}' order by 1",
            self.acme.0
        );
        let rows = self.rows(&self.technician, &sql).await.expect("relationships");
        rows.iter().map(|row| row["line"].as_str().expect("a line").to_owned()).collect()
    }

    async fn impact(&self, item: Uuid, direction: &str, levels: i32) -> Result<Value, String> {
        let sql = format!(
            "select public.configuration_impact('{}', '{item}', '{direction}', {levels}, 50) as found",
            self.acme.0
        );
        Ok(self.rows(&self.technician, &sql).await?[0]["found"].clone())
    }

    async fn as_of(&self, actor: &Actor, kind: &str, id: Uuid, at: &str) -> Result<Value, String> {
        let sql = format!("select public.as_of('{kind}', '{}', '{id}', {at}) as state", self.acme.0);
        Ok(self.rows(actor, &sql).await?[0]["state"].clone())
    }
}

#[tokio::test]
async fn relationships_follow_from_what_sources_report() {
    let world = World::new(2).await;
    let machine = world.id("endpoints", "WS00001").await;
    assert_eq!(
        world.relationships(machine).await,
        [
            "in person_uses_endpoint Person 1",
            "out endpoint_at_site Main office",
            "out endpoint_billed_by_service Workstations",
            "out endpoint_is_intune_device WS00001",
            "out endpoint_is_rmm_device WS00001",
        ]
    );
    let person = world.id("tenant_people", "Person 1").await;
    assert_eq!(
        world.relationships(person).await,
        [
            "out person_holds_license Business Premium",
            "out person_in_domain acme.example",
            "out person_in_tenant Acme",
            "out person_uses_endpoint WS00001",
        ]
    );
    let site = world.id("sites", "Main office").await;
    assert_eq!(
        world.relationships(site).await,
        ["in endpoint_at_site WS00001", "in endpoint_at_site WS00002", "out site_of_customer Acme"]
    );
}

#[tokio::test]
async fn only_what_a_complete_reading_lacks_is_gone() {
    let world = World::new(1).await;
    let person = world.id("tenant_people", "Person 1").await;
    // A reading that was not complete marks rows, and takes nothing away.
    world.synchronize("update public.tenant_people set is_complete = false").await;
    assert_eq!(world.relationships(person).await.len(), 4);
    let of = format!("select state, freshness from public.configuration_item_list where id = '{person}'");
    assert_eq!(
        world.rows(&world.technician, &of).await.unwrap(),
        [json!({ "state": "present", "freshness": "partial" })]
    );
    world.synchronize("update public.tenant_people set observed_at = now() - interval '9 days'").await;
    assert_eq!(world.rows(&world.technician, &of).await.unwrap()[0]["freshness"], "stale");
    world.synchronize("update public.tenant_people set missing_since = now()").await;
    assert_eq!(world.rows(&world.technician, &of).await.unwrap()[0]["state"], "missing");
    assert_eq!(
        world.relationships(person).await,
        ["out person_uses_endpoint WS00001"],
        "the machine's own word stays"
    );
}

#[tokio::test]
async fn what_people_enter_stays_theirs() {
    let world = World::new(1).await;
    let (site, acme) = (world.id("sites", "Main office").await, world.acme.0);
    world
        .change(&world.technician, &format!("insert into public.configuration_items (customer_id, kind, name, attributes) values ('{acme}', 'circuit', 'Fiber', '{{\"Provider\": \"Telco\"}}')"))
        .await
        .unwrap();
    let line = world.id("configuration_items", "Fiber").await;
    let join = |to: Uuid, customer: Uuid| {
        format!(
            "insert into public.configuration_relationships (customer_id, from_kind, from_id, kind, to_kind, to_id) values ('{customer}', 'site', '{site}', 'depends_on', 'circuit', '{to}')"
        )
    };
    world.change(&world.technician, &join(line, acme)).await.unwrap();
    assert!(world.relationships(site).await.contains(&"out depends_on Fiber".to_owned()));
    // Neither with what is not there, nor over customers, nor with itself.
    for (to, customer) in [(Uuid::now_v7(), acme), (line, world.harbor.0), (site, acme)] {
        assert!(world.change(&world.technician, &join(to, customer)).await.is_err(), "{to} at {customer}");
    }
    // Customers' people see none of it; auditors write none of it.
    assert!(world.rows(&world.portal, "select 1 from public.configuration_item_list").await.is_err());
    let auditor = world.db.staff("auditor").await;
    assert!(world.change(&auditor, &join(line, acme)).await.is_err());
    // What was entered says who entered it, and goes with its item.
    let entered = world.rows(&world.technician, "select sources, freshness, entered_by is not null as has_name from public.configuration_item_list where origin = 'entered' and kind = 'circuit'").await.unwrap();
    assert_eq!(entered, [json!({ "sources": ["entered"], "freshness": "entered", "has_name": true })]);
    world.change(&world.technician, "delete from public.configuration_items").await.unwrap();
    assert_eq!(world.db.read::<i64>("select count(*) from public.configuration_relationships").await, 0);
}

#[tokio::test]
async fn impact_is_walked_over_all_rules_and_within_its_bounds() {
    let world = World::new(300).await;
    let site = world.id("sites", "Main office").await;
    let found = world.impact(site, "in", 6).await.unwrap();
    assert_eq!(found["kinds"], json!({ "endpoint": 300, "person": 300 }));
    assert_eq!(
        (found["reached"].as_i64(), found["is_whole"].as_bool(), found["levels"].as_i64()),
        (Some(600), Some(true), Some(2))
    );
    assert_eq!(found["rows"].as_array().map(Vec::len), Some(50), "the nearest rows only");
    // One level is not all, and says so.
    let near = world.impact(site, "in", 1).await.unwrap();
    assert_eq!((near["reached"].as_i64(), near["is_whole"].as_bool()), (Some(300), Some(false)));
    // A ring ends.
    let (acme, line) = (world.acme.0, Uuid::now_v7());
    world
        .change(&world.technician, &format!("insert into public.configuration_items (customer_id, id, kind, name) values ('{acme}', '{line}', 'circuit', 'Fiber')"))
        .await
        .unwrap();
    for (from, to) in [(("site", site), ("circuit", line)), (("circuit", line), ("site", site))] {
        let sql = format!(
            "insert into public.configuration_relationships (customer_id, from_kind, from_id, kind, to_kind, to_id) values ('{acme}', '{}', '{}', 'depends_on', '{}', '{}')",
            from.0, from.1, to.0, to.1
        );
        world.change(&world.technician, &sql).await.unwrap();
    }
    let ring = world.impact(line, "in", 12).await.unwrap();
    assert_eq!((ring["reached"].as_i64(), ring["is_whole"].as_bool()), (Some(601), Some(true)));
    // The other way: what a person needs.
    let person = world.id("tenant_people", "Person 7").await;
    let needs = world.impact(person, "out", 12).await.unwrap();
    for (kind, items) in [
        ("endpoint", 1),
        ("site", 1),
        ("tenant", 1),
        ("license", 1),
        ("service", 1),
        ("customer", 1),
        ("circuit", 1),
    ] {
        assert_eq!(needs["kinds"][kind], items, "{kind} of {needs}");
    }
    // Of another customer there is nothing to walk from.
    let foreign: Uuid =
        world.db.read(&format!("select id from public.sites where customer_id = '{}'", world.harbor.0)).await;
    assert!(world.impact(foreign, "in", 6).await.unwrap_err().contains("PT404"));
    assert!(world.impact(site, "around", 6).await.unwrap_err().contains("PT400"));
}

#[tokio::test]
async fn an_object_is_shown_as_it_was() {
    let world = World::new(1).await;
    // The installation is a year old, and so is everything in it.
    world
        .db
        .arrange(
            "update app.schema_history set applied_at = now() - interval '360 days' where name like '%0031%';
             update public.devices set created_at = now() - interval '300 days'; update public.tenant_people set created_at = now() - interval '300 days'",
        )
        .await;
    let (device, person) =
        (world.id("devices", "WS00001").await, world.id("tenant_people", "Person 1").await);
    world.synchronize("update public.devices set name = 'WS-NEW', observed_at = now()").await;
    // Seen again, and measured anew, is no change.
    world.synchronize("update public.devices set observed_at = now(), last_contact_at = now(), is_offline = true, disk_used_percent = 50").await;
    world.db.arrange("update public.object_changes set at = now() - interval '10 days'").await;
    world.synchronize("update public.devices set name = 'WS-NEWEST', site_id = null").await;
    let name_at = async |at: &str| world.as_of(&world.technician, "device", device, at).await.unwrap();
    let then = name_at("now() - interval '11 days'").await;
    assert_eq!(
        (then["outcome"].as_str(), then["state"]["name"].as_str(), then["changes_since"].as_i64()),
        (Some("known"), Some("WS00001"), Some(2))
    );
    assert_eq!(
        then["names"].as_object().map(|names| names.values().cloned().collect::<Vec<_>>()),
        Some(vec![json!("Main office")])
    );
    let then = name_at("now() - interval '9 days'").await;
    assert_eq!(then["state"]["name"], "WS-NEW");
    assert!(then["since"]["name"].is_string(), "since when it had that name: {then}");
    assert_eq!(name_at("now()").await["state"]["name"], "WS-NEWEST");
    // What cannot be known is not guessed.
    assert_eq!(name_at("now() - interval '301 days'").await["outcome"], "not_yet");
    world.db.arrange("update public.devices set created_at = now() - interval '3 years'").await;
    let before = name_at("now() - interval '2 years'").await;
    assert_eq!((before["outcome"].as_str(), &before["state"]), (Some("before_history"), &Value::Null));
    for (kind, at) in [("device", "now() + interval '1 day'"), ("planet", "now()")] {
        assert!(
            world.as_of(&world.technician, kind, device, at).await.unwrap_err().contains("PT400"),
            "{kind} {at}"
        );
    }
    // A customer's people look back at their own, and at nothing of others.
    assert_eq!(
        world.as_of(&world.portal, "device", device, "now() - interval '11 days'").await.unwrap()["state"]["name"],
        "WS00001"
    );
    world.synchronize("update public.tenant_people set account_enabled = false").await;
    assert_eq!(
        world.as_of(&world.portal, "person", person, "now() - interval '1 minute'").await.unwrap()["state"]["account_enabled"],
        true
    );
    let foreign = world
        .rows(
            &world.portal,
            &format!("select public.as_of('device', '{}', '{device}', now())", world.harbor.0),
        )
        .await;
    assert!(foreign.unwrap_err().contains("PT404"));
    let stranger = world.db.portal(world.harbor, "portal_admin").await;
    assert!(world.as_of(&stranger, "device", device, "now()").await.unwrap_err().contains("PT404"));
    assert_eq!(
        world.rows(&stranger, "select 1 from public.object_change_list").await.unwrap(),
        Vec::<Value>::new()
    );
    // One that was removed is known until then, and gone since.
    world.synchronize("delete from public.endpoint_records").await;
    world.synchronize("delete from public.devices").await;
    assert_eq!(name_at("now()").await["outcome"], "gone");
    assert_eq!(name_at("now() - interval '9 days'").await["state"]["name"], "WS-NEW");
    // With the customer goes its history.
    world.db.arrange(&format!("delete from public.customers where id = '{}'", world.acme.0)).await;
    assert_eq!(world.db.read::<i64>("select count(*) from public.object_changes").await, 0);
}

#[tokio::test]
async fn each_attribute_says_what_it_rests_on() {
    let world = World::new(1).await;
    world
        .db
        .arrange(
            "insert into public.integrations (vendor, name, base_url) values ('cipp', 'C', 'http://127.0.0.1:1');
             insert into public.cipp_tenants (customer_id, integration_id, external_id, name, default_domain, raw, content_hash, observed_at, is_complete)
               select t.customer_id, i.id, upper(t.external_id), 'Acme Corp', t.domains[1], '{}', '', now(), true from public.tenants t, public.integrations i where i.vendor = 'cipp' and t.name = 'Acme';
             insert into public.tenant_parts (customer_id, tenant_id, part, state, reason, observed_at, attempted_at)
               select t.customer_id, t.id, 'sign_ins', 'partial', 'throttled', now() - interval '2 days', now() from public.tenants t;
             update public.tenant_people set last_sign_in_at = now() - interval '3 days'",
        )
        .await;
    let of = |kind: &str, id: Uuid, attribute: &str| {
        format!(
            "select value, source, is_complete, rule, also from public.object_attributes where customer_id = '{}' and kind = '{kind}' and object_id = '{id}' and attribute = '{attribute}'",
            world.acme.0
        )
    };
    let tenant = world.id("tenants", "Acme").await;
    let name = &world.rows(&world.technician, &of("tenant", tenant, "name")).await.unwrap()[0];
    assert_eq!(
        (name["value"].as_str(), name["source"].as_str(), name["rule"].as_str()),
        (Some("Acme"), Some("microsoft"), Some("microsoft_first"))
    );
    assert_eq!(
        (name["also"][0]["value"].as_str(), name["also"][0]["source"].as_str()),
        (Some("Acme Corp"), Some("cipp"))
    );
    // The account was read whole, its last sign-in was not.
    let person = world.id("tenant_people", "Person 1").await;
    assert_eq!(
        world.rows(&world.technician, &of("person", person, "name")).await.unwrap()[0]["is_complete"],
        true
    );
    assert_eq!(
        world.rows(&world.technician, &of("person", person, "last_sign_in")).await.unwrap()[0]["is_complete"],
        false
    );
    let line = world.id("billing_lines", "Workstations").await;
    let name = &world.rows(&world.technician, &of("service", line, "name")).await.unwrap()[0];
    assert_eq!(
        (name["value"].as_str(), name["also"][0]["value"].as_str()),
        (Some("Workstations"), Some("Managed workstation"))
    );
}
