//! Tasks and timers.
use std::time::Duration;

use jiff::Timestamp;
use kernel::ErrorCode;
use pg::ActorTx;
use serde_json::{Value, json};

use super::{Ending, Execution, Fault};
use crate::{
    StepError, boundary,
    handler::{Next, recorded},
    record::End,
};

impl Execution<'_> {
    /// The handler's writes and the step's record are one transaction.
    pub(super) async fn task(&self, tx: Option<ActorTx>, handler: &str) -> Result<Ending, Fault> {
        let handler = self.shared.engine.inner.registry.find_task(handler)?;
        let mut tx = self.with(tx).await?;
        self.shared.at(boundary::BEFORE_HANDLER);
        let outcome = self.watched(handler.run(&self.ctx, &mut tx)).await??;
        self.shared.at(boundary::AFTER_HANDLER);
        let end = match outcome.next {
            Next::Done(output) => End::ended(outcome.summary).output(recorded(output)?),
            Next::Again(delay) => End::later(delay, outcome.summary),
        };
        Ok(Ending { tx, end })
    }

    /// The first time a timer runs it works out its end and waits; then it ends.
    pub(super) async fn timer(&self, tx: Option<ActorTx>, delay_ms: Option<i64>) -> Result<Ending, Fault> {
        let tx = self.with(tx).await?;
        let known =
            self.ctx.output(&self.ctx.key).and_then(|output| output.get("until")?.as_str()?.parse().ok());
        let until: Timestamp = match (known, delay_ms) {
            (Some(until), _) => until,
            (None, Some(delay_ms)) => self.after(delay_ms)?,
            (None, None) => self.until()?,
        };
        let rest_ms = until.as_millisecond() - self.ctx.now.as_millisecond();
        let end = if rest_ms <= 0 {
            End::ended(format!("Waited until {until}."))
        } else {
            End::waiting(rest_ms, format!("Waits until {until}."))
        };
        Ok(Ending { tx, end: end.output(json!({ "until": until })) })
    }

    fn until(&self) -> Result<Timestamp, StepError> {
        let refused = |text: String| StepError::permanent(ErrorCode::ValueRefused, text);
        let until = self.step.until.as_ref().ok_or_else(|| refused("The timer has no time.".to_owned()))?;
        match until.value(&self.ctx.scope()).map_err(|error| refused(error.to_string()))? {
            Value::String(text) => {
                text.parse().map_err(|_| refused(format!("{text:?} is not an RFC 3339 time.")))
            }
            Value::Number(ms) if ms.is_i64() => self.after(ms.as_i64().unwrap_or_default()),
            other => Err(refused(format!("{other} is neither an RFC 3339 time nor milliseconds."))),
        }
    }

    fn after(&self, delay_ms: i64) -> Result<Timestamp, StepError> {
        let delay = jiff::SignedDuration::from_millis(delay_ms.max(0));
        let after = self.ctx.now.checked_add(delay);
        after.map_err(|_| {
            StepError::permanent(ErrorCode::ValueRefused, "The timer ends after the end of time.")
        })
    }
}

/// What is left of a time after `from`, or nothing.
pub(super) fn left(from: Timestamp, until: Timestamp) -> Option<Duration> {
    let ms = until.as_millisecond() - from.as_millisecond();
    u64::try_from(ms).ok().filter(|&ms| ms > 0).map(Duration::from_millis)
}
