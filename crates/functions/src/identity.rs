use app::identity;
use garde::Validate;
use kernel::{ApiError, id::CustomerId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Call, Function, RateClass};

/// Machines and their records are read through the data API (`endpoint_list`, `endpoint_record_list`, `endpoint_conflict_list`); this
/// function is for what a person decides about them.
#[derive(Debug)]
pub struct Identity;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Of what is in doubt these records are one machine, and the others are not.
    Confirm {
        #[garde(skip)]
        customer_id: CustomerId,
        /// Of `endpoint_conflict_list`.
        #[garde(skip)]
        endpoint_conflict_id: Uuid,
        /// Two or more of its records.
        #[garde(length(min = 2, max = 50))]
        record_ids: Vec<Uuid>,
        #[garde(length(chars, min = 1, max = 2000))]
        reason: String,
    },
    /// What is in doubt are different machines.
    KeepApart {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        endpoint_conflict_id: Uuid,
        #[garde(length(chars, min = 1, max = 2000))]
        reason: String,
    },
    /// A record is not of this machine.
    Split {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        endpoint_id: Uuid,
        /// `id` of `endpoint_record_list`.
        #[garde(skip)]
        endpoint_record_id: Uuid,
        #[garde(length(chars, min = 1, max = 2000))]
        reason: String,
    },
    /// These machines are one.
    Join {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(length(min = 2, max = 10))]
        endpoint_ids: Vec<Uuid>,
        #[garde(length(chars, min = 1, max = 2000))]
        reason: String,
    },
    /// Take a decision back: the rules say again.
    Undo {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        endpoint_decision_id: Uuid,
        #[garde(length(chars, min = 1, max = 2000))]
        reason: String,
    },
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The decision that was made or taken back.
    pub endpoint_decision_id: Uuid,
    /// `confirmed`, `kept_apart`, `split`, `joined` or `undone`.
    pub state: String,
}

impl Function for Identity {
    const NAME: &'static str = "identity";
    const SUMMARY: &'static str = "Decide which records are of one machine, or take such a decision back.";
    const PERMISSION: &'static str = "estate:manage";
    const PERMISSIONS: &'static [&'static str] = &["estate:manage"];
    const RATE: RateClass = RateClass::Act;
    const KEPT: &'static str = "It is decided and the machines show it, or nothing changed.";
    type Input = Input;
    type Output = Output;

    fn customer(input: &Input) -> Option<CustomerId> {
        match input {
            Input::Confirm { customer_id, .. }
            | Input::KeepApart { customer_id, .. }
            | Input::Split { customer_id, .. }
            | Input::Join { customer_id, .. }
            | Input::Undo { customer_id, .. } => Some(*customer_id),
        }
    }

    fn example() -> Value {
        json!({
            "action": "confirm",
            "customer_id": "00000000-0000-7000-8000-000000000001",
            "endpoint_conflict_id": "00000000-0000-7000-8000-000000000002",
            "record_ids": ["00000000-0000-7000-8000-000000000003", "00000000-0000-7000-8000-000000000004"],
            "reason": "The mainboard was replaced; I looked at the device."
        })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let (pg, actor, now) = (&call.services.pg, &call.actor, call.services.clock.now());
        let (id, state) = match input {
            Input::Confirm { customer_id, endpoint_conflict_id, record_ids, reason } => {
                let of = (customer_id, endpoint_conflict_id);
                (identity::confirm(pg, actor, of, &record_ids, &reason, now).await?, "confirmed")
            }
            Input::KeepApart { customer_id, endpoint_conflict_id, reason } => {
                let of = (customer_id, endpoint_conflict_id);
                (identity::keep_apart(pg, actor, of, &reason, now).await?, "kept_apart")
            }
            Input::Split { customer_id, endpoint_id, endpoint_record_id, reason } => {
                let of = (customer_id, endpoint_id);
                (identity::split(pg, actor, of, endpoint_record_id, &reason, now).await?, "split")
            }
            Input::Join { customer_id, endpoint_ids, reason } => {
                (identity::join(pg, actor, customer_id, &endpoint_ids, &reason, now).await?, "joined")
            }
            Input::Undo { customer_id, endpoint_decision_id, reason } => {
                identity::undo(pg, actor, customer_id, endpoint_decision_id, &reason, now).await?;
                (endpoint_decision_id, "undone")
            }
        };
        Ok(Output { endpoint_decision_id: id, state: state.into() })
    }
}
