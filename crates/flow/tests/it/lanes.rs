//! Concurrency per customer, fairness between customers, several workers, isolation.
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use flow::{RunState, WorkerConfig};
use kernel::id::CustomerId;
use serde_json::json;
use testkit::until;

use crate::{
    stage::{Stage, config, definition},
    world::lock,
};

async fn gated(concurrency: i16) -> Stage {
    let stage = Stage::new().await;
    let mut definition =
        definition(json!([{ "key": "gate", "title": "Gate", "kind": "task", "handler": "t.gate" }]));
    definition.concurrency_per_customer = concurrency;
    stage.engine.register(&definition).await.expect("registered");
    stage
}

#[tokio::test]
async fn one_customer_never_has_more_than_its_share_at_once() {
    let stage = gated(2).await;
    let mut runs = Vec::new();
    for _ in 0..8 {
        runs.push(stage.start(json!({})).await);
    }
    let workers = [stage.worker(), stage.worker(), stage.worker()];
    for expected in (0..8).rev() {
        until("the lane is full", || async {
            let waiting = 2.min(expected + 1);
            (stage.world.inside.load(Ordering::SeqCst) == waiting).then_some(())
        })
        .await;
        stage.world.gate.add_permits(1);
        until("one has ended", || async {
            let sql = "select count(*) from flow.runs where ended_at is null and id <> $1";
            (stage.count(sql, kernel::id::RunId(uuid::Uuid::nil())).await == expected as i64).then_some(())
        })
        .await;
    }
    for run in runs {
        assert_eq!(stage.over(run).await, RunState::Ended);
    }
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(stage.world.inside_max.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_customer_with_a_backlog_does_not_keep_others_waiting() {
    let stage = gated(100).await;
    for _ in 0..40 {
        stage.start(json!({})).await;
    }
    let mut others = Vec::new();
    for name in ["beta", "gamma", "delta"] {
        let customer: CustomerId = stage.db.customer(name).await;
        stage.start_for(customer, json!({})).await;
        others.push(customer.to_string());
    }
    stage.world.gate.add_permits(1_000);
    let worker = stage.worker_with(WorkerConfig { concurrency: 8, claim_batch: 8, ..config() });
    until("all are over", || async {
        let sql = "select count(*) from flow.runs where ended_at is null and id <> $1";
        (stage.count(sql, kernel::id::RunId(uuid::Uuid::nil())).await == 0).then_some(())
    })
    .await;
    worker.stop().await;
    let order = lock(&stage.world.order).clone();
    for customer in others {
        let at = order.iter().position(|ran| *ran == customer).expect("it ran");
        assert!(at < 16, "the run of one customer came {at}th, behind the backlog of another");
    }
}

#[tokio::test]
async fn a_worker_goes_on_with_its_lane_without_a_claim_for_each_run() {
    let stage = gated(1).await;
    stage.world.gate.add_permits(1_000);
    let mut runs = Vec::new();
    for _ in 0..12 {
        runs.push(stage.start(json!({})).await);
    }
    let claims = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&claims);
    let hook = move |boundary: &str| {
        if boundary == "claimed" {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    };
    let worker =
        stage.worker_with(WorkerConfig { concurrency: 1, boundary_hook: Some(Arc::new(hook)), ..config() });
    for &run in &runs {
        assert_eq!(stage.over(run).await, RunState::Ended);
        assert_eq!(stage.step(run, "gate").await["attempt"], 1);
    }
    worker.stop().await;
    let claims = claims.load(Ordering::SeqCst);
    assert!(claims < runs.len(), "{claims} claims for {} runs of one lane", runs.len());
    let sql =
        "select count(*) from flow.runs where (started_at is null or started_at > ended_at) and id <> $1";
    assert_eq!(stage.count(sql, kernel::id::RunId(uuid::Uuid::nil())).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_workers_do_every_step_exactly_once() {
    let stage = Stage::with(json!([
        { "key": "one", "title": "One", "kind": "task", "handler": "t.write" },
        { "key": "two", "title": "Two", "kind": "task", "handler": "t.write", "needs": ["one"] },
        { "key": "three", "title": "Three", "kind": "task", "handler": "t.write", "needs": ["one"] },
        { "key": "four", "title": "Four", "kind": "task", "handler": "t.write", "needs": ["two", "three"] },
    ]))
    .await;
    let workers = [stage.worker(), stage.worker(), stage.worker()];
    let mut runs = Vec::new();
    for _ in 0..40 {
        runs.push(stage.start(json!({})).await);
    }
    for &run in &runs {
        assert_eq!(stage.over(run).await, RunState::Ended);
        assert_eq!(stage.written(run).await, 4);
    }
    for worker in workers {
        worker.stop().await;
    }
    let ran = lock(&stage.world.ran).clone();
    assert_eq!(ran.len(), 160);
    assert_eq!(ran.iter().collect::<HashSet<_>>().len(), 160, "no step ran twice");
    assert_eq!(
        stage.count("select count(*) from flow.steps where attempt <> 1 and id <> $1", runs[0]).await,
        0
    );
}

#[tokio::test]
async fn a_run_of_one_customer_never_touches_another() {
    let stage =
        Stage::with(json!([{ "key": "one", "title": "One", "kind": "task", "handler": "t.write" }])).await;
    let beta = stage.db.customer("beta").await;
    let worker = stage.worker();
    let run = stage.start(json!({})).await;
    assert_eq!(stage.over(run).await, RunState::Ended);
    let other = stage.start_for(beta, json!({})).await;
    assert_eq!(stage.over(other).await, RunState::Ended);
    worker.stop().await;
    for (run, owner) in [(run, stage.customer), (other, beta)] {
        for table in ["flow.runs where id", "flow.steps where run_id"] {
            let sql = format!("select string_agg(distinct customer_id::text, ',') from {table} = $1");
            assert_eq!(stage.text(&sql, run).await, owner.to_string());
        }
        let sql = format!(
            "select customer_id::text from public.sites where name like '{run}%' and $1::uuid is not null"
        );
        assert_eq!(stage.text(&sql, run).await, owner.to_string());
    }
    // As worker of beta the engine's own functions see nothing of alpha.
    let tx = stage.db.pg.work_for(beta, pg::WorkReason::Workflow).await.expect("a transaction");
    let step: uuid::Uuid = stage
        .client
        .query_one("select id from flow.steps where run_id = $1", &[&run.0])
        .await
        .expect("a step")
        .get(0);
    stage.arrange("update flow.steps set state = 'running', lease_owner = '00000000-0000-7000-8000-000000000001', lease_until = now() + interval '1 hour'").await;
    let owner = "00000000-0000-7000-8000-000000000001".parse::<uuid::Uuid>().expect("an id");
    let sql = "select run, context from flow.open_step($1, $2, $3)";
    let opened = tx.query_one(sql, &[&run.0, &step, &owner]).await.expect("an answer");
    for column in [0, 1] {
        assert_eq!(opened.get::<_, Option<serde_json::Value>>(column), None);
    }
    let finished = tx
        .query(
            "select flow.finish_step($1, $2, $3, 'ended', 'ok', null, null, null, 0, '{}', null, null, false)",
            &[&run.0, &step, &owner],
        )
        .await;
    assert!(finished.is_err(), "another customer's step cannot be finished");
}
