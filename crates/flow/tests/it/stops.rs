//! Cancelling at every stage, and shutting a worker down.
use std::sync::atomic::Ordering;

use flow::{FlowError, RunState};
use serde_json::{Value, json};
use testkit::until;

use crate::{
    changes::change_with,
    stage::{Stage, config},
    world::{Behavior, Find, lock},
};

async fn inside(stage: &Stage) {
    until("a handler is at the gate", || async {
        (stage.world.inside.load(Ordering::SeqCst) > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_run_that_has_not_begun_is_cancelled_at_once() {
    let stage =
        Stage::with(json!([{ "key": "one", "title": "One", "kind": "task", "handler": "t.write" }])).await;
    let run = stage.start(json!({})).await;
    let cancelled = stage.cancel(run).await.expect("cancelled");
    assert_eq!(cancelled.run_state, RunState::Cancelled);
    assert_eq!(stage.step_state(run, "one").await, "cancelled");
    assert_eq!(
        stage.text("select error ->> 'message' from flow.runs where id = $1", run).await,
        "Cancelled: not wanted"
    );
    assert!(matches!(stage.cancel(run).await, Err(FlowError::Conflict(_))), "it is over");
    let worker = stage.worker();
    let other = stage.start(json!({})).await;
    stage.over(other).await;
    worker.stop().await;
    assert_eq!(stage.written(run).await, 0);
}

#[tokio::test]
async fn a_step_that_runs_is_finished_and_no_other_starts() {
    let stage = Stage::with(json!([
        { "key": "gate", "title": "Gate", "kind": "task", "handler": "t.gate" },
        { "key": "next", "title": "Next", "kind": "task", "handler": "t.write" },
        { "key": "conclude", "title": "Conclude", "kind": "task", "handler": "t.outcome", "run_on": "always" },
    ]))
    .await;
    let worker = stage.worker();
    let run = stage.start(json!({})).await;
    inside(&stage).await;
    assert_eq!(stage.cancel(run).await.expect("cancelled").run_state, RunState::Running);
    assert!(matches!(stage.cancel(run).await, Err(FlowError::Conflict(_))), "it is ending already");
    stage.world.gate.add_permits(1);
    assert_eq!(stage.over(run).await, RunState::Cancelled);
    worker.stop().await;
    assert_eq!(stage.steps(run).await, ["gate: ended", "next: cancelled", "conclude: ended"]);
    assert_eq!(stage.written(run).await, 1);
    assert_eq!(stage.step(run, "conclude").await["output"]["outcome"], "cancelled");
}

#[tokio::test]
async fn a_cancelled_step_is_not_tried_again() {
    let retry = json!({ "attempts_max": 9, "delay_ms": 60_000, "factor": 1.0, "delay_ms_max": 60_000, "jitter": 0.0 });
    let stage = Stage::with(json!([
        { "key": "one", "title": "One", "kind": "task", "handler": "t.flaky", "retry": retry },
    ]))
    .await;
    let worker = stage.worker();
    let run = stage.start(json!({ "failures": 5 })).await;
    until("it failed once", || async {
        (stage.step(run, "one").await["attempt"] == 1 && stage.step_state(run, "one").await == "ready")
            .then_some(())
    })
    .await;
    stage.cancel(run).await.expect("cancelled");
    assert_eq!(stage.over(run).await, RunState::Cancelled);
    worker.stop().await;
}

#[tokio::test]
async fn a_timer_and_an_approval_are_cancelled_while_they_wait() {
    let stage =
        Stage::with(json!([{ "key": "wait", "title": "Wait", "kind": "timer", "delay_ms": 60_000 }])).await;
    let worker = stage.worker();
    let run = stage.start(json!({})).await;
    stage.step_in(run, "wait", "waiting").await;
    assert_eq!(stage.cancel(run).await.expect("cancelled").run_state, RunState::Cancelled);

    let approval = json!({ "policy": "One technician", "expires_after_ms": 60_000 });
    stage.register(change_with(json!({ "approval": approval }))).await;
    let run = stage.start(json!({})).await;
    let approval = stage.approval(run).await;
    stage.step_in(run, "free.approve", "waiting").await;
    stage.cancel(run).await.expect("cancelled");
    assert_eq!(stage.over(run).await, RunState::Cancelled);
    worker.stop().await;
    assert_eq!(stage.text("select state from flow.approvals where run_id = $1", run).await, "cancelled");
    assert_eq!(stage.change(run).await["state"], "cancelled");
    assert_eq!(lock(&stage.world.disk).acts, 0);
    let late = stage.decide(approval, flow::Decision::Approve).await;
    assert!(matches!(late, Err(FlowError::Conflict(text)) if text.contains("cancelled")));
}

#[tokio::test]
async fn an_act_that_has_begun_is_not_torn_and_its_state_is_honest() {
    let stage = Stage::with(change_with(json!({}))).await;
    stage.world.behaves(&[Behavior::Waits]);
    let worker = stage.worker();
    let run = stage.start(json!({})).await;
    inside(&stage).await;
    assert_eq!(stage.cancel(run).await.expect("cancelled").run_state, RunState::Running);
    stage.world.gate.add_permits(1);
    assert_eq!(stage.over(run).await, RunState::Verified, "there was nothing left to cancel");
    worker.stop().await;
    let change = stage.change(run).await;
    assert_eq!(change["state"], "verified", "it was done, and that is what is said");
    assert_eq!(stage.step_state(run, "free.reread").await, "ended");
    assert_eq!(stage.step_state(run, "evidence").await, "ended");
}

/// Cancelled between two attempts of an act whose first answer got lost: never acted again, but looked up.
async fn cancelled_in_doubt(behavior: Behavior, find: Find) -> (Stage, Value, RunState) {
    let retry = json!({ "attempts_max": 9, "delay_ms": 60_000, "factor": 1.0, "delay_ms_max": 60_000, "jitter": 0.0 });
    let stage = Stage::with(change_with(json!({ "retry": retry }))).await;
    stage.world.behaves(&[behavior]);
    lock(&stage.world.disk).find = find;
    let worker = stage.worker();
    let run = stage.start(json!({})).await;
    until("the act failed once", || async {
        (lock(&stage.world.disk).acts == 1 && stage.step_state(run, "free.act").await == "ready")
            .then_some(())
    })
    .await;
    assert_eq!(stage.cancel(run).await.expect("cancelled").run_state, RunState::Running);
    assert_eq!(stage.step_state(run, "free.act").await, "ready", "it is still to be looked up");
    stage.bring_forward().await;
    let state = stage.over(run).await;
    worker.stop().await;
    assert_eq!(lock(&stage.world.disk).acts, 1, "never acted again");
    let change = stage.change(run).await;
    (stage, change, state)
}

#[tokio::test]
async fn an_act_in_doubt_is_looked_up_when_the_run_is_cancelled() {
    let (_stage, change, state) = cancelled_in_doubt(Behavior::DoneButSilent, Find::Knows).await;
    assert_eq!(
        (&change["state"], state),
        (&json!("verified"), RunState::Verified),
        "everything was done before it was cancelled"
    );
    let (_stage, change, state) = cancelled_in_doubt(Behavior::NotDoneAndSilent, Find::Knows).await;
    assert_eq!((&change["state"], state), (&json!("cancelled"), RunState::Cancelled));
    let (_stage, change, state) = cancelled_in_doubt(Behavior::NotDoneAndSilent, Find::CannotTell).await;
    assert_eq!((&change["state"], state), (&json!("unverified"), RunState::Unverified));
}

#[tokio::test]
async fn a_failing_branch_does_not_tear_a_change_of_another_branch() {
    let stage = Stage::with(json!([
        { "key": "free", "title": "Free", "kind": "change", "handler": "t.disk", "needs": [],
          "verify": { "delay_ms": 0, "every_ms": 10, "deadline_ms": 5_000 } },
        { "key": "fail", "title": "Fail", "kind": "task", "handler": "t.fail", "needs": [], "when": "change.free.state == 'planned'",
          "on_failure": "continue" },
        { "key": "gate", "title": "Gate", "kind": "task", "handler": "t.gate", "needs": [] },
        { "key": "bad", "title": "Bad", "kind": "task", "handler": "t.fail", "needs": ["gate"] },
        { "key": "evidence", "title": "Evidence", "kind": "evidence", "needs": ["free", "bad"] },
    ]))
    .await;
    stage.world.behaves(&[Behavior::Waits]);
    let worker = stage.worker();
    let run = stage.start(json!({})).await;
    until("both wait", || async { (stage.world.inside.load(Ordering::SeqCst) == 2).then_some(()) }).await;
    stage.world.gate.add_permits(1);
    until("one of both went on", || async { (stage.world.inside.load(Ordering::SeqCst) <= 2).then_some(()) })
        .await;
    stage.world.gate.add_permits(1);
    assert_eq!(stage.over(run).await, RunState::Failed);
    worker.stop().await;
    assert_eq!(stage.change(run).await["state"], "verified");
}

#[tokio::test]
async fn a_worker_that_shuts_down_ends_its_steps_and_leaves_the_rest() {
    let stage = Stage::with(json!([
        { "key": "gate", "title": "Gate", "kind": "task", "handler": "t.gate" },
        { "key": "next", "title": "Next", "kind": "task", "handler": "t.write" },
    ]))
    .await;
    let worker = stage.worker();
    let run = stage.start(json!({})).await;
    inside(&stage).await;
    let stopping = worker.stop();
    let freed = async {
        // The worker has been told to stop; its step still runs.
        tokio::task::yield_now().await;
        until("the drain begins", || async {
            (stage.step_state(run, "gate").await == "running").then_some(())
        })
        .await;
        stage.world.gate.add_permits(1);
    };
    tokio::join!(stopping, freed);
    assert_eq!(stage.step_state(run, "gate").await, "ended");
    assert!(matches!(stage.step_state(run, "next").await.as_str(), "ready" | "ended"));
    let worker = stage.worker_with(config());
    assert_eq!(stage.over(run).await, RunState::Ended);
    worker.stop().await;
    assert_eq!(stage.written(run).await, 2);
}
