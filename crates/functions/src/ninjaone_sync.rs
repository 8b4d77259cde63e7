use app::sync::{self, AcceptedFall, SyncKind, Vendor};
use garde::Validate;
use kernel::{
    ApiError, ErrorCode,
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
    /// Accept that what a held-back synchronization lacks may really be gone. Needs `kind` `full`.
    #[serde(default)]
    #[garde(dive)]
    pub accept_fall: Option<AcceptFall>,
}

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AcceptFall {
    /// The held-back synchronization; it must be the latest one.
    #[garde(skip)]
    pub sync_run_id: SyncRunId,
    /// Why so much is gone. It is kept with the synchronization and in the audit log.
    #[garde(length(chars, min = 1, max = 2000))]
    pub reason: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Follow it in `sync_runs` and `sync_parts`; where tenants are read one by one, `tenant_parts` says it for each.
    pub sync_run_id: SyncRunId,
    pub state: String,
    /// One runs already; no second one was queued.
    pub already_running: bool,
    pub message: String,
}

impl From<sync::SyncRequested> for Output {
    fn from(requested: sync::SyncRequested) -> Self {
        let message = if requested.already_running {
            "A synchronization runs already; its progress is shown."
        } else {
            "The synchronization is queued and starts within seconds."
        };
        Self {
            sync_run_id: requested.sync_run_id,
            state: requested.state.as_str().to_owned(),
            already_running: requested.already_running,
            message: message.into(),
        }
    }
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
        let (pg, actor, now) = (&call.services.pg, &call.actor, call.services.clock.now());
        let id = (Vendor::NinjaOne, input.integration_id);
        let requested = match (input.accept_fall, kind) {
            (None, kind) => sync::request(pg, actor, id, kind, now).await?,
            (Some(fall), SyncKind::Full) => {
                let fall = AcceptedFall { run: fall.sync_run_id, reason: fall.reason };
                return Ok(accepted(&sync::accept_fall(pg, actor, id, &fall, now).await?));
            }
            (Some(_), SyncKind::Incremental) => {
                return Err(ApiError::new(
                    ErrorCode::ValueRefused,
                    "Only a full synchronization finds what is gone.",
                )
                .hint("Send `accept_fall` with `kind` `full`."));
            }
        };
        Ok(requested.into())
    }
}

fn accepted(requested: &sync::SyncRequested) -> Output {
    Output {
        sync_run_id: requested.sync_run_id,
        state: requested.state.as_str().to_owned(),
        already_running: false,
        message: "Accepted. A full synchronization starts within seconds and asks for each missing row by its own id.".into(),
    }
}
