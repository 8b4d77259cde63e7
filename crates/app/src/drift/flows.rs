//! The workflow that sets one setting of one tenant as its baseline demands.
mod act;
mod checks;
mod conclude;
mod reading;

use std::sync::Arc;

use flow::{Definition, Registry};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::{incidents::flows::VerifyTiming, vendors::Vendors};

pub const REMEDIATE: &str = "drift.remediate";
pub const CHANGE_KEY: &str = "remediate";
pub(super) const SUBJECT: &str = "drift";
/// `flow.changes.target_kind` of a tenant.
const TARGET: &str = "cipp_tenant";
/// Longest time between an approval request and its expiry.
const APPROVAL_EXPIRES_MS: u64 = 7 * 24 * 3_600_000;

/// What a run is started with. All else is read from the drift: an input made by hand changes nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub drift_id: Uuid,
}

pub fn handlers(registry: Registry, vendors: &Arc<dyn Vendors>) -> Registry {
    registry
        .change("drift.remediate", act::Remediate { vendors: Arc::clone(vendors) })
        .task("drift.conclude", conclude::Conclude)
}

/// The definitions, to be registered at every start. The approval has no condition: no tenant is changed without one.
pub fn definitions(timing: VerifyTiming) -> Result<Vec<Definition>, serde_json::Error> {
    let description = "Sets one setting of one tenant as its baseline demands, through CIPP, and proves it by an independent reading.";
    Ok(vec![serde_json::from_value(json!({
        "key": REMEDIATE, "name": "Remediate drift", "description": description, "concurrency_per_customer": 1,
        "timeout_ms": 14 * 24 * 3_600_000_u64,
        "steps": [
            { "key": CHANGE_KEY, "title": "Set the tenant's setting", "kind": "change", "handler": "drift.remediate", "timeout_ms": 180_000,
              "retry": { "attempts_max": 12, "delay_ms": 1_000, "factor": 2.0, "delay_ms_max": 60_000, "jitter": 0.2 },
              "approval": { "policy": "A change of a tenant's settings asks one approval", "expires_after_ms": APPROVAL_EXPIRES_MS },
              "verify": { "delay_ms": timing.delay_ms, "every_ms": timing.every_ms, "deadline_ms": timing.deadline_ms } },
            { "key": "evidence", "title": "Sign the evidence", "kind": "evidence" },
            { "key": "conclude", "title": "Conclude the drift", "kind": "task", "handler": "drift.conclude", "run_on": "always" }
        ]
    }))?])
}
