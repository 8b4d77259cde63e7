//! What people and rules ask of the engine. Each command works in the caller's transaction, scoped to one customer, so
//! that it commits with whatever needs it; whether the caller may ask is checked before.
use kernel::id::{ApprovalId, RunId, UserId};
use pg::ActorTx;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{Engine, FlowError, RunState, handler::OUTPUT_BYTES_MAX, validate::NAME_CHARS_MAX};

/// Longest dedup key and longest reason.
pub const REASON_CHARS_MAX: usize = 1_000;
pub const DEDUP_KEY_CHARS_MAX: usize = 200;

const START: &str =
    "select run_id, is_new from flow.start_run($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const DECIDE: &str = "select result, run_id, run_state::text from flow.decide($1, $2, $3, $4)";
const CANCEL: &str = "select result, run_state::text from flow.cancel_run($1, $2, $3)";

/// What a run is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    pub kind: String,
    pub id: Uuid,
}

/// Whether a run may change anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    #[default]
    Real,
    /// Reads, plans and checks only; ends as `ended`.
    Dry,
}

#[derive(Clone, Debug)]
pub struct StartRun {
    pub workflow_key: String,
    /// For people: "Free disk space on AD-FS02".
    pub title: String,
    pub input: Value,
    pub subject: Option<Subject>,
    /// A second start with the same key (per customer, forever) gives the first run.
    pub dedup_key: Option<String>,
    pub started_by: Option<UserId>,
    /// `manual`, `rule`, `schedule`, ...
    pub started_reason: String,
    pub mode: RunMode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    pub run: RunId,
    pub outcome: StartOutcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartOutcome {
    New,
    /// The dedup key was used before: this is the run that has it.
    Existing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Approve,
    Reject,
}

impl Decision {
    /// The state of the approval afterwards.
    pub const fn state(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Reject => "rejected",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub approval: ApprovalId,
    pub decision: Decision,
    pub run: RunId,
    pub run_state: RunState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled {
    pub run: RunId,
    /// `Running` while something that must not be torn is finished.
    pub run_state: RunState,
}

impl Engine {
    /// Enqueues a run of the transaction's customer. Workers are woken when the transaction commits.
    pub async fn start(&self, tx: &ActorTx, start: StartRun) -> Result<Started, FlowError> {
        let current = self.current(&start.workflow_key)?;
        tx.customer().ok_or(FlowError::NoCustomer)?;
        if !start.input.is_object() || start.input.to_string().len() > OUTPUT_BYTES_MAX {
            return Err(FlowError::Refused(format!(
                "The input is an object of at most {OUTPUT_BYTES_MAX} bytes."
            )));
        }
        if start.title.trim().is_empty() || start.title.chars().count() > NAME_CHARS_MAX {
            return Err(FlowError::Refused(format!("The title has 1 to {NAME_CHARS_MAX} characters.")));
        }
        if start
            .dedup_key
            .as_ref()
            .is_some_and(|key| key.is_empty() || key.chars().count() > DEDUP_KEY_CHARS_MAX)
        {
            return Err(FlowError::Refused(format!(
                "The dedup key has 1 to {DEDUP_KEY_CHARS_MAX} characters."
            )));
        }
        let run = RunId::new(self.inner.clock.now());
        let (subject_kind, subject_id) = start.subject.map(|subject| (subject.kind, subject.id)).unzip();
        let compiled = &current.compiled;
        let row = tx
            .query_one(
                START,
                &[
                    &run.0,
                    &current.workflow.0,
                    &current.version,
                    &start.title,
                    &(start.mode == RunMode::Dry),
                    &start.input,
                    &subject_kind,
                    &subject_id,
                    &start.dedup_key,
                    &start.started_by.map(|user| user.0),
                    &start.started_reason,
                    &compiled.timeout_ms,
                    &compiled.concurrency_per_customer,
                    &compiled.rows,
                ],
            )
            .await?;
        let outcome = if row.get(1) { StartOutcome::New } else { StartOutcome::Existing };
        Ok(Started { run: RunId(row.get(0)), outcome })
    }

    /// Decides a waiting approval. Already decided, expired or cancelled: `Conflict`.
    pub async fn decide(
        &self,
        tx: &ActorTx,
        approval: ApprovalId,
        decision: Decision,
        by: UserId,
        reason: Option<&str>,
    ) -> Result<Decided, FlowError> {
        tx.customer().ok_or(FlowError::NoCustomer)?;
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        check_reason(reason.unwrap_or_default())?;
        if decision == Decision::Reject && reason.is_none() {
            return Err(FlowError::Refused("Rejecting needs a reason.".to_owned()));
        }
        let row = tx.query_one(DECIDE, &[&approval.0, &decision.state(), &by.0, &reason]).await?;
        let result: String = row.get(0);
        match result.as_str() {
            "decided" => {
                let run_state: String = row.get(2);
                Ok(Decided { approval, decision, run: RunId(row.get(1)), run_state: run_state.parse()? })
            }
            "missing" => Err(FlowError::NotFound),
            other => Err(FlowError::Conflict(format!("This approval is already {other}."))),
        }
    }

    /// Cancels a run. What runs now is finished, and a change whose act has begun is read back; nothing else starts but
    /// the steps that run always. A run that is over or already ending: `Conflict`.
    pub async fn cancel(
        &self,
        tx: &ActorTx,
        run: RunId,
        by: UserId,
        reason: &str,
    ) -> Result<Cancelled, FlowError> {
        tx.customer().ok_or(FlowError::NoCustomer)?;
        let reason = reason.trim();
        check_reason(reason)?;
        if reason.is_empty() {
            return Err(FlowError::Refused("Cancelling needs a reason.".to_owned()));
        }
        let row = tx.query_one(CANCEL, &[&run.0, &by.0, &reason]).await?;
        let (result, state): (String, Option<String>) = (row.get(0), row.get(1));
        match result.as_str() {
            "cancelled" => Ok(Cancelled { run, run_state: state.unwrap_or_default().parse()? }),
            "missing" => Err(FlowError::NotFound),
            _ => {
                let state = state.unwrap_or_default();
                Err(FlowError::Conflict(format!("This run is over or already ending ({state}).")))
            }
        }
    }
}

fn check_reason(reason: &str) -> Result<(), FlowError> {
    if reason.chars().count() > REASON_CHARS_MAX {
        return Err(FlowError::Refused(format!("A reason has at most {REASON_CHARS_MAX} characters.")));
    }
    Ok(())
}
