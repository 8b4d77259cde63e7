use app::posture::exceptions;
use garde::Validate;
use kernel::{ApiError, Timestamp, id::CustomerId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Call, Function, RateClass};

/// Outcomes are read through the data API (`person_list`, `mfa_results`); this function is for what a person decides.
#[derive(Debug)]
pub struct Mfa;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Accept for a time that somebody is not asked for a second factor: a gap counts as exempt until then.
    Accept {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        person_id: Uuid,
        #[garde(length(chars, min = 1, max = 2000))]
        reason: String,
        /// At most a year ahead.
        #[garde(skip)]
        until: Timestamp,
    },
    /// Take it back at once.
    Withdraw {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        person_id: Uuid,
    },
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    pub person_id: Uuid,
    /// `accepted` or `withdrawn`.
    pub state: String,
}

impl Function for Mfa {
    const NAME: &'static str = "mfa";
    const SUMMARY: &'static str =
        "Accept for a time that an account is not asked for a second factor, or take that back.";
    const PERMISSION: &'static str = "mfa:manage";
    const PERMISSIONS: &'static [&'static str] = &["mfa:manage"];
    const RATE: RateClass = RateClass::Act;
    const KEPT: &'static str = "It is accepted with its outcome, or not at all.";
    type Input = Input;
    type Output = Output;

    fn customer(input: &Input) -> Option<CustomerId> {
        match input {
            Input::Accept { customer_id, .. } | Input::Withdraw { customer_id, .. } => Some(*customer_id),
        }
    }

    fn example() -> Value {
        json!({
            "action": "accept",
            "customer_id": "00000000-0000-7000-8000-000000000001",
            "person_id": "00000000-0000-7000-8000-000000000002",
            "reason": "Emergency account; its password is in the safe.",
            "until": "2027-06-30T00:00:00Z"
        })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let (pg, actor, now) = (&call.services.pg, &call.actor, call.services.clock.now());
        match input {
            Input::Accept { customer_id, person_id, reason, until } => {
                exceptions::accept(pg, actor, customer_id, person_id, (&reason, until), now).await?;
                Ok(Output { person_id, state: "accepted".into() })
            }
            Input::Withdraw { customer_id, person_id } => {
                exceptions::withdraw(pg, actor, customer_id, person_id, now).await?;
                Ok(Output { person_id, state: "withdrawn".into() })
            }
        }
    }
}
