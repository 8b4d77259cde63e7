//! Every fault: nothing half is taken for whole, and what passes by is tried again.
use connector_api::{Completeness, PartialReason, VendorError};
use serde_json::json;

use crate::support::{domain, scene, scene_with, whole};

fn error<T>(walk: connector_api::Walk<T>) -> VendorError {
    assert!(walk.items.is_empty() && walk.observed_at.is_none());
    match walk.completeness {
        Completeness::Partial { reason: PartialReason::Stopped(error) } => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_that_names_its_kind() {
    let scene = scene().await;
    let tenant = scene.first().await;
    let domain = domain(&tenant).to_owned();
    for (fault, kind) in [
        (json!({"kind": "server_error", "times": 9}), "upstream"),
        (json!({"kind": "error_text", "status": 403, "times": 9}), "forbidden"),
        (json!({"kind": "error_text", "status": 404, "times": 9}), "missing_capability"),
        (json!({"kind": "html_page", "times": 9}), "not_json"),
        (json!({"kind": "placeholder", "times": 9}), "not_ready"),
        (json!({"kind": "not_ok", "times": 9}), "rejected"),
        (json!({"kind": "false_row", "times": 9}), "rejected"),
        (json!({"kind": "dropped_connection", "times": 9}), "connection"),
        (json!({"kind": "too_many_requests", "times": 9}), "throttled"),
    ] {
        let mut fault = fault;
        for path in ["/api/ListStandardsCompare", "/api/ListTenants"] {
            fault["path_prefix"] = json!(path);
            scene.fault(fault.clone()).await;
        }
        assert_eq!(error(scene.cipp.standards_compare(&domain).await).kind(), kind, "{fault}");
        assert_eq!(error(scene.cipp.tenants().await.walk).kind(), kind, "{fault}");
        scene.clear_faults().await;
    }
    assert!(!whole(scene.cipp.standards_compare(&domain).await).is_empty());
}

#[tokio::test]
async fn what_passes_by_is_tried_again_and_a_sleeping_deployment_is_woken_once() {
    let scene = scene_with(1_500).await;
    scene.fault(json!({"kind": "cold_start", "delay_ms": 1_000, "path_prefix": "/api/PublicPing"})).await;
    let tenant = scene.first().await;
    for kind in ["server_error", "html_page", "dropped_connection"] {
        scene.fault(json!({ "kind": kind, "path_prefix": "/api/ListStandardsCompare" })).await;
        assert!(!whole(scene.cipp.standards_compare(domain(&tenant)).await).is_empty(), "{kind}");
    }
    // A token that is not taken any more is replaced, and the call is made again.
    scene.control("/clock/advance", json!({"seconds": 7_200})).await;
    assert!(!whole(scene.cipp.standards_compare(domain(&tenant)).await).is_empty());
}
