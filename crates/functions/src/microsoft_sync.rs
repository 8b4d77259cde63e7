use app::sync::{self, AcceptedFall, SyncKind, Vendor};
use garde::Validate;
use kernel::{ApiError, id::IntegrationId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Call, Function, RateClass,
    ninjaone_sync::{AcceptFall, Output},
};

#[derive(Debug)]
pub struct MicrosoftSync;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Input {
    #[garde(skip)]
    pub integration_id: IntegrationId,
    /// `incremental` (the default) reads accounts, licenses and policies anew, and spares the readings that take a call per
    /// account; `full` asks everything.
    #[serde(default)]
    #[garde(skip)]
    pub kind: Kind,
    /// Accept that what a held-back synchronization lacks may really be gone.
    #[serde(default)]
    #[garde(dive)]
    pub accept_fall: Option<AcceptFall>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Full,
    #[default]
    Incremental,
}

impl Function for MicrosoftSync {
    const NAME: &'static str = "microsoft-sync";
    const SUMMARY: &'static str =
        "Synchronize tenants, accounts, licenses, second factors and access policies from Microsoft 365.";
    const PERMISSION: &'static str = "integrations:sync";
    const PERMISSIONS: &'static [&'static str] = &["integrations:sync"];
    const RATE: RateClass = RateClass::Sync;
    const TIMEOUT_MS: u64 = 15_000;
    const KEPT: &'static str = "A synchronization that was queued stays queued; `sync_runs` shows it.";
    type Input = Input;
    type Output = Output;

    fn example() -> Value {
        json!({ "integration_id": "00000000-0000-7000-8000-000000000001", "kind": "full" })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let (pg, actor, now) = (&call.services.pg, &call.actor, call.services.clock.now());
        let id = (Vendor::Microsoft, input.integration_id);
        let requested = match input.accept_fall {
            None => {
                let kind = match input.kind {
                    Kind::Full => SyncKind::Full,
                    Kind::Incremental => SyncKind::Incremental,
                };
                sync::request(pg, actor, id, kind, now).await?
            }
            Some(fall) => {
                let fall = AcceptedFall { run: fall.sync_run_id, reason: fall.reason };
                sync::accept_fall(pg, actor, id, &fall, now).await?
            }
        };
        Ok(requested.into())
    }
}
