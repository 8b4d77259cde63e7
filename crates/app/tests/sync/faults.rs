//! Each fault of the vendor, once and for good: a correct continuation or an honest state, and nothing deleted.
use serde_json::json;
use store::sync::{SyncKind::Full, SyncState};

use crate::world::{World, fault};

const DEVICES: &str = "/v2/devices-detailed";
const LOUD: [&str; 5] = ["too_many_requests", "server_error", "html_page", "dropped_connection", "slow"];

/// A synchronized world, and what the devices table holds.
async fn synchronized() -> World {
    let world = World::mapped(3, 45).await;
    let (_, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete);
    world
}

async fn assert_nothing_lost(world: &World) {
    assert_eq!(world.falsely_missing().await, [0_i64; 0]);
    assert_eq!(world.count("select count(*) from public.devices where missing_since is not null").await, 0);
    assert_eq!(
        world
            .count("select count(*) from public.integration_organizations where missing_since is not null")
            .await,
        0
    );
}

#[tokio::test]
async fn a_fault_that_passes_is_ridden_out() {
    let world = synchronized().await;
    for kind in LOUD {
        for path in [DEVICES, "/v2/organizations", "/v2/locations", "/v2/alerts", "/v2/activities"] {
            world.vendor.fault(fault(kind, path, 1)).await;
        }
        let (run, state) = world.sync(Full).await;
        assert_eq!(state, SyncState::Complete, "{kind}: {:?}", world.parts(run).await);
        assert_eq!(world.part(run, "devices").await.reads, 1);
        assert_nothing_lost(&world).await;
    }
    world.assert_live_is_truth().await;
}

#[tokio::test]
async fn a_fault_that_stays_ends_in_an_honest_state_and_deletes_nothing() {
    let world = synchronized().await;
    let before = world.live().await;
    let expected = [
        ("too_many_requests", "throttled"),
        ("server_error", "upstream"),
        ("html_page", "not_json"),
        ("dropped_connection", "connection"),
        ("slow", "timeout"),
    ];
    for (kind, reason) in expected {
        world.vendor.fault(fault(kind, DEVICES, 500)).await;
        let (run, state) = world.sync(Full).await;
        assert_eq!(state, SyncState::Failed, "{kind}");
        let part = world.part(run, "devices").await;
        assert_eq!((part.state.as_str(), part.read, part.removed), ("failed", 0, 0), "{kind}");
        assert_eq!(part.error.unwrap()["kind"], reason);
        assert_eq!(world.part(run, "conditions").await.state, "complete", "the other parts go on");
        world.vendor.clear_faults().await;
        assert_eq!(world.live().await, before);
        assert_nothing_lost(&world).await;
    }
    // The mark of the activity log stays where a complete reading left it.
    let kept = world.count("select activity_cursor from public.integrations").await;
    world.vendor.control("/trigger", json!({"kind": "disk_full"})).await;
    world.vendor.fault(fault("server_error", DEVICES, 500)).await;
    world.sync(Full).await;
    assert_eq!(world.count("select activity_cursor from public.integrations").await, kept);
    world.vendor.clear_faults().await;
    let (_, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete);
    assert!(world.count("select activity_cursor from public.integrations").await > kept);
}

#[tokio::test]
async fn a_fault_midway_keeps_what_was_read_and_says_that_it_is_partial() {
    let world = World::mapped(3, 45).await;
    // Pages of 10: two arrive, then every further one fails. The offset fits `after=` of later pages only by count.
    for kind in LOUD {
        let run = world.queue(Full).await;
        let observer = BreakAfter::new(2, kind);
        let syncer = world.syncer().with_observer(observer.clone());
        let worked = syncer.run_one();
        let breaking = observer.break_when_due(&world);
        let (worked, ()) = futures_util::join!(worked, breaking);
        assert_eq!(worked.unwrap().unwrap().1, SyncState::Partial, "{kind}: {:?}", world.parts(run).await);
        let part = world.part(run, "devices").await;
        assert_eq!(part.state, "partial");
        assert!((20..=30).contains(&part.read), "{kind}: {part:?}");
        let doubtful = "select count(*) from public.devices where seen_in_sync = (select id from public.sync_runs order by queued_at desc limit 1)";
        let all = world.count(doubtful).await;
        assert_eq!(all, i64::from(part.read));
        assert_eq!(world.count(&format!("{doubtful} and not is_complete")).await, all);
        world.vendor.clear_faults().await;
        assert_nothing_lost(&world).await;
    }
    let (_, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete);
    world.assert_live_is_truth().await;
    assert_eq!(world.count("select count(*) from public.devices where not is_complete").await, 0);
}

#[tokio::test]
async fn a_repeated_page_is_read_again_and_a_vendor_that_goes_on_repeating_is_not_believed() {
    let world = synchronized().await;
    world.vendor.fault(fault("repeated_page", DEVICES, 1)).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    let part = world.part(run, "devices").await;
    assert_eq!(
        (part.reads, part.read, part.unchanged),
        (2, part.unchanged, world.live().await.len().try_into().unwrap())
    );
    assert_nothing_lost(&world).await;

    world.vendor.fault(fault("repeated_page", DEVICES, 500)).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Partial);
    let part = world.part(run, "devices").await;
    assert_eq!((part.reads, part.state.as_str(), part.removed), (2, "partial", 0));
    assert_eq!(part.error.unwrap()["kind"], "repeated_page");
    assert_nothing_lost(&world).await;
}

#[tokio::test]
async fn rows_repeated_at_page_borders_are_dropped() {
    let world = synchronized().await;
    world.vendor.control("/settings", json!({"page_borders": "repeat"})).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    let part = world.part(run, "devices").await;
    assert_eq!(part.read, i32::try_from(world.live().await.len()).unwrap());
}

#[tokio::test]
async fn a_truncated_list_is_suspect_and_recovers_when_it_is_read_again() {
    let world = synchronized().await;
    for path in [DEVICES, "/v2/organizations", "/v2/locations"] {
        world.vendor.fault(fault("truncated_list", path, 1)).await;
    }
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    let part = world.part(run, "devices").await;
    assert_eq!((part.state.as_str(), part.reads, part.removed), ("complete", 2, 0));
    assert_nothing_lost(&world).await;
    world.assert_live_is_truth().await;
}

#[tokio::test]
async fn a_list_that_stays_truncated_deletes_nothing() {
    // One device: half of one row is an empty list, which looks like a complete one.
    for devices in [1, 2, 7, 45] {
        let world = World::mapped(1, devices).await;
        world.sync(Full).await;
        let before = world.live().await;
        for path in [DEVICES, "/v2/organizations", "/v2/locations", "/v2/alerts"] {
            world.vendor.fault(fault("truncated_list", path, 500)).await;
        }
        let (run, state) = world.sync(Full).await;
        assert_eq!(state, SyncState::Partial, "{devices}: {:?}", world.parts(run).await);
        assert_eq!(world.live().await, before);
        assert_nothing_lost(&world).await;
        let (_, state) = world.sync(Full).await;
        assert_eq!(state, SyncState::Complete);
        world.assert_live_is_truth().await;
    }
}

#[tokio::test]
async fn wrong_credentials_fail_the_run_once_and_staff_are_told_once() {
    let world = synchronized().await;
    world.db.staff("owner").await;
    world.db.staff("auditor").await;
    let wrong = crate::world::client(&world.vendor.sandbox, "wrong".to_owned().into());
    let vendors = std::sync::Arc::new(crate::world::SandboxVendors(wrong));
    for _ in 0..2 {
        let run = world.queue(Full).await;
        let syncer = app::sync::Syncer::new(
            world.db.pg.clone(),
            kernel::Clock::system(),
            vendors.clone(),
            std::sync::Arc::new(app::sync::NoSink),
        );
        let (_, state) = syncer.run_one().await.unwrap().unwrap();
        assert_eq!(state, SyncState::Failed);
        let parts = world.parts(run).await;
        assert_eq!(parts["activities"].error.as_ref().unwrap()["kind"], "auth");
        assert_eq!(parts["devices"].state, "cancelled");
        let error: serde_json::Value = world
            .admin
            .query_one("select error from public.sync_runs where id = $1", &[&run.0])
            .await
            .unwrap()
            .get(0);
        assert_eq!(error["kind"], "auth");
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
    // The owner may synchronize and is told; the auditor may not. The second failure is no news.
    assert_eq!(world.count("select count(*) from public.notifications where kind = 'sync'").await, 1);
    assert_nothing_lost(&world).await;
}

/// Lets the vendor fail for good after the n-th page of devices.
struct BreakAfter {
    left: std::sync::atomic::AtomicUsize,
    kind: &'static str,
    due: tokio::sync::Notify,
    done: tokio::sync::Notify,
}

impl BreakAfter {
    fn new(pages: usize, kind: &'static str) -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self {
            left: pages.into(),
            kind,
            due: tokio::sync::Notify::new(),
            done: tokio::sync::Notify::new(),
        })
    }

    async fn break_when_due(&self, world: &World) {
        self.due.notified().await;
        world.vendor.fault(fault(self.kind, DEVICES, 500)).await;
        self.done.notify_one();
    }
}

impl app::sync::SyncObserver for BreakAfter {
    fn at(&self, point: app::sync::SyncPoint) -> app::vendors::BoxFuture<'_, ()> {
        use std::sync::atomic::Ordering::SeqCst;
        Box::pin(async move {
            if point == app::sync::SyncPoint::PageStored(app::sync::PartName::Devices)
                && self.left.fetch_sub(1, SeqCst) == 1
            {
                self.due.notify_one();
                self.done.notified().await;
            }
        })
    }
}
