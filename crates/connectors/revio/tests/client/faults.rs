//! Each fault of the vendor, once.
use std::time::Duration;

use connector_api::{RetryPolicy, Stage, VendorError};
use revio::RevIo;
use serde_json::json;

use crate::support::{config_of, scene, scene_with};

#[tokio::test]
async fn a_throttled_read_waits_and_goes_on() {
    let scene = scene(2, 10).await;
    scene.fault(json!({"kind": "too_many_requests", "times": 2})).await;
    scene.fault(json!({"kind": "too_many_requests", "retry_after_s": 0})).await;
    assert_eq!(scene.revio.product(201).await.unwrap().value.id, 201);
    scene.fault(json!({"kind": "day_quota"})).await;
    assert_eq!(scene.revio.product(201).await.unwrap_err(), VendorError::Throttled { retry_after: None });
    // A wait that is longer than allowed ends the call, and names it.
    scene.fault(json!({"kind": "too_many_requests", "retry_after_s": 60})).await;
    let refused = scene.revio.product(201).await.unwrap_err();
    assert_eq!(refused, VendorError::Throttled { retry_after: Some(Duration::from_secs(60)) });
}

#[tokio::test]
async fn server_errors_and_pages_of_the_edge_are_outlived_by_reads() {
    let scene = scene(2, 10).await;
    scene.fault(json!({"kind": "server_error", "status": 503, "times": 2})).await;
    scene.fault(json!({"kind": "html_page", "times": 2})).await;
    assert!(scene.revio.customers().await.completeness.is_complete());
    scene.fault(json!({"kind": "server_error", "times": 9})).await;
    assert_eq!(scene.revio.product(201).await.unwrap_err(), VendorError::Upstream { status: 500 });
}

#[tokio::test]
async fn the_three_forms_of_a_refusal_and_a_no_in_a_200() {
    let scene = scene(2, 10).await;
    let mut refusals = Vec::new();
    for kind in ["error_list", "error_text", "not_ok"] {
        scene.fault(json!({"kind": kind})).await;
        refusals.push(scene.revio.product(201).await.unwrap_err());
    }
    let rejected = |status, message: &str| VendorError::Rejected { status, message: message.into() };
    assert_eq!(
        refusals,
        [
            rejected(400, "quantity is not valid; effective_date is not valid"),
            rejected(400, "The request is not valid"),
            rejected(200, "The record is locked"),
        ]
    );
}

#[tokio::test]
async fn a_late_answer_is_a_time_out_and_a_cut_one_is_read_again() {
    let scene = scene_with(sandbox::SandboxConfig::tests(2, 10), 250).await;
    scene.fault(json!({"kind": "slow", "delay_ms": 2_000})).await;
    scene.fault(json!({"kind": "dropped_connection"})).await;
    assert_eq!(scene.revio.product(201).await.unwrap().value.id, 201);
    let once =
        RevIo::new(config_of(&scene.sandbox).with_retry(RetryPolicy::never()), scene.clock.clone()).unwrap();
    scene.fault(json!({"kind": "dropped_connection"})).await;
    let cut = once.product(201).await.unwrap_err();
    assert!(matches!(cut, VendorError::Connection { stage: Stage::Exchange, .. }), "{cut}");
}

#[tokio::test]
async fn a_record_that_is_not_there_is_told_from_everything_else() {
    let scene = scene(2, 10).await;
    assert_eq!(scene.revio.customer(1).await.unwrap_err(), VendorError::NotFound);
    assert_eq!(scene.revio.product(1).await.unwrap_err(), VendorError::NotFound);
    assert_eq!(scene.revio.service_product(1).await.unwrap_err(), VendorError::NotFound);
    assert_eq!(scene.revio.bill(1).await.unwrap_err(), VendorError::NotFound);
    assert_eq!(
        scene
            .revio
            .change_line_quantity(1, 1u32.into(), "2026-03-10".parse().unwrap(), revio::Proration::Skip)
            .await
            .unwrap_err(),
        VendorError::NotFound
    );
}
