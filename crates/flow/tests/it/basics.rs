//! Tasks, conditions, retries, timers, time limits, dedup, versions, dry runs.
use std::sync::atomic::Ordering;

use flow::{FlowError, RegisterOutcome, RunMode, RunState, StartOutcome, StartRun};
use serde_json::json;
use testkit::until;

use crate::stage::{Stage, config, start_run};

#[tokio::test]
async fn a_linear_run_does_every_step_once_in_order() {
    let stage = Stage::with(json!([
        { "key": "one", "title": "One", "kind": "task", "handler": "t.write" },
        { "key": "two", "title": "Two", "kind": "task", "handler": "t.write" },
        { "key": "three", "title": "Three", "kind": "task", "handler": "t.write" },
    ]))
    .await;
    let (run, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Ended, "nothing outside was to change");
    assert_eq!(stage.world.ran(run), ["one", "two", "three"]);
    assert_eq!(stage.written(run).await, 3);
    let step = stage.step(run, "two").await;
    assert_eq!((&step["summary"], &step["output"]["wrote"]), (&json!("Wrote a row"), &json!("two")));
    assert_eq!(step["history"][0]["outcome"], "ok");
    assert_eq!(step["attempt"], 1);
}

#[tokio::test]
async fn the_audit_log_has_the_beginning_and_the_end_of_a_run_and_every_tampering() {
    let stage =
        Stage::with(json!([{ "key": "one", "title": "One", "kind": "task", "handler": "t.write" }])).await;
    let (run, _) = stage.run(json!({})).await;
    let logged = "select count(*) from audit.log where table_name = 'flow.runs' and row_id = $1::uuid::text";
    assert_eq!(stage.count(logged, run).await, 2, "started and ended");
    for tampering in
        ["state = 'verified'", "started_at = null", "ended_at = now()", "title = 'Another'", "input = '[]'"]
    {
        let before = stage.count(logged, run).await;
        stage.arrange(&format!("update flow.runs set {tampering}")).await;
        assert_eq!(stage.count(logged, run).await, before + 1, "{tampering} of a run that is over is logged");
    }
}

#[tokio::test]
async fn branches_follow_their_conditions_and_join() {
    let stage = Stage::with(json!([
        { "key": "look", "title": "Look", "kind": "task", "handler": "t.write" },
        { "key": "many", "title": "Many", "kind": "task", "handler": "t.write", "needs": ["look"],
          "when": "steps.look.output.count > input.limit" },
        { "key": "few", "title": "Few", "kind": "task", "handler": "t.write", "needs": ["look"],
          "when": "steps.look.output.count <= input.limit" },
        { "key": "join", "title": "Join", "kind": "task", "handler": "t.write", "needs": ["many", "few"],
          "when": "steps.many.state == 'ended' || steps.few.state == 'ended'" },
    ]))
    .await;
    let (run, state) = stage.run(json!({ "limit": 5 })).await;
    assert_eq!(state, RunState::Ended);
    assert_eq!(stage.steps(run).await, ["look: ended", "many: skipped", "few: ended", "join: ended"]);
    let (run, _) = stage.run(json!({ "limit": 1 })).await;
    assert_eq!(stage.steps(run).await, ["look: ended", "many: ended", "few: skipped", "join: ended"]);
}

#[tokio::test]
async fn a_condition_that_cannot_be_evaluated_fails_the_step() {
    let stage = Stage::with(json!([
        { "key": "one", "title": "One", "kind": "task", "handler": "t.write", "when": "input.missing > 3" },
    ]))
    .await;
    let (run, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Failed);
    assert_eq!(stage.world.ran(run), Vec::<String>::new());
}

fn flaky() -> serde_json::Value {
    json!([
        { "key": "one", "title": "One", "kind": "task", "handler": "t.flaky",
          "retry": { "attempts_max": 4, "delay_ms": 5, "factor": 2.0, "delay_ms_max": 20, "jitter": 0.1 } },
        { "key": "two", "title": "Two", "kind": "task", "handler": "t.write" },
        { "key": "conclude", "title": "Conclude", "kind": "task", "handler": "t.outcome", "run_on": "always" },
    ])
}

#[tokio::test]
async fn transient_errors_are_tried_again_and_leave_nothing_behind() {
    let stage = Stage::with(flaky()).await;
    let (run, state) = stage.run(json!({ "failures": 3 })).await;
    assert_eq!(state, RunState::Ended);
    assert_eq!(stage.written(run).await, 2, "failed attempts were rolled back");
    let step = stage.step(run, "one").await;
    let outcomes: Vec<_> =
        step["history"].as_array().expect("a list").iter().map(|entry| &entry["outcome"]).collect();
    assert_eq!(outcomes, ["retry", "retry", "retry", "ok"]);
    assert_eq!(step["history"][0]["error"]["vendor"], "503");
    assert_eq!(step["attempt"], 4);
}

#[tokio::test]
async fn exhausted_attempts_fail_the_run_and_conclude_still_runs() {
    let stage = Stage::with(flaky()).await;
    let (run, state) = stage.run(json!({ "failures": 99 })).await;
    assert_eq!(state, RunState::Failed);
    assert_eq!(stage.steps(run).await, ["one: failed", "two: skipped", "conclude: ended"]);
    assert_eq!(stage.written(run).await, 0);
    let conclude = stage.step(run, "conclude").await;
    assert_eq!(conclude["output"]["outcome"], "failed");
    assert_eq!(conclude["output"]["error"]["code"], "OB4001");
    assert_eq!(stage.text("select error ->> 'step' from flow.runs where id = $1", run).await, "one");
}

#[tokio::test]
async fn a_failure_that_may_be_passed_over_does_not_count() {
    let stage = Stage::with(json!([
        { "key": "one", "title": "One", "kind": "task", "handler": "t.fail", "on_failure": "continue" },
        { "key": "two", "title": "Two", "kind": "task", "handler": "t.write", "when": "steps.one.state == 'failed'" },
    ]))
    .await;
    let (run, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Ended);
    assert_eq!(stage.steps(run).await, ["one: failed", "two: ended"]);
}

#[tokio::test]
async fn a_step_that_takes_too_long_or_panics_is_tried_again_and_then_fails() {
    let retry = json!({ "attempts_max": 2, "delay_ms": 1, "factor": 1.0, "delay_ms_max": 1, "jitter": 0.0 });
    for (handler, code) in [("t.hang", "OB5003"), ("t.panic", "OB5002")] {
        let stage = Stage::with(json!([
            { "key": "one", "title": "One", "kind": "task", "handler": handler, "timeout_ms": 30, "retry": retry },
        ]))
        .await;
        let (run, state) = stage.run(json!({})).await;
        assert_eq!(state, RunState::Failed);
        assert_eq!(stage.world.ran(run), ["one", "one"]);
        assert_eq!(stage.step(run, "one").await["error"]["code"], code);
    }
}

#[tokio::test]
async fn a_statement_that_failed_inside_a_handler_fails_the_step_even_if_the_handler_is_content() {
    let retry = json!({ "attempts_max": 2, "delay_ms": 1, "factor": 1.0, "delay_ms_max": 1, "jitter": 0.0 });
    let stage = Stage::with(json!([
        { "key": "one", "title": "One", "kind": "task", "handler": "t.breaks_sql", "retry": retry },
    ]))
    .await;
    let (_, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Failed);
}

#[tokio::test]
async fn a_step_may_run_again_later_without_counting_attempts() {
    let retry = json!({ "attempts_max": 1, "delay_ms": 1, "factor": 1.0, "delay_ms_max": 1, "jitter": 0.0 });
    let stage = Stage::with(json!([
        { "key": "one", "title": "One", "kind": "task", "handler": "t.later", "retry": retry },
    ]))
    .await;
    let (run, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::Ended);
    assert_eq!(stage.written(run).await, 4, "what each round wrote is kept");
    assert_eq!(stage.step(run, "one").await["attempt"], 1);
}

#[tokio::test]
async fn timers_wait_for_a_delay_or_a_time() {
    let stage = Stage::with(json!([
        { "key": "hour", "title": "Hour", "kind": "timer", "delay_ms": 3_500_000 },
        { "key": "past", "title": "Past", "kind": "timer", "until": "input.at" },
        { "key": "soon", "title": "Soon", "kind": "timer", "until": "10 * 2" },
        { "key": "end", "title": "End", "kind": "task", "handler": "t.write" },
    ]))
    .await;
    let worker = stage.worker();
    let run = stage.start(json!({ "at": "2020-01-01T00:00:00Z" })).await;
    stage.step_in(run, "hour", "waiting").await;
    assert_eq!(stage.run_state(run).await, RunState::Waiting);
    // Woken too early it goes on waiting; when its time has come it ends.
    stage.bring_forward().await;
    until("the timer ran again", || async {
        (stage.step(run, "hour").await["history"].as_array()?.len() == 2).then_some(())
    })
    .await;
    stage.step_in(run, "hour", "waiting").await;
    let past = "update flow.steps set due_at = now(), output = '{\"until\": \"2020-01-01T00:00:00Z\"}' where key = 'hour'; notify flow_steps";
    stage.arrange(past).await;
    assert_eq!(stage.over(run).await, RunState::Ended);
    assert_eq!(stage.written(run).await, 1);
    worker.stop().await;
}

#[tokio::test]
async fn a_run_over_its_limit_times_out_and_concludes() {
    let stage = Stage::with(json!([
        { "key": "wait", "title": "Wait", "kind": "timer", "delay_ms": 60_000 },
        { "key": "next", "title": "Next", "kind": "task", "handler": "t.write" },
        { "key": "conclude", "title": "Conclude", "kind": "task", "handler": "t.outcome", "run_on": "always" },
    ]))
    .await;
    let worker = stage.worker();
    let run = stage.start(json!({})).await;
    stage.step_in(run, "wait", "waiting").await;
    stage.arrange("update flow.runs set deadline_at = now() - interval '1 second'").await;
    stage.bring_forward().await;
    assert_eq!(stage.over(run).await, RunState::TimedOut);
    assert_eq!(stage.steps(run).await, ["wait: timed_out", "next: skipped", "conclude: ended"]);
    worker.stop().await;
}

#[tokio::test]
async fn waiting_never_outlasts_the_limit_of_the_run() {
    let stage = Stage::new().await;
    let mut definition = crate::stage::definition(json!([
        { "key": "wait", "title": "Wait", "kind": "timer", "delay_ms": 60_000 },
    ]));
    definition.timeout_ms = 150;
    stage.engine.register(&definition).await.expect("registered");
    let (_, state) = stage.run(json!({})).await;
    assert_eq!(state, RunState::TimedOut);
}

#[tokio::test]
async fn the_same_dedup_key_gives_the_same_run() {
    let stage =
        Stage::with(json!([{ "key": "one", "title": "One", "kind": "task", "handler": "t.write" }])).await;
    let start = StartRun { dedup_key: Some("alert-7".to_owned()), ..start_run() };
    let first = stage.start_as(stage.customer, start.clone()).await.expect("started");
    let second = stage.start_as(stage.customer, start.clone()).await.expect("started");
    assert_eq!((first.outcome, second.outcome), (StartOutcome::New, StartOutcome::Existing));
    assert_eq!(first.run, second.run);
    let other = stage.db.customer("beta").await;
    let third = stage.start_as(other, start).await.expect("started");
    assert_eq!(third.outcome, StartOutcome::New, "keys are a customer's own");
}

#[tokio::test]
async fn what_is_not_committed_was_not_started_and_what_is_refused_says_why() {
    let stage =
        Stage::with(json!([{ "key": "one", "title": "One", "kind": "task", "handler": "t.write" }])).await;
    let tx = stage.db.pg.work_for(stage.customer, pg::WorkReason::Workflow).await.expect("a transaction");
    let started = stage.engine.start(&tx, start_run()).await.expect("started");
    tx.rollback().await.expect("rolled back");
    assert_eq!(stage.count("select count(*) from flow.runs where id = $1", started.run).await, 0);

    let unknown = StartRun { workflow_key: "t.unknown".to_owned(), ..start_run() };
    assert!(matches!(stage.start_as(stage.customer, unknown).await, Err(FlowError::NotFound)));
    let huge = StartRun { input: json!({ "text": "x".repeat(70_000) }), ..start_run() };
    assert!(matches!(stage.start_as(stage.customer, huge).await, Err(FlowError::Refused(_))));
    stage.arrange("update public.workflows set enabled = false").await;
    assert!(matches!(stage.start_as(stage.customer, start_run()).await, Err(FlowError::Conflict(_))));
}

#[tokio::test]
async fn a_running_run_keeps_the_version_it_started_with() {
    let gate = |last: &str| {
        json!([
            { "key": "gate", "title": "Gate", "kind": "task", "handler": "t.gate" },
            { "key": last, "title": "Last", "kind": "task", "handler": "t.write" },
        ])
    };
    let stage = Stage::new().await;
    let first = stage.register(gate("old")).await;
    let worker = stage.worker();
    let run = stage.start(json!({})).await;
    until("the step runs", || async { (stage.world.inside.load(Ordering::SeqCst) == 1).then_some(()) }).await;
    let second = stage.register(gate("new")).await;
    assert_eq!((first.version, second.version), (1, 2));
    assert_eq!((first.outcome, second.outcome), (RegisterOutcome::New, RegisterOutcome::New));
    stage.world.gate.add_permits(2);
    stage.over(run).await;
    assert_eq!(stage.world.ran(run), ["gate", "old"]);
    let run = stage.start(json!({})).await;
    stage.over(run).await;
    assert_eq!(stage.world.ran(run), ["gate", "new"]);
    let again = stage.register(gate("old")).await;
    assert_eq!(
        (again.version, again.outcome),
        (1, RegisterOutcome::Known),
        "the same content is the same version"
    );
    worker.stop().await;
}

#[tokio::test]
async fn another_process_runs_a_version_that_only_the_database_knows() {
    let stage =
        Stage::with(json!([{ "key": "one", "title": "One", "kind": "task", "handler": "t.write" }])).await;
    let run = stage.start(json!({})).await;
    let fresh = Stage { engine: stage.world_engine(), ..stage };
    let worker = fresh.worker_with(config());
    assert_eq!(fresh.over(run).await, RunState::Ended);
    worker.stop().await;
}

impl Stage {
    fn world_engine(&self) -> flow::Engine {
        let signer = std::sync::Arc::new(crate::world::Signer::new());
        flow::Engine::new(self.db.pg.clone(), kernel::Clock::system(), self.world.registry(), signer)
    }
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let stage = Stage::with(json!([
        { "key": "open", "title": "Open", "kind": "task", "handler": "t.write" },
        { "key": "free", "title": "Free", "kind": "change", "handler": "t.disk",
          "approval": { "policy": "One person", "expires_after_ms": 60_000 } },
        { "key": "evidence", "title": "Evidence", "kind": "evidence" },
        { "key": "conclude", "title": "Conclude", "kind": "task", "handler": "t.write", "run_on": "always" },
    ]))
    .await;
    let worker = stage.worker();
    let start = StartRun { mode: RunMode::Dry, ..start_run() };
    let run = stage.start_as(stage.customer, start).await.expect("started").run;
    assert_eq!(stage.over(run).await, RunState::Ended);
    worker.stop().await;
    assert_eq!(
        stage.steps(run).await,
        [
            "open: skipped",
            "free.read: ended",
            "free.plan: ended",
            "free.guard: ended",
            "free.approve: skipped",
            "free.act: skipped",
            "free.reread: skipped",
            "evidence: skipped",
            "conclude: skipped"
        ]
    );
    let change = stage.change(run).await;
    assert_eq!((&change["state"], &change["act_started_at"]), (&json!("planned"), &json!(null)));
    assert_eq!(change["plan"]["lines"][0]["op"], "remove");
    assert_eq!(stage.written(run).await, 0);
    assert_eq!(crate::world::lock(&stage.world.disk).acts, 0);
    assert_eq!(stage.count("select count(*) from flow.approvals where run_id = $1", run).await, 0);
}
