//! A worker that dies at any boundary: another one goes on, nothing is lost, nothing is done twice.
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use flow::{BOUNDARIES, Decision, RunState, WorkerConfig};
use kernel::id::RunId;
use serde_json::{Value, json};
use testkit::until;

use crate::{
    changes::change_with,
    stage::{LONG_LEASE_MS, Stage, config},
    world::{Behavior, Find, lock},
};

/// Ends the worker at one boundary, and everything that it would still do.
#[derive(Clone, Default)]
struct Killer {
    seen: Arc<std::sync::Mutex<Vec<String>>>,
    count: Arc<AtomicUsize>,
    is_dead: Arc<AtomicBool>,
}

impl Killer {
    /// Dies at the `nth` boundary (from 0); `usize::MAX`: never, only counts.
    fn at(nth: usize) -> (Self, WorkerConfig) {
        let killer = Self::default();
        let in_hook = killer.clone();
        let hook = move |name: &str| {
            let count = in_hook.count.fetch_add(1, Ordering::SeqCst);
            lock(&in_hook.seen).push(name.to_owned());
            if count >= nth {
                in_hook.is_dead.store(true, Ordering::SeqCst);
                panic!("killed at {name}");
            }
        };
        let config = WorkerConfig { concurrency: 1, boundary_hook: Some(Arc::new(hook)), ..config() };
        (killer, config)
    }

    fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::SeqCst)
    }
}

/// Its leases are told from those of workers that died.
fn survivor() -> WorkerConfig {
    WorkerConfig { lease_ms: LONG_LEASE_MS, ..config() }
}

fn workflow() -> Value {
    change_with(json!({ "approval": { "policy": "One technician", "expires_after_ms": 60_000 } }))
}

/// Works, and approves what is asked, until the run is over or the worker is dead.
async fn work(
    stage: &Stage,
    run: RunId,
    config: WorkerConfig,
    is_dead: impl Fn() -> bool,
) -> Option<RunState> {
    let is_survivor = config.lease_ms == LONG_LEASE_MS;
    let worker = stage.worker_with(config);
    let waiting = "select id from flow.approvals where run_id = $1 and state = 'waiting'";
    let state = until("the run is over or the worker dead", || async {
        if is_dead() {
            return Some(None);
        }
        // A worker that died may have had a claim on its way: its leases run out whenever they show up.
        if is_survivor {
            stage.expire_short_leases().await;
        }
        if stage.step_state(run, "free.approve").await == "waiting"
            && let Some(row) = stage.client.query_opt(waiting, &[&run.0]).await.expect("at most one approval")
        {
            stage.decide(kernel::id::ApprovalId(row.get(0)), Decision::Approve).await.expect("decided");
        }
        Some(stage.run_state(run).await).filter(|state| state.is_over()).map(Some)
    })
    .await;
    match state {
        Some(_) => worker.stop().await,
        None => worker.kill().await,
    }
    state
}

/// Kills a worker at the `nth` boundary of a run, lets another one go on, and checks that the world is right. Gives
/// whether the boundary was reached.
async fn survive(stage: &Stage, nth: usize) -> Option<String> {
    *lock(&stage.world.disk) = crate::world::Disk { used_percent: 97, ..Default::default() };
    let run = stage.start(json!({})).await;
    let (killer, config) = Killer::at(nth);
    let state = match work(stage, run, config, || killer.is_dead()).await {
        Some(state) => state,
        None => work(stage, run, survivor(), || false).await.expect("the other worker ends the run"),
    };
    let name = lock(&killer.seen).get(nth).cloned();
    let place = format!("killed at boundary {nth} ({name:?})");
    assert_eq!(state, RunState::Verified, "{place}");
    assert_eq!(
        lock(&stage.world.disk).effects,
        [format!("{run}:free")],
        "{place}: exactly one effect outside"
    );
    assert_eq!(stage.written(run).await, 1, "{place}: the task's row exactly once");
    let one = [
        "select count(*) from public.evidence where run_id = $1",
        "select count(*) from flow.approvals where run_id = $1",
        "select count(*) from flow.changes where run_id = $1 and state = 'verified'",
    ];
    for sql in one {
        assert_eq!(stage.count(sql, run).await, 1, "{place}: {sql}");
    }
    let open = "select count(*) from flow.steps where run_id = $1 and state not in ('ended', 'skipped')";
    assert_eq!(stage.count(open, run).await, 0, "{place}");
    name
}

#[tokio::test]
async fn a_worker_may_die_at_every_boundary() {
    let stage = Stage::with(workflow()).await;
    let mut reached = Vec::new();
    while let Some(name) = survive(&stage, reached.len()).await {
        reached.push(name);
        assert!(reached.len() < 200, "the workflow has an end");
    }
    assert!(reached.len() > 30, "only {} boundaries were reached", reached.len());
    for name in BOUNDARIES.iter().filter(|name| !name.contains("look")) {
        assert!(reached.iter().any(|seen| seen == name), "no worker died at {name}");
    }
}

#[tokio::test]
async fn a_worker_may_die_while_it_looks_for_an_effect() {
    for boundary in ["before_look", "after_look"] {
        let stage = Stage::with(change_with(json!({}))).await;
        stage.world.behaves(&[Behavior::DoneButSilent]);
        let run = stage.start(json!({})).await;
        let is_dead = Arc::new(AtomicBool::new(false));
        let in_hook = Arc::clone(&is_dead);
        let hook = move |name: &str| {
            if name == boundary || in_hook.load(Ordering::SeqCst) {
                in_hook.store(true, Ordering::SeqCst);
                panic!("killed at {name}");
            }
        };
        let config = WorkerConfig { boundary_hook: Some(Arc::new(hook)), ..config() };
        assert_eq!(work(&stage, run, config, || is_dead.load(Ordering::SeqCst)).await, None);
        let state = work(&stage, run, survivor(), || false).await;
        assert_eq!(state, Some(RunState::Verified));
        let disk = lock(&stage.world.disk);
        assert_eq!((disk.effects.len(), disk.acts), (1, 1));
    }
}

#[tokio::test]
async fn after_a_death_in_the_act_a_vendor_that_cannot_tell_is_not_asked_to_do_it_again() {
    for (boundary, expected) in [("act_recorded", RunState::Unverified), ("act_called", RunState::Verified)] {
        let stage = Stage::with(change_with(json!({}))).await;
        lock(&stage.world.disk).find = Find::CannotTell;
        let run = stage.start(json!({})).await;
        let is_dead = Arc::new(AtomicBool::new(false));
        let in_hook = Arc::clone(&is_dead);
        let hook = move |name: &str| {
            if name == boundary || in_hook.load(Ordering::SeqCst) {
                in_hook.store(true, Ordering::SeqCst);
                panic!("killed at {name}");
            }
        };
        let config = WorkerConfig { boundary_hook: Some(Arc::new(hook)), ..config() };
        assert_eq!(work(&stage, run, config, || is_dead.load(Ordering::SeqCst)).await, None);
        let state = work(&stage, run, survivor(), || false).await;
        assert_eq!(state, Some(expected), "after {boundary}");
        assert!(lock(&stage.world.disk).acts <= 1, "after {boundary}");
        // A slow machine may lose its lease once more; what counts is that the death is on record.
        assert!(stage.step(run, "free.act").await["crashes"].as_i64() >= Some(1));
    }
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_cannot_record() {
    let stage = Stage::with(json!([
        { "key": "gate", "title": "Gate", "kind": "task", "handler": "t.gate" },
        { "key": "next", "title": "Next", "kind": "task", "handler": "t.write" },
    ]))
    .await;
    let slow = stage.worker();
    let run = stage.start(json!({})).await;
    until("the first worker is inside", || async {
        (stage.world.inside.load(Ordering::SeqCst) == 1).then_some(())
    })
    .await;
    stage.expire_leases().await;
    let other = stage.worker();
    until("the second worker is inside", || async {
        (stage.world.inside.load(Ordering::SeqCst) == 2).then_some(())
    })
    .await;
    stage.world.gate.add_permits(2);
    assert_eq!(stage.over(run).await, RunState::Ended);
    slow.stop().await;
    other.stop().await;
    assert_eq!(stage.world.ran(run), ["gate", "gate", "next"]);
    assert_eq!(stage.written(run).await, 2, "what the first worker wrote was rolled back");
    let history = stage.step(run, "gate").await["history"].clone();
    assert_eq!((&history[0]["outcome"], &history[1]["outcome"]), (&json!("worker_lost"), &json!("ok")));
}

#[tokio::test]
async fn a_long_handler_keeps_its_lease() {
    let stage =
        Stage::with(json!([{ "key": "gate", "title": "Gate", "kind": "task", "handler": "t.gate" }])).await;
    let short = || WorkerConfig { lease_ms: 800, ..config() };
    let workers = [stage.worker_with(short()), stage.worker_with(short())];
    let run = stage.start(json!({})).await;
    let first = stage.text("select now()::text from flow.runs where id = $1", run).await;
    until("several leases have passed", || async {
        let sql = format!("select extract(epoch from now() - '{first}'::timestamptz) * 1000 > 2500 from flow.runs where id = $1");
        let row = stage.client.query_one(&sql, &[&run.0]).await.expect("an answer");
        row.get::<_, bool>(0).then_some(())
    })
    .await;
    assert_eq!(stage.world.inside.load(Ordering::SeqCst), 1, "nobody else took it");
    stage.world.gate.add_permits(1);
    assert_eq!(stage.over(run).await, RunState::Ended);
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(stage.world.ran(run), ["gate"]);
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_stops_its_handler() {
    let stage =
        Stage::with(json!([{ "key": "gate", "title": "Gate", "kind": "task", "handler": "t.gate" }])).await;
    let worker = stage.worker_with(WorkerConfig { lease_ms: 60, ..config() });
    let run = stage.start(json!({})).await;
    until("the worker is inside", || async {
        (stage.world.inside.load(Ordering::SeqCst) == 1).then_some(())
    })
    .await;
    let other = "update flow.steps set lease_owner = '00000000-0000-7000-8000-000000000001', lease_until = now() + interval '1 hour' where state = 'running'";
    stage.arrange(other).await;
    // The worker drops the handler and rolls back; stopping it does not wait for the gate.
    until("the handler is gone", || async {
        let sql = "select count(*) from pg_stat_activity where datname = current_database() and state = 'idle in transaction' and $1::uuid is not null";
        (stage.count(sql, run).await == 0).then_some(())
    })
    .await;
    worker.stop().await;
    assert_eq!(stage.written(run).await, 0);
}

#[tokio::test]
async fn a_step_that_kills_its_workers_is_given_up() {
    let stage =
        Stage::with(json!([{ "key": "gate", "title": "Gate", "kind": "task", "handler": "t.gate" }])).await;
    let run = stage.start(json!({})).await;
    stage.arrange("update flow.steps set crashes = 10, state = 'running', attempt = 1, lease_owner = '00000000-0000-7000-8000-000000000001', lease_until = now() - interval '1 hour'").await;
    let worker = stage.worker();
    assert_eq!(stage.over(run).await, RunState::Failed);
    worker.stop().await;
    assert_eq!(stage.world.ran(run), Vec::<String>::new());
}
