use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use pg::Notice;
use tokio::{sync::mpsc, task::JoinSet, time::Instant};
use uuid::Uuid;

use crate::{
    BoundaryHook, Engine, FlowError, boundary,
    claim::{Claimed, Cursor, claim},
    execute,
    record::{Continue, Held},
};

const CHANNELS: &[&str] = &["flow_steps"];
/// Steps of one run that a worker executes in a row before others may have their turn.
const STEPS_IN_A_ROW_MAX: usize = 16;
/// For so long a worker goes on with other runs of a lane before it looks for the lane whose turn it is: a backlog of
/// quick runs costs few claims, and nobody waits long behind it.
const LANE_TURN_MS: u64 = 250;
/// When one of several steps has ended, others often end soon: one claim serves them all.
const GATHER_MS: u64 = 2;
/// After a failed claim.
const CLAIM_RETRY_MS: u64 = 500;

#[derive(Clone)]
pub struct WorkerConfig {
    /// Steps executed at one moment. The pool needs as many connections and two more.
    pub concurrency: usize,
    /// Steps leased in one claim.
    pub claim_batch: usize,
    /// A worker that is silent for this long has lost its steps. Extended while a handler runs.
    pub lease_ms: u32,
    /// Longest wait between two claims when nothing wakes the worker.
    pub poll_ms: u64,
    /// On shutdown, how long running steps may take to end. What runs longer is left to its lease.
    pub drain_ms: u64,
    /// For tests that end the worker at a boundary ([`crate::BOUNDARIES`]).
    pub boundary_hook: Option<BoundaryHook>,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            concurrency: 8,
            claim_batch: 16,
            lease_ms: 30_000,
            poll_ms: 1_000,
            drain_ms: 20_000,
            boundary_hook: None,
        }
    }
}

impl fmt::Debug for WorkerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerConfig")
            .field("concurrency", &self.concurrency)
            .field("lease_ms", &self.lease_ms)
            .finish_non_exhaustive()
    }
}

/// Executes due steps of all customers, each in transactions of its one customer. Any number of workers may run on one
/// database.
#[derive(Debug)]
pub struct Worker {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub engine: Engine,
    pub config: WorkerConfig,
    /// Fences the records: only who holds the lease may write them.
    pub owner: Uuid,
    is_draining: AtomicBool,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Shared {
    pub fn at(&self, boundary: &str) {
        if let Some(hook) = &self.config.boundary_hook {
            hook(boundary);
        }
    }

    pub fn lease_ms(&self) -> i32 {
        i32::try_from(self.config.lease_ms).unwrap_or(i32::MAX)
    }

    fn go_on(&self, in_a_row: usize, turn_began: Instant) -> Continue {
        let lease_ms = self.lease_ms();
        if in_a_row >= STEPS_IN_A_ROW_MAX || self.is_draining.load(Ordering::Relaxed) {
            Continue::No
        } else if turn_began.elapsed() < Duration::from_millis(LANE_TURN_MS) {
            Continue::Lane { lease_ms }
        } else {
            Continue::Run { lease_ms }
        }
    }
}

impl Worker {
    pub fn new(engine: Engine, config: WorkerConfig) -> Self {
        let shared = Shared { engine, config, owner: Uuid::new_v4(), is_draining: AtomicBool::new(false) };
        Self { shared: Arc::new(shared) }
    }

    /// Works until `shutdown` is ready, then lets running steps end (at most `drain_ms`).
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let mut notices = self.shared.engine.inner.pg.listen(CHANNELS);
        let mut running = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        let mut cursor = Cursor::default();
        loop {
            let wait = self.fill(&mut running, &mut cursor).await;
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(ended) = running.join_next(), if !running.is_empty() => {
                    note(ended);
                    if !running.is_empty() {
                        tokio::time::sleep(Duration::from_millis(GATHER_MS)).await;
                    }
                }
                () = woken(&mut notices) => {}
                () = tokio::time::sleep(wait), if running.len() < self.shared.config.concurrency => {}
            }
            while let Some(ended) = running.try_join_next() {
                note(ended);
            }
        }
        self.drain(running).await;
    }

    /// Claims until there is nothing more to do or no room; gives the time until the next claim.
    async fn fill(&self, running: &mut JoinSet<()>, cursor: &mut Cursor) -> Duration {
        let config = &self.shared.config;
        loop {
            let room = config.concurrency.saturating_sub(running.len());
            if room == 0 {
                return Duration::from_millis(config.poll_ms);
            }
            let batch = room.min(config.claim_batch);
            let claimed =
                claim(&self.shared.engine.inner.pg, self.shared.owner, batch, self.shared.lease_ms(), cursor);
            match claimed.await {
                Ok(Claimed { steps, next_due_ms }) if steps.is_empty() => {
                    return Duration::from_millis(next_due_ms.unwrap_or(u64::MAX).clamp(1, config.poll_ms));
                }
                Ok(Claimed { steps, .. }) => {
                    self.shared.at(boundary::CLAIMED);
                    for held in steps {
                        running.spawn(work(Arc::clone(&self.shared), held));
                    }
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "no steps could be claimed");
                    return Duration::from_millis(CLAIM_RETRY_MS);
                }
            }
        }
    }

    async fn drain(&self, mut running: JoinSet<()>) {
        self.shared.is_draining.store(true, Ordering::Relaxed);
        let until = Instant::now() + Duration::from_millis(self.shared.config.drain_ms);
        while !running.is_empty() {
            match tokio::time::timeout_at(until, running.join_next()).await {
                Ok(ended) => ended.into_iter().for_each(note),
                Err(_) => {
                    tracing::warn!(
                        steps = running.len(),
                        "steps still ran at shutdown; their leases will run out"
                    );
                    return;
                }
            }
        }
    }
}

/// Executes a step, and then the next ones of its run and its lane as long as there are any for this worker.
async fn work(shared: Arc<Shared>, held: Held) {
    let turn_began = Instant::now();
    let mut next = Some((held, None));
    let (mut run, mut in_a_row) = (held.run, 0);
    while let Some((held, opened)) = next.take() {
        in_a_row = if held.run == run { in_a_row + 1 } else { 1 };
        run = held.run;
        match execute::step(&shared, held, opened, shared.go_on(in_a_row, turn_began)).await {
            Ok(finished) => next = finished.map(|(held, raw)| (held, Some(raw))),
            Err(FlowError::LeaseLost) => {
                tracing::info!(step.id = %held.step, run.id = %held.run, "the lease of a step was lost; another worker has it");
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, step.id = %held.step, run.id = %held.run,
                    "a step could not be recorded; it is taken again when its lease runs out");
            }
        }
    }
}

/// A notice, or several at once.
async fn woken(notices: &mut mpsc::Receiver<Notice>) {
    if notices.recv().await.is_none() {
        // The listener ends with its receiver only.
        return std::future::pending().await;
    }
    while notices.try_recv().is_ok() {}
}

fn note(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a worker task ended by a panic; its step is taken again when its lease runs out");
    }
}
