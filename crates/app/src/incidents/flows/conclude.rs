//! Last step, whatever happened: incident and ticket end as the outcome says. Only a verified reading closes them.
use flow::{BoxFuture, RunState, StepContext, StepError, StepOutcome, TaskHandler};
use kernel::Timestamp;
use pg::ActorTx;
use serde_json::json;
use store::{
    alerts,
    incidents::{self, IncidentState},
    tickets::{self, Audience, EventKind, TicketRef, TicketState},
};

use super::{CHANGE_KEY, Input, input};
use crate::incidents::intake::tell_staff;

#[derive(Debug)]
pub struct Conclude;

impl TaskHandler for Conclude {
    fn run<'a>(
        &'a self,
        ctx: &'a StepContext,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<StepOutcome, StepError>> {
        Box::pin(async move {
            let input = input(ctx)?;
            let ticket = tickets::of_incident(tx, ctx.customer, input.incident_id).await?;
            if let Some(ticket) = &ticket {
                attach_evidence(ctx, tx, ticket).await?;
            }
            let why = reason(ctx);
            let summary = match ctx.outcome() {
                RunState::Verified | RunState::Ended => {
                    resolve(ctx, tx, &input, ticket.as_ref(), &why).await?
                }
                RunState::Rejected | RunState::Cancelled => {
                    hand_over(ctx, tx, &input, ticket.as_ref(), &why).await?
                }
                _ => escalate(ctx, tx, &input, ticket.as_ref(), &why).await?,
            };
            Ok(StepOutcome::done(
                summary,
                json!({ "outcome": ctx.outcome(), "ticket_id": ticket.map(|ticket| ticket.id) }),
            ))
        })
    }
}

async fn attach_evidence(ctx: &StepContext, tx: &ActorTx, ticket: &TicketRef) -> Result<(), StepError> {
    let Some(evidence) = ctx.evidence() else { return Ok(()) };
    let body = "Signed evidence of the run: plan, decision, readings before and after.";
    let (customer, at) = (ctx.customer, ctx.now);
    tickets::add_event(
        tx,
        customer,
        ticket.id,
        EventKind::Evidence,
        Audience::Everybody,
        body,
        Some(evidence),
        at,
    )
    .await?;
    Ok(())
}

/// The reading shows that the condition is gone.
async fn resolve(
    ctx: &StepContext,
    tx: &ActorTx,
    input: &Input,
    ticket: Option<&TicketRef>,
    why: &str,
) -> Result<String, StepError> {
    let (customer, at): (_, Timestamp) = (ctx.customer, ctx.now);
    let kind = &input.parameters.condition_kind;
    incidents::clear_conditions_of_device(tx, customer, input.device_id, kind, at).await?;
    alerts::resolve_cleared(tx, customer, input.device_id, kind, at).await?;
    incidents::set_state(tx, customer, input.incident_id, IncidentState::Resolved, Some(why), at).await?;
    if let Some(ticket) = ticket {
        tickets::set_state(tx, customer, ticket.id, TicketState::Closed, Some(why)).await?;
    }
    Ok("Incident resolved, ticket closed".to_owned())
}

/// A person said no: the incident waits for a person, nothing is urgent beyond what it was.
async fn hand_over(
    ctx: &StepContext,
    tx: &ActorTx,
    input: &Input,
    ticket: Option<&TicketRef>,
    why: &str,
) -> Result<String, StepError> {
    incidents::set_state(
        tx,
        ctx.customer,
        input.incident_id,
        IncidentState::NeedsAttention,
        Some(why),
        ctx.now,
    )
    .await?;
    if let Some(ticket) = ticket {
        let (customer, at) = (ctx.customer, ctx.now);
        tickets::add_event(
            tx,
            customer,
            ticket.id,
            EventKind::Automation,
            Audience::Everybody,
            why,
            None,
            at,
        )
        .await?;
    }
    tell_staff(tx, ctx.customer, input.incident_id, &ctx.title, why, ctx.now).await?;
    Ok("Nothing was changed; the incident needs a person".to_owned())
}

/// Not proven: nobody is told that it worked.
async fn escalate(
    ctx: &StepContext,
    tx: &ActorTx,
    input: &Input,
    ticket: Option<&TicketRef>,
    why: &str,
) -> Result<String, StepError> {
    incidents::set_state(
        tx,
        ctx.customer,
        input.incident_id,
        IncidentState::NeedsAttention,
        Some(why),
        ctx.now,
    )
    .await?;
    if let Some(ticket) = ticket {
        tickets::escalate(tx, ctx.customer, ticket.id, why, ctx.now).await?;
    }
    tell_staff(tx, ctx.customer, input.incident_id, &format!("Not verified: {}", ctx.title), why, ctx.now)
        .await?;
    Ok("Ticket escalated, incident needs a person".to_owned())
}

/// One sentence from what the run recorded.
fn reason(ctx: &StepContext) -> String {
    let change = ctx.change(CHANGE_KEY);
    let verdict = change.as_ref().and_then(|change| change.verdict.clone());
    let error = || ctx.error().and_then(|error| error["message"].as_str()).map(str::to_owned);
    match ctx.outcome() {
        RunState::Verified => verdict.unwrap_or_else(|| "The effect was read back.".to_owned()),
        RunState::Ended => verdict.unwrap_or_else(|| "There was nothing left to do.".to_owned()),
        RunState::Unverified => {
            let text = verdict.unwrap_or_else(|| "The effect could not be read back.".to_owned());
            format!("The remediation is not verified. {text}")
        }
        RunState::Rejected => {
            format!("The remediation was rejected. {}", error().unwrap_or_default()).trim_end().to_owned()
        }
        RunState::Cancelled => {
            format!("The remediation was cancelled. {}", error().unwrap_or_default()).trim_end().to_owned()
        }
        RunState::TimedOut => "Nobody decided in time; the remediation was not carried out.".to_owned(),
        _ => format!("The remediation failed. {}", error().unwrap_or_default()).trim_end().to_owned(),
    }
}
