//! How an attempt of a step ends, and the one transaction that records it and moves the run on.
use std::time::Duration;

use kernel::id::{CustomerId, RunId, StepId};
use pg::{ActorTx, Pg, WorkReason, types::ToSql};
use serde_json::Value;
use uuid::Uuid;

use crate::{FlowError, StepError, StepState, context::Raw, definition::Retry, handler::bounded};

/// All values are text, and so is the answer: it goes over both kinds of connections. An empty one is none; keys of steps have no comma.
const FINISH: &str = "select took::text, context::text, run::text from flow.finish_step($1::text::uuid, $2::text::uuid, $3::text::uuid,
       $4::text::flow.step_state, $5::text, nullif($6::text, '')::jsonb, nullif($7::text, ''), nullif($8::text, '')::jsonb, $9::text::bigint,
       string_to_array($10::text, ','), nullif($11::text, ''), nullif($12::text, '')::integer, $13::text::boolean)";

/// A step that this worker holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub customer: CustomerId,
    pub run: RunId,
    pub step: StepId,
}

/// What is written about an attempt.
#[derive(Debug)]
pub(crate) struct End {
    state: StepState,
    /// The word in the step's history.
    note: &'static str,
    output: Option<Value>,
    summary: Option<String>,
    error: Option<Value>,
    due_ms: i64,
    skip: Vec<String>,
    skip_summary: Option<String>,
}

/// What comes after: the next step of the run or the lane, if this worker took it.
pub(crate) type Finished = Option<(Held, Raw)>;

/// What the worker goes on with at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Continue {
    /// The run's next step.
    Run {
        lease_ms: i32,
    },
    /// That, or another due step of the lane.
    Lane {
        lease_ms: i32,
    },
    No,
}

impl End {
    fn new(state: StepState, note: &'static str) -> Self {
        Self {
            state,
            note,
            output: None,
            summary: None,
            error: None,
            due_ms: 0,
            skip: Vec::new(),
            skip_summary: None,
        }
    }

    pub fn ended(summary: impl Into<String>) -> Self {
        Self::new(StepState::Ended, "ok").summary(summary)
    }

    pub fn skipped(summary: impl Into<String>) -> Self {
        Self::new(StepState::Skipped, "skipped").summary(summary)
    }

    pub fn cancelled(summary: impl Into<String>) -> Self {
        Self::new(StepState::Cancelled, "cancelled").summary(summary)
    }

    /// Ready again after `delay`; not an attempt.
    pub fn later(delay: Duration, summary: impl Into<String>) -> Self {
        Self { due_ms: millis(delay), ..Self::new(StepState::Ready, "later") }.summary(summary)
    }

    /// Waits for a person or a time.
    pub fn waiting(due_ms: i64, summary: impl Into<String>) -> Self {
        Self { due_ms, ..Self::new(StepState::Waiting, "later") }.summary(summary)
    }

    pub fn retry(due_ms: i64, error: Value) -> Self {
        Self { due_ms, error: Some(error), ..Self::new(StepState::Ready, "retry") }
    }

    /// Ends badly: `Failed`, `Rejected`, `TimedOut`.
    pub fn bad(state: StepState, error: Value, summary: impl Into<String>) -> Self {
        Self { error: Some(error), ..Self::new(state, state.as_str()) }.summary(summary)
    }

    pub fn output(self, output: Value) -> Self {
        Self { output: Some(output).filter(|output| !output.is_null()), ..self }
    }

    /// Keeps an error in the history of an attempt that did not fail.
    pub fn noting(self, error: Value) -> Self {
        Self { error: Some(error), ..self }
    }

    pub fn skipping(self, skip: Vec<String>, summary: impl Into<String>) -> Self {
        Self { skip, skip_summary: Some(summary.into()), ..self }
    }

    fn summary(self, summary: impl Into<String>) -> Self {
        Self { summary: Some(bounded(summary.into())), ..self }
    }
}

/// Records the end and commits, in one write: as the only statement of its transaction when nothing was done in it before.
pub(crate) async fn finish(
    pg: &Pg,
    tx: ActorTx,
    held: Held,
    raw: &Raw,
    owner: Uuid,
    end: End,
    go_on: Continue,
) -> Result<Finished, FlowError> {
    let json = |value: Option<Value>| value.map(|value| value.to_string()).unwrap_or_default();
    let (lease_ms, stays) = match go_on {
        Continue::Run { lease_ms } => (lease_ms.to_string(), false),
        Continue::Lane { lease_ms } => (lease_ms.to_string(), true),
        Continue::No => (String::new(), false),
    };
    let values = [
        held.run.0.to_string(),
        held.step.0.to_string(),
        owner.to_string(),
        end.state.as_str().to_owned(),
        end.note.to_owned(),
        json(end.output),
        end.summary.unwrap_or_default(),
        json(end.error),
        end.due_ms.to_string(),
        end.skip.join(","),
        end.skip_summary.unwrap_or_default(),
        lease_ms,
        stays.to_string(),
    ];
    let missing = || FlowError::Corrupt("finish_step gave no row".to_owned());
    let [took, context, run]: [Option<String>; 3] = if tx.has_begun() {
        let values = values.each_ref().map(|value| value as &(dyn ToSql + Sync));
        let rows = tx.query_then_commit(FINISH, &values).await?;
        let row = rows.first().ok_or_else(missing)?;
        [row.get(0), row.get(1), row.get(2)]
    } else {
        tx.rollback().await?;
        let values = values.each_ref().map(String::as_str);
        let rows = pg.work_shot(held.customer, WorkReason::Workflow, FINISH, &values).await?;
        let text = |column| rows.first()?.text(column).map(str::to_owned);
        rows.first().ok_or_else(missing)?;
        [text(0), text(1), text(2)]
    };
    let (Some(took), Some(context)) = (took, context) else { return Ok(None) };
    let step = took.parse().map_err(|_| FlowError::Corrupt("finish_step gave no id".to_owned()))?;
    let raw = match run {
        Some(run) => Raw::opened(&run, &context)?,
        None => raw.next(&context)?,
    };
    Ok(Some((Held { run: RunId(raw.run.id), step: StepId(step), ..held }, raw)))
}

/// The wait before the next attempt: exponential, bounded, with jitter so that many do not come back at once.
pub(crate) fn backoff_ms(retry: &Retry, attempt: i16) -> i64 {
    let exponent = i32::from(attempt.clamp(1, 64)) - 1;
    let exact = (retry.delay_ms as f64 * retry.factor.powi(exponent)).min(retry.delay_ms_max as f64);
    let jitter = 1.0 + retry.jitter * (rand::random::<f64>() * 2.0 - 1.0);
    ((exact * jitter) as i64).max(1)
}

/// Whether the step is tried again, and how it ends otherwise.
pub(crate) fn may_retry(error: &StepError, attempt: i16, retry: &Retry) -> Retrying {
    if error.is_transient() && attempt < retry.attempts_max {
        Retrying::After { ms: backoff_ms(retry, attempt) }
    } else {
        Retrying::No
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retrying {
    After { ms: i64 },
    No,
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_to_its_limit_and_jitter_stays_within_its_share() {
        let retry = Retry { attempts_max: 9, delay_ms: 100, factor: 2.0, delay_ms_max: 1_000, jitter: 0.0 };
        let waits: Vec<i64> = (1..=6).map(|attempt| backoff_ms(&retry, attempt)).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_000, 1_000]);
        let retry = Retry { jitter: 0.5, ..retry };
        for _ in 0..200 {
            assert!((100..=300).contains(&backoff_ms(&retry, 2)));
        }
    }
}
