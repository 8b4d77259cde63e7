//! The incremental run reads what the activity log names, and never removes.
use serde_json::json;
use store::sync::{SyncKind::Full, SyncKind::Incremental, SyncState};

use crate::world::{World, fault};

async fn kind_of_last(world: &World) -> String {
    let sql = "select kind from public.sync_runs order by queued_at desc limit 1";
    world.admin.query_one(sql, &[]).await.expect("a run").get(0)
}

#[tokio::test]
async fn new_devices_arrive_and_vanished_ones_wait_for_a_full_reading() {
    let world = World::mapped(3, 60).await;
    world.sync(Full).await;
    let (run, state) = world.sync(Incremental).await;
    assert_eq!((state, kind_of_last(&world).await.as_str()), (SyncState::Complete, "incremental"));
    assert_eq!(world.part(run, "devices").await.read, 0, "nothing happened");

    let gone = world.live().await.into_keys().next().unwrap();
    world.vendor.control("/devices/remove", json!({"device_id": gone})).await;
    world.vendor.control("/devices/add", json!({"organization_id": 2, "count": 3})).await;
    let (run, state) = world.sync(Incremental).await;
    assert_eq!((state, kind_of_last(&world).await.as_str()), (SyncState::Complete, "incremental"));
    let part = world.part(run, "devices").await;
    assert_eq!((part.created, part.removed), (3, 0), "{part:?}");
    assert!(world.live().await.contains_key(&gone));
    // The log is read from where it ended.
    let (run, _) = world.sync(Incremental).await;
    assert_eq!((world.part(run, "activities").await.read, world.part(run, "devices").await.read), (0, 0));
    world.sync(Full).await;
    world.assert_live_is_truth().await;
}

#[tokio::test]
async fn what_could_not_be_read_is_read_next_time() {
    let world = World::mapped(2, 30).await;
    world.sync(Full).await;
    world.vendor.control("/devices/add", json!({"organization_id": 1, "count": 2})).await;
    world.vendor.fault(fault("server_error", "/v2/device/", 500)).await;
    let (run, state) = world.sync(Incremental).await;
    assert_eq!((state, world.part(run, "devices").await.state.as_str()), (SyncState::Partial, "partial"));
    world.vendor.clear_faults().await;
    world.vendor.fault(fault("html_page", "/v2/activities", 500)).await;
    let (run, state) = world.sync(Incremental).await;
    assert_eq!((state, world.part(run, "activities").await.state.as_str()), (SyncState::Failed, "failed"));
    world.vendor.clear_faults().await;
    let (run, state) = world.sync(Incremental).await;
    assert_eq!((state, world.part(run, "devices").await.created), (SyncState::Complete, 2));
    world.assert_live_is_truth().await;
}

#[tokio::test]
async fn too_much_since_the_last_run_becomes_a_full_one() {
    let world = World::mapped(2, 30).await;
    // Without a mark there is nothing to go on from.
    world.sync(Incremental).await;
    assert_eq!(kind_of_last(&world).await, "full");
    world.vendor.control("/devices/add", json!({"organization_id": 1, "count": 250})).await;
    let (run, state) = world.sync(Incremental).await;
    assert_eq!((state, kind_of_last(&world).await.as_str()), (SyncState::Complete, "full"));
    assert_eq!(world.part(run, "devices").await.created, 250);
    world.assert_live_is_truth().await;
}
