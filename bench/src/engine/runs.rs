//! Runs of three tasks that do nothing, executed by the real worker.
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use flow::{
    BoxFuture, Definition, Engine, EvidenceSigner, Registry, RunMode, SignError, Signature, SigningKey,
    StartRun, StepContext, StepError, StepOutcome, TaskHandler, Worker, WorkerConfig,
};
use kernel::{
    Clock,
    id::{CustomerId, RunId},
};
use pg::{ActorTx, Pg, WorkReason};
use serde_json::{Value, json};
use tokio::{
    sync::{Notify, oneshot},
    task::JoinSet,
};
use tokio_postgres::Client;
use uuid::Uuid;

use super::CUSTOMERS;
use crate::{Result, stage::Stage, stats};

const WORKFLOW: &str = "bench.three_steps";
const LAST_STEP: &str = "three";
/// Starts committed together when a backlog is made.
const STARTS_PER_COMMIT: usize = 50;
/// Connections of those who start runs.
const STARTERS: usize = 16;
/// A run that takes longer fails the benchmark.
const RUN_WAIT: Duration = Duration::from_secs(60);
const DRAIN_WAIT: Duration = Duration::from_secs(600);
const CUSTOMERS_SQL: &str = "insert into public.customers (slug, code, name)
     select 'engine-' || n, 'E' || lpad(n::text, 5, '0'), 'Engine ' || n from generate_series(1, $1) n on conflict do nothing";

/// Runs under way: which task of the runtime executes the last step of which run, and who waits for it.
#[derive(Debug, Default)]
struct Watch {
    at_last_step: Mutex<HashMap<tokio::task::Id, RunId>>,
    waiting: Mutex<HashMap<RunId, oneshot::Sender<()>>>,
    ended: AtomicUsize,
    all_ended_at: AtomicUsize,
    all_ended: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// Called by the worker in the task that executed a step, after the step's record was committed.
    fn committed(&self) {
        let Some(run) = tokio::task::try_id().and_then(|task| lock(&self.at_last_step).remove(&task)) else {
            return;
        };
        if let Some(waiting) = lock(&self.waiting).remove(&run) {
            let _gave_up = waiting.send(());
        }
        if self.ended.fetch_add(1, Ordering::SeqCst) + 1 == self.all_ended_at.load(Ordering::SeqCst) {
            self.all_ended.notify_one();
        }
    }
}

/// Does nothing; the last step of a run says in which task it runs.
struct Nothing(Arc<Watch>);

impl TaskHandler for Nothing {
    fn run<'a>(
        &'a self,
        ctx: &'a StepContext,
        _: &'a mut ActorTx,
    ) -> BoxFuture<'a, std::result::Result<StepOutcome, StepError>> {
        Box::pin(async move {
            if ctx.key == LAST_STEP
                && let Some(task) = tokio::task::try_id()
            {
                lock(&self.0.at_last_step).insert(task, ctx.run);
            }
            Ok(StepOutcome::done("Done", Value::Null))
        })
    }
}

/// There is no evidence in these runs.
struct NoSigner;

impl EvidenceSigner for NoSigner {
    fn key(&self) -> BoxFuture<'_, std::result::Result<SigningKey, SignError>> {
        Box::pin(async { Err(SignError("the benchmark signs nothing".into())) })
    }

    fn sign<'a>(&'a self, _: &'a [u8]) -> BoxFuture<'a, std::result::Result<Signature, SignError>> {
        Box::pin(async { Err(SignError("the benchmark signs nothing".into())) })
    }
}

pub struct Runs {
    engine: Engine,
    starters: Pg,
    watch: Arc<Watch>,
    customers: Vec<CustomerId>,
    config: WorkerConfig,
}

/// Runs that clients waited for.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    pub runs_per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Runs {
    pub async fn prepare(stage: &Stage, admin: &Client, concurrency: usize) -> Result<Self> {
        admin.execute(CUSTOMERS_SQL, &[&CUSTOMERS]).await?;
        let rows = admin
            .query("select id from public.customers order by id limit $1", &[&i64::from(CUSTOMERS)])
            .await?;
        let customers = rows.iter().map(|row| CustomerId(row.get::<_, Uuid>(0))).collect();
        let watch = Arc::new(Watch::default());
        let registry = Registry::new().task("bench.nothing", Nothing(Arc::clone(&watch)));
        let engine = Engine::new(stage.pool(concurrency + 2)?, Clock::system(), registry, Arc::new(NoSigner));
        engine.register(&definition()?).await?;
        let hook = Arc::clone(&watch);
        let config = WorkerConfig {
            concurrency,
            boundary_hook: Some(Arc::new(move |boundary: &str| {
                if boundary == "committed" {
                    hook.committed();
                }
            })),
            ..WorkerConfig::default()
        };
        Ok(Self { engine, starters: stage.pool(STARTERS)?, watch, customers, config })
    }

    /// Clients that each start a run, wait for its end, and start the next.
    pub async fn serve(&self, clients: usize, seconds: u64) -> Result<Served> {
        let worker = self.start_worker();
        let began = Instant::now();
        let until = began + Duration::from_secs(seconds);
        let each = (0..clients).map(|client| async move {
            let mut took_ms = Vec::new();
            let mut turn = client;
            while Instant::now() < until {
                let began = Instant::now();
                self.one(self.customers[turn % self.customers.len()]).await?;
                took_ms.push(began.elapsed().as_secs_f64() * 1e3);
                turn += clients;
            }
            Ok::<_, crate::Failure>(took_ms)
        });
        let took_ms = futures_util::future::try_join_all(each).await?.concat();
        let elapsed = began.elapsed().as_secs_f64();
        worker.stop().await;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let runs_per_second = took_ms.len() as f64 / elapsed;
        Ok(Served {
            runs_per_second,
            p50_ms: stats::percentile(&took_ms, 50),
            p99_ms: stats::percentile(&took_ms, 99),
        })
    }

    async fn one(&self, customer: CustomerId) -> Result<()> {
        let (ended, end) = oneshot::channel();
        let tx = self.starters.work_for(customer, WorkReason::Workflow).await?;
        let started = self.engine.start(&tx, start()).await?;
        lock(&self.watch.waiting).insert(started.run, ended);
        tx.commit().await?;
        tokio::time::timeout(RUN_WAIT, end)
            .await
            .map_err(|_| format!("the run {} did not end", started.run))??;
        Ok(())
    }

    /// Runs per second of a backlog that lies ready when the worker starts.
    pub async fn drain(&self, admin: &Client, runs: usize) -> Result<f64> {
        let batches = runs.div_ceil(STARTS_PER_COMMIT);
        for batch in 0..batches {
            let tx = self
                .starters
                .work_for(self.customers[batch % self.customers.len()], WorkReason::Workflow)
                .await?;
            for _ in 0..STARTS_PER_COMMIT.min(runs - batch * STARTS_PER_COMMIT) {
                self.engine.start(&tx, start()).await?;
            }
            tx.commit().await?;
        }
        admin.batch_execute("vacuum (analyze) flow.steps").await?;
        admin.batch_execute("vacuum (analyze) flow.runs").await?;
        let watch = &self.watch;
        watch.all_ended_at.store(watch.ended.load(Ordering::SeqCst) + runs, Ordering::SeqCst);
        let began = Instant::now();
        let worker = self.start_worker();
        let drained = tokio::time::timeout(DRAIN_WAIT, watch.all_ended.notified()).await;
        let elapsed = began.elapsed().as_secs_f64();
        worker.stop().await;
        drained.map_err(|_| format!("the backlog was not done after {} s", DRAIN_WAIT.as_secs()))?;
        self.check_ended().await?;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        Ok(runs as f64 / elapsed)
    }

    /// The figures are of runs that ended well, by the database's word.
    async fn check_ended(&self) -> Result<()> {
        let tx = self.starters.system(pg::SystemReason::ClaimSteps).await?;
        let left: i64 =
            tx.query_one("select count(*) from flow.runs where state <> 'ended'", &[]).await?.get(0);
        tx.rollback().await?;
        if left == 0 { Ok(()) } else { Err(format!("{left} runs did not end well").into()) }
    }

    fn start_worker(&self) -> RunningWorker {
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = Worker::new(self.engine.clone(), self.config.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(worker.run(async {
            let _told_or_gone = stopped.await;
        }));
        RunningWorker { stop, tasks }
    }
}

struct RunningWorker {
    stop: oneshot::Sender<()>,
    tasks: JoinSet<()>,
}

impl RunningWorker {
    async fn stop(mut self) {
        let _ended_already = self.stop.send(());
        while self.tasks.join_next().await.is_some() {}
    }
}

fn start() -> StartRun {
    StartRun {
        workflow_key: WORKFLOW.to_owned(),
        title: "Three steps".to_owned(),
        input: json!({ "device_name": "AD-FS01", "requires_approval": false }),
        subject: None,
        dedup_key: None,
        started_by: None,
        started_reason: "bench".to_owned(),
        mode: RunMode::Real,
    }
}

fn definition() -> Result<Definition> {
    let step =
        |key: &str| json!({ "key": key, "title": "Do nothing", "kind": "task", "handler": "bench.nothing" });
    Ok(Definition::from_json(&json!({
        "key": WORKFLOW, "name": "Three steps", "description": "Of the benchmark", "concurrency_per_customer": 1000,
        "timeout_ms": 3_600_000, "steps": [step("one"), step("two"), step(LAST_STEP)],
    }))?)
}
