//! First step: the incident's ticket, so that the customer sees that somebody cares before anything is done.
use flow::{BoxFuture, StepContext, StepError, StepOutcome, TaskHandler};
use kernel::ErrorCode;
use pg::ActorTx;
use serde_json::json;
use store::{
    incidents,
    tickets::{self, NewTicket},
};

use super::input;

#[derive(Debug)]
pub struct OpenTicket;

impl TaskHandler for OpenTicket {
    fn run<'a>(
        &'a self,
        ctx: &'a StepContext,
        tx: &'a mut ActorTx,
    ) -> BoxFuture<'a, Result<StepOutcome, StepError>> {
        Box::pin(async move {
            let input = input(ctx)?;
            let incident = incidents::by_id(tx, ctx.customer, input.incident_id).await?.ok_or_else(|| {
                StepError::permanent(ErrorCode::NotFound, "The incident of this run is gone.")
            })?;
            let class = incidents::device_facts(tx, ctx.customer, input.device_id)
                .await?
                .map(|device| device.class)
                .unwrap_or_default();
            let description = format!(
                "{}\n\nOpened automatically for incident {}. The remediation “{}” is on its way; this ticket closes when its effect was read back.",
                incident.title, incident.reference, input.rule_name
            );
            let new = NewTicket {
                customer: ctx.customer,
                incident: input.incident_id,
                device: Some(input.device_id),
                subject: &incident.title,
                description: &description,
                priority: domain::severity::ticket_priority(&incident.severity, &class),
                at: ctx.now,
            };
            let ticket = tickets::open_for_incident(tx, &new).await?;
            Ok(StepOutcome::done(
                format!("Ticket {} with priority {}", ticket.reference, ticket.priority.to_uppercase()),
                json!({ "ticket_id": ticket.id, "reference": ticket.reference, "priority": ticket.priority }),
            ))
        })
    }
}
