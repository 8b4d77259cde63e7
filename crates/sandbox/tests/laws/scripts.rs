//! State after scripts: what heals, what does not, and what the log says.
use connector_api::Answer;
use sandbox::SandboxConfig;
use serde_json::{Value, json};

use crate::support::{Host, config, host, host_with};

struct Ill {
    device: i64,
    series: String,
}

async fn trigger(host: &Host, body: Value) -> Ill {
    let row = host.control("/trigger", body).await;
    Ill { device: row["device_id"].as_i64().unwrap(), series: row["series_uid"].as_str().unwrap().into() }
}

async fn run(host: &Host, device: i64, script: i64, key: &str) -> Answer {
    let body =
        json!({"type": "SCRIPT", "id": script, "parameters": format!("-Key {key}"), "runAs": "system"});
    host.post(&format!("/v2/device/{device}/script/run"), body).await
}

async fn free_percent(host: &Host, device: i64) -> i64 {
    let rows = host.get("/v2/queries/volumes", &[("df", &format!("id = {device}"))]).await.json().unwrap();
    let row = &rows["results"][0];
    row["freeSpace"].as_i64().unwrap() * 100 / row["capacity"].as_i64().unwrap()
}

/// Newest first: type, code, result.
async fn log(host: &Host, device: i64) -> Vec<String> {
    let body = host.get(&format!("/v2/device/{device}/activities"), &[]).await.json().unwrap();
    let rows = body["activities"].as_array().unwrap().iter();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.map(|row| {
        format!("{} {} {}", text(row, "activityType"), text(row, "statusCode"), text(row, "activityResult"))
    })
    .collect()
}

#[tokio::test]
async fn the_right_script_heals_and_everything_agrees() {
    let host = host(4, 40).await;
    let ill = trigger(&host, json!({"kind": "disk_full", "organization_id": 2})).await;
    assert_eq!(free_percent(&host, ill.device).await, 1);
    let alerts = host.rows("/v2/alerts", &[]).await;
    assert_eq!((alerts.len(), alerts[0]["uid"].as_str()), (1, Some(ill.series.as_str())));
    assert_eq!(host.rows(&format!("/v2/device/{}/alerts", ill.device), &[]).await, alerts);
    // Ill twice is ill once.
    let again = trigger(&host, json!({"kind": "disk_full", "device_id": ill.device})).await;
    assert_eq!((again.series, host.rows("/v2/alerts", &[]).await.len()), (ill.series.clone(), 1));

    assert!(run(&host, ill.device, 101, "run-1").await.is_success());
    assert!(free_percent(&host, ill.device).await >= 25);
    assert_eq!(host.rows("/v2/alerts", &[]).await, Vec::<Value>::new());
    assert_eq!(
        log(&host, ill.device).await,
        [
            "CONDITION RESET SUCCESS",
            "ACTION COMPLETED SUCCESS",
            "ACTION STARTED UNCOMPLETED",
            "ACTION START_REQUESTED UNCOMPLETED",
            "CONDITION TRIGGERED SUCCESS",
        ]
    );
    let series = [("seriesUid", ill.series.as_str())];
    let body = host.get("/v2/activities", &series).await.json().unwrap();
    assert_eq!(body["activities"].as_array().unwrap().len(), 2);
    let requested = [("status", "START_REQUESTED"), ("type", "ACTION")];
    let body = host.get("/v2/activities", &requested).await.json().unwrap();
    assert_eq!(body["activities"][0]["data"]["message"]["params"]["parameters"], "-Key run-1");
    assert_eq!(host.state().await["script_runs_by_parameters"], json!({"-Key run-1": 1}));
}

#[tokio::test]
async fn a_stopped_service_is_seen_and_started() {
    let host = host(4, 40).await;
    let ill = trigger(&host, json!({"kind": "service_stopped"})).await;
    let path = format!("/v2/device/{}/windows-services", ill.device);
    let spooler = [("name", "Spooler")];
    assert_eq!(host.rows(&path, &spooler).await[0]["state"], "STOPPED");
    run(&host, ill.device, 102, "a").await;
    assert_eq!(host.rows(&path, &spooler).await[0]["state"], "RUNNING");
    assert_eq!(host.rows("/v2/alerts", &[]).await.len(), 0);
}

#[tokio::test]
async fn a_script_that_does_not_fix_it_leaves_it() {
    let host = host(4, 40).await;
    let ill = trigger(&host, json!({"kind": "disk_full"})).await;
    for script in [102, 103] {
        run(&host, ill.device, script, "a").await;
    }
    assert_eq!((free_percent(&host, ill.device).await, host.rows("/v2/alerts", &[]).await.len()), (1, 1));
}

#[tokio::test]
async fn a_lying_script_reports_success_and_changes_nothing_once() {
    let host = host(4, 40).await;
    let ill = trigger(&host, json!({"kind": "disk_full", "lying": true})).await;
    run(&host, ill.device, 101, "a").await;
    assert_eq!(log(&host, ill.device).await[0], "ACTION COMPLETED SUCCESS");
    assert_eq!((free_percent(&host, ill.device).await, host.rows("/v2/alerts", &[]).await.len()), (1, 1));
    host.control("/faults", json!({"kind": "lying_success"})).await;
    run(&host, ill.device, 101, "b").await;
    assert_eq!(host.rows("/v2/alerts", &[]).await.len(), 1);
    run(&host, ill.device, 101, "c").await;
    assert_eq!(host.rows("/v2/alerts", &[]).await.len(), 0);
}

#[tokio::test]
async fn acceptance_comes_in_six_forms_in_turn() {
    let host = host(1, 1).await;
    let device = host.rows("/v2/devices", &[]).await[0]["id"].as_i64().unwrap();
    let mut forms = Vec::new();
    for _ in 0..6 {
        let answer = run(&host, device, 103, "a").await;
        forms.push(match answer.json() {
            Err(_) => format!("{} empty", answer.status),
            Ok(Value::Object(members)) => members.keys().next().unwrap().clone(),
            Ok(Value::String(_)) => "uuid".into(),
            Ok(other) => if other.is_i64() { "integer" } else { "?" }.into(),
        });
    }
    assert_eq!(forms, ["integer", "id", "activityId", "jobUid", "uuid", "204 empty"]);
}

#[tokio::test]
async fn a_run_is_in_the_log_before_its_answer_and_ends_by_itself() {
    let host = host_with(SandboxConfig { script_duration_ms: 30, ..config(4, 40) }).await;
    let ill = trigger(&host, json!({"kind": "disk_full"})).await;
    run(&host, ill.device, 101, "a").await;
    assert_eq!(host.state().await["script_runs"][0]["parameters"], "-Key a");
    // Each look is a round trip; the bound only ends a test that would hang.
    for look in 0.. {
        let log = log(&host, ill.device).await;
        if log[0] == "CONDITION RESET SUCCESS" {
            break;
        }
        assert!(look < 20_000 && log[0] == "ACTION STARTED UNCOMPLETED", "{log:?}");
    }
    assert_eq!(host.state().await["script_runs"][0]["state"], "ended");
}

#[tokio::test]
async fn an_offline_device_takes_the_order_and_obeys_when_it_is_back() {
    let host = host(4, 40).await;
    let ill = trigger(&host, json!({"kind": "offline"})).await;
    run(&host, ill.device, 103, "a").await;
    assert_eq!(log(&host, ill.device).await[0], "ACTION START_REQUESTED UNCOMPLETED");
    assert_eq!(host.state().await["script_runs"][0]["state"], "waiting");
    host.control("/reset", json!({"kind": "offline", "device_id": ill.device})).await;
    let back = ["ACTION COMPLETED SUCCESS", "ACTION STARTED UNCOMPLETED", "CONDITION RESET SUCCESS"];
    assert_eq!(log(&host, ill.device).await[..3], back);
    assert_eq!(host.state().await["script_runs"][0]["state"], "ended");
    assert_eq!(host.rows("/v2/alerts", &[]).await.len(), 0);
}

#[tokio::test]
async fn machine_tokens_are_refused_on_demand() {
    let host = host(1, 1).await;
    let device = host.rows("/v2/devices", &[]).await[0]["id"].as_i64().unwrap();
    host.control("/settings", json!({"machine_tokens": "refuse"})).await;
    let statuses = [run(&host, device, 103, "a").await.status, run(&host, device, 103, "a").await.status];
    assert_eq!(statuses, [403, 500]);
    assert_eq!(host.state().await["script_runs"], json!([]));
}
