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

/// What Rev.io says is read through the data API (`billing_lines`, `bills`, …); this function is for what is to be done.
#[derive(Debug)]
pub struct RevioData;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Read all accounts, products, lines, bills, payments and tickets anew.
    Sync {
        #[garde(skip)]
        integration_id: IntegrationId,
        /// Accept that what a held-back synchronization lacks may really be gone.
        #[serde(default)]
        #[garde(dive)]
        accept_fall: Option<AcceptFall>,
    },
}

impl Function for RevioData {
    const NAME: &'static str = "revio-data";
    const SUMMARY: &'static str =
        "Synchronize accounts, products, lines, bills, payments and tickets from Rev.io.";
    const PERMISSION: &'static str = "integrations:sync";
    const PERMISSIONS: &'static [&'static str] = &["integrations:sync"];
    const RATE: RateClass = RateClass::Sync;
    const TIMEOUT_MS: u64 = 15_000;
    const KEPT: &'static str = "A synchronization that was queued stays queued; `sync_runs` shows it.";
    type Input = Input;
    type Output = Output;

    fn example() -> Value {
        json!({ "action": "sync", "integration_id": "00000000-0000-7000-8000-000000000001" })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let Input::Sync { integration_id, accept_fall } = input;
        let (pg, actor, now) = (&call.services.pg, &call.actor, call.services.clock.now());
        let id = (Vendor::RevIo, integration_id);
        let requested = match accept_fall {
            None => sync::request(pg, actor, id, SyncKind::Full, now).await?,
            Some(fall) => {
                let fall = AcceptedFall { run: fall.sync_run_id, reason: fall.reason };
                sync::accept_fall(pg, actor, id, &fall, now).await?
            }
        };
        Ok(requested.into())
    }
}
