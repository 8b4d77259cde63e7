//! Ends scripts after their time. All scripts take equally long, so first in is first out.
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::server::Shared;

/// Scripts under way at the same time.
pub const RUNS_UNDER_WAY_MAX: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Job {
    /// Index of the run in the world's list.
    pub run: usize,
    pub due: Instant,
}

pub(crate) fn due_in(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}

pub(crate) async fn run(shared: Arc<Shared>, mut jobs: mpsc::Receiver<Job>) {
    while let Some(job) = jobs.recv().await {
        tokio::time::sleep_until(job.due).await;
        let now = shared.now();
        shared.world().end_run(job.run, now);
    }
}
