//! The phases of a change around the act: read, plan, guard, read back.
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kernel::ErrorCode;
use pg::ActorTx;
use serde_json::Value;

use super::{CRASHES_MAX, DRY_RUN, Ending, Execution, Fault, GIVEN_UP, Watch, corrupt, stated, task::left};
use crate::{
    ChangeView, FlowError, Guard, Plan, Planned, Reading, RunMode, StepError, StepState, Subject, Verdict,
    boundary,
    change::Completeness,
    compile::Phase,
    definition::Verify,
    handler::{bounded, recorded},
    record::End,
};

/// The run is locked first: a run that goes down at this moment must not leave a planned change behind.
const OPEN_CHANGE: &str = "with run as (select r.customer_id, r.id, r.stopping from flow.runs r
       where r.customer_id = (select app.worker_customer()) and r.id = $1 for no key update)
     insert into flow.changes (customer_id, run_id, key, state, target_kind, target_id, title, idempotency_key, before)
     select run.customer_id, run.id, $2, (case when run.stopping is null then 'planned' else 'cancelled' end)::flow.change_state,
       $3, $4, $5, $6, $7 from run
     on conflict (customer_id, run_id, key) do update set before = excluded.before";
const SAVE_PLAN: &str = "update flow.changes set plan = $3, title = $4, undo = $5
     where run_id = $1 and key = $2 and customer_id = (select app.worker_customer())";
const SAVE_UNNEEDED: &str = "update flow.changes set state = 'unneeded', verdict = $3
     where run_id = $1 and key = $2 and customer_id = (select app.worker_customer()) and state = 'planned'";
const SAVE_GUARD: &str = "update flow.changes set guard = $3, verdict = coalesce($4, verdict),
       state = case when $4::text is not null and state = 'planned' then 'rejected' else state end
     where run_id = $1 and key = $2 and customer_id = (select app.worker_customer())";
const SAVE_VERIFIED: &str = "update flow.changes set state = 'verified', after = $3, verdict = $4,
       applied_at = coalesce(applied_at, act_started_at), verified_at = clock_timestamp()
     where run_id = $1 and key = $2 and customer_id = (select app.worker_customer())";
const SAVE_UNVERIFIED: &str =
    "update flow.changes set state = 'unverified', after = coalesce($3, after), verdict = $4,
       applied_at = coalesce(applied_at, act_started_at)
     where run_id = $1 and key = $2 and customer_id = (select app.worker_customer())";
const SAVE_READING: &str = "update flow.changes set after = coalesce($3, after), verdict = $4
     where run_id = $1 and key = $2 and customer_id = (select app.worker_customer())";

impl Execution<'_> {
    pub(super) async fn read(&self, tx: Option<ActorTx>, handler: &str) -> Result<Ending, Fault> {
        let handler = self.shared.engine.inner.registry.find_change(handler)?;
        self.without(tx).await?;
        self.shared.at(boundary::BEFORE_HANDLER);
        let reading = self.watched(handler.read(&self.ctx)).await??;
        self.shared.at(boundary::AFTER_HANDLER);
        let target = reading.target.clone().or_else(|| self.ctx.subject.clone());
        let (kind, id) = target.map_or(("unknown".to_owned(), None), |Subject { kind, id }| (kind, Some(id)));
        let key = &self.step.def.key;
        let idempotency_key = format!("{}:{key}", self.ctx.run);
        let before = recorded(&reading)?;
        let tx = self.ctx.begin().await?;
        let (run, title) = (self.ctx.run.0, &self.step.def.title);
        tx.execute_one(OPEN_CHANGE, &[&run, key, &kind, &id, title, &idempotency_key, &before]).await?;
        let text = match reading.completeness {
            Completeness::Complete => "The state before was read.",
            Completeness::Partial => "The state before was read in part.",
        };
        Ok(Ending { tx, end: End::ended(text) })
    }

    pub(super) async fn plan(&self, tx: Option<ActorTx>, handler: &str) -> Result<Ending, Fault> {
        let handler = self.shared.engine.inner.registry.find_change(handler)?;
        let before =
            self.known_change()?.before.as_ref().ok_or_else(|| corrupt("The change has no reading."))?;
        let mut tx = self.with(tx).await?;
        self.shared.at(boundary::BEFORE_HANDLER);
        let planned = self.watched(handler.plan(&self.ctx, before, &mut tx)).await??;
        self.shared.at(boundary::AFTER_HANDLER);
        let (run, key) = (self.ctx.run.0, &self.step.def.key);
        let end = match planned {
            Planned::Change(plan) => {
                let json = recorded(&plan)?;
                let title = bounded(plan.title.clone());
                tx.execute_one(SAVE_PLAN, &[&run, key, &json, &title, &bounded(plan.undo)]).await?;
                End::ended(plan.title)
            }
            Planned::Nothing { text } => {
                tx.execute(SAVE_UNNEEDED, &[&run, key, &bounded(text.clone())]).await?;
                End::ended(text.clone()).skipping(self.step.rows_after(Phase::Plan), text)
            }
        };
        Ok(Ending { tx, end })
    }

    pub(super) async fn guard(&self, tx: Option<ActorTx>, handler: &str) -> Result<Ending, Fault> {
        let handler = self.shared.engine.inner.registry.find_change(handler)?;
        let plan = self.known_plan()?;
        let mut tx = self.with(tx).await?;
        self.shared.at(boundary::BEFORE_HANDLER);
        let guard = self.watched(handler.guard(&self.ctx, plan, &mut tx)).await??;
        self.shared.at(boundary::AFTER_HANDLER);
        let end = self.guarded(&guard);
        let refusal = guard.refusal().filter(|_| self.ctx.mode == RunMode::Real);
        let verdict = refusal.map(|check| bounded(format!("Refused by {}: {}", check.name, check.text)));
        let (run, json) = (self.ctx.run.0, recorded(&guard)?);
        tx.execute_one(SAVE_GUARD, &[&run, &self.step.def.key, &json, &verdict]).await?;
        Ok(Ending { tx, end })
    }

    fn guarded(&self, guard: &Guard) -> End {
        let rest = self.step.rows_after(Phase::Guard);
        match (guard.refusal(), self.ctx.mode) {
            (None, RunMode::Real) => End::ended(format!("All {} checks passed.", guard.checks.len())),
            (None, RunMode::Dry) => {
                End::ended(format!("All {} checks passed.", guard.checks.len())).skipping(rest, DRY_RUN)
            }
            (Some(check), RunMode::Dry) => {
                End::ended(format!("Would be refused by {}: {}", check.name, check.text))
                    .skipping(rest, DRY_RUN)
            }
            (Some(check), RunMode::Real) => {
                let text = format!("Refused by {}: {}", check.name, check.text);
                let error = stated("refused", &text, &self.ctx.key);
                self.ending_change(End::bad(StepState::Rejected, error, text))
            }
        }
    }

    /// One independent reading; the next one, or the verdict.
    pub(super) async fn reread(
        &self,
        tx: Option<ActorTx>,
        handler: &str,
        verify: &Verify,
    ) -> Result<Ending, Fault> {
        let handler = self.shared.engine.inner.registry.find_change(handler)?;
        let change = self.known_change()?;
        let plan = self.known_plan()?;
        let acted =
            change.applied_at.or(change.act_started_at).ok_or_else(|| corrupt("The change has no act."))?;
        if self.ctx.raw.now.step.crashes > CRASHES_MAX {
            return Ok(self.unverified(self.with(tx).await?, None, GIVEN_UP.to_owned()).await?);
        }
        if let Some(delay) = left(self.ctx.now, after(acted, verify.delay_ms)) {
            let end = End::later(delay, "Waits before the state is read back.");
            return Ok(Ending { tx: self.with(tx).await?, end });
        }
        self.without(tx).await?;
        self.shared.at(boundary::BEFORE_HANDLER);
        let verdict = match self.watched(handler.reread(&self.ctx, plan, change.receipt.as_ref())).await {
            Ok(verdict) => verdict,
            Err(Watch::Broken(error)) => Err(error),
            Err(Watch::Lost) => return Err(Fault::Lost),
        };
        self.shared.at(boundary::AFTER_HANDLER);
        let tx = self.ctx.begin().await?;
        let may_wait = after(self.ctx.now, verify.every_ms) <= after(acted, verify.deadline_ms);
        let wait = Duration::from_millis(verify.every_ms.unsigned_abs());
        match verdict {
            Ok(Verdict::Verified { after, text }) => {
                self.save(&tx, SAVE_VERIFIED, Some(&after), &text).await?;
                Ok(Ending { tx, end: End::ended(text) })
            }
            Ok(Verdict::NotYet { after, text }) if may_wait => {
                self.save(&tx, SAVE_READING, after.as_ref(), &text).await?;
                Ok(Ending { tx, end: End::later(wait, text) })
            }
            Ok(Verdict::NotYet { after, text }) => {
                let text = format!("Not to be seen within {} s: {text}", verify.deadline_ms / 1_000);
                Ok(self.unverified(tx, after.as_ref(), text).await?)
            }
            Ok(Verdict::Contradicted { after, text }) => Ok(self.unverified(tx, Some(&after), text).await?),
            Err(error) if error.is_transient() && may_wait => {
                let end = End::later(wait, format!("Could not be read back yet: {}", error.message));
                Ok(Ending { tx, end: end.noting(error.to_json(&self.ctx.key)) })
            }
            Err(error) => {
                let text = format!("Could not be read back: {}", error.message);
                Ok(self.unverified(tx, None, text).await?)
            }
        }
    }

    /// The change was begun, and is not seen: that is said, whatever the vendor answered.
    pub(super) async fn unverified(
        &self,
        tx: ActorTx,
        after: Option<&Reading>,
        text: String,
    ) -> Result<Ending, FlowError> {
        self.save(&tx, SAVE_UNVERIFIED, after, &text).await?;
        let error = stated("unverified", &text, &self.ctx.key);
        Ok(Ending { tx, end: End::bad(StepState::Failed, error, text) })
    }

    async fn save(
        &self,
        tx: &ActorTx,
        sql: &str,
        after: Option<&Reading>,
        text: &str,
    ) -> Result<(), FlowError> {
        // A reading too large to keep is dropped, its verdict is not.
        let after: Option<Value> = after.and_then(|after| recorded(after).ok());
        let text = bounded(text.to_owned());
        tx.execute_one(sql, &[&self.ctx.run.0, &self.step.def.key, &after, &text]).await?;
        Ok(())
    }

    pub(super) fn known_change(&self) -> Result<&ChangeView, StepError> {
        let missing = || StepError::permanent(ErrorCode::Internal, "The change has no record.");
        self.ctx.change(&self.step.def.key).ok_or_else(missing)
    }

    pub(super) fn known_plan(&self) -> Result<&Plan, StepError> {
        self.known_change()?.plan.as_ref().ok_or_else(|| corrupt("The change has no plan."))
    }
}

fn after(at: Timestamp, ms: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_millis(ms)).unwrap_or(Timestamp::MAX)
}
