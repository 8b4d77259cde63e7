//! The workflows that begin and end a device's maintenance.
mod conclude;
mod reading;
mod window;

use std::sync::Arc;

use flow::{Definition, Registry};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::{incidents::flows::VerifyTiming, vendors::Vendors};

pub const START: &str = "maintenance.start";
pub const END: &str = "maintenance.end";
const CHANGE_KEY: &str = "window";

/// What a run is started with. All else is read from the window: an input made by hand changes nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub maintenance_id: Uuid,
}

/// What a run is to bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Begin,
    End,
}

pub fn handlers(registry: Registry, vendors: &Arc<dyn Vendors>) -> Registry {
    let window = |goal| window::Window { vendors: Arc::clone(vendors), goal };
    registry
        .change("maintenance.begin", window(Goal::Begin))
        .change("maintenance.cancel", window(Goal::End))
        .task("maintenance.conclude_begin", conclude::Conclude { goal: Goal::Begin })
        .task("maintenance.conclude_end", conclude::Conclude { goal: Goal::End })
}

/// The definitions, to be registered at every start. Without an approval: a window is bounded and can be ended at any time.
pub fn definitions(timing: VerifyTiming) -> Result<Vec<Definition>, serde_json::Error> {
    let begin = "Puts a device into maintenance for a bounded time, and proves it by the RMM's own reading. While it lasts its alerts page nobody.";
    let end = "Ends the maintenance of a device before its time, and proves it by the RMM's own reading. Alerts that are still true come back.";
    Ok(vec![
        definition(
            START,
            "Begin maintenance",
            begin,
            ("maintenance.begin", "maintenance.conclude_begin"),
            timing,
        )?,
        definition(END, "End maintenance", end, ("maintenance.cancel", "maintenance.conclude_end"), timing)?,
    ])
}

fn definition(
    key: &str,
    name: &str,
    description: &str,
    (change, conclude): (&str, &str),
    timing: VerifyTiming,
) -> Result<Definition, serde_json::Error> {
    serde_json::from_value(json!({
        "key": key, "name": name, "description": description, "concurrency_per_customer": 10, "timeout_ms": 2 * 3_600_000_u64,
        "steps": [
            { "key": CHANGE_KEY, "title": name, "kind": "change", "handler": change, "timeout_ms": 60_000,
              "retry": { "attempts_max": 5, "delay_ms": 1_000, "factor": 2.0, "delay_ms_max": 60_000, "jitter": 0.2 },
              "verify": { "delay_ms": timing.delay_ms, "every_ms": timing.every_ms, "deadline_ms": timing.deadline_ms } },
            { "key": "evidence", "title": "Sign the evidence", "kind": "evidence" },
            { "key": "conclude", "title": "Conclude the window", "kind": "task", "handler": conclude, "run_on": "always" }
        ]
    }))
}
