//! Whole lists, with everything that can happen at a border.
use std::collections::HashSet;

use connector_api::{AfterWalk, Completeness, Cursor, PartialReason, VendorError, WalkLimits};
use sandbox::SandboxConfig;
use serde_json::json;

use crate::support::{scene, scene_with};

#[tokio::test]
async fn every_list_is_walked_to_its_end() {
    let scene = scene(30, 130).await;
    let devices = scene.ninja.devices_detailed(50).await;
    assert_eq!(
        (devices.items.len(), devices.pages, &devices.completeness),
        (129, 4, &Completeness::Complete)
    );
    assert!(devices.items.is_sorted_by_key(|device| device.id) && devices.request_id.is_some());
    assert_eq!(devices.observed_at, Some(scene.clock.now()));
    let organizations = scene.ninja.organizations().await;
    assert_eq!((organizations.items.len(), organizations.items[0].name.as_str()), (30, "Acme Dental"));
    let locations = scene.ninja.locations().await;
    assert!(locations.items.len() >= 30 && locations.completeness.is_complete());

    let of_first: HashSet<_> =
        devices.items.iter().filter(|it| it.organization_id == 1).map(|it| it.id).collect();
    let second_reader = scene.ninja.organization_devices(1).await;
    assert_eq!(second_reader.items.iter().map(|it| it.id).collect::<HashSet<_>>(), of_first);
    assert!(second_reader.items[0].volumes.is_none());
    let nobody = scene.ninja.organization_devices(999).await;
    assert_eq!(nobody.completeness, Completeness::partial(PartialReason::Stopped(VendorError::NotFound)));
}

#[tokio::test]
async fn repeats_at_borders_are_dropped() {
    let scene = scene(5, 130).await;
    scene.control("/settings", json!({"page_borders": "repeat"})).await;
    let devices = scene.ninja.devices_detailed(50).await;
    assert_eq!((devices.items.len(), devices.repeats), (129, 2));
    assert!(devices.completeness.is_complete());
}

#[tokio::test]
async fn a_repeated_page_makes_the_walk_partial_and_ends_it() {
    let scene = scene(5, 130).await;
    scene.fault(json!({"kind": "repeated_page", "path_prefix": "/v2/devices-detailed", "times": 100})).await;
    let devices = scene.ninja.devices_detailed(50).await;
    assert_eq!(devices.completeness, Completeness::partial(PartialReason::RepeatedPage));
    assert_eq!((devices.items.len(), devices.pages), (50, 2));
}

#[tokio::test]
async fn a_truncated_page_loses_nothing_and_is_not_trusted() {
    let scene = scene(5, 130).await;
    scene.fault(json!({"kind": "truncated_list", "path_prefix": "/v2/devices-detailed"})).await;
    let devices = scene.ninja.devices_detailed(50).await;
    assert_eq!(devices.items.len(), 129);
    assert_eq!(devices.completeness, Completeness::partial(PartialReason::ShortPageMidway));
}

#[tokio::test]
async fn a_failure_midway_keeps_what_was_read_and_says_so() {
    let scene = scene(5, 130).await;
    let mut walk = AfterWalk::new(WalkLimits::default());
    let first = scene.ninja.devices_detailed_page(None, 50).await.unwrap();
    assert_eq!(
        (first.value.raw_count, &first.value.next),
        (50, &Some(Cursor::After(first.value.items[49].id)))
    );
    assert_eq!(walk.take(first, |device| device.id).len(), 50);
    scene.fault(json!({"kind": "server_error", "times": 5})).await;
    let after = walk.next_after().unwrap();
    walk.fail(scene.ninja.devices_detailed_page(after, 50).await.unwrap_err());
    assert_eq!(walk.next_after(), None);
    let stopped = PartialReason::Stopped(VendorError::Upstream { status: 500 });
    assert_eq!(walk.completeness(), Completeness::partial(stopped));
}

#[tokio::test]
async fn activities_are_read_back_until_the_gap_is_closed() {
    let scene =
        scene_with(SandboxConfig { initial_conditions: 35, ..SandboxConfig::tests(5, 130) }, 5_000).await;
    let last = scene.ninja.latest_activity_id().await.unwrap().value.unwrap();
    let log = scene.ninja.activities_newer_than(last - 35, 10).await.unwrap();
    assert_eq!((log.value.activities.len(), &log.completeness), (35, &Completeness::Complete));
    assert!(log.value.activities.is_sorted_by_key(|activity| activity.id));
    assert_eq!((log.value.highest_id(), log.value.last_activity_id), (Some(last), Some(last)));
    assert!(scene.ninja.activities_newer_than(last, 10).await.unwrap().value.activities.is_empty());

    scene.fault(json!({"kind": "repeated_page", "path_prefix": "/v2/activities", "times": 9})).await;
    let log = scene.ninja.activities_newer_than(last - 35, 10).await.unwrap();
    assert_eq!(log.completeness, Completeness::partial(PartialReason::RepeatedPage));
    assert_eq!(log.value.activities.len(), 10);
}

#[tokio::test]
async fn a_log_that_breaks_midway_is_partial_and_one_that_never_began_is_an_error() {
    let scene =
        scene_with(SandboxConfig { initial_conditions: 35, ..SandboxConfig::tests(5, 130) }, 5_000).await;
    scene.fault(json!({"kind": "server_error", "path_prefix": "/v2/activities", "times": 5})).await;
    let error = scene.ninja.activities_newer_than(0, 10).await.unwrap_err();
    assert_eq!(error, VendorError::Upstream { status: 500 });
    // The first half of ten rows, then the rest: nothing is lost.
    scene.fault(json!({"kind": "truncated_list", "path_prefix": "/v2/activities"})).await;
    let log = scene.ninja.activities_newer_than(0, 10).await.unwrap();
    assert_eq!((log.value.activities.len(), log.completeness), (35, Completeness::Complete));
}

#[tokio::test]
async fn disks_are_read_with_either_cursor_and_a_lost_one_starts_over() {
    let scene = scene(5, 60).await;
    let device = scene.ill("disk_full").await;
    for cursor in ["object", "text"] {
        scene.control("/settings", json!({"cursor": cursor})).await;
        let disks = scene.ninja.device_volumes(device).await.unwrap();
        assert_eq!((disks.value.len(), disks.value[0].device_id), (1, Some(device)));
        assert!(disks.completeness.is_complete() && disks.request_id.is_some());
        let (free, capacity) = (disks.value[0].free_bytes.unwrap(), disks.value[0].capacity_bytes.unwrap());
        assert!(free * 50 < capacity);
        assert_eq!(disks.value[0].measured_at, Some(scene.clock.now()));
    }
    assert!(scene.ninja.device_volumes(999_999).await.unwrap().value.is_empty());
    let lost = json!({"kind": "server_error", "status": 400, "query_contains": "cursor="});
    scene.fault(lost).await;
    let disks = scene.ninja.device_volumes(device).await.unwrap();
    assert_eq!((disks.value.len(), disks.completeness), (1, Completeness::Complete));
    scene
        .fault(json!({"kind": "server_error", "status": 400, "query_contains": "cursor=", "times": 2}))
        .await;
    assert!(matches!(
        scene.ninja.device_volumes(device).await,
        Err(VendorError::Rejected { status: 400, .. })
    ));
    scene.fault(json!({"kind": "repeated_page"})).await;
    let disks = scene.ninja.device_volumes(device).await.unwrap();
    assert_eq!(
        (disks.value.len(), disks.completeness),
        (1, Completeness::partial(PartialReason::RepeatedPage))
    );
}
