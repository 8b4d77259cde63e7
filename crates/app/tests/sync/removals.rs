//! Real disappearances: confirmed one by one, and bounded.
use app::sync::CONFIRMATIONS_MAX;
use serde_json::json;
use store::sync::{SyncKind::Full, SyncState};

use crate::world::{World, fault};

#[tokio::test]
async fn a_few_vanished_devices_are_confirmed_and_marked() {
    let world = World::mapped(3, 60).await;
    world.sync(Full).await;
    let id = world.live().await.into_keys().next().unwrap();
    world.vendor.control("/devices/remove", json!({"device_id": id})).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete);
    let part = world.part(run, "devices").await;
    assert_eq!((part.reads, part.removed), (1, 1));
    world.assert_live_is_truth().await;
    // The row stays, with when it went.
    assert_eq!(
        world
            .count("select count(*) from public.devices where missing_since > now() - interval '1 minute'")
            .await,
        1
    );
}

#[tokio::test]
async fn a_vanished_device_that_cannot_be_asked_for_stays() {
    let world = World::mapped(3, 60).await;
    world.sync(Full).await;
    let id = world.live().await.into_keys().next().unwrap();
    world.vendor.control("/devices/remove", json!({"device_id": id})).await;
    for kind in ["server_error", "html_page", "too_many_requests"] {
        world.vendor.fault(fault(kind, "/v2/device/", 500)).await;
        let (run, state) = world.sync(Full).await;
        assert_eq!(state, SyncState::Partial);
        let part = world.part(run, "devices").await;
        assert_eq!((part.removed, part.error.unwrap()["kind"].as_str()), (0, Some("not_confirmed")));
        world.vendor.clear_faults().await;
    }
    // A page at 404 comes from the edge: it is not the vendor's word.
    world
        .vendor
        .fault(json!({"kind": "html_page", "path_prefix": "/v2/device/", "times": 500, "status": 404}))
        .await;
    let (run, _) = world.sync(Full).await;
    assert_eq!(world.part(run, "devices").await.removed, 0);
    world.vendor.clear_faults().await;
    let (run, state) = world.sync(Full).await;
    assert_eq!((state, world.part(run, "devices").await.removed), (SyncState::Complete, 1));
}

#[tokio::test]
async fn a_real_fall_of_more_than_a_fifth_is_read_twice_and_confirmed_one_by_one() {
    let world = World::mapped(3, 90).await;
    world.sync(Full).await;
    let truth = world.vendor.truth().await;
    let of_first = truth.values().filter(|organization| **organization == 1).count();
    let gone = of_first / 2;
    world.vendor.control("/devices/remove", json!({"organization_id": 1, "count": gone})).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    let part = world.part(run, "devices").await;
    let listed = truth.len() - world.vendor.truth().await.len();
    assert_eq!((part.reads, part.removed), (2, i32::try_from(listed).unwrap()));
    world.assert_live_is_truth().await;
    // What was believed is what the next fall is measured by.
    let (run, _) = world.sync(Full).await;
    assert_eq!(world.part(run, "devices").await.reads, 1);
}

#[tokio::test]
async fn a_fall_too_large_to_confirm_is_held_and_staff_are_told_once() {
    let world = World::mapped(2, 600).await;
    world.db.staff("technician").await;
    world.sync(Full).await;
    let before = world.live().await;
    for organization in [1, 2] {
        world
            .vendor
            .control("/devices/remove", json!({"organization_id": organization, "count": CONFIRMATIONS_MAX}))
            .await;
    }
    for reads in 1..=2 {
        let (run, state) = world.sync(Full).await;
        assert_eq!(state, SyncState::Suspect, "{reads}");
        let part = world.part(run, "devices").await;
        assert_eq!((part.state.as_str(), part.reads, part.removed), ("suspect", 2, 0));
        assert_eq!(world.live().await, before);
        assert_eq!(world.count("select count(*) from public.notifications where kind = 'sync'").await, 1);
    }
}

#[tokio::test]
async fn many_vanished_devices_without_a_fall_are_confirmed_over_several_runs() {
    let world = World::mapped(1, 1_300).await;
    world.sync(Full).await;
    let gone = CONFIRMATIONS_MAX + 20;
    world.vendor.control("/devices/remove", json!({"organization_id": 1, "count": gone})).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Partial);
    let part = world.part(run, "devices").await;
    assert_eq!((part.reads, part.removed), (1, i32::try_from(CONFIRMATIONS_MAX).unwrap()));
    let (run, state) = world.sync(Full).await;
    assert_eq!((state, world.part(run, "devices").await.removed), (SyncState::Complete, 20));
    world.assert_live_is_truth().await;
}

#[tokio::test]
async fn a_device_that_comes_back_is_the_same_row() {
    let world = World::mapped(2, 20).await;
    world.sync(Full).await;
    world.db.arrange("update public.devices set missing_since = now() where external_id = (select min(external_id) from public.devices)").await;
    let rows = world.count("select count(*) from public.devices").await;
    let (run, _) = world.sync(Full).await;
    assert_eq!(world.part(run, "devices").await.updated, 1);
    assert_eq!(world.count("select count(*) from public.devices where missing_since is null").await, rows);
    assert_eq!(world.count("select count(*) from public.devices").await, rows);
}

#[tokio::test]
async fn an_organization_is_missing_only_when_its_own_path_says_so() {
    let world = World::mapped(3, 30).await;
    let sql = "insert into public.integration_organizations (integration_id, external_id, name, observed_at) values ($1, '999', 'Gone Ltd', now())";
    world.admin.execute(sql, &[&world.integration.0]).await.unwrap();
    let missing = "select count(*) from public.integration_organizations where missing_since is not null";
    world.vendor.fault(fault("server_error", "/v2/organization/", 500)).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!((state, world.count(missing).await), (SyncState::Partial, 0));
    assert_eq!(world.part(run, "organizations").await.error.unwrap()["kind"], "not_confirmed");
    world.vendor.clear_faults().await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(
        (state, world.count(missing).await, world.part(run, "organizations").await.removed),
        (SyncState::Complete, 1, 1)
    );
    assert_eq!(world.count(&format!("{missing} and external_id = '999'")).await, 1);
}
