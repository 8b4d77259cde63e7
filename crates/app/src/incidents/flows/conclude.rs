//! Last step, whatever happened: incident and ticket end as the outcome says. Only a verified reading closes them.
use flow::{BoxFuture, RunState, StepContext, StepError, StepOutcome, TaskHandler};
use kernel::{Timestamp, id::UserId};
use pg::ActorTx;
use serde_json::json;
use store::{
    alerts,
    incidents::{self, IncidentState},
    people,
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
            let why = Why::of(ctx, tx).await?;
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
        None,
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
    why: &Why,
) -> Result<String, StepError> {
    let (customer, at): (_, Timestamp) = (ctx.customer, ctx.now);
    let kind = &input.parameters.condition_kind;
    incidents::clear_conditions_of_device(tx, customer, input.device_id, kind, at).await?;
    alerts::resolve_cleared(tx, customer, input.device_id, kind, at).await?;
    incidents::set_state(tx, customer, input.incident_id, IncidentState::Resolved, Some(&why.shown), at)
        .await?;
    if let Some(ticket) = ticket {
        tickets::set_state(tx, customer, ticket.id, TicketState::Closed, Some(&why.shown)).await?;
    }
    Ok("Incident resolved, ticket closed".to_owned())
}

/// A person said no: the incident waits for a person, nothing is urgent beyond what it was.
async fn hand_over(
    ctx: &StepContext,
    tx: &ActorTx,
    input: &Input,
    ticket: Option<&TicketRef>,
    why: &Why,
) -> Result<String, StepError> {
    incidents::set_state(
        tx,
        ctx.customer,
        input.incident_id,
        IncidentState::NeedsAttention,
        Some(&why.shown),
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
            &why.shown,
            None,
            why.by,
            at,
        )
        .await?;
    }
    tell_staff(tx, ctx.customer, input.incident_id, &ctx.title, &why.named, ctx.now).await?;
    Ok("Nothing was changed; the incident needs a person".to_owned())
}

/// Not proven: nobody is told that it worked.
async fn escalate(
    ctx: &StepContext,
    tx: &ActorTx,
    input: &Input,
    ticket: Option<&TicketRef>,
    why: &Why,
) -> Result<String, StepError> {
    incidents::set_state(
        tx,
        ctx.customer,
        input.incident_id,
        IncidentState::NeedsAttention,
        Some(&why.shown),
        ctx.now,
    )
    .await?;
    if let Some(ticket) = ticket {
        tickets::escalate(tx, ctx.customer, ticket.id, &why.shown, ctx.now).await?;
    }
    tell_staff(
        tx,
        ctx.customer,
        input.incident_id,
        &format!("Not verified: {}", ctx.title),
        &why.named,
        ctx.now,
    )
    .await?;
    Ok("Ticket escalated, incident needs a person".to_owned())
}

/// One sentence from what the run recorded: as the customer's people read it, and as the provider's do.
struct Why {
    shown: String,
    /// With the name of the person who decided.
    named: String,
    by: Option<UserId>,
}

impl Why {
    async fn of(ctx: &StepContext, tx: &ActorTx) -> Result<Self, StepError> {
        let decision = Decision::of(ctx);
        let by = decision.as_ref().and_then(|decision| decision.by);
        let name = match by {
            Some(by) => people::name(tx, by).await?,
            None => None,
        };
        let shown = reason(ctx, decision.as_ref().map(|it| (it.shown.as_str(), it.reason.as_str())));
        let named = match (&decision, name) {
            (Some(decision), Some(name)) => reason(ctx, Some((&name, &decision.reason))),
            _ => shown.clone(),
        };
        Ok(Self { shown, named, by })
    }
}

/// What a person decided about the run: approved, rejected or cancelled it.
struct Decision {
    by: Option<UserId>,
    shown: String,
    /// May be empty: an approval needs no reason.
    reason: String,
}

impl Decision {
    fn of(ctx: &StepContext) -> Option<Self> {
        let (of, by, shown) = match ctx.outcome() {
            RunState::Cancelled => (ctx.error()?, "by", "by_shown"),
            _ => (ctx.output(&format!("{CHANGE_KEY}.approve"))?, "decided_by", "decided_as"),
        };
        Some(Self {
            by: of[by].as_str().and_then(|id| id.parse().ok()).map(UserId),
            shown: of[shown].as_str()?.to_owned(),
            reason: of["reason"].as_str().unwrap_or_default().to_owned(),
        })
    }
}

/// `decided`: who, and why.
fn reason(ctx: &StepContext, decided: Option<(&str, &str)>) -> String {
    let change = ctx.change(CHANGE_KEY);
    let verdict = change.as_ref().and_then(|change| change.verdict.clone());
    let error = || ctx.error().and_then(|error| error["message"].as_str()).map(str::to_owned);
    let approved = decided.map(|(who, _)| format!(" Approved by {who}.")).unwrap_or_default();
    let refused = |word: &str| match decided {
        Some((who, "")) => format!("The remediation was {word} by {who}."),
        Some((who, why)) => format!("The remediation was {word} by {who}: {why}"),
        None => format!("The remediation was {word}. {}", error().unwrap_or_default()).trim_end().to_owned(),
    };
    match ctx.outcome() {
        RunState::Verified => verdict.unwrap_or_else(|| "The effect was read back.".to_owned()) + &approved,
        RunState::Ended => verdict.unwrap_or_else(|| "There was nothing left to do.".to_owned()),
        RunState::Unverified => {
            let text = verdict.unwrap_or_else(|| "The effect could not be read back.".to_owned());
            format!("The remediation is not verified. {text}{approved}")
        }
        RunState::Rejected => refused("rejected"),
        RunState::Cancelled => refused("cancelled"),
        RunState::TimedOut => "Nobody decided in time; the remediation was not carried out.".to_owned(),
        _ => {
            format!("The remediation failed. {}{approved}", error().unwrap_or_default()).trim_end().to_owned()
        }
    }
}
