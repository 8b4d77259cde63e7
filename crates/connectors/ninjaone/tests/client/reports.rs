//! The reports over all devices, with every habit of their cursors.
use std::collections::BTreeMap;

use connector_api::{Completeness, PartialReason, VendorError};
use ninjaone::{Antivirus, BackupUsage, DeviceHealth, OsPatch, Report, Software, Volume};
use serde_json::json;

use crate::support::{Scene, scene};

const PAGES_MAX: u32 = 50;

/// Each report with the rows that one reading brings.
async fn counts(scene: &Scene) -> BTreeMap<&'static str, (usize, Completeness)> {
    async fn one<T: Report>(scene: &Scene) -> (&'static str, (usize, Completeness)) {
        let walk = scene.ninja.report::<T>(None, PAGES_MAX).await;
        (T::CAPABILITY, (walk.items.len(), walk.completeness))
    }
    BTreeMap::from([
        one::<Software>(scene).await,
        one::<OsPatch>(scene).await,
        one::<Volume>(scene).await,
        one::<DeviceHealth>(scene).await,
        one::<Antivirus>(scene).await,
        one::<BackupUsage>(scene).await,
    ])
}

#[tokio::test]
async fn every_report_is_walked_to_its_end_with_either_cursor_and_repeats_at_borders() {
    let scene = scene(5, 400).await;
    let plain = counts(&scene).await;
    assert!(plain["queries/software"].0 > 3_000, "several pages");
    assert_eq!(plain["queries/device-health"].0, 399, "the pending device is hidden");
    for (name, (rows, completeness)) in &plain {
        assert!(*rows > 20 && completeness.is_complete(), "{name} {rows} {completeness}");
    }
    for settings in [json!({"cursor": "text"}), json!({"page_borders": "repeat"})] {
        scene.control("/settings", settings.clone()).await;
        assert_eq!(counts(&scene).await, plain, "{settings}");
    }
}

#[tokio::test]
async fn the_reports_agree_with_each_other_and_with_the_lists_of_a_device() {
    let scene = scene(4, 120).await;
    let health = scene.ninja.report::<DeviceHealth>(None, PAGES_MAX).await.items;
    let patches = scene.ninja.report::<OsPatch>(None, PAGES_MAX).await.items;
    for row in &health {
        let of = |wanted: &[&str]| {
            let open = patches.iter().filter(|it| it.device_id == row.device_id);
            open.filter(|it| it.status.as_deref().is_some_and(|status| wanted.contains(&status))).count()
        };
        assert_eq!(row.os_patches_pending, i64::try_from(of(&["MANUAL", "APPROVED"])).ok());
        assert_eq!(row.os_patches_failed, i64::try_from(of(&["FAILED"])).ok());
    }
    let device = health[0].device_id;
    let filter = format!("id = {device}");
    let software = scene.ninja.report::<Software>(Some(&filter), PAGES_MAX).await.items;
    assert_eq!(scene.ninja.own_list::<Software>(device).await.unwrap().value, software);
    let own = scene.ninja.own_list::<OsPatch>(device).await.unwrap().value;
    assert_eq!(own, scene.ninja.report::<OsPatch>(Some(&filter), PAGES_MAX).await.items);
    let disks = scene.ninja.report::<Volume>(Some(&filter), PAGES_MAX).await.items;
    assert_eq!(scene.ninja.own_list::<Volume>(device).await.unwrap().value.len(), disks.len());
    assert!(disks[0].protection.is_some() && software.iter().any(|it| it.installed_on.is_some()));
    assert_eq!(scene.ninja.own_list::<Software>(999_999).await.unwrap_err(), VendorError::NotFound);
    let backups = scene.ninja.report::<BackupUsage>(None, PAGES_MAX).await.items;
    assert!(backups.iter().all(|it| it.cloud_bytes.is_some() && it.last_success.is_some()));
}

#[tokio::test]
async fn a_lost_cursor_starts_over_once() {
    let scene = scene(3, 60).await;
    let whole = scene.ninja.report::<Software>(None, PAGES_MAX).await;
    let lost = |times: u32| json!({"kind": "server_error", "status": 400, "query_contains": "cursor=", "times": times});
    scene.fault(lost(1)).await;
    let again = scene.ninja.report::<Software>(None, PAGES_MAX).await;
    assert_eq!((again.items.len(), again.completeness), (whole.items.len(), Completeness::Complete));
    scene.fault(lost(2)).await;
    let stopped = scene.ninja.report::<Software>(None, PAGES_MAX).await;
    assert!(matches!(
        stopped.completeness,
        Completeness::Partial { reason: PartialReason::Stopped(VendorError::Rejected { status: 400, .. }) }
    ));
}

#[tokio::test]
async fn pages_that_do_not_fit_together_make_a_report_partial() {
    let scene = scene(4, 300).await;
    let path = "/v2/queries/software";
    scene.fault(json!({"kind": "repeated_page", "path_prefix": path, "times": 100})).await;
    let walk = scene.ninja.report::<Software>(None, PAGES_MAX).await;
    assert_eq!(walk.completeness, Completeness::partial(PartialReason::RepeatedPage));
}

#[tokio::test]
async fn a_truncated_page_midway_is_not_trusted_and_a_bound_holds() {
    let scene = scene(4, 300).await;
    scene.fault(json!({"kind": "truncated_list", "path_prefix": "/v2/queries/software"})).await;
    let walk = scene.ninja.report::<Software>(None, PAGES_MAX).await;
    assert_eq!(walk.completeness, Completeness::partial(PartialReason::ShortPageMidway));
    let bounded = scene.ninja.report::<Software>(None, 1).await;
    assert_eq!(bounded.completeness, Completeness::partial(PartialReason::PageLimit { pages_max: 1 }));
    assert_eq!(bounded.items.len(), 1_000);
}

#[tokio::test]
async fn an_instance_without_a_report_lacks_a_capability_and_a_page_is_no_answer() {
    let scene = scene(2, 20).await;
    let stopped = async || match scene.ninja.report::<BackupUsage>(None, PAGES_MAX).await.completeness {
        Completeness::Partial { reason: PartialReason::Stopped(error) } => error,
        other => panic!("{other}"),
    };
    scene.fault(json!({"kind": "html_page", "status": 404})).await;
    assert_eq!(stopped().await, VendorError::MissingCapability { capability: "queries/backup/usage".into() });
    scene.fault(json!({"kind": "html_page", "times": 5})).await;
    assert_eq!(stopped().await.kind(), "not_json");
}

#[tokio::test]
async fn a_parameter_that_only_brings_more_is_left_out_where_it_is_refused() {
    let scene = scene(2, 60).await;
    let refused =
        json!({"kind": "server_error", "status": 400, "query_contains": "includeLastBackupJobTimes"});
    scene.fault(refused).await;
    let walk = scene.ninja.report::<BackupUsage>(None, PAGES_MAX).await;
    assert!(walk.completeness.is_complete() && !walk.items.is_empty());
    assert!(walk.items.iter().all(|it| it.last_success.is_none() && it.cloud_bytes.is_some()));
}
