//! Last step, whatever happened: the drift is closed by what was read back, or open again with a ticket that says why.
use flow::{BoxFuture, RunState, StepContext, StepError, StepOutcome, TaskHandler};
use kernel::{ErrorCode, id::TicketId};
use pg::{ActorTx, PgError};
use serde_json::json;
use store::{
    drift::{self, Drift},
    notifications::{self, NewNotification},
    tickets::{self, Audience, EventKind},
};

use super::{CHANGE_KEY, act, reading};
use crate::drift::evaluate;

#[derive(Debug)]
pub struct Conclude;

impl TaskHandler for Conclude {
    fn run<'a>(
        &'a self,
        ctx: &'a StepContext,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<StepOutcome, StepError>> {
        Box::pin(async move {
            let drift = act::own(tx, ctx).await?;
            let text = why(ctx);
            let output = json!({ "outcome": ctx.outcome(), "drift_id": drift.id });
            if ctx.outcome() == RunState::Verified {
                close(ctx, tx, &drift, &text).await?;
                evaluate(tx, ctx.customer, drift.tenant, ctx.now).await?;
                return Ok(StepOutcome::done("The drift is closed: the setting was read back", output));
            }
            if ctx.outcome() == RunState::Ended {
                seen(ctx, tx, &drift).await?;
            }
            let calm = matches!(ctx.outcome(), RunState::Ended | RunState::Rejected | RunState::Cancelled);
            let ticket = if calm { None } else { Some(escalate(ctx, tx, &drift, &text).await?) };
            drift::end_change(tx, ctx.customer, drift.id, ctx.run, &text, ticket).await?;
            evaluate(tx, ctx.customer, drift.tenant, ctx.now).await?;
            Ok(StepOutcome::done("The drift is open again", output))
        })
    }
}

/// The reading back is a fact of the setting, newer than any list.
async fn close(ctx: &StepContext, tx: &ActorTx, drift: &Drift, text: &str) -> Result<(), StepError> {
    let gone = || StepError::permanent(ErrorCode::Internal, "A verified change has no reading.");
    let after = ctx.change(CHANGE_KEY).and_then(|change| change.after.clone()).ok_or_else(gone)?;
    let value = reading::facts(&after)?.value.ok_or_else(gone)?;
    drift::read_back(tx, ctx.customer, drift.tenant, &drift.setting, &value, after.observed_at).await?;
    drift::remediated(tx, ctx.customer, drift.id, ctx.run, ctx.now, text).await?;
    if let Some(ticket) = drift.ticket {
        tickets::set_state(tx, ctx.customer, ticket, tickets::TicketState::Closed, Some(text)).await?;
    }
    Ok(())
}

/// Nothing was to be changed: what the run read first is newer than any list.
async fn seen(ctx: &StepContext, tx: &ActorTx, drift: &Drift) -> Result<(), StepError> {
    let Some(before) = ctx.change(CHANGE_KEY).and_then(|change| change.before.clone()) else { return Ok(()) };
    if before.completeness == flow::Completeness::Complete
        && let Some(value) = reading::facts(&before)?.value
    {
        drift::read_back(tx, ctx.customer, drift.tenant, &drift.setting, &value, before.observed_at).await?;
    }
    Ok(())
}

/// Not proven: a person looks at it. The drift's ticket, or a new one.
async fn escalate(ctx: &StepContext, tx: &ActorTx, drift: &Drift, text: &str) -> Result<TicketId, StepError> {
    let (customer, at) = (ctx.customer, ctx.now);
    let known = match drift.ticket {
        Some(ticket) => tickets::lock(tx, customer, ticket).await?.filter(|it| it.state != "closed"),
        None => None,
    };
    let ticket = match known {
        Some(ticket) => ticket.id,
        None => {
            let subject = format!("{} is not as demanded at {}", drift.setting_name, drift.tenant_name);
            let subject: String = subject.chars().take(300).collect();
            drift::open_ticket(tx, customer, &subject, text, at).await?
        }
    };
    if let Some(evidence) = ctx.evidence() {
        let body = "Signed evidence of the run: plan, decision, readings before and after.";
        let (kind, whom) = (EventKind::Evidence, Audience::Everybody);
        tickets::add_event(tx, customer, ticket, kind, whom, body, Some(evidence), None, at).await?;
    }
    tickets::escalate(tx, customer, ticket, text, at).await?;
    tell_staff(ctx, tx, text).await?;
    Ok(ticket)
}

/// One sentence from what the run recorded.
fn why(ctx: &StepContext) -> String {
    let verdict = ctx.change(CHANGE_KEY).and_then(|change| change.verdict.clone());
    let error = ctx.error().and_then(|error| error["message"].as_str()).unwrap_or_default();
    let said = |word: &str, reason: Option<&str>| match reason.filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("The remediation was {word}: {reason}"),
        None => format!("The remediation was {word}."),
    };
    match ctx.outcome() {
        RunState::Verified => verdict.unwrap_or_else(|| "The setting was read back.".to_owned()),
        RunState::Ended => verdict.unwrap_or_else(|| "There was nothing left to change.".to_owned()),
        RunState::Rejected => {
            let reason = ctx.output(&format!("{CHANGE_KEY}.approve")).and_then(|of| of["reason"].as_str());
            said("rejected", reason)
        }
        RunState::Cancelled => said("cancelled", ctx.error().and_then(|of| of["reason"].as_str())),
        RunState::TimedOut => "Nobody decided in time; nothing was changed.".to_owned(),
        RunState::Unverified => {
            let verdict = verdict.unwrap_or_else(|| "It could not be read back.".to_owned());
            format!("The remediation is not verified. {verdict}")
        }
        _ => format!("The remediation failed. {error}").trim_end().to_owned(),
    }
}

async fn tell_staff(ctx: &StepContext, tx: &ActorTx, text: &str) -> Result<(), PgError> {
    let people = notifications::staff_who_can(tx, "drift:manage").await?;
    let title = format!("Not remediated: {}", ctx.title);
    let link = format!("/runs/{}/{}", ctx.customer, ctx.run);
    let new = NewNotification {
        customer: Some(ctx.customer),
        kind: "drift",
        title: &title,
        body: text,
        link: Some(&link),
        at: ctx.now,
    };
    notifications::add(tx, &people, &new).await.map(drop)
}
