//! Each fault does what it says, as often as it was ordered, where it was ordered.
use connector_api::{Call, Stage, VendorError};
use sandbox::CONTROL_HEADER;
use serde_json::json;

use crate::support::{Host, host, ids};

const PATH: &str = "/v2/devices";

async fn device(host: &Host) -> i64 {
    host.rows(PATH, &[]).await[0]["id"].as_i64().unwrap()
}

#[tokio::test]
async fn refusals_come_as_ordered_and_then_stop() {
    let host = host(2, 30).await;
    host.control("/faults", json!({"kind": "too_many_requests"})).await;
    assert_eq!(host.send(Call::get(PATH)).await.unwrap_err(), VendorError::Throttled { retry_after: None });
    host.control("/faults", json!({"kind": "html_page", "times": 2})).await;
    for _ in 0..2 {
        assert!(matches!(host.send(Call::get(PATH)).await, Err(VendorError::NotJson { status: 200, .. })));
    }
    host.control("/faults", json!({"kind": "server_error", "status": 503})).await;
    assert_eq!(host.get(PATH, &[]).await.status, 503);
    assert_eq!(host.get(PATH, &[]).await.status, 200);
    assert_eq!(host.state().await["faults_waiting"], 0);
    // The last one: the client keeps away for as long as it was asked to.
    host.control("/faults", json!({"kind": "too_many_requests", "retry_after_s": 7})).await;
    let error = host.send(Call::get(PATH)).await.unwrap_err();
    assert_eq!(error, VendorError::Throttled { retry_after: Some(std::time::Duration::from_secs(7)) });
}

#[tokio::test]
async fn a_fault_keeps_to_its_path_and_method_and_can_be_cleared() {
    let host = host(2, 30).await;
    host.control("/faults", json!({"kind": "server_error", "path_prefix": "/v2/alerts", "times": 3})).await;
    assert_eq!(host.get(PATH, &[]).await.status, 200);
    assert_eq!(host.get("/api/v2/alerts", &[]).await.status, 500);
    assert_eq!(host.get("/v2/alerts", &[]).await.status, 500);
    let clear = Call::delete("/_sandbox/faults").header(CONTROL_HEADER, host.sandbox.control_token().clone());
    assert_eq!(host.http.send(&clear).await.unwrap().status, 200);
    assert_eq!(host.get("/v2/alerts", &[]).await.status, 200);
    host.control("/faults", json!({"kind": "server_error", "method": "PUT"})).await;
    assert_eq!(host.get(PATH, &[]).await.status, 200);
    host.control("/faults", json!({"kind": "server_error", "path_prefix": "/ws"})).await;
    assert_eq!(host.sign_in(&[]).await.status, 500);
    let bad = Call::post("/_sandbox/faults").json(json!({"kind": "gremlins"}));
    let bad = bad.header(CONTROL_HEADER, host.sandbox.control_token().clone());
    assert_eq!(host.http.send(&bad).await.unwrap().status, 400);
}

#[tokio::test]
async fn a_late_answer_and_a_lost_one_have_taken_effect() {
    let host = host(2, 30).await;
    let run = format!("/v2/device/{}/script/run", device(&host).await);
    let order = |key: &str| Call::post(&run).json(json!({"type": "SCRIPT", "id": 103, "parameters": key}));

    host.control("/faults", json!({"kind": "slow", "delay_ms": 60_000})).await;
    let late = host.send(order("late").timeout_ms(80)).await;
    assert_eq!(late.unwrap_err(), VendorError::Timeout { after_ms: 80 });
    host.control("/faults", json!({"kind": "dropped_connection"})).await;
    let cut = host.send(order("cut")).await;
    assert!(matches!(cut, Err(VendorError::Connection { stage: Stage::Exchange, .. })), "{cut:?}");
    host.control("/faults", json!({"kind": "server_error", "stage": "after"})).await;
    assert_eq!(host.send(order("after")).await.unwrap().status, 500);
    host.control("/faults", json!({"kind": "server_error"})).await;
    assert_eq!(host.send(order("before")).await.unwrap().status, 500);

    assert_eq!(host.state().await["script_runs_by_parameters"], json!({"late": 1, "cut": 1, "after": 1}));
}

#[tokio::test]
async fn an_answer_without_a_body_is_lost_as_well() {
    let host = host(2, 30).await;
    host.control("/faults", json!({"kind": "dropped_connection"})).await;
    let cut = host.send(Call::delete("/v2/webhook")).await;
    assert!(matches!(cut, Err(VendorError::Connection { stage: Stage::Exchange, .. })), "{cut:?}");
}

#[tokio::test]
async fn lists_lie_on_demand() {
    let host = host(2, 30).await;
    let all = ids(&host.rows(PATH, &[("pageSize", "20")]).await);
    host.control("/faults", json!({"kind": "truncated_list"})).await;
    assert_eq!(ids(&host.rows(PATH, &[("pageSize", "20")]).await), all[..10]);

    host.control("/faults", json!({"kind": "repeated_page"})).await;
    let after = all[19].to_string();
    // The first page has no `after` to ignore: the fault waits for the next one.
    assert_eq!(ids(&host.rows(PATH, &[("pageSize", "20")]).await), all);
    let next = [("pageSize", "20"), ("after", after.as_str())];
    assert_eq!(ids(&host.rows(PATH, &next).await), all);
    assert_eq!(ids(&host.rows(PATH, &next).await).len(), 9);
}
