//! Workflows of incidents. Each is a definition (data) and the handlers that its steps name.
mod conclude;
mod fix;
mod open_ticket;
mod reading;

use std::sync::Arc;

use flow::{Definition, Registry};
use kernel::id::{DeviceId, IncidentId, RuleId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::vendors::Vendors;

pub const CHANGE_KEY: &str = "fix";
pub const FREE_DISK_SPACE: &str = "incidents.free_disk_space";
pub const RESTART_SERVICE: &str = "incidents.restart_service";

/// Longest time between an approval request and its expiry.
const APPROVAL_EXPIRES_MS: u64 = 3 * 24 * 3_600_000;

/// How long after the act the independent reading may take to show the effect.
#[derive(Clone, Copy, Debug)]
pub struct VerifyTiming {
    pub delay_ms: u64,
    pub every_ms: u64,
    pub deadline_ms: u64,
}

impl Default for VerifyTiming {
    fn default() -> Self {
        Self { delay_ms: 2_000, every_ms: 15_000, deadline_ms: 30 * 60_000 }
    }
}

/// What a remediation run is started with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub incident_id: IncidentId,
    pub rule_id: RuleId,
    pub rule_name: String,
    pub device_id: DeviceId,
    pub device_name: String,
    pub requires_approval: bool,
    pub devices_per_hour_max: i32,
    pub parameters: Parameters,
}

/// The part of the input that a remediation rule carries: which script, and by what reading its effect is proven.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    pub script_id: i64,
    pub script_name: String,
    /// The kind of condition that must be gone afterwards.
    pub condition_kind: String,
    /// For disks: the drive, and the reading it must be below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskGoal>,
    /// For services: the name that must be running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What the script deletes or stops, for the plan that a person reads.
    #[serde(default)]
    pub removes: Vec<String>,
    pub undo: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskGoal {
    /// Such as `C:`.
    pub drive: String,
    pub used_percent_below: f64,
}

/// The handlers of all incident workflows.
pub fn handlers(registry: Registry, vendors: &Arc<dyn Vendors>) -> Registry {
    registry
        .task("incidents.open_ticket", open_ticket::OpenTicket)
        .change("incidents.fix", fix::RunScript { vendors: Arc::clone(vendors) })
        .task("incidents.conclude", conclude::Conclude)
}

/// The definitions, to be registered at every start.
pub fn definitions(timing: VerifyTiming) -> Result<Vec<Definition>, serde_json::Error> {
    let free = "Clears caches on a device whose disk is full, and proves by an independent reading that there is space again.";
    let restart = "Starts a stopped service on a device, and proves by an independent reading that it runs.";
    Ok(vec![
        definition(FREE_DISK_SPACE, "Free disk space", free, timing)?,
        definition(RESTART_SERVICE, "Restart a service", restart, timing)?,
    ])
}

fn definition(
    key: &str,
    name: &str,
    description: &str,
    timing: VerifyTiming,
) -> Result<Definition, serde_json::Error> {
    serde_json::from_value(json!({
        "key": key, "name": name, "description": description, "concurrency_per_customer": 4, "timeout_ms": 7 * 24 * 3_600_000_u64,
        "steps": [
            { "key": "open_ticket", "title": "Open a ticket", "kind": "task", "handler": "incidents.open_ticket" },
            { "key": CHANGE_KEY, "title": name, "kind": "change", "handler": "incidents.fix", "timeout_ms": 60_000,
              "retry": { "attempts_max": 5, "delay_ms": 1_000, "factor": 2.0, "delay_ms_max": 60_000, "jitter": 0.2 },
              "approval": { "when": "input.requires_approval", "policy": "The rule “{{ input.rule_name }}” asks one approval",
                            "expires_after_ms": APPROVAL_EXPIRES_MS, "title": "{{ input.rule_name }} on {{ input.device_name }}" },
              "verify": { "delay_ms": timing.delay_ms, "every_ms": timing.every_ms, "deadline_ms": timing.deadline_ms } },
            { "key": "evidence", "title": "Sign the evidence", "kind": "evidence" },
            { "key": "conclude", "title": "Conclude incident and ticket", "kind": "task", "handler": "incidents.conclude", "run_on": "always" }
        ]
    }))
}

/// The input of the run, or a permanent error that names the fault.
fn input(ctx: &flow::StepContext) -> Result<Input, flow::StepError> {
    ctx.input_as::<Input>()
}
