//! Last step, whatever happened: the difference waits for its bill, or is open again and says why.
use flow::{BoxFuture, RunState, StepContext, StepError, StepOutcome, TaskHandler};
use kernel::{Decimal, ErrorCode};
use pg::{ActorTx, PgError};
use serde_json::json;
use store::{
    money::{self, Change},
    notifications::{self, NewNotification},
};

use super::{CHANGE_KEY, Input, adjust, reading};

#[derive(Debug)]
pub struct Conclude;

impl TaskHandler for Conclude {
    fn run<'a>(
        &'a self,
        ctx: &'a StepContext,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<StepOutcome, StepError>> {
        Box::pin(async move {
            let input: Input = ctx.input_as()?;
            let change = adjust::own(tx, ctx, &input).await?;
            let text = why(ctx);
            let output = json!({ "outcome": ctx.outcome(), "difference_id": input.difference_id });
            if ctx.outcome() == RunState::Verified {
                wait_for_bill(ctx, tx, &change, &text).await?;
                return Ok(StepOutcome::done("The line is changed; the next bill has to show it", output));
            }
            money::end_change(tx, ctx.customer, change.id, ctx.run, &text).await?;
            if !matches!(ctx.outcome(), RunState::Ended | RunState::Rejected | RunState::Cancelled) {
                tell_staff(ctx, tx, &text).await?;
            }
            Ok(StepOutcome::done("The difference is open again", output))
        })
    }
}

/// The reading back is a fact of the line, newer than any list.
async fn wait_for_bill(
    ctx: &StepContext,
    tx: &ActorTx,
    change: &Change,
    text: &str,
) -> Result<(), StepError> {
    let gone = || StepError::permanent(ErrorCode::Internal, "A verified change has no readings.");
    let view = ctx.change(CHANGE_KEY).ok_or_else(gone)?;
    let before = reading::facts(view.before.as_ref().ok_or_else(gone)?)?;
    let after = view.after.as_ref().ok_or_else(gone)?;
    let quantity: Decimal = reading::facts(after)?.quantity.ok_or_else(gone)?;
    if let Some(line) = &change.line {
        money::line_read_back(tx, ctx.customer, line.id, quantity, after.observed_at).await?;
    }
    let mark = before.bill_mark.unwrap_or(0);
    money::await_invoice(tx, ctx.customer, change.id, ctx.run, text, ctx.now, quantity, mark).await?;
    Ok(())
}

/// One sentence from what the run recorded.
fn why(ctx: &StepContext) -> String {
    let verdict = ctx.change(CHANGE_KEY).and_then(|change| change.verdict.clone());
    let error = ctx.error().and_then(|error| error["message"].as_str()).unwrap_or_default();
    let said = |word: &str, reason: Option<&str>| match reason.filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("The change was {word}: {reason}"),
        None => format!("The change was {word}."),
    };
    match ctx.outcome() {
        RunState::Verified => verdict.unwrap_or_else(|| "The line was read back.".to_owned()),
        RunState::Ended => verdict.unwrap_or_else(|| "There was nothing left to change.".to_owned()),
        RunState::Rejected => {
            let reason = ctx.output(&format!("{CHANGE_KEY}.approve")).and_then(|of| of["reason"].as_str());
            said("rejected", reason)
        }
        RunState::Cancelled => said("cancelled", ctx.error().and_then(|of| of["reason"].as_str())),
        RunState::TimedOut => "Nobody decided in time; nothing was changed.".to_owned(),
        RunState::Unverified => {
            let verdict = verdict.unwrap_or_else(|| "It could not be read back.".to_owned());
            format!("The change is not verified. {verdict}")
        }
        _ => format!("The change failed. {error}").trim_end().to_owned(),
    }
}

async fn tell_staff(ctx: &StepContext, tx: &ActorTx, text: &str) -> Result<(), PgError> {
    let people = notifications::staff_who_can(tx, "billing:manage").await?;
    let title = format!("Not changed: {}", ctx.title);
    let link = format!("/runs/{}/{}", ctx.customer, ctx.run);
    let new = NewNotification {
        customer: Some(ctx.customer),
        kind: "money",
        title: &title,
        body: text,
        link: Some(&link),
        at: ctx.now,
    };
    notifications::add(tx, &people, &new).await.map(drop)
}
