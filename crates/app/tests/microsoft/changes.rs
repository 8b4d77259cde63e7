//! Between two whole readings only what changed is asked for; what comes of it is what a whole reading would have brought.
use serde_json::json;

use crate::world::World;

/// Everything that is kept of accounts and what they hold, without when it was seen and what only a whole list says.
const KEPT: &str = "select coalesce(jsonb_agg(row order by row), '[]')::text from (
    select jsonb_build_array(p.external_id, p.user_principal_name, p.account_enabled, p.sku_ids, p.missing_since is null, p.is_complete,
      (select jsonb_agg(l.sku_id order by l.sku_id) from public.person_licenses l
        where l.customer_id = p.customer_id and l.person_id = p.id and l.missing_since is null)) as row
    from public.tenant_people p) of";
const READ_ANEW: &str = "select count(*) from public.tenant_people p
    join public.sync_runs r on r.id = p.seen_in_sync where r.kind = 'incremental'";
const CURSORS: &str = "select count(*) from public.tenant_cursors";

impl World {
    async fn moves(&self) {
        for (action, count) in [("join", 3), ("leave", 2), ("disable", 1), ("assign", 1), ("unassign", 1)] {
            let order = json!({ "organization_id": 1, "action": action, "count": count });
            self.control("/people", order).await;
        }
    }
}

#[tokio::test]
async fn only_accounts_that_changed_are_read_again() {
    let world = World::new(5, 60).await;
    assert_eq!(world.sync(world.graph, "full").await, "complete");
    let tenants = world.count("select count(*) from public.tenants").await;
    assert_eq!(world.count(CURSORS).await, tenants);
    let before = "select min(observed_at)::text from public.tenant_parts where part = 'people'";
    let (seen, kept): (String, String) = (world.db.read(before).await, world.db.read(KEPT).await);
    assert_eq!(world.sync(world.graph, "incremental").await, "complete");
    assert_eq!(world.count(READ_ANEW).await, 0, "nobody changed");
    assert_ne!(world.db.read::<String>(before).await, seen, "and that is known as of now");
    assert_eq!(world.db.read::<String>(KEPT).await, kept);

    world.moves().await;
    assert_eq!(world.sync(world.graph, "incremental").await, "complete");
    let anew = world.count(READ_ANEW).await;
    assert!((1..=8).contains(&anew), "{anew}");
    let changed: String = world.db.read(KEPT).await;
    assert_ne!(changed, kept);
    assert_eq!(world.sync(world.graph, "full").await, "complete");
    assert_eq!(world.db.read::<String>(KEPT).await, changed, "a whole reading says the same");
}

#[tokio::test]
async fn a_forgotten_link_reads_the_accounts_whole() {
    let world = World::new(4, 40).await;
    assert_eq!(world.sync(world.graph, "full").await, "complete");
    world.moves().await;
    world.fault("sync_state_lost", "/v1.0/users/delta", 40).await;
    assert_eq!(world.sync(world.graph, "incremental").await, "complete");
    world.clear_faults().await;
    let all = world.count("select count(*) from public.tenant_people where missing_since is null").await;
    assert_eq!(world.count(&format!("{READ_ANEW} and p.missing_since is null")).await, all);
    let kept: String = world.db.read(KEPT).await;
    assert_eq!(world.sync(world.graph, "full").await, "complete");
    assert_eq!(world.db.read::<String>(KEPT).await, kept);
}

#[tokio::test]
async fn a_change_that_could_not_be_read_comes_again() {
    let world = World::new(4, 40).await;
    assert_eq!(world.sync(world.graph, "full").await, "complete");
    let kept: String = world.db.read(KEPT).await;
    let links = "select string_agg(link, ' ' order by tenant_id) from public.tenant_cursors";
    let link: String = world.db.read(links).await;
    world.moves().await;
    world.fault("server_error", "/v1.0/$batch", 400).await;
    assert_eq!(world.sync(world.graph, "incremental").await, "partial");
    assert_eq!(world.db.read::<String>(KEPT).await, kept, "nobody is gone by the word of a list");
    let unread = "select count(*) from public.tenant_parts where part = 'people' and state = 'partial' and reason like '%accounts that changed could not be read'";
    assert_eq!(world.count(unread).await, 1);
    world.clear_faults().await;
    assert_eq!(world.sync(world.graph, "incremental").await, "complete");
    assert_ne!(world.db.read::<String>(links).await, link);
    let mended: String = world.db.read(KEPT).await;
    assert_ne!(mended, kept);
    assert_eq!(world.sync(world.graph, "full").await, "complete");
    assert_eq!(world.db.read::<String>(KEPT).await, mended);
}

#[tokio::test]
async fn accounts_that_were_not_read_whole_are_read_whole_next_time() {
    let world = World::new(4, 40).await;
    assert_eq!(world.sync(world.graph, "full").await, "complete");
    world.fault("truncated_list", "/v1.0/users", 400).await;
    assert_eq!(world.sync(world.graph, "full").await, "partial");
    assert_eq!(world.count(CURSORS).await, 0);
    world.clear_faults().await;
    assert_eq!(world.sync(world.graph, "incremental").await, "complete");
    assert!(world.count(READ_ANEW).await > 0);
}

#[tokio::test]
async fn the_clock_spares_what_was_whole_a_short_time_ago_unless_accounts_changed() {
    let world = World::new(4, 40).await;
    assert_eq!(world.sync(world.graph, "full").await, "complete");
    let (tenants, read) = (world.count("select count(*) from public.tenants").await, |part: &str| {
        format!("select count(*) from public.tenant_parts p join public.sync_runs r on r.id = p.sync_run_id
            where r.id = (select id from public.sync_runs order by queued_at desc, id desc limit 1) and p.part = '{part}'")
    });
    world.scheduled().await;
    for part in ["organization", "registrations", "managed_devices", "policies"] {
        assert_eq!(world.count(&read(part)).await, 0, "{part}");
    }
    for part in ["people", "seats"] {
        assert_eq!(world.count(&read(part)).await, tenants, "{part}");
    }
    world.moves().await;
    world.scheduled().await;
    for part in ["registrations", "managed_devices", "policies"] {
        assert_eq!(world.count(&read(part)).await, 1, "{part} of the tenant whose accounts changed");
    }
    let judged = "select count(*) from public.tenant_people p where p.missing_since is null and not exists
        (select from public.mfa_results m where m.customer_id = p.customer_id and m.person_id = p.id)";
    assert_eq!(world.count(judged).await, 0, "who joined is judged at once");
    // Somebody who asks gets all of it.
    assert_eq!(world.sync(world.graph, "incremental").await, "complete");
    assert_eq!(world.count(&read("policies")).await, tenants);
}
