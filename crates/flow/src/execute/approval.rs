//! Waiting for a person: as a step of its own, and as the `approve` phase of a change.
use kernel::ErrorCode;
use pg::ActorTx;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Ending, Execution, Fault, stated};
use crate::{
    StepError, StepState,
    compile::{CompiledApproval, Phase},
    expr::{ExprError, Holds},
    handler::bounded,
    record::End,
};

const ASK: &str = "select state, expires_in_ms, reason, decided_by, decided_as from flow.ask_approval($1, $2, $3, $4, $5, $6, $7)";
const END_CHANGE: &str = "update flow.changes set state = $3::text::flow.change_state, verdict = $4
     where run_id = $1 and key = $2 and customer_id = (select app.worker_customer()) and state in ('planned', 'waiting')";

/// What the approval says now.
struct Answer {
    state: String,
    expires_in_ms: Option<i64>,
    reason: Option<String>,
    decided_by: Option<Uuid>,
    /// How the customer's people read who it was; screens give the name to whoever may know it.
    decided_as: Option<String>,
}

impl Execution<'_> {
    /// Runs when the step is first reached, after a decision, and when the time is over.
    pub(super) async fn approval(&self, tx: Option<ActorTx>) -> Result<Ending, Fault> {
        let Some(approval) = &self.step.approval else {
            let end = End::skipped("No approval is asked for.");
            return Ok(Ending { tx: self.with(tx).await?, end });
        };
        if let Some(when) = &approval.when
            && when.holds(&self.ctx.scope()).map_err(refused)? == Holds::No
        {
            let end = End::skipped("No approval is needed: its condition is false.");
            return Ok(Ending { tx: self.with(tx).await?, end });
        }
        let tx = self.with(tx).await?;
        let (answer, policy) = self.ask(&tx, approval).await?;
        self.answered(tx, &answer, &policy).await
    }

    async fn ask(&self, tx: &ActorTx, approval: &CompiledApproval) -> Result<(Answer, String), Fault> {
        let change = self.phase.map(|_| self.step.def.key.as_str());
        let plan = change.and_then(|key| self.ctx.change(key)?.plan.as_ref());
        let scope = self.ctx.scope();
        let title = match (&approval.title, plan) {
            (Some(title), _) => title.render(&scope).map_err(refused)?,
            (None, Some(plan)) => plan.title.clone(),
            (None, None) => self.step.def.title.clone(),
        };
        let policy = approval.policy.render(&scope).map_err(refused)?;
        let shown = plan.map(|plan| {
            json!({ "title": plan.title, "lines": plan.lines, "undo": plan.undo, "blast_radius": plan.blast_radius,
                    "verified_by": plan.verified_by })
        });
        let (title, expires_ms) = (bounded(title), approval.expires_after_ms);
        let (run, step) = (self.ctx.run.0, self.ctx.step.0);
        let row = tx.query_one(ASK, &[&run, &step, &title, &policy, &shown, &expires_ms, &change]).await?;
        let answer = Answer {
            state: row.get(0),
            expires_in_ms: row.get(1),
            reason: row.get(2),
            decided_by: row.get(3),
            decided_as: row.get(4),
        };
        Ok((answer, policy))
    }

    async fn answered(&self, tx: ActorTx, answer: &Answer, policy: &str) -> Result<Ending, Fault> {
        let by = answer.decided_as.as_ref().map(|who| format!(" by {who}")).unwrap_or_default();
        let because = answer.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let output = json!({ "decided_by": answer.decided_by, "decided_as": answer.decided_as, "reason": answer.reason });
        let end = match answer.state.as_str() {
            "waiting" => End::waiting(
                answer.expires_in_ms.unwrap_or_default(),
                format!("Waits for approval: {policy}"),
            ),
            "approved" => End::ended(format!("Approved{by}{because}")).output(output),
            "rejected" => {
                let text = format!("Rejected{by}{because}");
                self.end_change(&tx, "rejected", &text).await?;
                End::bad(StepState::Rejected, self.error("rejected", &text), text).output(output)
            }
            "expired" => {
                let text = "Nobody decided in time.";
                self.end_change(&tx, "cancelled", text).await?;
                End::bad(StepState::TimedOut, self.error("expired", text), text)
            }
            _ => End::cancelled("The run was stopped before anybody decided."),
        };
        let end = match answer.state.as_str() {
            "waiting" | "approved" => end,
            _ => self.ending_change(end),
        };
        Ok(Ending { tx, end })
    }

    async fn end_change(&self, tx: &ActorTx, state: &str, verdict: &str) -> Result<(), Fault> {
        if self.phase == Some(Phase::Approve) {
            tx.execute(
                END_CHANGE,
                &[&self.ctx.run.0, &self.step.def.key, &state, &bounded(verdict.to_owned())],
            )
            .await?;
        }
        Ok(())
    }

    fn error(&self, code: &str, message: &str) -> Value {
        stated(code, message, &self.ctx.key)
    }
}

fn refused(error: ExprError) -> StepError {
    StepError::permanent(
        ErrorCode::ValueRefused,
        format!("The approval's expression cannot be evaluated: {error}"),
    )
}
