use flow::{Decision, FlowError, RunState};
use kernel::id::{ApprovalId, UserId};
use pg::WorkReason;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{changes::change_with, stage::Stage, world::lock};

fn with_approval(when: &str) -> Value {
    change_with(
        json!({ "approval": { "when": when, "policy": "One technician", "expires_after_ms": 60_000 } }),
    )
}

#[tokio::test]
async fn an_approved_change_is_made() {
    let stage = Stage::with(with_approval("true")).await;
    let worker = stage.worker();
    let run = stage.start(json!({})).await;
    let approval = stage.approval(run).await;
    stage.step_in(run, "free.approve", "waiting").await;
    assert_eq!(stage.run_state(run).await, RunState::Waiting);
    assert_eq!(stage.change(run).await["state"], "waiting");
    assert_eq!(lock(&stage.world.disk).acts, 0, "nothing is done before the decision");
    let shown = stage.text("select title || '/' || policy || '/' || (plan #>> '{lines,0,text}') from flow.approvals where run_id = $1", run).await;
    assert_eq!(shown, "Free space on C:/One technician/temporary files");

    let decided = stage.decide(approval, Decision::Approve).await.expect("decided");
    assert_eq!((decided.run, decided.run_state), (run, RunState::Running));
    assert_eq!(stage.over(run).await, RunState::Verified);
    worker.stop().await;
    assert_eq!(stage.step(run, "free.approve").await["summary"], "Approved: because of the test");
    let again = stage.decide(approval, Decision::Reject).await;
    assert!(matches!(again, Err(FlowError::Conflict(text)) if text.contains("approved")));
}

#[tokio::test]
async fn a_rejected_change_is_not_made() {
    let stage = Stage::with(with_approval("true")).await;
    let worker = stage.worker();
    let run = stage.start(json!({})).await;
    let approval = stage.approval(run).await;
    stage.decide(approval, Decision::Reject).await.expect("decided");
    assert_eq!(stage.over(run).await, RunState::Rejected);
    worker.stop().await;
    let change = stage.change(run).await;
    assert_eq!(
        (&change["state"], &change["verdict"]),
        (&json!("rejected"), &json!("Rejected: because of the test"))
    );
    assert_eq!(lock(&stage.world.disk).acts, 0);
    assert_eq!(stage.step_state(run, "conclude").await, "ended");
}

#[tokio::test]
async fn an_approval_that_nobody_decides_expires() {
    let stage = Stage::with(with_approval("true")).await;
    let worker = stage.worker();
    let run = stage.start(json!({})).await;
    let approval = stage.approval(run).await;
    stage.step_in(run, "free.approve", "waiting").await;
    stage.arrange("update flow.approvals set expires_at = now() - interval '1 second'").await;
    let late = stage.decide(approval, Decision::Approve).await;
    assert!(matches!(late, Err(FlowError::Conflict(text)) if text.contains("expired")), "too late to decide");
    stage.bring_forward().await;
    assert_eq!(stage.over(run).await, RunState::TimedOut);
    worker.stop().await;
    assert_eq!(stage.text("select state from flow.approvals where run_id = $1", run).await, "expired");
    assert_eq!(stage.change(run).await["state"], "cancelled");
    assert_eq!(lock(&stage.world.disk).acts, 0);
}

#[tokio::test]
async fn expiry_wakes_by_itself() {
    let approval = json!({ "policy": "One technician", "expires_after_ms": 150 });
    let stage = Stage::with(change_with(json!({ "approval": approval }))).await;
    let (_, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::TimedOut);
}

#[tokio::test]
async fn no_approval_is_asked_when_the_policy_says_so() {
    let stage = Stage::with(with_approval("input.careful")).await;
    let (run, state) = stage.run(json!({ "careful": false })).await;
    assert_eq!(state, RunState::Verified);
    assert_eq!(stage.step_state(run, "free.approve").await, "skipped");
    assert_eq!(stage.count("select count(*) from flow.approvals where run_id = $1", run).await, 0);
}

#[tokio::test]
async fn an_approval_may_be_a_step_of_its_own() {
    let stage = Stage::with(json!([
        { "key": "ask", "title": "Ask", "kind": "approval",
          "approval": { "policy": "Anybody of {{ input.team }}", "expires_after_ms": 60_000, "title": "Go on with {{ input.team }}?" } },
        { "key": "next", "title": "Next", "kind": "task", "handler": "t.write", "when": "steps.ask.output.reason != ''" },
    ]))
    .await;
    let worker = stage.worker();
    let run = stage.start(json!({ "team": "desk" })).await;
    let approval = stage.approval(run).await;
    let shown = stage.text("select title || '/' || policy from flow.approvals where run_id = $1", run).await;
    assert_eq!(shown, "Go on with desk?/Anybody of desk");
    stage.decide(approval, Decision::Approve).await.expect("decided");
    assert_eq!(stage.over(run).await, RunState::Ended);
    assert_eq!(stage.written(run).await, 1);
    worker.stop().await;
}

#[tokio::test]
async fn two_decisions_at_one_moment_are_one() {
    let stage = Stage::with(with_approval("true")).await;
    let worker = stage.worker();
    let run = stage.start(json!({})).await;
    let approval = stage.approval(run).await;
    let (one, two) =
        tokio::join!(stage.decide(approval, Decision::Approve), stage.decide(approval, Decision::Reject));
    assert!(one.is_ok() != two.is_ok(), "exactly one decision counts: {one:?} {two:?}");
    let expected = if one.is_ok() { RunState::Verified } else { RunState::Rejected };
    assert_eq!(stage.over(run).await, expected);
    worker.stop().await;
}

#[tokio::test]
async fn another_customers_approval_and_run_do_not_exist() {
    let stage = Stage::with(with_approval("true")).await;
    let worker = stage.worker();
    let run = stage.start(json!({})).await;
    let approval = stage.approval(run).await;
    let beta = stage.db.customer("beta").await;
    let tx = stage.db.pg.work_for(beta, WorkReason::Approval).await.expect("a transaction");
    let by = UserId(Uuid::now_v7());
    let decided = stage.engine.decide(&tx, approval, Decision::Approve, by, None).await;
    assert!(matches!(decided, Err(FlowError::NotFound)));
    assert!(matches!(stage.engine.cancel(&tx, run, by, "mine now").await, Err(FlowError::NotFound)));
    let missing = stage.engine.decide(&tx, ApprovalId(Uuid::now_v7()), Decision::Approve, by, None).await;
    assert!(matches!(missing, Err(FlowError::NotFound)), "the same answer as for what does not exist");
    tx.commit().await.expect("committed");
    stage.decide(approval, Decision::Approve).await.expect("its own customer decides");
    assert_eq!(stage.over(run).await, RunState::Verified);
    worker.stop().await;
}

#[tokio::test]
async fn rejecting_needs_a_reason() {
    let stage = Stage::with(with_approval("true")).await;
    let tx = stage.db.pg.work_for(stage.customer, WorkReason::Approval).await.expect("a transaction");
    let (id, by) = (ApprovalId(Uuid::now_v7()), UserId(Uuid::now_v7()));
    let refused = stage.engine.decide(&tx, id, Decision::Reject, by, Some("  ")).await;
    assert!(matches!(refused, Err(FlowError::Refused(_))));
}
