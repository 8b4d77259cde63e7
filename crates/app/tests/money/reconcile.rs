//! What a comparison opens, keeps, passes over and closes.

use app::money::reconcile;
use kernel::id::CustomerId;
use uuid::Uuid;

use crate::world::World;

#[tokio::test]
async fn a_difference_is_opened_once_keeps_its_age_and_closes_by_itself() {
    let world = World::new().await;
    let acme = world.customer("acme").await;
    let right = world.customer("right").await;
    world.devices(acme, 5).await;
    world.devices(right, 2).await;
    let line = world.line(acme, "30001", "3").await;
    world.line(right, "30002", "2").await;
    let ended = world.reconcile().await;
    assert_eq!((ended.done, ended.skipped.len(), ended.opened, ended.open), (2, 0, 1, 1), "{ended:?}");
    assert_eq!(ended.totals[0].under_per_month.fixed(2), "100.00");
    let first = world.single().await;
    assert_eq!((first.state.as_str(), first.counted.as_str(), first.billed.as_str()), ("open", "5", "3"));
    assert_eq!(
        (first.money.as_deref(), first.kind.as_str(), first.customer),
        (Some("100.00"), "devices_added", acme)
    );
    let again = world.reconcile().await;
    assert_eq!((again.opened, again.closed, again.open), (0, 0, 1));
    assert_eq!(world.single().await, first);
    world.set_quantity(line, "4").await;
    world.reconcile().await;
    let moved = world.single().await;
    assert_eq!(
        (moved.id, moved.first_seen_at, moved.money.as_deref()),
        (first.id, first.first_seen_at, Some("50.00"))
    );
    world.set_quantity(line, "5").await;
    assert_eq!(world.reconcile().await.closed, 1);
    let closed = world.single().await;
    assert_eq!((closed.state.as_str(), closed.close_reason.as_deref()), ("closed", Some("vanished")));
    world.set_quantity(line, "9").await;
    world.reconcile().await;
    let both = world.kept().await;
    assert_eq!((both.len(), both[1].state.as_str(), both[1].money.as_deref()), (2, "open", Some("-200.00")));
}

#[tokio::test]
async fn seeing_the_same_again_is_no_change_of_anything() {
    let world = World::new().await;
    let acme = world.customer("acme").await;
    world.devices(acme, 2).await;
    world.reconcile().await;
    let audited = "select count(*) from audit.log where table_name = 'public.count_differences'";
    let before: i64 = world.db.read(audited).await;
    world.reconcile().await;
    let after: i64 = world.db.read(audited).await;
    assert_eq!((before, after), (1, 1));
}

/// Each breaks one thing that a comparison stands on.
#[tokio::test]
async fn facts_that_are_not_fresh_and_complete_open_and_close_nothing() {
    let breaks = [
        "update public.integrations set enabled = false where vendor = 'revio'",
        "update public.sync_runs set ended_at = ended_at - interval '2 days'",
        "delete from public.sync_runs where integration_id = (select id from public.integrations where vendor = 'ninjaone')",
        "update public.sync_parts set state = 'partial' where part = 'lines'",
        "update public.sync_parts set state = 'suspect' where part = 'devices'",
        "update public.sync_runs set state = 'running', ended_at = null where integration_id = (select id from public.integrations where vendor = 'ninjaone')",
        "set session_replication_role = replica; update public.integration_organizations set mapped_at = now(); set session_replication_role = origin",
        "update public.integration_organizations set customer_id = null, mapped_at = null where integration_id = (select id from public.integrations where vendor = 'revio')",
        "update public.devices set is_complete = false",
        "update public.devices set observed_at = observed_at - interval '9 days'",
        "update public.billing_lines set is_complete = false",
    ];
    let world = World::new().await;
    let (open, right) = (world.customer("open").await, world.customer("right").await);
    world.devices(open, 2).await;
    let line = world.line(open, "30001", "1").await;
    world.devices(right, 2).await;
    let other = world.line(right, "30002", "2").await;
    world.reconcile().await;
    let before = world.single().await;
    // What would close the one and open the other, if it were believed.
    world.set_quantity(line, "2").await;
    world.set_quantity(other, "1").await;
    for broken in breaks {
        world.run(&format!("create schema keep; create table keep.runs as table public.sync_runs; create table keep.parts as table public.sync_parts;
            create table keep.orgs as table public.integration_organizations; create table keep.devices as table public.devices; create table keep.lines as table public.billing_lines;
            {broken}")).await;
        let ended = world.reconcile().await;
        assert_eq!(
            (ended.done, ended.skipped.len(), ended.opened, ended.closed),
            (0, 2, 0, 0),
            "{broken}: {ended:?}"
        );
        let kept = world.single().await;
        assert!(kept.is_stale, "{broken}");
        assert_eq!((kept.state.as_str(), kept.billed.as_str()), ("open", before.billed.as_str()), "{broken}");
        world.run("update public.integrations set enabled = true; delete from public.sync_runs; delete from public.sync_parts;
            insert into public.sync_runs select * from keep.runs; insert into public.sync_parts select * from keep.parts;
            set session_replication_role = replica;
            update public.integration_organizations o set customer_id = k.customer_id, mapped_at = k.mapped_at from keep.orgs k
              where k.integration_id = o.integration_id and k.external_id = o.external_id;
            set session_replication_role = origin;
            update public.devices d set is_complete = k.is_complete, observed_at = k.observed_at from keep.devices k where k.id = d.id;
            update public.billing_lines l set is_complete = k.is_complete from keep.lines k where k.id = l.id; drop schema keep cascade").await;
    }
    let ended = world.reconcile().await;
    assert_eq!((ended.done, ended.opened, ended.closed), (2, 1, 1), "believed again: {ended:?}");
}

#[tokio::test]
async fn a_rule_that_is_off_closes_what_it_found() {
    let world = World::new().await;
    let acme = world.customer("acme").await;
    world.devices(acme, 2).await;
    world.reconcile().await;
    world.run("update public.count_rules set enabled = false").await;
    assert_eq!(world.reconcile().await.closed, 1);
    assert_eq!(world.single().await.close_reason.as_deref(), Some("rule_off"));
}

#[tokio::test]
async fn only_a_later_bill_with_the_quantity_closes_what_waits() {
    let world = World::new().await;
    let acme = world.customer("acme").await;
    world.devices(acme, 3).await;
    let line = world.line(acme, "30001", "1").await;
    world.reconcile().await;
    // As a verified change leaves it.
    world.set_quantity(line, "3").await;
    world.run("update public.count_differences set state = 'waiting_for_invoice', changed_at = now(), changed_quantity = 3, bill_mark = 70010").await;
    bill(&world, acme, line, 70_009, "3").await;
    bill(&world, acme, line, 70_011, "1").await;
    let ended = world.reconcile().await;
    assert_eq!((ended.opened, ended.closed), (0, 0), "{ended:?}");
    assert_eq!(world.single().await.state, "waiting_for_invoice");
    let proof = bill(&world, acme, line, 70_012, "3").await;
    assert_eq!(world.reconcile().await.closed, 1);
    let closed = world.single().await;
    assert_eq!((closed.state.as_str(), closed.close_reason.as_deref()), ("closed", Some("invoiced")));
    let kept: Option<Uuid> = world.db.read("select bill_id from public.count_differences").await;
    assert_eq!(kept, Some(proof));
}

#[tokio::test]
async fn a_line_that_somebody_set_back_opens_what_waits() {
    let world = World::new().await;
    let acme = world.customer("acme").await;
    world.devices(acme, 3).await;
    let line = world.line(acme, "30001", "1").await;
    world.reconcile().await;
    world.run("update public.count_differences set state = 'waiting_for_invoice', changed_at = now(), changed_quantity = 3, bill_mark = 1").await;
    world.reconcile().await;
    let kept = world.single().await;
    assert_eq!((kept.state.as_str(), kept.billed.as_str()), ("open", "1"));
    assert!(kept.state_text.is_some_and(|text| text.contains("no longer has the quantity")));
    // And a new difference beside one that waits is a difference of its own.
    world.set_quantity(line, "3").await;
    world.run("update public.count_differences set state = 'waiting_for_invoice'").await;
    world.devices(acme, 1).await;
    world.reconcile().await;
    let states: Vec<_> = world.kept().await.into_iter().map(|kept| kept.state).collect();
    assert_eq!(states, ["waiting_for_invoice", "open"]);
}

#[tokio::test]
async fn one_comparison_of_all_customers_at_a_time_and_only_when_due() {
    let world = World::new().await;
    world.customer("acme").await;
    let turn = world.db.pg.work_for_provider(pg::WorkReason::Schedule).await.unwrap();
    assert!(store::money::lock_all(&turn).await.unwrap());
    assert!(
        reconcile::when_due(&world.db.pg, &world.clock).await.unwrap().is_none(),
        "another one has its turn"
    );
    turn.rollback().await.unwrap();
    assert!(
        reconcile::when_due(&world.db.pg, &world.clock).await.unwrap().is_some(),
        "a synchronization ended"
    );
    assert!(reconcile::when_due(&world.db.pg, &world.clock).await.unwrap().is_none(), "nothing is new");
    world.read_both().await;
    assert!(reconcile::when_due(&world.db.pg, &world.clock).await.unwrap().is_some());
    world.run("update public.reconciliations set started_at = started_at - interval '2 days'; delete from public.sync_runs").await;
    assert!(reconcile::when_due(&world.db.pg, &world.clock).await.unwrap().is_some(), "a day is over");
}

#[tokio::test]
async fn a_thousand_customers_are_compared_in_one_go() {
    let world = World::new().await;
    world.run("insert into public.customers (id, slug, code, name) select app.uuid_v7(), 'many-' || n, 'MANY' || n, 'Many ' || n from generate_series(1, 1000) n").await;
    world.run(&format!("insert into public.integration_organizations (integration_id, external_id, name, customer_id, mapped_at, observed_at)
        select i.id, c.slug, c.name, c.id, now() - interval '1 day', now() from public.customers c, public.integrations i;
        insert into public.devices (customer_id, integration_id, external_id, name, class, vendor_class, raw, content_hash, observed_at, is_complete)
        select c.id, '{}', c.slug || n, 'WS-' || n, 'workstation', 'x', '{{}}', '\\x00', now(), true from public.customers c, generate_series(1, 20) n;
        insert into public.billing_lines (customer_id, integration_id, external_id, account_ref, product_id, product_ref, name, quantity, rate, currency, status, is_active, raw, content_hash, observed_at, is_complete)
        select c.id, '{}', c.slug, c.slug, '{}', '201', 'Managed workstation', case when length(c.slug) = 6 then 19 else 20 end, 50, 'USD', 'active', true, '{{}}', '\\x00', now(), true from public.customers c;
        analyze", world.ninja, world.revio, world.product)).await;
    let ended = world.reconcile().await;
    assert_eq!((ended.done, ended.opened), (1_000, 9), "those with 19");
}

async fn bill(world: &World, customer: CustomerId, line: Uuid, number: i64, quantity: &str) -> Uuid {
    let sql = "insert into public.bills (customer_id, integration_id, external_id, account_ref, billed_at, currency, raw, content_hash, observed_at, is_complete)
        values ($1, $2, $3, 'acme', now(), 'USD', '{}', '\\x00', now(), true) returning id";
    let number = number.to_string();
    let bill: Uuid =
        world.admin.query_one(sql, &[&customer.0, &world.revio, &number]).await.expect("it answers").get(0);
    let sql = "insert into public.bill_charges (customer_id, bill_id, integration_id, external_id, line_id, name, quantity, amount, currency, observed_at)
        values ($1, $2, $3, $4, $5, 'Managed workstation', $6::text::numeric, 1, 'USD', now())";
    world
        .admin
        .execute(sql, &[&customer.0, &bill, &world.revio, &number, &line, &quantity])
        .await
        .expect("it answers");
    bill
}
