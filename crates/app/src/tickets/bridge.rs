//! A ticket's twin in NinjaOne: created once, then kept in step. NinjaOne has no idempotency key, so the intention is
//! recorded before the call; a creation whose answer never came is reported, never silently repeated.
use kernel::{
    ApiError, ErrorCode, Timestamp,
    id::{CustomerId, IntegrationId, TicketId},
};
use ninjaone::{NewTicket, NinjaOne, ticketing::SUBJECT_CHARS_MAX};
use pg::{Actor, Pg, WorkReason};
use serde_json::{Value, json};
use store::{
    incidents,
    tickets::{self, Audience, EventKind, Ticket},
};

use crate::{access, vendors::Vendors};

/// The twin in NinjaOne.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    pub external_id: i64,
    pub status: String,
    pub was_created: bool,
}

/// Makes the twin if there is none, and reads its state back.
pub async fn create(
    pg: &Pg,
    vendors: &dyn Vendors,
    actor: &Actor,
    customer: CustomerId,
    ticket: TicketId,
    now: Timestamp,
) -> Result<Twin, ApiError> {
    access::require(pg, actor, customer, "tickets:write").await?;
    let begun = begin(pg, actor, customer, ticket, now).await?;
    let Some(Creation { ticket: found, ninja_device, integration }) = begun else {
        return sync(pg, vendors, actor, customer, ticket, now).await;
    };
    let ninja = vendors.ninjaone(integration).await?;
    let made = make(&ninja, &found, ninja_device).await;
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Workflow).await?;
    match made {
        Ok((external_id, status)) => {
            let reference = json!({ "vendor": "ninjaone", "integration_id": integration, "id": external_id, "status": status, "synced_at": now });
            tickets::set_external_ref(&tx, customer, ticket, Some(&reference)).await?;
            let body = format!("Also in NinjaOne as ticket {external_id}.");
            tickets::add_event(
                &tx,
                customer,
                ticket,
                EventKind::Automation,
                Audience::ProviderOnly,
                &body,
                None,
                actor.user,
                now,
            )
            .await?;
            tx.commit().await?;
            Ok(Twin { external_id, status, was_created: true })
        }
        Err((error, may_exist)) => {
            if !may_exist {
                tickets::set_external_ref(&tx, customer, ticket, None).await?;
                tx.commit().await?;
            }
            Err(error)
        }
    }
}

/// Reads the twin's state from NinjaOne.
pub async fn sync(
    pg: &Pg,
    vendors: &dyn Vendors,
    actor: &Actor,
    customer: CustomerId,
    ticket: TicketId,
    now: Timestamp,
) -> Result<Twin, ApiError> {
    access::require(pg, actor, customer, "tickets:write").await?;
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Workflow).await?;
    let found = tickets::lock(&tx, customer, ticket).await?.ok_or_else(access::not_found)?;
    tx.rollback().await?;
    let reference = found.external_ref.unwrap_or_default();
    let (Some(external_id), Ok(integration)) =
        (reference["id"].as_i64(), serde_json::from_value(reference["integration_id"].clone()))
    else {
        return Err(ApiError::new(ErrorCode::Conflict, "This ticket has no twin in NinjaOne yet.")
            .hint("Create it first."));
    };
    let ninja = vendors.ninjaone(integration).await?;
    let read = ninja.ticket(external_id).await.map_err(vendor_failed)?;
    let status = status(&read.value);
    let reference = json!({ "vendor": "ninjaone", "integration_id": integration, "id": external_id, "status": status, "synced_at": now });
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Workflow).await?;
    tickets::set_external_ref(&tx, customer, ticket, Some(&reference)).await?;
    tx.commit().await?;
    Ok(Twin { external_id, status, was_created: false })
}

/// A creation whose intention is recorded.
struct Creation {
    ticket: Ticket,
    ninja_device: i64,
    integration: IntegrationId,
}

/// `None` when there is a twin. Records the intention under the ticket's row lock, so that two callers cannot both create.
async fn begin(
    pg: &Pg,
    actor: &Actor,
    customer: CustomerId,
    ticket: TicketId,
    now: Timestamp,
) -> Result<Option<Creation>, ApiError> {
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Workflow).await?;
    let found = tickets::lock(&tx, customer, ticket).await?.ok_or_else(access::not_found)?;
    if let Some(reference) = &found.external_ref {
        if reference["id"].is_i64() {
            return Ok(None);
        }
        let since = reference["creating_since"].as_str().unwrap_or("an unknown time").to_owned();
        return Err(ApiError::new(
            ErrorCode::Conflict,
            "A creation was begun before and its answer never came.",
        )
        .details(format!("Begun at {since}."))
        .hint("Look in NinjaOne whether the ticket exists before anybody creates a second one."));
    }
    let device = match found.device {
        Some(device) => incidents::device_facts(&tx, customer, device).await?,
        None => None,
    };
    let device = device.ok_or_else(|| {
        ApiError::new(
            ErrorCode::Conflict,
            "The ticket has no device, so NinjaOne's organization for it is unknown.",
        )
        .hint("Set the ticket's device first.")
    })?;
    let ninja_device = device
        .external_id
        .parse()
        .map_err(|_| ApiError::new(ErrorCode::Internal, "The device's NinjaOne id is not a number."))?;
    let intention: Value =
        json!({ "vendor": "ninjaone", "integration_id": device.integration, "creating_since": now });
    tickets::set_external_ref(&tx, customer, ticket, Some(&intention)).await?;
    tx.commit().await?;
    Ok(Some(Creation { ticket: found, ninja_device, integration: device.integration }))
}

/// The vendor's id and status, or the error and whether the ticket may exist all the same.
async fn make(ninja: &NinjaOne, ticket: &Ticket, device: i64) -> Result<(i64, String), (ApiError, bool)> {
    let not_made = |error| (vendor_failed(error), false);
    let read = ninja.device(device).await.map_err(not_made)?;
    let organization = read.map(|device| device.value.organization_id).ok_or_else(|| {
        (ApiError::new(ErrorCode::Conflict, "NinjaOne does not know this device any more."), false)
    })?;
    let forms = ninja.ticket_forms().await.map_err(not_made)?;
    let form = forms.value.first().map(|form| form.id).ok_or_else(|| {
        (
            ApiError::new(ErrorCode::VendorNotConfigured, "NinjaOne has no ticket form.")
                .hint("Make one under Ticketing in NinjaOne."),
            false,
        )
    })?;
    let mut new = NewTicket::new(
        organization,
        form,
        ticket.subject.chars().take(SUBJECT_CHARS_MAX).collect::<String>(),
    );
    new.node_id = Some(device);
    new.description = (!ticket.description.is_empty()).then(|| ticket.description.clone());
    new.priority = Some(priority(&ticket.priority).into());
    match ninja.create_ticket(&new).await {
        Ok(made) => Ok((made.value.id, status(&made.value))),
        Err(error) => {
            let may_exist = error.may_have_been_applied();
            Err((vendor_failed(error), may_exist))
        }
    }
}

/// NinjaOne's words for our priorities.
fn priority(ours: &str) -> &'static str {
    match ours {
        "p1" | "p2" => "HIGH",
        "p3" => "MEDIUM",
        _ => "LOW",
    }
}

fn status(ticket: &ninjaone::Ticket) -> String {
    ticket.status_name.clone().unwrap_or_else(|| "unknown".into())
}

fn vendor_failed(error: connector_api::VendorError) -> ApiError {
    ApiError::new(ErrorCode::VendorFailed, format!("NinjaOne: {error}"))
}
