use app::{incidents::remediate, workflows};
use flow::{Decision, RunMode};
use garde::Validate;
use kernel::{
    ApiError,
    id::{ApprovalId, CustomerId, IncidentId, RunId},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Call, Function, RateClass};

#[derive(Debug)]
pub struct AutoRemediation;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Approve what a run waits for; it goes on at once.
    Approve {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        approval_id: ApprovalId,
        #[serde(default)]
        #[garde(length(chars, max = 2000))]
        reason: String,
    },
    /// Reject what a run waits for; nothing is changed and the incident goes to a person.
    Reject {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        approval_id: ApprovalId,
        #[garde(length(chars, min = 1, max = 2000))]
        reason: String,
    },
    /// Cancel a run at its next boundary.
    Cancel {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        run_id: RunId,
        #[garde(length(chars, min = 1, max = 2000))]
        reason: String,
    },
    /// Read, plan and check the matching rule's change; changes nothing.
    DryRun {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        incident_id: IncidentId,
    },
    /// Start the matching rule's workflow for an incident that needs attention.
    Execute {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        incident_id: IncidentId,
    },
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    pub run_id: RunId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<ApprovalId>,
    /// `approved`, `rejected`, or the run's state.
    pub state: String,
    /// The outcome in words.
    pub message: String,
}

impl Function for AutoRemediation {
    const NAME: &'static str = "auto-remediation";
    const SUMMARY: &'static str = "Approve, reject, cancel, try dry or start the remediation of an incident.";
    const PERMISSION: &'static str =
        "approvals:decide, runs:write or incidents:write at the customer, by action";
    const PERMISSIONS: &'static [&'static str] = &["approvals:decide", "runs:write", "incidents:write"];
    const RATE: RateClass = RateClass::Act;
    const KEPT: &'static str = "A decision or a start that was stored stays; the run goes on by itself.";
    type Input = Input;
    type Output = Output;

    fn customer(input: &Input) -> Option<CustomerId> {
        let (Input::Approve { customer_id, .. }
        | Input::Reject { customer_id, .. }
        | Input::Cancel { customer_id, .. }
        | Input::DryRun { customer_id, .. }
        | Input::Execute { customer_id, .. }) = input;
        Some(*customer_id)
    }

    fn example() -> Value {
        json!({
            "action": "dry_run",
            "customer_id": "00000000-0000-7000-8000-000000000001",
            "incident_id": "00000000-0000-7000-8000-000000000002"
        })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let (services, actor) = (&call.services, &call.actor);
        let (pg, engine) = (&services.pg, &services.engine);
        match input {
            Input::Approve { customer_id, approval_id, reason } => {
                let decided = workflows::decide(
                    pg,
                    engine,
                    actor,
                    customer_id,
                    approval_id,
                    Decision::Approve,
                    &reason,
                )
                .await?;
                let message = "Approved. The run goes on; its outcome will be read back.".to_owned();
                Ok(Output {
                    run_id: decided.run,
                    approval_id: Some(approval_id),
                    state: if decided.decision == Decision::Approve { "approved" } else { "rejected" }.into(),
                    message,
                })
            }
            Input::Reject { customer_id, approval_id, reason } => {
                let decided =
                    workflows::decide(pg, engine, actor, customer_id, approval_id, Decision::Reject, &reason)
                        .await?;
                let message = "Rejected. Nothing was changed.".to_owned();
                Ok(Output {
                    run_id: decided.run,
                    approval_id: Some(approval_id),
                    state: if decided.decision == Decision::Approve { "approved" } else { "rejected" }.into(),
                    message,
                })
            }
            Input::Cancel { customer_id, run_id, reason } => {
                let cancelled = workflows::cancel(pg, engine, actor, customer_id, run_id, &reason).await?;
                let state = cancelled.run_state.to_string();
                let message = "Cancelling: a change that is being applied is still read back.".to_owned();
                Ok(Output { run_id, approval_id: None, state, message })
            }
            Input::DryRun { customer_id, incident_id } => {
                start(call, customer_id, incident_id, RunMode::Dry).await
            }
            Input::Execute { customer_id, incident_id } => {
                start(call, customer_id, incident_id, RunMode::Real).await
            }
        }
    }
}

async fn start(
    call: &Call,
    customer: CustomerId,
    incident: IncidentId,
    mode: RunMode,
) -> Result<Output, ApiError> {
    let services = &call.services;
    let now = services.clock.now();
    let run_id =
        remediate::remediate(&services.pg, &services.engine, &call.actor, customer, incident, mode, now)
            .await?;
    let message = match mode {
        RunMode::Dry => "Started a dry run: it reads, plans and checks, and changes nothing.",
        RunMode::Real => "Started the remediation.",
    };
    Ok(Output { run_id, approval_id: None, state: "queued".into(), message: message.into() })
}
