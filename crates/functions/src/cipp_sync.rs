use app::{
    drift::apply,
    sync::{self, AcceptedFall, SyncKind, Vendor},
    tenant_health,
};
use garde::Validate;
use kernel::{
    ApiError, Timestamp,
    id::{CustomerId, IntegrationId, RunId, SyncRunId},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Call, Function, RateClass, ninjaone_sync::AcceptFall};

/// CIPP's own numbers never arrive in a body, and a tenant is changed only by runs that ask for approval.
#[derive(Debug)]
pub struct CippSync;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Queue a synchronization of every tenant and its settings.
    SyncTenants {
        #[garde(skip)]
        integration_id: IntegrationId,
        /// Accept that what a held-back synchronization lacks may really be gone.
        #[serde(default)]
        #[garde(dive)]
        accept_fall: Option<AcceptFall>,
    },
    /// What is known of one customer's tenants; nothing is asked of the vendor.
    GetTenantHealth {
        #[garde(skip)]
        customer_id: CustomerId,
    },
    /// Start a run for each drift from a baseline in these tenants (ids of `cipp_tenants`). Each asks for its own approval.
    ApplyBaseline {
        #[garde(skip)]
        baseline_id: Uuid,
        #[garde(length(min = 1, max = 50))]
        target_tenant_ids: Vec<Uuid>,
    },
}

/// What belongs to the other action is `null`.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Output {
    /// Of `sync_tenants`. Follow it in `sync_runs` and `sync_parts`; `cipp_tenant_list` says it for each tenant.
    pub sync_run_id: Option<SyncRunId>,
    /// Of `sync_tenants`: one runs already; no second one was queued.
    pub already_running: Option<bool>,
    /// What happens next, in one sentence.
    pub message: String,
    /// Of `get_tenant_health`: empty where no tenant is mapped to the customer, or none was read yet.
    pub tenants: Option<Vec<Tenant>>,
    /// Of `apply_baseline`: what was started in each tenant.
    pub applied: Option<Vec<Applied>>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Applied {
    pub tenant_id: Uuid,
    pub tenant_name: String,
    pub customer_id: CustomerId,
    /// Empty: nothing drifts there from this baseline.
    pub run_ids: Vec<RunId>,
    /// Why drifts of the tenant got no run.
    pub refused: Vec<String>,
}

impl From<apply::Applied> for Applied {
    fn from(of: apply::Applied) -> Self {
        Self {
            tenant_id: of.tenant,
            tenant_name: of.tenant_name,
            customer_id: of.customer,
            run_ids: of.runs,
            refused: of.refused,
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Tenant {
    pub id: Uuid,
    /// Microsoft's id of the tenant.
    pub external_id: String,
    pub name: String,
    pub default_domain: Option<String>,
    /// CIPP leaves it alone.
    pub is_excluded: bool,
    /// Reads of CIPP that failed, and the last reason.
    pub graph_error_count: i32,
    pub last_graph_error: Option<String>,
    pub requires_refresh: bool,
    /// `granularDelegatedAdminPrivileges`, `directTenant`, …
    pub access_kind: Option<String>,
    pub access_ends_at: Option<Timestamp>,
    /// The access renews itself.
    pub access_renews: Option<bool>,
    pub settings: Settings,
    pub observed_at: Timestamp,
    /// After this time it is out of date.
    pub stale_at: Option<Timestamp>,
    pub is_complete: bool,
}

/// How far the settings of the tenant were read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Settings {
    pub count: i32,
    /// Of these, how many are not as the template of CIPP wants that watches them.
    pub unlike_template: i32,
    /// `complete`, `partial`, `denied` or `failed`; `null`: never read.
    pub state: Option<String>,
    /// Given unless it is complete.
    pub reason: Option<String>,
    /// The missing right.
    pub permission: Option<String>,
    pub observed_at: Option<Timestamp>,
}

impl From<tenant_health::TenantHealth> for Tenant {
    fn from(is: tenant_health::TenantHealth) -> Self {
        let settings = Settings {
            count: is.settings,
            unlike_template: is.settings_unlike,
            state: is.settings_state,
            reason: is.settings_reason,
            permission: is.settings_permission,
            observed_at: is.settings_observed_at,
        };
        Self {
            id: is.id,
            external_id: is.external_id,
            name: is.name,
            default_domain: is.default_domain,
            is_excluded: is.is_excluded,
            graph_error_count: is.graph_error_count,
            last_graph_error: is.last_graph_error,
            requires_refresh: is.requires_refresh,
            access_kind: is.access_kind,
            access_ends_at: is.access_ends_at,
            access_renews: is.access_renews,
            settings,
            observed_at: is.observed_at,
            stale_at: is.stale_at,
            is_complete: is.is_complete,
        }
    }
}

impl Function for CippSync {
    const NAME: &'static str = "cipp-sync";
    const SUMMARY: &'static str = "Synchronize tenants and their settings from CIPP, say what is known of a customer's tenants, or apply a baseline.";
    const PERMISSION: &'static str = "integrations:sync to synchronize; people:read, as staff, for the health; drift:manage to apply a baseline.";
    const PERMISSIONS: &'static [&'static str] = &["integrations:sync", "people:read", "drift:manage"];
    const RATE: RateClass = RateClass::Sync;
    const TIMEOUT_MS: u64 = 15_000;
    const KEPT: &'static str = "A synchronization that was queued stays queued; `sync_runs` shows it. Runs that were started stay; `runs` shows them.";
    type Input = Input;
    type Output = Output;

    fn customer(input: &Input) -> Option<CustomerId> {
        match input {
            Input::GetTenantHealth { customer_id } => Some(*customer_id),
            Input::SyncTenants { .. } | Input::ApplyBaseline { .. } => None,
        }
    }

    fn example() -> Value {
        json!({ "action": "sync_tenants", "integration_id": "00000000-0000-7000-8000-000000000001" })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let (pg, actor, now) = (&call.services.pg, &call.actor, call.services.clock.now());
        let requested = match input {
            Input::GetTenantHealth { customer_id } => {
                let tenants = tenant_health::known(pg, actor, customer_id).await?;
                let message = match tenants.len() {
                    0 => "No tenant of this customer was read through CIPP yet.".to_owned(),
                    1 => "1 tenant, as it was read last.".to_owned(),
                    many => format!("{many} tenants, as they were read last."),
                };
                let tenants = Some(tenants.into_iter().map(Tenant::from).collect());
                return Ok(Output { tenants, message, ..Output::default() });
            }
            Input::ApplyBaseline { baseline_id, target_tenant_ids } => {
                let engine = &call.services.engine;
                let applied = apply::apply(pg, engine, actor, baseline_id, &target_tenant_ids).await?;
                let applied = Some(applied.into_iter().map(Applied::from).collect());
                return Ok(Output { applied, ..Output::default() });
            }
            Input::SyncTenants { integration_id, accept_fall: None } => {
                sync::request(pg, actor, (Vendor::Cipp, integration_id), SyncKind::Full, now).await?
            }
            Input::SyncTenants { integration_id, accept_fall: Some(fall) } => {
                let fall = AcceptedFall { run: fall.sync_run_id, reason: fall.reason };
                sync::accept_fall(pg, actor, (Vendor::Cipp, integration_id), &fall, now).await?
            }
        };
        let message = if requested.already_running {
            "A synchronization runs already; its progress is shown."
        } else {
            "The synchronization is queued and starts within seconds."
        };
        Ok(Output {
            message: message.to_owned(),
            sync_run_id: Some(requested.sync_run_id),
            already_running: Some(requested.already_running),
            ..Output::default()
        })
    }
}
