//! Changes: only what was read back is verified, and nothing is done twice.
use flow::RunState;
use serde_json::{Value, json};

use crate::{
    stage::Stage,
    world::{Behavior, Find, lock},
};

/// A change, its evidence, and a step that concludes.
pub fn change_with(change: Value) -> Value {
    let mut step = json!({ "key": "free", "title": "Free space", "kind": "change", "handler": "t.disk", "timeout_ms": 2_000,
        "retry": { "attempts_max": 3, "delay_ms": 2, "factor": 1.0, "delay_ms_max": 2, "jitter": 0.0 },
        "verify": { "delay_ms": 0, "every_ms": 10, "deadline_ms": 200 } });
    for (field, value) in change.as_object().into_iter().flatten() {
        step[field] = value.clone();
    }
    json!([
        { "key": "open", "title": "Open", "kind": "task", "handler": "t.write" },
        step,
        { "key": "evidence", "title": "Evidence", "kind": "evidence" },
        { "key": "conclude", "title": "Conclude", "kind": "task", "handler": "t.outcome", "run_on": "always" },
    ])
}

async fn stage() -> Stage {
    Stage::with(change_with(json!({}))).await
}

/// Effects, acts, looks for an effect.
fn outside(stage: &Stage) -> (usize, usize, usize) {
    let disk = lock(&stage.world.disk);
    (disk.effects.len(), disk.acts, disk.looks)
}

#[tokio::test]
async fn a_change_that_is_read_back_is_verified() {
    let stage = stage().await;
    let (run, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Verified);
    assert_eq!(outside(&stage), (1, 1, 0));
    assert_eq!(
        stage.steps(run).await,
        [
            "open: ended",
            "free.read: ended",
            "free.plan: ended",
            "free.guard: ended",
            "free.approve: skipped",
            "free.act: ended",
            "free.reread: ended",
            "evidence: ended",
            "conclude: ended"
        ]
    );
    let change = stage.change(run).await;
    assert_eq!(change["state"], "verified");
    assert_eq!(change["before"]["facts"]["disk_used_percent"], 97);
    assert_eq!(change["after"]["facts"]["disk_used_percent"], 60);
    assert_eq!(change["before"]["complete"], true);
    assert_eq!(change["title"], "Free space on C:");
    assert_eq!(change["guard"]["checks"][0]["passed"], true);
    assert_eq!(change["verdict"], "The disk is at 60 %.");
    assert_eq!(change["idempotency_key"], format!("{run}:free"));
    assert_eq!(lock(&stage.world.disk).effects, [format!("{run}:free")]);
    let conclude = stage.step(run, "conclude").await;
    assert_eq!(conclude["output"]["outcome"], "verified");
    assert!(conclude["output"]["evidence"].is_string(), "the evidence is there before the conclusion");
}

#[tokio::test]
async fn a_lying_success_ends_as_unverified() {
    let stage = stage().await;
    stage.world.behaves(&[Behavior::Lies]);
    let (run, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Unverified);
    let change = stage.change(run).await;
    assert_eq!((&change["state"], &change["verified_at"]), (&json!("unverified"), &json!(null)));
    assert_eq!(change["receipt"]["text"], "The vendor says it is done.");
    assert_eq!(change["after"]["facts"]["disk_used_percent"], 97, "what was read is kept");
    assert_eq!(stage.step_state(run, "free.reread").await, "failed");
    assert_eq!(stage.step(run, "conclude").await["output"]["outcome"], "unverified");
    assert_eq!(stage.text("select outcome from public.evidence where run_id = $1", run).await, "unverified");
    // How often depends on the machine; at least once before and once after.
    assert!(lock(&stage.world.disk).readings > 1, "the effect was read back");
}

#[tokio::test]
async fn an_effect_that_takes_time_is_read_until_it_is_seen() {
    let stage = stage().await;
    lock(&stage.world.disk).slow_readings = 4;
    let (run, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Verified);
    assert_eq!(lock(&stage.world.disk).readings, 5);
    assert_eq!(stage.step(run, "free.reread").await["history"][0]["outcome"], "later");
}

#[tokio::test]
async fn a_contradiction_does_not_wait() {
    let stage = stage().await;
    lock(&stage.world.disk).undone = true;
    let (_, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Unverified);
    assert_eq!(lock(&stage.world.disk).readings, 1);
}

#[tokio::test]
async fn an_answer_that_got_lost_is_looked_up_and_not_repeated() {
    let stage = stage().await;
    stage.world.behaves(&[Behavior::DoneButSilent]);
    let (_, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Verified);
    assert_eq!(outside(&stage), (1, 1, 1));
}

#[tokio::test]
async fn an_act_that_hangs_is_looked_up_and_not_repeated() {
    let stage = Stage::with(change_with(json!({ "timeout_ms": 40 }))).await;
    stage.world.behaves(&[Behavior::DoneAndHangs]);
    let (_, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Verified);
    assert_eq!(outside(&stage), (1, 1, 1));
}

#[tokio::test]
async fn what_certainly_was_not_done_is_done_again() {
    let stage = stage().await;
    stage.world.behaves(&[Behavior::NotDoneAndSilent, Behavior::Throttles]);
    let (_, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Verified);
    let (effects, acts, _) = outside(&stage);
    assert_eq!((effects, acts), (1, 3));
}

#[tokio::test]
async fn throttling_alone_needs_no_look() {
    let stage = stage().await;
    stage.world.behaves(&[Behavior::Throttles, Behavior::Throttles]);
    // A vendor that cannot tell must not turn a clear "not now" into doubt.
    lock(&stage.world.disk).find = Find::CannotTell;
    let (_, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Verified);
    assert_eq!(outside(&stage), (1, 3, 0));
}

#[tokio::test]
async fn an_unknown_effect_is_never_repeated_and_the_reading_decides() {
    for (behavior, expected) in
        [(Behavior::DoneButSilent, RunState::Verified), (Behavior::NotDoneAndSilent, RunState::Unverified)]
    {
        let stage = stage().await;
        stage.world.behaves(&[behavior]);
        lock(&stage.world.disk).find = Find::CannotTell;
        let (run, state) = stage.run(json!({})).await;
        assert_eq!(state, expected);
        assert_eq!(outside(&stage).1, 1, "acted once");
        let act = stage.step(run, "free.act").await;
        assert_eq!((&act["state"], &act["error"]["code"]), (&json!("ended"), &json!("unknown_effect")));
        assert_eq!(stage.change(run).await["receipt"], Value::Null, "nobody says that it was done");
    }
}

#[tokio::test]
async fn a_look_that_fails_again_and_again_is_doubt_and_not_a_reason_to_repeat() {
    let stage = stage().await;
    stage.world.behaves(&[Behavior::DoneButSilent]);
    lock(&stage.world.disk).find = Find::Fails;
    let (_, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Verified);
    assert_eq!(outside(&stage), (1, 1, 2));
}

#[tokio::test]
async fn the_last_attempt_is_looked_up_too() {
    let retry = json!({ "attempts_max": 1, "delay_ms": 1, "factor": 1.0, "delay_ms_max": 1, "jitter": 0.0 });
    for (behavior, expected) in
        [(Behavior::DoneButSilent, RunState::Verified), (Behavior::NotDoneAndSilent, RunState::Failed)]
    {
        let stage = Stage::with(change_with(json!({ "retry": retry }))).await;
        stage.world.behaves(&[behavior]);
        let (_, state) = stage.run(json!({})).await;
        assert_eq!(state, expected);
        assert_eq!(outside(&stage).2, 1);
    }
}

#[tokio::test]
async fn a_refusal_of_the_vendor_fails_the_change() {
    let stage = stage().await;
    stage.world.behaves(&[Behavior::Refuses]);
    let (run, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Failed);
    let change = stage.change(run).await;
    assert_eq!(
        (&change["state"], &change["verdict"]),
        (&json!("failed"), &json!("Failed: The vendor refused it"))
    );
    assert_eq!(stage.step_state(run, "free.reread").await, "skipped");
    assert_eq!(stage.step_state(run, "conclude").await, "ended");
    assert_eq!(outside(&stage).0, 0);
}

#[tokio::test]
async fn a_guard_that_does_not_pass_rejects_the_change() {
    let stage = stage().await;
    let (run, state) = stage.run(json!({ "budget": 0 })).await;
    assert_eq!(state, RunState::Rejected);
    let change = stage.change(run).await;
    assert_eq!(change["state"], "rejected");
    assert_eq!(change["verdict"], "Refused by budget: 0 devices allowed");
    assert_eq!(stage.step_state(run, "free.guard").await, "rejected");
    assert_eq!(stage.step_state(run, "free.act").await, "skipped");
    assert_eq!(outside(&stage).1, 0);
}

#[tokio::test]
async fn nothing_to_change_is_not_a_change() {
    let stage = stage().await;
    lock(&stage.world.disk).used_percent = 50;
    let (run, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Ended);
    assert_eq!(stage.change(run).await["state"], "unneeded");
    assert_eq!(outside(&stage).1, 0);
}

#[tokio::test]
async fn a_reading_that_fails_is_not_acted_upon() {
    let stage = stage().await;
    let (run, state) = stage.run(json!({ "unreadable": true })).await;
    assert_eq!(state, RunState::Failed);
    assert_eq!(stage.steps(run).await[1..3], ["free.read: failed", "free.plan: skipped"]);
    assert_eq!(outside(&stage).1, 0);
}

#[tokio::test]
async fn a_change_that_is_not_needed_by_its_condition_leaves_no_record() {
    let stage = Stage::with(change_with(json!({ "when": "input.go == true" }))).await;
    let (run, state) = stage.run(json!({ "go": false })).await;
    assert_eq!(state, RunState::Ended);
    assert_eq!(stage.count("select count(*) from flow.changes where run_id = $1", run).await, 0);
    assert_eq!(stage.step_state(run, "free.reread").await, "skipped");
}

#[tokio::test]
async fn a_change_that_may_fail_lets_the_run_go_on_but_counts() {
    let stage = Stage::with(change_with(json!({ "on_failure": "continue" }))).await;
    let (run, state) = stage.run(json!({ "budget": 0 })).await;
    assert_eq!(state, RunState::Rejected);
    assert_eq!(
        stage.text("select coalesce(stopping::text, 'goes on') from flow.runs where id = $1", run).await,
        "goes on"
    );
}
