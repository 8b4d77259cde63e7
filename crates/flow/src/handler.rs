use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use kernel::ErrorCode;
use pg::{ActorTx, PgError};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{ActError, Effect, FlowError, Guard, Plan, Planned, Reading, Receipt, StepContext, Verdict};

/// Longest text that an error or a summary keeps.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Largest output of a step, as JSON.
pub const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// The work of a task step.
pub trait TaskHandler: Send + Sync + 'static {
    /// What is written through `tx` (scoped to the run's customer) commits in one transaction with the step's record:
    /// exactly once. `tx` holds a database connection: keep slow calls short, or make them part of a change.
    fn run<'a>(
        &'a self,
        ctx: &'a StepContext,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<StepOutcome, StepError>>;
}

/// The work of a change step. `read`, `act`, `find_effect` and `reread` run without an open transaction and may take
/// their time; what they write through [`StepContext::begin`] commits on its own and must bear to be repeated.
pub trait ChangeHandler: Send + Sync + 'static {
    /// The facts before, from the system that will change.
    fn read<'a>(&'a self, ctx: &'a StepContext) -> BoxFuture<'a, Result<Reading, StepError>>;

    fn plan<'a>(
        &'a self,
        ctx: &'a StepContext,
        before: &'a Reading,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<Planned, StepError>>;

    /// Budget, freeze window, freshness: in the transaction that records the answer.
    fn guard<'a>(
        &'a self,
        ctx: &'a StepContext,
        plan: &'a Plan,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<Guard, StepError>>;

    /// Makes the change. The key is the same in every attempt, and committed before the first.
    fn act<'a>(
        &'a self,
        ctx: &'a StepContext,
        plan: &'a Plan,
        idempotency_key: &'a str,
    ) -> BoxFuture<'a, Result<Receipt, ActError>>;

    /// Whether an attempt since `since` took effect. Asked after a crash, a time-out or an unclear error.
    fn find_effect<'a>(
        &'a self,
        ctx: &'a StepContext,
        plan: &'a Plan,
        idempotency_key: &'a str,
        since: Timestamp,
    ) -> BoxFuture<'a, Result<Effect, StepError>>;

    /// An independent reading of the system: not what the act answered. No receipt: it is not known whether it acted.
    fn reread<'a>(
        &'a self,
        ctx: &'a StepContext,
        plan: &'a Plan,
        receipt: Option<&'a Receipt>,
    ) -> BoxFuture<'a, Result<Verdict, StepError>>;
}

/// What a task came to.
#[derive(Clone, Debug, PartialEq)]
pub struct StepOutcome {
    pub(crate) summary: String,
    pub(crate) next: Next,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Next {
    Done(Value),
    Again(Duration),
}

impl StepOutcome {
    /// `summary` is one sentence for people; `output` is read by later steps.
    pub fn done(summary: impl Into<String>, output: Value) -> Self {
        Self { summary: summary.into(), next: Next::Done(output) }
    }

    /// Runs the step again after `delay`; not counted as an attempt. Writes of this attempt are kept.
    pub fn later(delay: Duration, summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), next: Next::Again(delay) }
    }
}

/// Why a handler did not do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {message}", code.as_str())]
pub struct StepError {
    pub code: ErrorCode,
    pub message: String,
    /// What the vendor said, bounded.
    pub vendor: Option<String>,
    pub persistence: Persistence,
}

/// Whether trying again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    Transient,
    Permanent,
}

impl StepError {
    /// Tried again with back-off until the step's attempts are used up.
    pub fn transient(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: bounded(message.into()), vendor: None, persistence: Persistence::Transient }
    }

    /// Fails the step at once.
    pub fn permanent(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { persistence: Persistence::Permanent, ..Self::transient(code, message) }
    }

    #[must_use]
    pub fn vendor(mut self, text: impl Into<String>) -> Self {
        self.vendor = Some(bounded(text.into()));
        self
    }

    pub fn is_transient(&self) -> bool {
        self.persistence == Persistence::Transient
    }

    pub(crate) fn to_json(&self, step: &str) -> Value {
        json!({ "code": self.code.as_str(), "message": self.message, "vendor": self.vendor, "step": step })
    }
}

impl From<PgError> for StepError {
    fn from(error: PgError) -> Self {
        let persistence = if error.is_transient() { Persistence::Transient } else { Persistence::Permanent };
        let error = kernel::ApiError::from(error);
        let code = ErrorCode::ALL.iter().copied().find(|code| code.as_str() == error.code);
        Self { persistence, ..Self::permanent(code.unwrap_or(ErrorCode::Internal), error.message) }
    }
}

impl From<FlowError> for StepError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Database(error) => error.into(),
            other => Self::permanent(ErrorCode::Internal, other.to_string()),
        }
    }
}

pub(crate) fn bounded(text: String) -> String {
    if text.chars().count() <= TEXT_CHARS_MAX { text } else { text.chars().take(TEXT_CHARS_MAX).collect() }
}

/// The handlers of this process by name.
#[derive(Clone, Default)]
pub struct Registry {
    tasks: HashMap<String, Arc<dyn TaskHandler>>,
    changes: HashMap<String, Arc<dyn ChangeHandler>>,
}

impl Registry {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds (or replaces) a handler of task steps.
    #[must_use]
    pub fn task(mut self, name: &str, handler: impl TaskHandler) -> Self {
        self.tasks.insert(name.to_owned(), Arc::new(handler));
        self
    }

    /// Adds (or replaces) a handler of change steps.
    #[must_use]
    pub fn change(mut self, name: &str, handler: impl ChangeHandler) -> Self {
        self.changes.insert(name.to_owned(), Arc::new(handler));
        self
    }

    pub(crate) fn find_task(&self, name: &str) -> Result<Arc<dyn TaskHandler>, StepError> {
        self.tasks.get(name).cloned().ok_or_else(|| unknown(name))
    }

    pub(crate) fn find_change(&self, name: &str) -> Result<Arc<dyn ChangeHandler>, StepError> {
        self.changes.get(name).cloned().ok_or_else(|| unknown(name))
    }
}

fn unknown(name: &str) -> StepError {
    StepError::permanent(ErrorCode::Internal, format!("This release has no handler {name:?}."))
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.tasks.keys().chain(self.changes.keys()).collect();
        names.sort_unstable();
        f.debug_tuple("Registry").field(&names).finish()
    }
}

/// JSON of a handler's answer for the record; too large is an error of the handler.
pub(crate) fn recorded(value: impl Serialize) -> Result<Value, StepError> {
    let value = serde_json::to_value(value).map_err(|error| {
        StepError::permanent(ErrorCode::Internal, format!("The handler's answer is not JSON: {error}"))
    })?;
    let bytes = value.to_string().len();
    if bytes > OUTPUT_BYTES_MAX {
        return Err(StepError::permanent(
            ErrorCode::TooLarge,
            format!("The handler's answer has {bytes} bytes; at most {OUTPUT_BYTES_MAX} are kept."),
        ));
    }
    Ok(value)
}
