//! Script runs: accepted in every form, sent once under every fault, found again by their key.
use std::collections::HashSet;

use connector_api::VendorError;
use ninjaone::{AnswerShape, RunAs, ScriptOutcome, ScriptRun};
use sandbox::SandboxConfig;
use serde_json::json;

use crate::support::{Scene, scene, scene_with};

fn run(script_id: i64, key: &str) -> ScriptRun {
    ScriptRun { script_id, parameters: format!("-RunKey {key}"), run_as: RunAs::System }
}

async fn mark(scene: &Scene) -> Option<i64> {
    scene.ninja.latest_activity_id().await.unwrap().value
}

#[tokio::test]
async fn every_form_of_acceptance_is_a_receipt() {
    let scene = scene(2, 20).await;
    let device = scene.ill("disk_full").await;
    let mut shapes = HashSet::new();
    for turn in 0..6 {
        let receipt = scene.ninja.run_script(device, &run(103, &turn.to_string())).await.unwrap();
        assert_eq!(receipt.id.is_none(), receipt.answer_shape == AnswerShape::NoContent);
        assert!(receipt.request_id.is_some());
        shapes.insert(receipt.answer_shape.as_word());
    }
    let all = ["activity_id", "bare_uid", "id", "integer", "job_uid", "no_content"];
    assert_eq!(shapes, HashSet::from(all));
}

#[tokio::test]
async fn a_run_is_followed_by_its_key_to_a_verified_end() {
    let config = SandboxConfig { script_duration_ms: 40, ..SandboxConfig::tests(2, 20) };
    let scene = scene_with(config, 5_000).await;
    let device = scene.ill("disk_full").await;
    let mark = mark(&scene).await;
    let find = || scene.ninja.find_script_run(device, mark, "k-1");
    assert_eq!(find().await.unwrap().value, ScriptOutcome::NotFound);
    scene.ninja.run_script(device, &run(101, "k-1")).await.unwrap();
    let first = find().await.unwrap();
    assert!(first.completeness.is_complete());
    assert_ne!(first.value, ScriptOutcome::NotFound);
    // Each look is a round trip; the bound only ends a test that would hang.
    for look in 0.. {
        let outcome = find().await.unwrap().value;
        if matches!(outcome, ScriptOutcome::Succeeded { .. }) {
            break;
        }
        assert!(look < 20_000 && matches!(outcome, ScriptOutcome::Running { .. }), "{outcome:?}");
    }
    assert!(scene.ninja.device_alerts(device).await.unwrap().value.is_empty());
    let disk = scene.ninja.device_volumes(device).await.unwrap().value.remove(0);
    assert!(disk.free_bytes.unwrap() * 4 > disk.capacity_bytes.unwrap());
}

#[tokio::test]
async fn a_lying_success_is_not_believed_by_the_readers() {
    let scene = scene(2, 20).await;
    let device = scene.ill("disk_full").await;
    scene.fault(json!({"kind": "lying_success"})).await;
    scene.ninja.run_script(device, &run(101, "k-1")).await.unwrap();
    let outcome = scene.ninja.find_script_run(device, None, "k-1").await.unwrap().value;
    assert!(matches!(outcome, ScriptOutcome::Succeeded { .. }));
    assert_eq!(scene.ninja.device_alerts(device).await.unwrap().value.len(), 1);
    let disk = scene.ninja.device_volumes(device).await.unwrap().value.remove(0);
    assert!(disk.free_bytes.unwrap() * 20 < disk.capacity_bytes.unwrap());
}

#[tokio::test]
async fn no_fault_makes_a_run_happen_twice_and_its_key_tells_whether_it_did() {
    let scene = scene_with(SandboxConfig::tests(2, 20), 1_000).await;
    let device = scene.ill("disk_full").await;
    scene.ninja.alerts().await.unwrap();
    // Fault, whether the error leaves it open, whether the run was accepted.
    let cases = [
        (json!({"kind": "dropped_connection"}), true, true),
        (json!({"kind": "slow", "delay_ms": 60_000}), true, true),
        (json!({"kind": "server_error", "stage": "after"}), true, true),
        (json!({"kind": "html_page", "stage": "after"}), true, true),
        (json!({"kind": "server_error"}), true, false),
        (json!({"kind": "html_page"}), true, false),
        (json!({"kind": "too_many_requests"}), false, false),
        (json!({"kind": "too_many_requests", "retry_after_s": 0}), false, false),
    ];
    for (number, (fault, open, accepted)) in cases.into_iter().enumerate() {
        let (key, mark) = (format!("case-{number}"), mark(&scene).await);
        let mut fault = fault;
        fault["method"] = json!("POST");
        scene.fault(fault.clone()).await;
        let error = scene.ninja.run_script(device, &run(103, &key)).await.unwrap_err();
        assert_eq!(error.may_have_been_applied(), open, "{fault} {error}");
        let count = scene.state().await["script_runs_by_parameters"][format!("-RunKey {key}")].as_u64();
        assert_eq!(count, accepted.then_some(1), "{fault}");
        let found = scene.ninja.find_script_run(device, mark, &key).await.unwrap();
        assert!(found.completeness.is_complete());
        assert_eq!(found.value != ScriptOutcome::NotFound, accepted, "{fault}");
    }
}

#[tokio::test]
async fn an_expired_token_does_not_double_a_run() {
    let scene = scene(2, 20).await;
    let device = scene.ill("disk_full").await;
    scene.ninja.alerts().await.unwrap();
    scene.control("/clock/advance", json!({"seconds": 3_600})).await;
    scene.ninja.run_script(device, &run(103, "k")).await.unwrap();
    assert_eq!(scene.state().await["script_runs_by_parameters"], json!({"-RunKey k": 1}));
}

#[tokio::test]
async fn refusals_say_what_is_wrong() {
    let scene = scene(2, 20).await;
    let device = scene.ill("disk_full").await;
    let gone = scene.ninja.run_script(999_999, &run(103, "k")).await.unwrap_err();
    assert_eq!(gone, VendorError::NotFound);
    let unknown = scene.ninja.run_script(device, &run(999, "k")).await.unwrap_err();
    assert!(
        matches!(&unknown, VendorError::Rejected { status: 400, message } if message.contains("script_not_found"))
    );
    let mut long = run(103, "k");
    long.parameters = "x".repeat(5_000);
    assert!(matches!(scene.ninja.run_script(device, &long).await, Err(VendorError::Misconfigured { .. })));
    let mut nobody = run(103, "k");
    nobody.run_as = RunAs::Role("root".into());
    assert!(matches!(scene.ninja.run_script(device, &nobody).await, Err(VendorError::Rejected { .. })));

    scene.control("/settings", json!({"machine_tokens": "refuse"})).await;
    for _ in 0..2 {
        let refused = scene.ninja.run_script(device, &run(103, "k")).await.unwrap_err();
        assert!(
            matches!(refused, VendorError::Forbidden { .. }) && !refused.may_have_been_applied(),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn the_options_of_a_device_name_scripts_and_roles() {
    let scene = scene(2, 20).await;
    let device = scene.ill("disk_full").await;
    let options = scene.ninja.scripting_options(device).await.unwrap().value;
    let script = options.scripts.iter().find(|script| script.id == Some(101)).unwrap();
    assert_eq!(script.name.as_deref(), Some("Clear update cache"));
    assert!(options.roles.contains(&RunAs::System.as_text()));
}
