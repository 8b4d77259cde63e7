use app::tickets::bridge;
use garde::Validate;
use kernel::{
    ApiError,
    id::{CustomerId, TicketId},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Call, Function, RateClass};

#[derive(Debug)]
pub struct NinjaOneTicket;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Make the ticket's twin in NinjaOne; once, however often it is asked.
    Create {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        ticket_id: TicketId,
    },
    /// Read the twin's state.
    Sync {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        ticket_id: TicketId,
    },
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// NinjaOne's ticket id.
    pub id: i64,
    /// NinjaOne's status, as read back.
    pub status: String,
    /// True when this call made it.
    pub created: bool,
    pub message: String,
}

impl Function for NinjaOneTicket {
    const NAME: &'static str = "ninjaone-ticket";
    const SUMMARY: &'static str = "Make a ticket's twin in NinjaOne, or read its state.";
    const PERMISSION: &'static str = "tickets:write at the customer";
    const PERMISSIONS: &'static [&'static str] = &["tickets:write"];
    const RATE: RateClass = RateClass::Act;
    const KEPT: &'static str =
        "A creation that was begun is remembered on the ticket: the next call does not begin a second one.";
    type Input = Input;
    type Output = Output;

    fn customer(input: &Input) -> Option<CustomerId> {
        let (Input::Create { customer_id, .. } | Input::Sync { customer_id, .. }) = input;
        Some(*customer_id)
    }

    fn example() -> Value {
        json!({
            "action": "sync",
            "customer_id": "00000000-0000-7000-8000-000000000001",
            "ticket_id": "00000000-0000-7000-8000-000000000002"
        })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let (services, actor) = (&call.services, &call.actor);
        let (pg, vendors, now) = (&services.pg, services.vendors.as_ref(), services.clock.now());
        let twin = match input {
            Input::Create { customer_id, ticket_id } => {
                bridge::create(pg, vendors, actor, customer_id, ticket_id, now).await?
            }
            Input::Sync { customer_id, ticket_id } => {
                bridge::sync(pg, vendors, actor, customer_id, ticket_id, now).await?
            }
        };
        let made = if twin.was_created { "Created" } else { "Read" };
        let message = format!("{made}: NinjaOne ticket {} is “{}”.", twin.external_id, twin.status);
        Ok(Output { id: twin.external_id, status: twin.status, created: twin.was_created, message })
    }
}
