//! A database, an engine, workers, and what the tests ask about runs.
use std::sync::Arc;

use flow::{
    Cancelled, Decided, Decision, Definition, Engine, FlowError, RunMode, RunState, StartRun, Started,
    Worker, WorkerConfig,
};
use kernel::{
    Clock,
    id::{ApprovalId, CustomerId, RunId, UserId},
};
use pg::WorkReason;
use serde_json::{Value, json};
use testkit::{TestDb, until};
use tokio::{sync::oneshot, task::JoinHandle};
use uuid::Uuid;

use crate::world::{Signer, World};

/// A lease of an hour, for workers that outlive others.
pub const LONG_LEASE_MS: u32 = 3_600_000;

pub struct Stage {
    pub db: TestDb,
    pub engine: Engine,
    pub world: Arc<World>,
    pub customer: CustomerId,
    pub client: tokio_postgres::Client,
}

impl Stage {
    pub async fn new() -> Self {
        let db = TestDb::new().await;
        let customer = db.customer("alpha").await;
        let world = Arc::new(World::default());
        let signer = Signer::new();
        let client = db.admin_client().await;
        let add_key =
            "insert into vault.keys (id, purpose, sealed, public_key) values ($1, 'evidence', '', $2)";
        client.execute(add_key, &[&signer.key_id, &signer.public_key_hex()]).await.expect("a key");
        let engine = Engine::new(db.pg.clone(), Clock::system(), world.registry(), Arc::new(signer));
        Self { db, engine, world, customer, client }
    }

    /// A stage with one registered workflow `t.flow` of these steps.
    pub async fn with(steps: Value) -> Self {
        let stage = Self::new().await;
        stage.register(steps).await;
        stage
    }

    pub async fn register(&self, steps: Value) -> flow::Registered {
        self.engine.register(&definition(steps)).await.expect("a valid definition")
    }

    pub async fn start(&self, input: Value) -> RunId {
        self.start_for(self.customer, input).await
    }

    pub async fn start_for(&self, customer: CustomerId, input: Value) -> RunId {
        self.start_as(customer, StartRun { input, ..start_run() }).await.expect("a started run").run
    }

    pub async fn start_as(&self, customer: CustomerId, start: StartRun) -> Result<Started, FlowError> {
        let tx = self.db.pg.work_for(customer, WorkReason::Workflow).await?;
        let started = self.engine.start(&tx, start).await?;
        tx.commit().await?;
        Ok(started)
    }

    /// Starts a run and works until it is over.
    pub async fn run(&self, input: Value) -> (RunId, RunState) {
        let worker = self.worker();
        let run = self.start(input).await;
        let state = self.over(run).await;
        worker.stop().await;
        (run, state)
    }

    pub fn worker(&self) -> RunningWorker {
        self.worker_with(config())
    }

    pub fn worker_with(&self, config: WorkerConfig) -> RunningWorker {
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = Worker::new(self.engine.clone(), config);
        #[expect(clippy::disallowed_methods, reason = "held and ended by RunningWorker")]
        let task = tokio::spawn(worker.run(async move {
            let _dropped = stopped.await;
        }));
        RunningWorker { stop, task }
    }

    pub async fn decide(&self, approval: ApprovalId, decision: Decision) -> Result<Decided, FlowError> {
        let tx = self.db.pg.work_for(self.customer, WorkReason::Approval).await?;
        let by = UserId(Uuid::now_v7());
        let decided = self.engine.decide(&tx, approval, decision, by, Some("because of the test")).await?;
        tx.commit().await?;
        Ok(decided)
    }

    pub async fn cancel(&self, run: RunId) -> Result<Cancelled, FlowError> {
        let tx = self.db.pg.work_for(self.customer, WorkReason::Approval).await?;
        let cancelled = self.engine.cancel(&tx, run, UserId(Uuid::now_v7()), "not wanted").await?;
        tx.commit().await?;
        Ok(cancelled)
    }

    pub async fn over(&self, run: RunId) -> RunState {
        until("the run is over", || async { Some(self.run_state(run).await).filter(|state| state.is_over()) })
            .await
    }

    pub async fn run_state(&self, run: RunId) -> RunState {
        self.text("select state::text from flow.runs where id = $1", run).await.parse().expect("a state")
    }

    pub async fn step_state(&self, run: RunId, key: &str) -> String {
        let sql = "select state::text from flow.steps where run_id = $1 and key = $2";
        self.client.query_one(sql, &[&run.0, &key]).await.expect("a step").get(0)
    }

    pub async fn step_in(&self, run: RunId, key: &str, state: &str) {
        until("the step is in its state", || async {
            (self.step_state(run, key).await == state).then_some(())
        })
        .await;
    }

    /// `key: state` of every step, in order.
    pub async fn steps(&self, run: RunId) -> Vec<String> {
        let sql = "select key || ': ' || state::text from flow.steps where run_id = $1 order by position";
        self.client.query(sql, &[&run.0]).await.expect("steps").iter().map(|row| row.get(0)).collect()
    }

    pub async fn step(&self, run: RunId, key: &str) -> Value {
        let sql = "select to_jsonb(s) from flow.steps s where run_id = $1 and key = $2";
        self.client.query_one(sql, &[&run.0, &key]).await.expect("a step").get(0)
    }

    pub async fn change(&self, run: RunId) -> Value {
        let sql = "select to_jsonb(c) from flow.changes c where run_id = $1";
        self.client.query_one(sql, &[&run.0]).await.expect("one change").get(0)
    }

    pub async fn approval(&self, run: RunId) -> ApprovalId {
        let sql = "select id from flow.approvals where run_id = $1 and state = 'waiting'";
        until("an approval is asked for", || async {
            let row = self.client.query_opt(sql, &[&run.0]).await.expect("at most one approval")?;
            Some(ApprovalId(row.get(0)))
        })
        .await
    }

    pub async fn count(&self, sql: &str, run: RunId) -> i64 {
        self.client.query_one(sql, &[&run.0]).await.expect("a count").get(0)
    }

    pub async fn text(&self, sql: &str, run: RunId) -> String {
        self.client.query_one(sql, &[&run.0]).await.expect("one row").get(0)
    }

    /// Rows that the handlers wrote through their step's transaction.
    pub async fn written(&self, run: RunId) -> i64 {
        let sql = "select count(*) from public.sites where name like $1::text || '%'";
        self.client.query_one(sql, &[&run.to_string()]).await.expect("a count").get(0)
    }

    pub async fn arrange(&self, sql: &str) {
        self.client.batch_execute(sql).await.expect("arranging SQL");
    }

    /// The workers that hold steps now are taken for dead.
    pub async fn expire_leases(&self) {
        self.arrange("update flow.steps set lease_until = now() - interval '1 hour' where state = 'running'")
            .await;
    }

    /// The same for all leases but long ones.
    pub async fn expire_short_leases(&self) {
        let sql = "update flow.steps set lease_until = now() - interval '1 hour'
                   where state = 'running' and lease_until between now() and now() + interval '10 minutes'";
        self.arrange(sql).await;
    }

    /// What is to come is due now.
    pub async fn bring_forward(&self) {
        self.arrange(
            "update flow.steps set due_at = now() where state in ('ready', 'waiting'); notify flow_steps",
        )
        .await;
    }
}

pub struct RunningWorker {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl RunningWorker {
    pub async fn stop(self) {
        let _gone = self.stop.send(());
        self.task.await.expect("the worker ends in order");
    }

    /// Ends it as if the process was gone.
    pub async fn kill(self) {
        self.task.abort();
        let _aborted = self.task.await;
    }
}

pub fn config() -> WorkerConfig {
    WorkerConfig { concurrency: 4, claim_batch: 8, lease_ms: 30_000, poll_ms: 25, ..WorkerConfig::default() }
}

pub fn start_run() -> StartRun {
    StartRun {
        workflow_key: "t.flow".to_owned(),
        title: "A test run".to_owned(),
        input: json!({}),
        subject: None,
        dedup_key: None,
        started_by: None,
        started_reason: "test".to_owned(),
        mode: RunMode::Real,
    }
}

pub fn definition(steps: Value) -> Definition {
    let json = json!({ "key": "t.flow", "name": "Test", "description": "For tests", "concurrency_per_customer": 100,
                       "timeout_ms": 3_600_000, "steps": steps });
    Definition::from_json(&json).expect("a valid definition")
}
