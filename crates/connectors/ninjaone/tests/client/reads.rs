//! Every fault against every kind of read, and what the records look like.
use connector_api::{PartialReason, VendorError};
use ninjaone::{ApprovalStatus, Condition, ConditionKind, NodeClass};
use sandbox::SandboxConfig;
use serde_json::json;

use crate::support::{Scene, scene, scene_with};

#[tokio::test]
async fn a_passing_fault_is_survived_by_every_read() {
    let scene = scene_with(SandboxConfig { initial_conditions: 3, ..SandboxConfig::tests(5, 60) }, 250).await;
    scene.ninja.alerts().await.unwrap();
    let faults = [
        json!({"kind": "too_many_requests"}),
        json!({"kind": "too_many_requests", "retry_after_s": 0}),
        json!({"kind": "server_error", "status": 503}),
        json!({"kind": "html_page"}),
        json!({"kind": "html_page", "status": 403}),
        json!({"kind": "slow", "delay_ms": 60_000}),
        json!({"kind": "dropped_connection"}),
    ];
    for fault in faults {
        for read in 0..6 {
            scene.fault(fault.clone()).await;
            let rows = one_read(&scene, read).await.unwrap_or_else(|error| panic!("{fault} {read}: {error}"));
            assert!(rows > 0, "{fault} {read}");
            assert_eq!(scene.state().await["faults_waiting"], 0, "{fault} {read}");
        }
    }
}

async fn one_read(scene: &Scene, which: u32) -> Result<usize, VendorError> {
    let ninja = &scene.ninja;
    Ok(match which {
        0 => ninja.organizations_page(None).await?.value.items.len(),
        1 => ninja.devices_detailed_page(None, 10).await?.value.items.len(),
        2 => ninja.alerts().await?.value.len(),
        3 => ninja.activities_newer_than(0, 10).await?.value.activities.len(),
        4 => ninja.locations_page(None).await?.value.items.len(),
        _ => {
            let device = ninja.devices_detailed_page(None, 1).await?.value.items.remove(0);
            ninja.device_volumes(device.id).await?.value.len()
        }
    })
}

#[tokio::test]
async fn a_lasting_fault_ends_in_its_own_error() {
    let scene = scene_with(SandboxConfig::tests(2, 20), 400).await;
    scene.ninja.alerts().await.unwrap();
    let cases = [
        (json!({"kind": "too_many_requests", "times": 5}), "throttled"),
        (json!({"kind": "server_error", "times": 5}), "upstream"),
        (json!({"kind": "html_page", "times": 5}), "not_json"),
        (json!({"kind": "slow", "delay_ms": 60_000, "times": 5}), "timeout"),
        (json!({"kind": "dropped_connection", "times": 5}), "connection"),
    ];
    for (fault, kind) in cases {
        scene.fault(fault).await;
        let error = scene.ninja.alerts().await.unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (kind, true));
    }
    scene.fault(json!({"kind": "too_many_requests", "retry_after_s": 3_600})).await;
    let hour = Some(std::time::Duration::from_secs(3_600));
    assert_eq!(scene.ninja.alerts().await.unwrap_err(), VendorError::Throttled { retry_after: hour });
    // It would answer, but is not asked before its time.
    assert_eq!(scene.ninja.alerts().await.unwrap_err().kind(), "throttled");
}

#[tokio::test]
async fn a_page_at_404_is_a_missing_capability_and_a_missing_device_is_none() {
    let scene = scene(2, 20).await;
    scene.fault(json!({"kind": "html_page", "status": 404})).await;
    let error = scene.ninja.alerts().await.unwrap_err();
    assert_eq!(error, VendorError::MissingCapability { capability: "alerts".into() });

    assert!(scene.ninja.device(999_999).await.unwrap().is_none());
    // A page is no proof that a device is gone.
    scene.fault(json!({"kind": "html_page", "status": 404})).await;
    assert!(matches!(scene.ninja.device(999_999).await, Err(VendorError::NotJson { status: 404, .. })));
    assert_eq!(scene.ninja.device_alerts(999_999).await.unwrap_err(), VendorError::NotFound);
}

#[tokio::test]
async fn devices_of_all_kinds_are_read() {
    let scene = scene(2, 40).await;
    let devices = scene.ninja.devices_detailed(1_000).await.items;
    let of = |class: NodeClass| devices.iter().find(|device| device.node_class == class).unwrap();
    let workstation = of(NodeClass::WindowsWorkstation);
    assert_eq!(
        (workstation.name(), &workstation.approval),
        (Some("AD-WS01"), &Some(ApprovalStatus::Approved))
    );
    assert!(workstation.os.as_ref().unwrap().needs_reboot.is_some());
    assert!(workstation.system.as_ref().unwrap().serial_number.is_some());
    assert!(workstation.last_logged_in_user.as_ref().unwrap().starts_with("AD\\"));
    assert!(
        workstation.last_contact.unwrap() <= scene.clock.now()
            && workstation.created < workstation.last_contact
    );
    assert_eq!(workstation.volumes.as_ref().unwrap()[0].drive_letter.as_deref(), Some("C:"));
    assert_eq!(workstation.raw["deviceType"], "AGENT_DEVICE");
    let phone = of(NodeClass::AppleIos);
    assert!(phone.os.is_none() && phone.system.as_ref().unwrap().serial_number.is_some());
    let guest = of(NodeClass::VmwareGuest);
    assert!(guest.system.is_none() && guest.volumes.is_none());
    let same = scene.ninja.device(workstation.id).await.unwrap().unwrap();
    assert_eq!((same.value.id, same.value.raw == workstation.raw), (workstation.id, true));
}

#[tokio::test]
async fn alerts_and_activities_tell_the_same_story() {
    let scene = scene(3, 40).await;
    for (kind, meaning) in [
        ("disk_full", ConditionKind::DiskFull),
        ("service_stopped", ConditionKind::ServiceStopped),
        ("offline", ConditionKind::Offline),
    ] {
        let mark = scene.ninja.latest_activity_id().await.unwrap().value.unwrap();
        let device = scene.ill(kind).await;
        let alerts = scene.ninja.device_alerts(device).await.unwrap().value;
        let alert = Condition::of_alert(&alerts[0]).unwrap();
        let log = scene.ninja.activities_newer_than(mark, 10).await.unwrap().value;
        let activity = Condition::of_activity(&log.activities[0]).unwrap();
        assert_eq!((&alert.kind, alert.device_id), (&meaning, device));
        assert_eq!(alert, activity);
    }
    assert_eq!(scene.ninja.alerts().await.unwrap().value.len(), 3);
    scene.fault(json!({"kind": "truncated_list"})).await;
    // Nothing in the answer gives this lie away: that is why a missing alert is asked for again.
    assert_eq!(scene.ninja.alerts().await.unwrap().value.len(), 1);
}

#[tokio::test]
async fn services_are_read_by_name() {
    let scene = scene(3, 40).await;
    let device = scene.ill("service_stopped").await;
    let services = scene.ninja.device_services(device, Some("Spooler")).await.unwrap().value;
    assert_eq!((services.len(), services[0].state.as_deref()), (1, Some("STOPPED")));
    assert!(scene.ninja.device_services(device, None).await.unwrap().value.len() > 1);
}

#[tokio::test]
async fn a_partial_reason_can_be_told_to_a_person() {
    let scene = scene(2, 20).await;
    scene.fault(json!({"kind": "too_many_requests", "times": 5, "path_prefix": "/v2/organizations"})).await;
    let walk = scene.ninja.organizations().await;
    let stopped = PartialReason::Stopped(VendorError::Throttled { retry_after: None });
    assert_eq!(walk.completeness.to_string(), format!("partial: {stopped}"));
    assert_eq!(stopped.to_string(), "a page could not be read: the vendor is throttling");
}
