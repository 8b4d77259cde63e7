//! The workflow that changes the quantity of a billed line.
mod adjust;
mod checks;
mod conclude;
mod reading;

use std::sync::Arc;

use flow::{Definition, Registry};
use kernel::{Timestamp, id::DifferenceId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{incidents::flows::VerifyTiming, vendors::Vendors};

pub const ADJUST_LINE: &str = "money.adjust_line";
pub const CHANGE_KEY: &str = "adjust";
/// Members do not see runs about it (`app.provider_runs`).
pub(super) const SUBJECT: &str = "count_difference";
/// `flow.changes.target_kind` of a line.
const TARGET: &str = "billing_line";
/// Longest time between an approval request and its expiry.
const APPROVAL_EXPIRES_MS: u64 = 7 * 24 * 3_600_000;

/// Whether the billing system books the rest of the month at once. It changes money, so a person says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proration {
    Prorate,
    None,
}

/// What a run is started with. All else is read from the difference: an input made by hand changes nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub difference_id: DifferenceId,
    pub proration: Proration,
    /// The end of the commitment that is let go early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub releases: Option<Timestamp>,
}

pub fn handlers(registry: Registry, vendors: &Arc<dyn Vendors>) -> Registry {
    registry
        .change("money.adjust", adjust::AdjustLine { vendors: Arc::clone(vendors) })
        .task("money.conclude", conclude::Conclude)
}

/// The definitions, to be registered at every start. The approval has no condition: nobody starts a run without one.
pub fn definitions(timing: VerifyTiming) -> Result<Vec<Definition>, serde_json::Error> {
    let description = "Changes the quantity of a billed line to what was counted, and proves it by an independent reading; the next bill closes the difference.";
    Ok(vec![serde_json::from_value(json!({
        "key": ADJUST_LINE, "name": "Adjust a billed line", "description": description, "concurrency_per_customer": 1,
        "timeout_ms": 14 * 24 * 3_600_000_u64,
        "steps": [
            { "key": CHANGE_KEY, "title": "Change the line's quantity", "kind": "change", "handler": "money.adjust", "timeout_ms": 120_000,
              "retry": { "attempts_max": 12, "delay_ms": 1_000, "factor": 2.0, "delay_ms_max": 60_000, "jitter": 0.2 },
              "approval": { "policy": "A change of what is billed asks one approval", "expires_after_ms": APPROVAL_EXPIRES_MS },
              "verify": { "delay_ms": timing.delay_ms, "every_ms": timing.every_ms, "deadline_ms": timing.deadline_ms } },
            { "key": "evidence", "title": "Sign the evidence", "kind": "evidence" },
            { "key": "conclude", "title": "Conclude the difference", "kind": "task", "handler": "money.conclude", "run_on": "always" }
        ]
    }))?])
}
