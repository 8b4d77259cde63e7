//! Search by parts of words: what it finds for whom, and that it finds it by the indexes.
use kernel::id::CustomerId;
use pg::Actor;
use testkit::TestDb;

/// Of each of two customers: large enough for an index to be worth it, and together more than a search gives.
const ROWS: i32 = 26_000;

struct World {
    db: TestDb,
    acme: CustomerId,
    technician: Actor,
    portal: Actor,
}

impl World {
    /// Each customer with `rows` devices `WS00001` … and as many tickets about them.
    async fn new(rows: i32) -> Self {
        let db = TestDb::new().await;
        let acme = db.customer("acme").await;
        db.customer("harbor").await;
        db.arrange(&format!(
            "insert into public.integrations (vendor, name, base_url) values ('ninjaone', 'Test', 'http://127.0.0.1:1');
             insert into public.devices (customer_id, integration_id, external_id, name, class, vendor_class, serial_number, last_user, raw, content_hash, observed_at, is_complete)
               select c.id, i.id, n::text, 'WS' || lpad(n::text, 5, '0'), 'workstation', 'WINDOWS_WORKSTATION', 'SN-' || c.code || n, 'user' || n, '{{}}', '', now(), true
               from public.customers c, public.integrations i, generate_series(1, {rows}) n;
             set session_replication_role = replica;
             insert into public.tickets (customer_id, number, subject, device_id, first_response_due_at)
               select d.customer_id, d.external_id::int, 'Case ' || d.external_id || ' of many', d.id, now() from public.devices d;
             analyze public.devices, public.tickets, public.customers"
        ))
        .await;
        let technician = db.staff("technician").await;
        let portal = db.portal(acme, "portal_admin").await;
        Self { db, acme, technician, portal }
    }

    async fn found(&self, actor: &Actor, search: &str, term: &str) -> i64 {
        let tx = self.db.pg.act_as(actor).await.expect("a transaction");
        let sql = format!("select count(*) from public.{search}($1)");
        tx.query_one(&sql, &[&term]).await.expect("a count").get(0)
    }

    /// How often the index was read for this search.
    async fn reads_of(&self, index: &str, actor: &Actor, search: &str, term: &str) -> i64 {
        let tx = self.db.pg.act_as(actor).await.expect("a transaction");
        let scans = async || -> i64 {
            let sql = "select pg_stat_get_xact_numscans($1::text::regclass)";
            tx.query_one(sql, &[&format!("public.{index}")]).await.expect("scans").get(0)
        };
        // Those of the connection's last transactions may be among them.
        let before = scans().await;
        let sql = format!("select id from public.{search}($1) order by id limit 50");
        let rows = tx.query(&sql, &[&term]).await.expect("rows");
        assert!(!rows.is_empty(), "{search}({term}) finds nothing");
        scans().await - before
    }
}

#[tokio::test]
async fn each_finds_what_they_may_read() {
    let world = World::new(12).await;
    world
        .db
        .arrange(
            r#"update public.devices set name = '100%_sure\maybe' where name = 'WS00012';
              update public.tickets set subject = 'Ünïcode, and a * and a "quote"' where subject like 'Case 12 %'"#,
        )
        .await;
    for (search, term, staff, portal) in [
        ("search_devices", "ws0000", 18, 9),
        ("search_devices", "  WS00003 ", 2, 1),
        ("search_devices", "sn-harbor3", 1, 0),
        ("search_devices", "ER1", 8, 4),
        ("search_devices", "harbor", 12, 0),
        ("search_devices", "acme", 12, 12),
        // Short terms, and characters that mean something to `like`.
        ("search_devices", "w", 22, 11),
        ("search_devices", "%", 2, 1),
        ("search_devices", "_", 2, 1),
        ("search_devices", "%_", 2, 1),
        ("search_devices", "\\", 2, 1),
        ("search_devices", "_S00003", 0, 0),
        ("search_devices", "ws%3", 0, 0),
        ("search_devices", "", 0, 0),
        ("search_devices", " ", 0, 0),
        ("search_tickets", "CASE 3 of", 2, 1),
        ("search_tickets", "ünïCODE", 2, 1),
        ("search_tickets", "* and a \"", 2, 1),
        ("search_tickets", "ws00004", 2, 1),
        // References: a code, a hyphen, a number.
        ("search_tickets", "acme-3", 1, 1),
        ("search_tickets", "ACME-1", 4, 4),
        ("search_tickets", "or-12", 1, 0),
        ("search_tickets", "harbor-", 12, 0),
        ("search_tickets", "-7", 2, 1),
        ("search_tickets", "harb", 12, 0),
        ("search_tickets", "me-1", 4, 4),
        ("search_tickets", "x-1", 0, 0),
    ] {
        assert_eq!(world.found(&world.technician, search, term).await, staff, "staff, {search}({term})");
        assert_eq!(world.found(&world.portal, search, term).await, portal, "portal, {search}({term})");
    }
    let longest = "x".repeat(100_000);
    assert_eq!(world.found(&world.technician, "search_tickets", &longest).await, 0);
}

#[tokio::test]
async fn a_rare_term_is_found_by_the_index() {
    let world = World::new(ROWS).await;
    for (index, search, term) in [
        ("devices_search", "search_devices", "WS01234"),
        ("tickets_search", "search_tickets", "Case 1234 of"),
        ("devices_search", "search_tickets", "WS01234"),
    ] {
        let reads = world.reads_of(index, &world.technician, search, term).await;
        assert!(reads > 0, "{search}({term}) does not read {index}");
        // A member's search asks rows of their customers only, so that its time says nothing of others.
        let reads = world.reads_of(index, &world.portal, search, term).await;
        assert_eq!(reads, 0, "a member's {search}({term}) reads {index}");
    }
    for (search, term) in [("search_devices", "user"), ("search_tickets", "case")] {
        let tx = world.db.pg.act_as(&world.technician).await.expect("a transaction");
        let refused = tx.query(&format!("select id from public.{search}($1)"), &[&term]).await;
        let code = refused.err().and_then(|error| error.code().map(|code| code.code().to_owned()));
        assert_eq!(code.as_deref(), Some("PT422"), "{search}({term}) gives more than is bearable");
    }
    // Others' rows do not count.
    assert_eq!(world.found(&world.portal, "search_tickets", "case").await, i64::from(ROWS));
}

#[tokio::test]
async fn the_planner_takes_a_search_apart() {
    let world = World::new(12).await;
    let tx = world.db.pg.act_as(&world.portal).await.expect("a transaction");
    for (search, finder) in [("search_devices", "devices_found"), ("search_tickets", "tickets_found")] {
        let plan = tx
            .query(
                &format!(
                    "explain (verbose) select count(*) from public.{search}('a') where customer_id = $1"
                ),
                &[&world.acme.0],
            )
            .await
            .expect("a plan");
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains(finder) && !plan.contains(search), "{search} is called as a whole:\n{plan}");
        // What is not asked for is not worked out.
        assert!(!plan.contains("public.sites") && !plan.contains("device_conditions"), "{plan}");
    }
}

/// A column that a left join compares is asked of the index, also when nothing of the join is asked for.
#[tokio::test]
async fn long_lists_are_counted_from_an_index_alone() {
    let db = TestDb::new().await;
    let tx = db.pg.act_as(&db.staff("technician").await).await.expect("a transaction");
    for other in ["enable_seqscan", "enable_bitmapscan"] {
        tx.execute(&format!("set local {other} = off"), &[]).await.expect("a setting");
    }
    for list in ["device_list", "ticket_list"] {
        let plan =
            tx.query(&format!("explain select count(*) from public.{list}"), &[]).await.expect("a plan");
        let plan: Vec<String> = plan.iter().map(|line| line.get(0)).collect();
        assert!(plan.iter().any(|line| line.contains("Index Only Scan")), "{list}: {plan:#?}");
    }
}
