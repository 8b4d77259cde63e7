//! Executes one step: opens it, decides whether it runs, runs it, records it.
mod act;
mod approval;
mod change;
mod evidence;
mod task;

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use kernel::ErrorCode;
use pg::{ActorTx, PgError, WorkReason};
use serde_json::{Value, json};

use crate::{
    FlowError, RunMode, StepError, StepState, boundary,
    compile::{Compiled, CompiledStep, Phase},
    context::{Raw, StepContext},
    definition::{DryRun, Kind, RunOn},
    expr::Holds,
    handler::bounded,
    record::{Continue, End, Finished, Held, Retrying, finish, may_retry},
    worker::Shared,
};

/// Workers that may die on one step before it is given up.
const CRASHES_MAX: i16 = 10;

const OPEN: &str = "select run::text, context::text from flow.open_step($1, $2, $3)";
const EXTEND: &str = "select flow.extend_lease($1, $2, $3)";
const FAIL_CHANGE: &str = "update flow.changes set state = 'failed', verdict = $3
     where run_id = $1 and key = $2 and customer_id = (select app.worker_customer()) and state in ('planned', 'waiting')
       and act_started_at is null";

/// One step in the hands of this worker.
pub(crate) struct Execution<'a> {
    pub shared: &'a Shared,
    pub held: Held,
    pub ctx: StepContext,
    pub step: &'a CompiledStep,
    pub phase: Option<Phase>,
}

/// An attempt that is decided: what the open transaction has written already, and the end to record in it.
pub(crate) struct Ending {
    pub tx: ActorTx,
    pub end: End,
}

/// Why an attempt has no ending.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The step's own: it is tried again, or fails.
    Step(StepError),
    /// Somebody else holds the step: nothing may be written.
    Lost,
}

impl From<StepError> for Fault {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

impl From<FlowError> for Fault {
    fn from(error: FlowError) -> Self {
        if matches!(error, FlowError::LeaseLost) { Self::Lost } else { Self::Step(error.into()) }
    }
}

impl From<PgError> for Fault {
    fn from(error: PgError) -> Self {
        FlowError::from(error).into()
    }
}

/// Executes the step; gives the next one if this worker goes on with it.
pub(crate) async fn step(
    shared: &Shared,
    held: Held,
    opened: Option<Raw>,
    go_on: Continue,
) -> Result<Finished, FlowError> {
    let (tx, raw, compiled) = open(shared, held, opened).await?;
    shared.at(boundary::OPENED);
    let ctx = StepContext::new(&shared.engine.inner.pg, held.customer, raw, &compiled.key, &compiled.sha256);
    let (step, phase) = compiled
        .row(&ctx.key)
        .ok_or_else(|| FlowError::Corrupt(format!("the definition has no step {:?}", ctx.key)))?;
    let execution = Execution { shared, held, ctx, step, phase };
    let recorded = match Box::pin(execution.attempt(tx)).await {
        Ok(ending) => execution.record(ending, go_on).await,
        Err(fault) => Err(fault),
    };
    let recorded = match recorded {
        Err(Fault::Step(error)) => {
            let ending = execution.failure(&error).await?;
            match execution.record(ending, go_on).await {
                Err(Fault::Step(error)) => return Err(FlowError::Corrupt(error.to_string())),
                other => other,
            }
        }
        other => other,
    };
    recorded.map_err(|_lost| FlowError::LeaseLost)
}

async fn open(
    shared: &Shared,
    held: Held,
    opened: Option<Raw>,
) -> Result<(Option<ActorTx>, Raw, Arc<Compiled>), FlowError> {
    let engine = &shared.engine;
    if let Some(raw) = opened
        && let Some(compiled) = engine.known_version(raw.run.workflow_id, raw.run.workflow_version)
    {
        return Ok((None, raw, compiled));
    }
    let tx = engine.inner.pg.work_for(held.customer, WorkReason::Workflow).await?;
    let row = tx.query_one(OPEN, &[&held.run.0, &held.step.0, &shared.owner]).await?;
    let run: Option<&str> = row.get(0);
    let raw = Raw::opened(run.ok_or(FlowError::LeaseLost)?, row.get(1))?;
    let compiled = engine.version(&tx, raw.run.workflow_id, raw.run.workflow_version).await?;
    Ok((Some(tx), raw, compiled))
}

impl Execution<'_> {
    async fn attempt(&self, tx: Option<ActorTx>) -> Result<Ending, Fault> {
        if let Some(end) = self.before()? {
            return Ok(Ending { tx: self.with(tx).await?, end });
        }
        match (&self.step.def.kind, self.phase) {
            (Kind::Task { handler }, _) => self.task(tx, handler).await,
            (Kind::Timer { delay_ms, .. }, _) => self.timer(tx, *delay_ms).await,
            (Kind::Approval { .. }, _) => self.approval(tx).await,
            (Kind::Evidence, _) => self.evidence(tx).await,
            (Kind::Change { handler, .. }, Some(Phase::Read)) => self.read(tx, handler).await,
            (Kind::Change { handler, .. }, Some(Phase::Plan)) => self.plan(tx, handler).await,
            (Kind::Change { handler, .. }, Some(Phase::Guard)) => self.guard(tx, handler).await,
            (Kind::Change { .. }, Some(Phase::Approve)) => self.approval(tx).await,
            (Kind::Change { handler, .. }, Some(Phase::Act)) => self.act(tx, handler).await,
            (Kind::Change { handler, verify, .. }, Some(Phase::Reread)) => {
                self.reread(tx, handler, verify).await
            }
            (Kind::Change { .. }, None) => Err(corrupt("a change without a phase").into()),
        }
    }

    /// What ends the step before it runs: the run's deadline, too many crashes, a dry run, a condition that is false.
    fn before(&self) -> Result<Option<End>, StepError> {
        let raw = &self.ctx.raw;
        let is_past_act = matches!(self.phase, Some(Phase::Act | Phase::Reread)) && self.has_begun();
        if raw.now.step.crashes > CRASHES_MAX && !is_past_act {
            return Err(corrupt(GIVEN_UP));
        }
        let always = self.step.def.run_on == RunOn::Always || matches!(self.step.def.kind, Kind::Evidence);
        if !always && !is_past_act && self.ctx.now > raw.run.deadline_at {
            let error = StepError::permanent(ErrorCode::TimedOut, "The run took longer than its limit.");
            let end = End::bad(
                StepState::TimedOut,
                error.to_json(&self.ctx.key),
                "The run took longer than its limit.",
            );
            return Ok(Some(self.ending_change(end)));
        }
        if let Some(end) = self.dry_run() {
            return Ok(Some(end));
        }
        if !matches!(self.phase, None | Some(Phase::Read)) {
            return Ok(None);
        }
        let Some(when) = &self.step.when else { return Ok(None) };
        match when.holds(&self.ctx.scope()) {
            Ok(Holds::Yes) => Ok(None),
            Ok(Holds::No) => {
                let text = "Not needed: its condition is false.";
                let rest = self.phase.map(|phase| self.step.rows_after(phase)).unwrap_or_default();
                Ok(Some(End::skipped(text).skipping(rest, text)))
            }
            Err(error) => {
                let text = format!("The step's condition cannot be evaluated: {error}");
                Err(StepError::permanent(ErrorCode::ValueRefused, text))
            }
        }
    }

    fn dry_run(&self) -> Option<End> {
        let runs = match (&self.step.def.kind, self.phase) {
            _ if self.ctx.mode == RunMode::Real => true,
            (Kind::Task { .. }, _) => self.step.def.dry_run == DryRun::Run,
            (Kind::Change { .. }, phase) => phase <= Some(Phase::Guard),
            _ => false,
        };
        (!runs).then(|| End::skipped(DRY_RUN))
    }

    /// Whether the act of this step's change was begun (and not certainly refused).
    fn has_begun(&self) -> bool {
        self.ctx.change(&self.step.def.key).is_some_and(|change| change.act_started_at.is_some())
    }

    /// The open transaction, or a new one.
    async fn with(&self, tx: Option<ActorTx>) -> Result<ActorTx, Fault> {
        match tx {
            Some(tx) => Ok(tx),
            None => Ok(self.ctx.begin().await?),
        }
    }

    /// Ends without a transaction for slow work.
    async fn without(&self, tx: Option<ActorTx>) -> Result<(), Fault> {
        match tx {
            Some(tx) => Ok(tx.rollback().await?),
            None => Ok(()),
        }
    }

    /// The phases of the change that will not run any more.
    fn ending_change(&self, end: End) -> End {
        match self.phase {
            Some(phase) => end.skipping(self.step.rows_after(phase), "Not run: the change ended before."),
            None => end,
        }
    }

    /// Records a step error: tried again after a while, or failed.
    async fn failure(&self, error: &StepError) -> Result<Ending, FlowError> {
        let tx = self.ctx.begin().await?;
        let json = error.to_json(&self.ctx.key);
        if let Retrying::After { ms } = may_retry(error, self.ctx.attempt, &self.step.def.retry) {
            return Ok(Ending { tx, end: End::retry(ms, json) });
        }
        tracing::warn!(run.id = %self.ctx.run, step.key = %self.ctx.key, error = %error, "a workflow step failed");
        if self.phase == Some(Phase::Reread) {
            return self.unverified(tx, None, format!("Could not be read back: {}", error.message)).await;
        }
        if self.phase.is_some() {
            let verdict = bounded(format!("Failed: {}", error.message));
            let failed = tx.execute(FAIL_CHANGE, &[&self.ctx.run.0, &self.step.def.key, &verdict]).await?;
            if failed == 0 && self.phase == Some(Phase::Act) {
                return Ok(self.unknown_in(tx, Some(error)).await?);
            }
        }
        let end = self.ending_change(End::bad(StepState::Failed, json, error.message.clone()));
        Ok(Ending { tx, end })
    }

    async fn record(&self, ending: Ending, go_on: Continue) -> Result<Finished, Fault> {
        self.shared.at(boundary::BEFORE_RECORD);
        let (pg, owner) = (&self.shared.engine.inner.pg, self.shared.owner);
        let finished = finish(pg, ending.tx, self.held, &self.ctx.raw, owner, ending.end, go_on).await?;
        self.shared.at(boundary::COMMITTED);
        Ok(finished)
    }

    /// Runs a handler's future with the step's time limit while the lease is kept. A panic is an error like others.
    async fn watched<T>(&self, work: impl Future<Output = T> + Send) -> Result<T, Watch> {
        let limit = Duration::from_millis(self.step.def.timeout_ms.unsigned_abs());
        let work = AssertUnwindSafe(work).catch_unwind();
        tokio::select! {
            biased;
            done = work => done.map_err(|_panic| Watch::Broken(corrupt_transient("The step's handler panicked."))),
            () = tokio::time::sleep(limit) => {
                let text = format!("No answer in {} ms.", limit.as_millis());
                Err(Watch::Broken(StepError::transient(ErrorCode::TimedOut, text)))
            }
            () = self.keep_lease() => Err(Watch::Lost),
        }
    }

    /// Extends the lease until it is lost.
    async fn keep_lease(&self) {
        let lease_ms = self.shared.lease_ms();
        let pause = Duration::from_millis(u64::from(self.shared.config.lease_ms / 3).max(1));
        loop {
            tokio::time::sleep(pause).await;
            let extended = async {
                let tx = self.ctx.begin().await?;
                let rows =
                    tx.query_then_commit(EXTEND, &[&self.held.step.0, &self.shared.owner, &lease_ms]).await?;
                Ok::<bool, PgError>(rows.first().is_some_and(|row| row.get(0)))
            };
            match extended.await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a lease could not be extended");
                }
            }
        }
    }
}

/// Why a handler's future has no answer.
#[derive(Debug)]
pub(crate) enum Watch {
    Broken(StepError),
    Lost,
}

impl From<Watch> for Fault {
    fn from(watch: Watch) -> Self {
        match watch {
            Watch::Broken(error) => Self::Step(error),
            Watch::Lost => Self::Lost,
        }
    }
}

const GIVEN_UP: &str = "Workers ended again and again while they executed this step; it was given up.";
pub(crate) const DRY_RUN: &str = "Dry run: nothing is changed.";

pub(crate) fn corrupt(text: &str) -> StepError {
    StepError::permanent(ErrorCode::Internal, text)
}

fn corrupt_transient(text: &str) -> StepError {
    StepError::transient(ErrorCode::Internal, text)
}

/// An error that has no cause in a handler.
pub(crate) fn stated(code: &str, message: &str, step: &str) -> Value {
    json!({ "code": code, "message": message, "step": step })
}
