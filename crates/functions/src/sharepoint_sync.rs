use app::{
    documents::{self, Reads},
    sync::{self, AcceptedFall, SyncKind, Vendor},
};
use garde::Validate;
use kernel::{
    ApiError, Timestamp,
    id::{CustomerId, IntegrationId},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Call, Function, RateClass,
    microsoft_sync::Kind,
    ninjaone_sync::{self, AcceptFall},
};

#[derive(Debug)]
pub struct SharePointSync;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Synchronize now.
    Sync {
        #[garde(skip)]
        integration_id: IntegrationId,
        /// `incremental` (the default) reads what changed; `full` reads all items and their sharing anew.
        #[serde(default)]
        #[garde(skip)]
        kind: Kind,
        /// Accept that what a held-back synchronization lacks may really be gone.
        #[serde(default)]
        #[garde(dive)]
        accept_fall: Option<AcceptFall>,
    },
    /// Say what is read of a site, from the next synchronization on.
    Choose {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        document_site_id: Uuid,
        #[garde(skip)]
        reads: Choice,
    },
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The site and how much is in it.
    Inventory,
    /// Its files by name, and who may open them.
    Sharing,
    /// The files themselves as well, for searching.
    Documents,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Output {
    Sync(ninjaone_sync::Output),
    Choose {
        reads: Choice,
        chosen_at: Timestamp,
        /// Whose next synchronization does what was chosen.
        integration_id: IntegrationId,
    },
}

impl Function for SharePointSync {
    const NAME: &'static str = "sharepoint-sync";
    const SUMMARY: &'static str =
        "Synchronize sites, files and sharing links from SharePoint, or choose what is read of a site.";
    const PERMISSION: &'static str = "integrations:sync to synchronize, documents:manage to choose.";
    const PERMISSIONS: &'static [&'static str] = &["integrations:sync", "documents:manage"];
    const RATE: RateClass = RateClass::Sync;
    const TIMEOUT_MS: u64 = 15_000;
    const KEPT: &'static str =
        "A synchronization that was queued stays queued; `sync_runs` shows it. What was chosen stays chosen.";
    type Input = Input;
    type Output = Output;

    fn customer(input: &Input) -> Option<CustomerId> {
        match input {
            Input::Sync { .. } => None,
            Input::Choose { customer_id, .. } => Some(*customer_id),
        }
    }

    fn example() -> Value {
        json!({ "action": "sync", "integration_id": "00000000-0000-7000-8000-000000000001", "kind": "full" })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let (pg, actor, now) = (&call.services.pg, &call.actor, call.services.clock.now());
        match input {
            Input::Sync { integration_id, kind, accept_fall } => {
                let id = (Vendor::SharePoint, integration_id);
                let requested = match accept_fall {
                    None => {
                        let kind = match kind {
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
                Ok(Output::Sync(requested.into()))
            }
            Input::Choose { customer_id, document_site_id, reads } => {
                let chosen = match reads {
                    Choice::Inventory => Reads::Inventory,
                    Choice::Sharing => Reads::Sharing,
                    Choice::Documents => Reads::Documents,
                };
                let site = (customer_id, document_site_id);
                let chosen = documents::choose(pg, actor, site, chosen, now).await?;
                let (chosen_at, integration_id) = (chosen.chosen_at, chosen.integration);
                Ok(Output::Choose { reads, chosen_at, integration_id })
            }
        }
    }
}
