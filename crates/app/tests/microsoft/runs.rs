//! Runs: they go on after their process died, tenants move with their mapping, and a fall waits for a person.
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use app::{
    sync::{self, AcceptedFall, SyncObserver, SyncPoint, Vendor},
    vendors::BoxFuture,
};
use kernel::id::{CustomerId, SyncRunId};
use tokio::{sync::Notify, task::JoinSet};
use uuid::Uuid;

use crate::world::World;

const DIGEST: &str = "select md5(coalesce(string_agg(t, ',' order by t), '')) from (
    select p.customer_id || p.external_id || p.account_enabled || p.sku_ids::text || p.roles::text || coalesce(p.methods::text, '-') || coalesce(p.per_user_mfa, '-')
      || coalesce(p.missing_since::text, '') as t from public.tenant_people p
    union all select l.sku_id || p.external_id || coalesce(l.missing_since::text, '') from public.person_licenses l join public.tenant_people p on p.customer_id = l.customer_id and p.id = l.person_id
    union all select s.customer_id || s.part_number || s.purchased || s.assigned from public.license_skus s
    union all select a.external_id || a.state from public.access_policies a
    union all select p.external_id || r.outcome || r.reason_kind || r.chain::text from public.mfa_results r join public.tenant_people p on p.customer_id = r.customer_id and p.id = r.person_id
    union all select a.part || a.state || a.customer_id from public.tenant_parts a) x";

/// Dies at the n-th boundary.
struct DieAt(AtomicUsize, Notify);

impl SyncObserver for DieAt {
    fn at(&self, _: SyncPoint) -> BoxFuture<'_, ()> {
        if self.0.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.1.notify_one();
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test]
async fn a_run_goes_on_after_its_process_died_at_any_boundary() {
    let world = World::new(5, 60).await;
    assert_eq!(world.sync(world.graph, "full").await, "complete");
    let whole: String = world.db.read(DIGEST).await;
    world.admin.batch_execute("delete from public.tenants; delete from public.sync_runs").await.unwrap();
    world.queue(world.graph, "full").await;
    for nth in [1, 2, 3, 4, 5, 6, 7, 9, 12] {
        let die = Arc::new(DieAt(AtomicUsize::new(nth), Notify::new()));
        let doomed = world.syncer().with_observer(die.clone());
        let mut process = JoinSet::new();
        process.spawn(async move { doomed.run_one().await });
        tokio::select! {
            () = die.1.notified() => {}
            _ = process.join_next() => {}
        }
        process.shutdown().await;
        let expire =
            "update public.sync_runs set lease_until = now() - interval '1 second' where state = 'running'";
        world.admin.batch_execute(expire).await.unwrap();
    }
    world.syncer().run_one().await.unwrap();
    let resumed = "select count(*) from public.sync_runs where state = 'complete' and resumed_count > 3";
    assert_eq!(world.count(resumed).await, 1);
    let after: String = world.db.read(DIGEST).await;
    assert_eq!(after, whole);
}

#[tokio::test]
async fn a_second_reading_of_the_same_changes_nothing() {
    let world = World::new(5, 60).await;
    assert_eq!(world.sync(world.graph, "full").await, "complete");
    let whole: String = world.db.read(DIGEST).await;
    assert_eq!(world.sync(world.graph, "incremental").await, "complete");
    let last = "select count(*) from public.sync_parts p join public.sync_runs r on r.id = p.sync_run_id
        where r.kind = 'incremental' and p.part in ('seats', 'people') and p.rows_read = p.rows_unchanged and p.rows_read > 0";
    assert_eq!(world.count(last).await, 2);
    let spared =
        "select rows_read::bigint from public.sync_parts p join public.sync_runs r on r.id = p.sync_run_id
        where p.part = 'registrations' and r.kind = ";
    let (full, incremental) =
        (world.count(&format!("{spared}'full'")).await, world.count(&format!("{spared}'incremental'")).await);
    assert!(incremental < full, "{incremental} {full}");
    let after: String = world.db.read(DIGEST).await;
    assert_eq!(after, whole);
}

#[tokio::test]
async fn a_tenant_that_was_mapped_anew_leaves_its_old_customer_first() {
    let world = World::new(4, 40).await;
    assert_eq!(world.sync(world.graph, "full").await, "complete");
    let sql = "select external_id, customer_id from public.integration_organizations where integration_id = $1 and customer_id is not null order by external_id limit 2";
    let rows = world.admin.query(sql, &[&world.graph.0]).await.unwrap();
    let (tenant, old, new): (String, Uuid, Uuid) = (rows[0].get(0), rows[0].get(1), rows[1].get(1));
    let of = |customer: Uuid| {
        format!("select count(*) from public.tenant_people p join public.tenants t on t.customer_id = p.customer_id and t.id = p.tenant_id
            where p.customer_id = '{customer}' and t.external_id = '{tenant}' and p.missing_since is null")
    };
    let before = world.count(&of(old)).await;
    assert!(before > 0);
    world.map(world.graph, &tenant, CustomerId(new)).await;
    world.admin.batch_execute("update public.integration_organizations set mapped_at = now()").await.unwrap();
    assert_eq!(world.sync(world.graph, "incremental").await, "complete");
    assert_eq!((world.count(&of(old)).await, world.count(&of(new)).await), (0, before));
    let full = "select count(*) from public.sync_runs where kind = 'full' and reason like 'organizations%'";
    assert_eq!(world.count(full).await, 1, "what was mapped anew is read as a whole");
    let left = format!("select count(*) from public.mfa_results where customer_id = '{old}'");
    assert_eq!(world.count(&left).await, 0);
    // Unmapped: nobody's.
    let unmap = "update public.integration_organizations set customer_id = null where external_id = $1";
    world.admin.execute(unmap, &[&tenant]).await.unwrap();
    world.sync(world.graph, "full").await;
    assert_eq!(world.count(&of(new)).await, 0);
}

#[tokio::test]
async fn a_fall_that_is_too_large_is_held_until_a_person_accepts_it() {
    let world = World::read(4, 40).await;
    let ghosts = "insert into public.tenant_people (customer_id, tenant_id, external_id, user_principal_name, display_name, user_type, account_enabled, raw, content_hash, observed_at, is_complete)
        select t.customer_id, t.id, app.uuid_v7()::text, 'ghost' || n, 'Ghost', 'member', true, '{}', '\\x00', now(), true
        from (select * from public.tenants order by external_id limit 1) t, generate_series(1, 250) n";
    world.admin.batch_execute(ghosts).await.unwrap();
    let gone = "select count(*) from public.tenant_people where missing_since is not null";
    assert_eq!(world.sync(world.graph, "full").await, "suspect");
    assert_eq!(world.count(gone).await, 0);
    let held = SyncRunId(world.db.read("select id from public.sync_runs where state = 'suspect'").await);
    let fall = AcceptedFall { run: held, reason: "They left us".into() };
    let (pg, owner) = (&world.db.pg, world.db.staff("owner").await);
    let id = (Vendor::Microsoft, world.graph);
    sync::accept_fall(pg, &owner, id, &fall, world.clock.now()).await.unwrap();
    let (_, state) = world.syncer().run_one().await.unwrap().expect("the accepted run");
    assert_eq!((state.as_str(), world.count(gone).await), ("complete", 250));
}
