//! Last step, whatever happened: the window holds, or it does not, as the outcome says.
use flow::{BoxFuture, RunState, StepContext, StepError, StepOutcome, TaskHandler};
use pg::{ActorTx, PgError};
use serde_json::json;
use store::{
    maintenance::{self, End, Window},
    notifications::{self, NewNotification},
};

use super::{CHANGE_KEY, Goal, window};
use crate::maintenance::PERMISSION;

#[derive(Debug)]
pub struct Conclude {
    pub(super) goal: Goal,
}

impl TaskHandler for Conclude {
    fn run<'a>(
        &'a self,
        ctx: &'a StepContext,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<StepOutcome, StepError>> {
        Box::pin(async move {
            let window = window::own(tx, ctx, self.goal).await?;
            let output = json!({ "outcome": ctx.outcome(), "maintenance_id": window.id });
            let text = why(ctx);
            let is_proven = matches!(ctx.outcome(), RunState::Verified | RunState::Ended);
            let summary = match (self.goal, is_proven) {
                (Goal::Begin, true) => {
                    maintenance::active(tx, ctx.customer, window.id, Some(&text), ctx.now).await?;
                    "The device is in maintenance"
                }
                (Goal::Begin, false) => {
                    maintenance::end(tx, ctx.customer, window.id, End::NotVerified, Some(&text), ctx.now)
                        .await?;
                    tell(ctx, tx, &window, &format!("Maintenance did not begin: {}", ctx.title), &text)
                        .await?;
                    "The device is not in maintenance; its alerts page as ever"
                }
                (Goal::End, true) => {
                    // The clock ends it within seconds and gives its alerts back; nothing is muted any more.
                    maintenance::end_proven(tx, ctx.customer, window.id, &text, ctx.now).await?;
                    "The maintenance is over"
                }
                (Goal::End, false) => {
                    maintenance::active(tx, ctx.customer, window.id, Some(&text), ctx.now).await?;
                    tell(ctx, tx, &window, &format!("Maintenance was not ended: {}", ctx.title), &text)
                        .await?;
                    "The device is in maintenance still, until its time is over"
                }
            };
            Ok(StepOutcome::done(summary, output))
        })
    }
}

fn why(ctx: &StepContext) -> String {
    let verdict = ctx.change(CHANGE_KEY).and_then(|change| change.verdict.clone());
    let error = ctx.error().and_then(|error| error["message"].as_str()).unwrap_or_default();
    match ctx.outcome() {
        RunState::Verified => verdict.unwrap_or_else(|| "The window was read back.".to_owned()),
        RunState::Ended => verdict.unwrap_or_else(|| "There was nothing left to change.".to_owned()),
        RunState::Cancelled => "The run was cancelled.".to_owned(),
        RunState::Unverified => {
            format!(
                "It is not verified. {}",
                verdict.unwrap_or_else(|| "It could not be read back.".to_owned())
            )
        }
        _ => format!("It failed. {error}").trim_end().to_owned(),
    }
}

async fn tell(
    ctx: &StepContext,
    tx: &ActorTx,
    window: &Window,
    title: &str,
    text: &str,
) -> Result<(), PgError> {
    let people = notifications::staff_who_can(tx, PERMISSION).await?;
    let link = format!("/devices/{}/{}", ctx.customer, window.device);
    let new = NewNotification {
        customer: Some(ctx.customer),
        kind: "maintenance",
        title,
        body: text,
        link: Some(&link),
        at: ctx.now,
    };
    notifications::add(tx, &people, &new).await.map(drop)
}
