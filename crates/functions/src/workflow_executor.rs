use app::workflows;
use flow::RunMode;
use garde::Validate;
use kernel::{
    ApiError,
    id::{CustomerId, RunId},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Call, Function, RateClass};

#[derive(Debug)]
pub struct WorkflowExecutor;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Start a workflow for one customer.
    Start {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(length(chars, min = 1, max = 80))]
        workflow_key: String,
        /// What the workflow's steps read as `input`.
        #[serde(default)]
        #[garde(skip)]
        input: Map<String, Value>,
        /// Read, plan and check only.
        #[serde(default)]
        #[garde(skip)]
        dry_run: bool,
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
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    pub run_id: RunId,
    /// The run's state now.
    pub state: String,
}

impl Function for WorkflowExecutor {
    const NAME: &'static str = "workflow-executor";
    const SUMMARY: &'static str = "Start a workflow by its key, or cancel a run.";
    const PERMISSION: &'static str = "runs:write at the customer";
    const PERMISSIONS: &'static [&'static str] = &["runs:write"];
    const RATE: RateClass = RateClass::Act;
    const KEPT: &'static str = "A run that was started stays and goes on by itself; `runs` shows it.";
    const BODY_BYTES_MAX: usize = 1024 * 1024;
    type Input = Input;
    type Output = Output;

    fn customer(input: &Input) -> Option<CustomerId> {
        let (Input::Start { customer_id, .. } | Input::Cancel { customer_id, .. }) = input;
        Some(*customer_id)
    }

    fn example() -> Value {
        json!({
            "action": "start",
            "customer_id": "00000000-0000-7000-8000-000000000001",
            "workflow_key": "disk-space",
            "input": {},
            "dry_run": true
        })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let (services, actor) = (&call.services, &call.actor);
        let (pg, engine) = (&services.pg, &services.engine);
        match input {
            Input::Start { customer_id, workflow_key, input, dry_run } => {
                let mode = if dry_run { RunMode::Dry } else { RunMode::Real };
                let started = workflows::start(
                    pg,
                    engine,
                    actor,
                    customer_id,
                    &workflow_key,
                    Value::Object(input),
                    mode,
                )
                .await?;
                Ok(Output { run_id: started.run, state: "queued".into() })
            }
            Input::Cancel { customer_id, run_id, reason } => {
                let cancelled = workflows::cancel(pg, engine, actor, customer_id, run_id, &reason).await?;
                Ok(Output { run_id, state: cancelled.run_state.to_string() })
            }
        }
    }
}
