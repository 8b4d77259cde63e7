use std::{collections::BTreeMap, fmt, sync::Arc};

use jiff::Timestamp;
use kernel::{
    ErrorCode,
    id::{CustomerId, EvidenceId, RunId, StepId, UserId},
};
use pg::{ActorTx, Pg, PgError, WorkReason};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    ChangeState, FlowError, Plan, Reading, Receipt, RunMode, RunState, StepError, StepState, Subject,
    expr::Scope,
};

/// What a handler knows about its step and run. Read at the step's start; the run's input and version never change.
#[derive(Clone)]
pub struct StepContext {
    pub customer: CustomerId,
    pub run: RunId,
    pub step: StepId,
    /// The step's key; of a change's phase `<change>.<phase>`.
    pub key: String,
    /// 1 at the first attempt.
    pub attempt: i16,
    pub mode: RunMode,
    /// The database's time when the step was opened.
    pub now: Timestamp,
    pub title: String,
    pub input: Value,
    pub subject: Option<Subject>,
    pub started_by: Option<UserId>,
    pub started_reason: String,
    pub workflow_key: String,
    pub definition_sha256: String,
    pub(crate) pg: Pg,
    pub(crate) raw: Raw,
}

/// A step as it was opened.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub run: Arc<RawRun>,
    pub now: RawNow,
}

/// As `flow.step_context` gives it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RawNow {
    pub now: Timestamp,
    pub step: RawStep,
    pub steps: Map<String, Value>,
    pub changes: Option<BTreeMap<String, ChangeView>>,
    pub stopping: Option<RunState>,
    pub error: Option<Value>,
    pub outcome: Option<RunState>,
}

/// What of a run never changes, as `flow.open_step` gives it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RawRun {
    pub id: Uuid,
    pub workflow_id: Uuid,
    pub workflow_version: i32,
    pub title: String,
    pub dry_run: bool,
    pub input: Value,
    pub subject_kind: Option<String>,
    pub subject_id: Option<Uuid>,
    pub started_by: Option<Uuid>,
    pub started_reason: String,
    pub deadline_at: Timestamp,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RawStep {
    pub id: Uuid,
    pub key: String,
    pub attempt: i16,
    pub crashes: i16,
}

/// A change of the run as it is recorded now.
#[derive(Clone, Debug, Deserialize)]
pub struct ChangeView {
    pub id: Uuid,
    pub state: ChangeState,
    pub title: String,
    pub idempotency_key: String,
    pub before: Option<Reading>,
    pub plan: Option<Plan>,
    pub guard: Option<crate::Guard>,
    pub act_started_at: Option<Timestamp>,
    pub receipt: Option<Receipt>,
    pub after: Option<Reading>,
    pub verdict: Option<String>,
    pub applied_at: Option<Timestamp>,
}

impl StepContext {
    pub(crate) fn new(
        pg: &Pg,
        customer: CustomerId,
        raw: Raw,
        workflow_key: &str,
        definition_sha256: &str,
    ) -> Self {
        let (run, now) = (&raw.run, &raw.now);
        let subject = run.subject_kind.clone().zip(run.subject_id).map(|(kind, id)| Subject { kind, id });
        Self {
            customer,
            run: RunId(run.id),
            step: StepId(now.step.id),
            key: now.step.key.clone(),
            attempt: now.step.attempt,
            mode: if run.dry_run { RunMode::Dry } else { RunMode::Real },
            now: now.now,
            title: run.title.clone(),
            input: run.input.clone(),
            subject,
            started_by: run.started_by.map(UserId),
            started_reason: run.started_reason.clone(),
            workflow_key: workflow_key.to_owned(),
            definition_sha256: definition_sha256.to_owned(),
            pg: pg.clone(),
            raw,
        }
    }

    /// The run's input as a type; another shape is a permanent error.
    pub fn input_as<T: DeserializeOwned>(&self) -> Result<T, StepError> {
        T::deserialize(&self.input).map_err(|error| {
            StepError::permanent(ErrorCode::ValueRefused, format!("The run's input is not usable: {error}"))
        })
    }

    /// What the step `key` gave; for a change's phase `<change>.<phase>`.
    pub fn output(&self, key: &str) -> Option<&Value> {
        self.raw.now.steps.get(key)?.get("output").filter(|output| !output.is_null())
    }

    pub fn state(&self, key: &str) -> Option<StepState> {
        self.raw.now.steps.get(key)?.get("state")?.as_str()?.parse().ok()
    }

    pub fn change(&self, key: &str) -> Option<&ChangeView> {
        self.raw.now.changes.as_ref()?.get(key)
    }

    /// What the run comes to as it is now: for steps that run always; `Running` for others.
    pub fn outcome(&self) -> RunState {
        self.raw.now.outcome.unwrap_or(RunState::Running)
    }

    /// Why the run goes down: `{code, message, ...}`.
    pub fn error(&self) -> Option<&Value> {
        self.raw.now.error.as_ref().filter(|error| !error.is_null())
    }

    /// The signed record, once its step has run.
    pub fn evidence(&self) -> Option<EvidenceId> {
        self.raw.now.steps.values().find_map(|step| {
            let id = step.get("output")?.get("evidence_id")?.as_str()?;
            id.parse().ok().map(EvidenceId)
        })
    }

    /// A short transaction of its own, scoped to the run's customer. What it writes is repeated when the step is.
    pub async fn begin(&self) -> Result<ActorTx, PgError> {
        self.pg.work_for(self.customer, WorkReason::Workflow).await
    }

    /// The variables of conditions and templates.
    pub(crate) fn scope(&self) -> Scope {
        let changes = self.raw.now.changes.iter().flatten();
        let changes: Map<String, Value> = changes
            .map(|(key, change)| (key.clone(), json!({ "state": change.state, "verdict": change.verdict })))
            .collect();
        let run = json!({
            "id": self.run, "title": self.title, "mode": self.mode, "subject_kind": self.raw.run.subject_kind,
            "subject_id": self.raw.run.subject_id, "stopping": self.raw.now.stopping,
        });
        Scope::new(vec![
            ("input", self.input.clone()),
            ("run", run),
            ("steps", Value::Object(self.raw.now.steps.clone())),
            ("change", Value::Object(changes)),
            ("now", Value::String(self.now.to_string())),
        ])
    }
}

impl Raw {
    pub fn opened(run: &str, now: &str) -> Result<Self, FlowError> {
        Ok(Self { run: Arc::new(serde_json::from_str(run)?), now: serde_json::from_str(now)? })
    }

    /// The next step of the same run.
    pub fn next(&self, now: &str) -> Result<Self, FlowError> {
        Ok(Self { run: Arc::clone(&self.run), now: serde_json::from_str(now)? })
    }
}

impl fmt::Debug for StepContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepContext").field("run", &self.run).field("key", &self.key).finish_non_exhaustive()
    }
}
