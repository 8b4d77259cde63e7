//! The act of a change. The beginning is committed before the call; whatever is unclear afterwards (a crash, a time-out,
//! a broken answer) is looked up before anything is repeated, and what cannot be looked up is never repeated.
use jiff::Timestamp;
use pg::{ActorTx, PgError};
use serde_json::Value;

use super::{CRASHES_MAX, Ending, Execution, Fault, GIVEN_UP, Watch, corrupt, stated};
use crate::{
    ActError, ChangeHandler, Effect, FlowError, Receipt, StepError, StepState, boundary,
    change::Possible,
    handler::{bounded, recorded},
    record::{End, Retrying, may_retry},
};

const BEGIN: &str = "select todo, begun_at from flow.begin_act($1, $2, $3, $4)";
const SAVE_APPLIED: &str =
    "update flow.changes set state = 'applied', receipt = $3, applied_at = clock_timestamp(), verdict = null
     where run_id = $1 and key = $2 and customer_id = (select app.worker_customer())";
const SAVE_ENDED: &str = "update flow.changes set state = $3::text::flow.change_state, verdict = $4
     where run_id = $1 and key = $2 and customer_id = (select app.worker_customer())";
const SAVE_UNKNOWN: &str = "update flow.changes set verdict = $3
     where run_id = $1 and key = $2 and customer_id = (select app.worker_customer())";
/// Nothing was done: the next attempt has nothing to look up.
const SAVE_NOT_BEGUN: &str = "update flow.changes set act_started_at = null
     where run_id = $1 and key = $2 and customer_id = (select app.worker_customer())";

const UNKNOWN: &str = "It is not known whether it was done; it is not repeated, and reading back decides.";

/// What `flow.begin_act` says to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Todo {
    Act,
    /// An earlier attempt has begun: look for its effect, then act if there is none.
    Look,
    /// The same, but never act: the run goes down.
    LookOnly,
    /// The run goes down and nothing has begun.
    Stop,
}

impl Execution<'_> {
    pub(super) async fn act(&self, tx: Option<ActorTx>, handler: &str) -> Result<Ending, Fault> {
        let handler = self.shared.engine.inner.registry.find_change(handler)?;
        self.without(tx).await?;
        let (todo, begun_at) = self.begin_act().await?;
        match todo {
            Todo::Stop => {
                let end = self.ending_change(End::cancelled("The run was stopped before anything was done."));
                Ok(Ending { tx: self.ctx.begin().await?, end })
            }
            Todo::Act => self.call(&*handler, begun_at, First::Yes).await,
            Todo::Look | Todo::LookOnly => self.look_then(&*handler, todo, begun_at).await,
        }
    }

    async fn begin_act(&self) -> Result<(Todo, Timestamp), Fault> {
        let tx = self.ctx.begin().await?;
        let (run, step, owner) = (self.ctx.run.0, self.ctx.step.0, self.shared.owner);
        let rows = tx.query_then_commit(BEGIN, &[&run, &step, &owner, &self.step.def.key]).await?;
        let row = rows.first().ok_or_else(|| FlowError::Corrupt("begin_act gave no row".to_owned()))?;
        let todo = match row.get::<_, &str>(0) {
            "act" => Todo::Act,
            "look" => Todo::Look,
            "look_only" => Todo::LookOnly,
            _ => Todo::Stop,
        };
        Ok((todo, row.get::<_, Option<Timestamp>>(1).unwrap_or(self.ctx.now)))
    }

    /// An earlier attempt has begun and nobody knows how it ended.
    async fn look_then(
        &self,
        handler: &dyn ChangeHandler,
        todo: Todo,
        begun_at: Timestamp,
    ) -> Result<Ending, Fault> {
        if self.ctx.raw.now.step.crashes > CRASHES_MAX {
            return self.unknown(Some(&corrupt(GIVEN_UP))).await;
        }
        match self.look(handler, begun_at).await? {
            Ok(Effect::Found(receipt)) => self.applied(receipt).await,
            Ok(Effect::NotFound) if todo == Todo::LookOnly => {
                let text = "Not done: the run was stopped.";
                let tx = self.ctx.begin().await?;
                self.save_act(&tx, SAVE_ENDED, &["cancelled", text]).await?;
                Ok(Ending { tx, end: self.ending_change(End::cancelled(text)) })
            }
            Ok(Effect::NotFound) => self.call(handler, begun_at, First::No).await,
            Ok(Effect::Unknown) => self.unknown(None).await,
            Err(error) => match may_retry(&error, self.ctx.attempt, &self.step.def.retry) {
                Retrying::After { ms } => self.again(ms, &error).await,
                Retrying::No => self.unknown(Some(&error)).await,
            },
        }
    }

    async fn call(
        &self,
        handler: &dyn ChangeHandler,
        begun_at: Timestamp,
        first: First,
    ) -> Result<Ending, Fault> {
        let change = self.known_change()?;
        let plan = self.known_plan()?;
        self.shared.at(boundary::ACT_RECORDED);
        let outcome = match self.watched(handler.act(&self.ctx, plan, &change.idempotency_key)).await {
            Ok(outcome) => outcome,
            Err(Watch::Broken(error)) => Err(ActError::maybe_applied(error)),
            Err(Watch::Lost) => return Err(Fault::Lost),
        };
        self.shared.at(boundary::ACT_CALLED);
        match outcome {
            Ok(receipt) => self.applied(receipt).await,
            Err(ActError { error, effect: Possible::No }) => self.not_applied(&error, first).await,
            Err(ActError { error, effect: Possible::Yes }) => {
                self.maybe_applied(handler, &error, begun_at).await
            }
        }
    }

    /// The vendor certainly did nothing in this attempt.
    async fn not_applied(&self, error: &StepError, first: First) -> Result<Ending, Fault> {
        let Retrying::After { ms } = may_retry(error, self.ctx.attempt, &self.step.def.retry) else {
            return self.failed(error).await;
        };
        let ending = self.again(ms, error).await?;
        if first == First::Yes {
            self.save_act(&ending.tx, SAVE_NOT_BEGUN, &[]).await?;
        }
        Ok(ending)
    }

    /// The vendor may have done it: the next attempt looks first; after the last one we look now.
    async fn maybe_applied(
        &self,
        handler: &dyn ChangeHandler,
        error: &StepError,
        begun_at: Timestamp,
    ) -> Result<Ending, Fault> {
        if let Retrying::After { ms } = may_retry(error, self.ctx.attempt, &self.step.def.retry) {
            return self.again(ms, error).await;
        }
        match self.look(handler, begun_at).await? {
            Ok(Effect::Found(receipt)) => self.applied(receipt).await,
            Ok(Effect::NotFound) => self.failed(error).await,
            Ok(Effect::Unknown) => self.unknown(Some(error)).await,
            Err(look_error) => self.unknown(Some(&look_error)).await,
        }
    }

    async fn look(
        &self,
        handler: &dyn ChangeHandler,
        since: Timestamp,
    ) -> Result<Result<Effect, StepError>, Fault> {
        let key = &self.known_change()?.idempotency_key;
        let plan = self.known_plan()?;
        self.shared.at(boundary::BEFORE_LOOK);
        let effect = match self.watched(handler.find_effect(&self.ctx, plan, key, since)).await {
            Ok(effect) => effect,
            Err(Watch::Broken(error)) => Err(error),
            Err(Watch::Lost) => return Err(Fault::Lost),
        };
        self.shared.at(boundary::AFTER_LOOK);
        Ok(effect)
    }

    async fn applied(&self, receipt: Receipt) -> Result<Ending, Fault> {
        // What the vendor answered must not undo the fact that it acted: an answer too large to keep is kept by its text.
        let json = recorded(&receipt).unwrap_or_else(|_| {
            let text = bounded(receipt.text.clone());
            serde_json::json!({ "text": text, "data": null, "request_id": receipt.request_id })
        });
        let tx = self.ctx.begin().await?;
        tx.execute_one(SAVE_APPLIED, &[&self.ctx.run.0, &self.step.def.key, &json]).await?;
        Ok(Ending { tx, end: End::ended(receipt.text) })
    }

    async fn failed(&self, error: &StepError) -> Result<Ending, Fault> {
        let tx = self.ctx.begin().await?;
        self.save_act(&tx, SAVE_ENDED, &["failed", &bounded(format!("Failed: {}", error.message))]).await?;
        let end = End::bad(StepState::Failed, error.to_json(&self.ctx.key), error.message.clone());
        Ok(Ending { tx, end: self.ending_change(end) })
    }

    /// Not repeated; the reading back decides.
    async fn unknown(&self, error: Option<&StepError>) -> Result<Ending, Fault> {
        let tx = self.ctx.begin().await?;
        Ok(self.unknown_in(tx, error).await?)
    }

    pub(super) async fn unknown_in(&self, tx: ActorTx, error: Option<&StepError>) -> Result<Ending, PgError> {
        let (run, key) = (&self.ctx.run.0, &self.step.def.key);
        tx.execute_one(SAVE_UNKNOWN, &[run, key, &UNKNOWN]).await?;
        let error: Value = error.map_or_else(
            || stated("unknown_effect", UNKNOWN, &self.ctx.key),
            |error| error.to_json(&self.ctx.key),
        );
        Ok(Ending { tx, end: End::ended(UNKNOWN).noting(error) })
    }

    async fn again(&self, ms: i64, error: &StepError) -> Result<Ending, Fault> {
        Ok(Ending { tx: self.ctx.begin().await?, end: End::retry(ms, error.to_json(&self.ctx.key)) })
    }

    async fn save_act(&self, tx: &ActorTx, sql: &str, values: &[&str]) -> Result<(), Fault> {
        let (run, key) = (&self.ctx.run.0, &self.step.def.key);
        match values {
            [] => tx.execute_one(sql, &[run, key]).await?,
            [one] => tx.execute_one(sql, &[run, key, one]).await?,
            [one, two, ..] => tx.execute_one(sql, &[run, key, one, two]).await?,
        }
        Ok(())
    }
}

/// Whether this attempt is the one that wrote down the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    Yes,
    No,
}
