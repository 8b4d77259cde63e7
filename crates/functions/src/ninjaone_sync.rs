use app::sync::{self, SyncKind};
use garde::Validate;
use kernel::{
    ApiError,
    id::{IntegrationId, SyncRunId},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Call, Function};

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
    type Input = Input;
    type Output = Output;

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
