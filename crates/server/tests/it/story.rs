//! The story: a condition becomes an incident, a person approves, the script runs once, the effect is read back;
//! also when the vendor lies, fails, or the process is killed at any boundary.
use std::{ffi::OsStr, time::Duration};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    api::{Caller, pause},
    process::{Demo, SandboxProcess, folder, obera, postmaster, run, signal},
};

/// Approvals of one device's run, waiting.
async fn approval_of(caller: &Caller, device: &str) -> Value {
    let path = format!("approvals?state=eq.waiting&title=like.*{device}&select=*");
    caller.wait_rows("the approval", &path, |rows| !rows.is_empty()).await.remove(0)
}

async fn approve(caller: &Caller, approval: &Value) -> (StatusCode, Value) {
    let body =
        json!({ "action": "approve", "customer_id": approval["customer_id"], "approval_id": approval["id"] });
    caller.call("auto-remediation", &body).await
}

async fn run_state(caller: &Caller, device: &str, wanted: &str) -> Value {
    let path = format!("runs?title=like.*{device}&select=*&order=created_at.desc&limit=1");
    caller
        .wait_rows(wanted, &path, |rows| rows.first().is_some_and(|run| run["state"] == wanted))
        .await
        .remove(0)
}

async fn synchronized(caller: &Caller) {
    caller
        .wait_rows("the first synchronization", "source_list?last_complete_at=not.is.null", |rows| {
            !rows.is_empty()
        })
        .await;
}

/// Evidence of a run, checked by the program itself, whole and with every fortieth byte flipped.
async fn check_evidence(caller: &Caller, run_id: &Value, outcome: &str) {
    let path = format!("evidence?run_id=eq.{}&select=bundle,outcome", run_id.as_str().expect("an id"));
    let rows = caller.rows(&path).await;
    assert_eq!(rows.len(), 1, "one bundle per run");
    assert_eq!(rows[0]["outcome"], outcome);
    let bytes = rows[0]["bundle"].as_str().expect("text").as_bytes().to_vec();
    let dir = folder();
    let file = dir.path().join("run.evidence.jsonl");
    std::fs::write(&file, &bytes).expect("written");
    let (status, said, _) = run(obera().args(["evidence", "verify"]).arg(&file));
    assert!(status.success() && said.contains("INTACT") && said.contains(outcome), "{said}");
    let mut flipped = bytes.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    std::fs::write(&file, &flipped).expect("written");
    let (status, said, _) = run(obera().args(["evidence", "verify"]).arg(&file));
    assert!(!status.success() && said.contains("NOT INTACT"), "{said}");
}

/// Everybody who reads it reads by whom; the name is in nothing that the customer's people read.
async fn says_who_rejected(technician: &Caller, device: &str, run: &Value) {
    let people = technician.rows("people?email=eq.technician@msp.example").await;
    let name = people[0]["display_name"].as_str().expect("a name");
    let id = run["id"].as_str().expect("an id");
    let shown = "rejected by a technician of the provider: not today";
    let incident = &technician
        .rows(&format!("incident_list?device_name=eq.{device}&order=opened_at.desc&limit=1"))
        .await[0];
    let ended = incident["resolution"].as_str().expect("how it ended");
    assert!(ended.ends_with(shown), "{ended}");
    let ticket = incident["ticket_id"].as_str().expect("a ticket");
    let events = technician.rows(&format!("ticket_events?ticket_id=eq.{ticket}&kind=eq.automation")).await;
    assert_eq!(
        (events[0]["actor_id"].clone(), events[0]["body"].as_str()),
        (people[0]["id"].clone(), Some(ended))
    );
    let steps = technician.rows(&format!("steps?run_id=eq.{id}&phase=eq.approve")).await;
    assert_eq!(steps[0]["summary"], "Rejected by a technician of the provider: not today");
    let bundle = technician.rows(&format!("evidence?run_id=eq.{id}&select=bundle")).await;
    let bundle = bundle.first().and_then(|row| row["bundle"].as_str()).expect("a bundle");
    assert!(bundle.contains("\"decided_as\":\"a technician of the provider\"") && !bundle.contains(name));
    let told = technician.rows("notifications?kind=eq.incident&select=body").await;
    let named = format!("rejected by {name}: not today");
    assert!(
        told.iter().any(|one| one["body"].as_str().is_some_and(|body| body.contains(&named))),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_fixed_once_and_proven_and_a_lie_is_not_believed() {
    let dir = folder();
    let sandbox = SandboxProcess::start(dir.path(), 3, 60);
    let demo = Demo::start(&dir.path().join("data"), &[OsStr::new("--sandbox"), sandbox.handle.as_os_str()]);
    let technician = Caller::sign_in(&demo.url, "technician@msp.example").await;
    synchronized(&technician).await;

    // The truth: verified, resolved, closed.
    let ill = sandbox.trigger(json!({ "kind": "disk_full", "organization_id": 1 })).await;
    let device = ill["device_name"].as_str().expect("a name").to_owned();
    let approval = approval_of(&technician, &device).await;
    assert!(approval["plan"]["lines"].as_array().is_some_and(|lines| lines.len() >= 3), "{approval}");
    assert!(sandbox.script_runs().await.is_empty(), "nothing runs before the approval");
    let (status, _) = approve(&Caller::sign_in(&demo.url, "auditor@msp.example").await, &approval).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, said) = approve(&technician, &approval).await;
    assert_eq!((status, said["state"].as_str()), (StatusCode::OK, Some("approved")), "{said}");
    let (status, said) = approve(&technician, &approval).await;
    assert_eq!(
        (status, said["code"].as_str()),
        (StatusCode::CONFLICT, Some("OB3002")),
        "decided twice: {said}"
    );
    let verified = run_state(&technician, &device, "verified").await;
    check_evidence(&technician, &verified["id"], "verified").await;
    let incident = &technician.rows(&format!("incident_list?device_name=eq.{device}")).await[0];
    assert_eq!(incident["state"], "resolved");
    let ended = incident["resolution"].as_str().expect("how it ended");
    assert!(ended.ends_with("Approved by a technician of the provider."), "{ended}");
    let ticket = &technician
        .rows(&format!(
            "tickets?id=eq.{}&select=state,escalated_at",
            incident["ticket_id"].as_str().expect("a ticket")
        ))
        .await[0];
    assert_eq!((ticket["state"].as_str(), ticket["escalated_at"].is_null()), (Some("closed"), true));

    // The lie: the vendor says done; nobody is told that it worked.
    let ill = sandbox.trigger(json!({ "kind": "disk_full", "organization_id": 2, "lying": true })).await;
    let device = ill["device_name"].as_str().expect("a name").to_owned();
    approve(&technician, &approval_of(&technician, &device).await).await;
    let unverified = run_state(&technician, &device, "unverified").await;
    check_evidence(&technician, &unverified["id"], "unverified").await;
    let incident = &technician.rows(&format!("incident_list?device_name=eq.{device}")).await[0];
    assert_eq!(incident["state"], "needs_attention");
    let ticket = &technician
        .rows(&format!(
            "tickets?id=eq.{}&select=state,escalated_at,escalation_reason",
            incident["ticket_id"].as_str().expect("a ticket")
        ))
        .await[0];
    assert_ne!(ticket["state"], "closed");
    assert!(
        ticket["escalation_reason"].as_str().is_some_and(|why| why.contains("NinjaOne reports success, but")),
        "{ticket}"
    );
    let told = technician.rows("notifications?kind=eq.incident&select=title").await;
    assert!(
        told.iter().any(|one| one["title"].as_str().is_some_and(|title| title.starts_with("Not verified"))),
        "{told:?}"
    );
    assert!(sandbox.script_runs().await.values().all(|count| count == 1));

    // The same alert again counts up; a webhook that is repeated does nothing twice.
    let before = technician.rows("incident_list?select=id").await.len();
    sandbox.control(Method::POST, "webhook/redeliver", &json!({ "count": 50 })).await;
    sandbox.control(Method::POST, "webhook/settle", &json!({})).await;
    assert_eq!(technician.rows("incident_list?select=id").await.len(), before);

    // A rejection changes nothing.
    let ill = sandbox.trigger(json!({ "kind": "service_stopped", "organization_id": 1 })).await;
    let device = ill["device_name"].as_str().expect("a name").to_owned();
    let approval = approval_of(&technician, &device).await;
    let runs = sandbox.script_runs().await.len();
    let body = json!({ "action": "reject", "customer_id": approval["customer_id"], "approval_id": approval["id"], "reason": "not today" });
    assert_eq!(technician.call("auto-remediation", &body).await.0, StatusCode::OK);
    let rejected = run_state(&technician, &device, "rejected").await;
    assert_eq!(sandbox.script_runs().await.len(), runs);
    says_who_rejected(&technician, &device, &rejected).await;

    // An orderly end.
    assert!(demo.process.terminate().success());
    assert!(postmaster(&dir.path().join("data")).is_none(), "the database stopped with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn vendor_faults_during_the_change_end_in_the_truth() {
    let dir = folder();
    let sandbox = SandboxProcess::start(dir.path(), 2, 40);
    let demo = Demo::start(&dir.path().join("data"), &[OsStr::new("--sandbox"), sandbox.handle.as_os_str()]);
    let technician = Caller::sign_in(&demo.url, "technician@msp.example").await;
    synchronized(&technician).await;
    let script =
        |kind: &str| json!({ "kind": kind, "path_prefix": "/v2/device", "method": "POST", "times": 1 });
    let lost_answer = json!({ "kind": "server_error", "stage": "after", "path_prefix": "/v2/device", "method": "POST", "times": 1 });
    let faults = [
        script("too_many_requests"),
        script("server_error"),
        script("html_page"),
        script("dropped_connection"),
        lost_answer,
        json!({ "kind": "html_page", "path_prefix": "/v2/queries/volumes", "times": 2 }),
        json!({ "kind": "server_error", "path_prefix": "/v2/device", "method": "GET", "times": 3 }),
        json!({ "kind": "too_many_requests", "path_prefix": "/ws", "times": 1, "retry_after_s": 1 }),
    ];
    for (index, fault) in faults.into_iter().enumerate() {
        let ill = sandbox.trigger(json!({ "kind": "disk_full", "organization_id": index % 2 + 1 })).await;
        let device = ill["device_name"].as_str().expect("a name").to_owned();
        let approval = approval_of(&technician, &device).await;
        sandbox.fault(fault.clone()).await;
        assert_eq!(approve(&technician, &approval).await.0, StatusCode::OK);
        run_state(&technician, &device, "verified").await;
        let runs = sandbox.script_runs().await;
        assert_eq!(runs.len(), index + 1, "{fault}: one run per device");
        assert!(runs.values().all(|count| count == 1), "{fault}: {runs:?}");
        // The guard's budget is 5 devices an hour and customer: two customers carry these eight.
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_boundary_loses_and_repeats_nothing() {
    let dir = folder();
    let data = dir.path().join("data");
    let sandbox = SandboxProcess::start(dir.path(), 4, 80);
    let handle = sandbox.handle.clone();
    let kills = [
        "claimed:1",
        "committed:1",
        "before_record:2",
        "committed:2",
        "committed:3",
        "after_handler:4",
        "committed:4",
        "committed:5",
        "act_recorded",
        "act_called",
        "committed:6",
        "committed:7",
        "before_record:8",
        "committed:8",
    ];
    let mut triggered: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    for (index, crash_at) in kills.into_iter().enumerate() {
        let crash: [&OsStr; 4] =
            [OsStr::new("--sandbox"), handle.as_os_str(), OsStr::new("--crash-at"), OsStr::new(crash_at)];
        let mut demo = Demo::start(&data, &crash);
        let technician = Caller::sign_in(&demo.url, "technician@msp.example").await;
        synchronized(&technician).await;
        let ill = sandbox.trigger(json!({ "kind": "disk_full", "organization_id": index % 4 + 1 })).await;
        let device = ill["device_name"].as_str().expect("a name").to_owned();
        // A device that was healed may fall ill again: it has an incident, a ticket and a run for each time.
        let times = triggered.entry(device.clone()).and_modify(|times| *times += 1).or_insert(1);
        let mut was_killed = false;
        let outcome = loop {
            if demo.process.has_ended() {
                assert!(!was_killed, "{crash_at}: it ended a second time");
                was_killed = true;
                demo = Demo::start(&data, &crash[..2]);
            }
            let Some(caller) = Caller::try_sign_in(&demo.url, "technician@msp.example").await else {
                pause().await;
                continue;
            };
            for approval in
                caller.rows(&format!("approvals?state=eq.waiting&title=like.*{device}&select=*")).await
            {
                let body = json!({ "action": "approve", "customer_id": approval["customer_id"], "approval_id": approval["id"] });
                let _may_die = caller.send(Method::POST, "/functions/v1/auto-remediation", Some(&body)).await;
            }
            let runs = caller
                .rows(&format!("runs?title=like.*{device}&select=id,state&order=created_at.desc"))
                .await;
            assert!(runs.len() <= *times, "{crash_at}: one run per incident");
            if let Some(run) = runs.first()
                && runs.len() == *times
                && run["state"] != "queued"
                && run["state"] != "running"
                && run["state"] != "waiting"
            {
                break (caller, run.clone());
            }
            pause().await;
        };
        let (caller, run) = outcome;
        assert!(was_killed, "{crash_at} was reached");
        assert_eq!(run["state"], "verified", "{crash_at}");
        let runs = sandbox.script_runs().await;
        assert_eq!(runs.len(), index + 1, "{crash_at}: the script ran for each device");
        assert!(runs.values().all(|count| count == 1), "{crash_at}: the script ran once: {runs:?}");
        let incidents =
            caller.rows(&format!("incident_list?device_name=eq.{device}&order=opened_at.desc")).await;
        assert_eq!(incidents.len(), *times, "{crash_at}");
        let incident = &incidents[0];
        assert_eq!(incident["state"], "resolved", "{crash_at}");
        let events = caller
            .rows(&format!(
                "ticket_events?ticket_id=eq.{}&select=kind",
                incident["ticket_id"].as_str().expect("a ticket")
            ))
            .await;
        let count = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
        assert_eq!((count("opened"), count("evidence"), count("state")), (1, 1, 1), "{crash_at}: {events:?}");
        check_evidence(&caller, &run["id"], "verified").await;
        assert!(demo.process.terminate().success(), "{crash_at}");
    }
    let (status, said, _) = run(obera().args(["audit", "verify", "--data-dir"]).arg(&data));
    assert!(status.success() && said.contains("INTACT"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_database_comes_back_and_the_story_goes_on() {
    let dir = folder();
    let data = dir.path().join("data");
    let sandbox = SandboxProcess::start(dir.path(), 2, 40);
    let demo = Demo::start(&data, &[OsStr::new("--sandbox"), sandbox.handle.as_os_str()]);
    let technician = Caller::sign_in(&demo.url, "technician@msp.example").await;
    synchronized(&technician).await;
    let ill = sandbox.trigger(json!({ "kind": "disk_full", "organization_id": 1 })).await;
    let device = ill["device_name"].as_str().expect("a name").to_owned();
    let approval = approval_of(&technician, &device).await;
    let old = postmaster(&data).expect("a postmaster");
    signal(old, "KILL");
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while postmaster(&data).is_none_or(|pid| pid == old) {
        assert!(std::time::Instant::now() < deadline, "the supervisor starts it again");
        pause().await;
    }
    technician
        .wait_rows("the approval after the crash", "approvals?state=eq.waiting", |rows| !rows.is_empty())
        .await;
    assert_eq!(approve(&technician, &approval).await.0, StatusCode::OK);
    run_state(&technician, &device, "verified").await;
    assert!(sandbox.script_runs().await.values().all(|count| count == 1));
}
