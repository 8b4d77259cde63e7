//! Runs: what they find is what the sandbox says; they go on after their process died; tenants move with their mapping.
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use app::{
    sync::{self, AcceptedFall, SyncObserver, SyncPoint, Vendor},
    vendors::BoxFuture,
};
use serde_json::json;
use tokio::{sync::Notify, task::JoinSet};
use uuid::Uuid;

use crate::world::World;

#[tokio::test]
async fn settings_are_what_the_tenants_have_and_a_change_is_written_down_once() {
    let world = World::new(9).await;
    assert_eq!(world.sync().await, "partial");
    let found = world.found().await;
    assert_eq!(found, world.told().await);
    assert!(found.len() > 100);
    // The two in trouble say why, and were not asked.
    let why = "select count(*) from public.cipp_tenant_parts where part = 'settings' and state = 'denied' and reason like '%excluded%'";
    assert_eq!(world.count(why).await, 1);
    let why = "select count(*) from public.cipp_tenant_parts where part = 'settings' and state = 'failed' and reason like '%AADSTS65001%' and observed_at is null";
    assert_eq!(world.count(why).await, 1);
    assert_eq!(world.count("select count(*) from public.tenant_setting_changes").await, 0);
    world
        .control(
            "/settings",
            json!({"organization_id": 1, "setting": "standards.SpoofWarn", "value": "changed"}),
        )
        .await;
    for _ in 0..2 {
        world.sync().await;
    }
    assert_eq!(world.found().await, world.told().await);
    let changes = "select count(*) from public.tenant_setting_changes where setting = 'standards.SpoofWarn' and after = '\"changed\"' and before in ('\"enabled\"', '\"disabled\"')";
    assert_eq!(
        (world.count(changes).await, world.count("select count(*) from public.tenant_setting_changes").await),
        (1, 1)
    );
    // An expected value that differs shows; the list says how many.
    let unlike = "select count(*) from public.tenant_setting_list where setting = 'standards.SpoofWarn' and not is_as_expected and value = '\"changed\"'";
    assert_eq!(world.count(unlike).await, 1);
}

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
    let world = World::new(7).await;
    world.queue().await;
    for nth in [1, 2, 3, 4, 5, 6, 8, 10, 13] {
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
        world.admin.batch_execute(expire).await.expect("an expired lease");
    }
    world.syncer().run_one().await.expect("the rest of the run");
    assert_eq!(world.found().await, world.told().await);
    let ended = "select count(*) from public.sync_runs where state = 'partial' and resumed_count > 0";
    assert_eq!(world.count(ended).await, 1);
    assert_eq!(world.count("select count(*) from public.tenant_setting_changes").await, 0);
}

#[tokio::test]
async fn a_tenant_moves_with_its_mapping_and_no_other_customer_keeps_it() {
    let world = World::read(5).await;
    let sql = "select customer_id from public.integration_organizations where customer_id is not null order by external_id limit 2";
    let rows = world.admin.query(sql, &[]).await.expect("two");
    let (from, to): (Uuid, Uuid) = (rows[0].get(0), rows[1].get(0));
    let moved = world
        .admin
        .execute("update public.integration_organizations set customer_id = $2, mapped_at = now() where customer_id = $1", &[&from, &to])
        .await;
    assert_eq!(moved.expect("a mapping"), 1);
    world.sync().await;
    assert_eq!(world.found().await, world.told().await);
    let sql = "select count(*) from public.cipp_tenants t join public.integration_organizations o on o.integration_id = t.integration_id and o.external_id = t.external_id
        where t.missing_since is null and t.customer_id <> o.customer_id";
    assert_eq!(world.count(sql).await, 0);
    let left = "select count(*) from public.tenant_settings s join public.cipp_tenants t on t.customer_id = s.customer_id and t.id = s.cipp_tenant_id
        where t.missing_since is not null and s.missing_since is null";
    assert_eq!(world.count(left).await, 0);
}

#[tokio::test]
async fn a_fall_of_settings_waits_for_a_person() {
    let world = World::read(5).await;
    let before = world.found().await;
    world.fault("truncated_list", "/api/ListStandardsCompare", 40).await;
    assert_eq!(world.sync().await, "suspect");
    assert_eq!(world.found().await, before, "nothing is missing");
    let user = world.db.staff("owner").await;
    let held = "select id from public.sync_runs order by queued_at desc, id desc limit 1";
    let run: Uuid = world.admin.query_one(held, &[]).await.expect("a run").get(0);
    let fall =
        AcceptedFall { run: kernel::id::SyncRunId(run), reason: "the standards were taken away".into() };
    let accepted =
        sync::accept_fall(&world.db.pg, &user, (Vendor::Cipp, world.integration), &fall, world.clock.now())
            .await;
    accepted.expect("an accepted fall");
    let worked = world.syncer().run_one().await.expect("a worked run").expect("a run");
    assert_eq!(worked.1.as_str(), "complete");
    assert!(world.found().await.len() < before.len());
    world.clear_faults().await;
    world.sync().await;
    assert_eq!(world.found().await, before, "what comes back is back");
}
