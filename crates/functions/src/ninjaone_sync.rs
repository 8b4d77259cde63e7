use app::sync::{self, SyncKind};
use garde::Validate;
use kernel::{
    ApiError,
    id::{IntegrationId, SyncRunId},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Call, Function, RateClass};

#[derive(Debug)]
pub struct NinjaOneSync;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Read everything; the only kind that notices what vanished.
    #[default]
    Full,
    /// Read what changed since the last time.
    Incremental,
}

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Input {
    #[garde(skip)]
    pub integration_id: IntegrationId,
    #[serde(default)]
    #[garde(skip)]
    pub kind: Kind,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Follow it in `sync_runs` and `sync_parts`.
    pub sync_run_id: SyncRunId,
    pub state: String,
    /// One runs already; no second one was queued.
    pub already_running: bool,
    pub message: String,
}

impl Function for NinjaOneSync {
    const NAME: &'static str = "ninjaone-sync";
    const SUMMARY: &'static str =
        "Synchronize organizations, devices, conditions and activities from NinjaOne.";
    const PERMISSION: &'static str = "integrations:sync";
    const PERMISSIONS: &'static [&'static str] = &["integrations:sync"];
    const RATE: RateClass = RateClass::Sync;
    const TIMEOUT_MS: u64 = 15_000;
    const KEPT: &'static str = "A synchronization that was queued stays queued; `sync_runs` shows it.";
    type Input = Input;
    type Output = Output;

    fn example() -> Value {
        json!({ "integration_id": "00000000-0000-7000-8000-000000000001", "kind": "incremental" })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let kind = match input.kind {
            Kind::Full => SyncKind::Full,
            Kind::Incremental => SyncKind::Incremental,
        };
        let services = &call.services;
        let requested =
            sync::request(&services.pg, &call.actor, input.integration_id, kind, services.clock.now())
                .await?;
        let message = if requested.already_running {
            "A synchronization runs already; its progress is shown."
        } else {
            "The synchronization is queued and starts within seconds."
        };
        Ok(Output {
            sync_run_id: requested.sync_run_id,
            state: requested.state.as_str().to_owned(),
            already_running: requested.already_running,
            message: message.into(),
        })
    }
}
