//! What has to hold before a setting is changed: at planning, and again when the approval has come.
use domain::drift::{same, text};
use flow::Check;
use kernel::Timestamp;
use serde_json::Value;
use store::drift::Drift;

use super::reading::Facts;

/// A plan stands on readings no older than this.
pub const FACTS_AGE_S_MAX: i64 = 300;
/// Settings of one customer that are changed beside each other.
pub const CHANGES_MAX: i32 = 20;

fn check(name: &str, passed: bool, text: impl Into<String>) -> Check {
    Check { name: name.into(), passed, text: text.into() }
}

pub fn freshness(observed_at: Timestamp, now: Timestamp) -> Check {
    let age_s = (now.as_second() - observed_at.as_second()).max(0);
    let text = format!("the reading is {age_s} s old (at most {FACTS_AGE_S_MAX})");
    check("freshness", age_s <= FACTS_AGE_S_MAX, text)
}

pub fn completeness(is: flow::Completeness) -> Check {
    let passed = is == flow::Completeness::Complete;
    check(
        "completeness",
        passed,
        if passed { "the reading is complete" } else { "the reading is partial: nothing is done on it" },
    )
}

pub fn reachable(drift: &Drift) -> Check {
    let passed = !drift.is_excluded && !drift.is_gone;
    check(
        "tenant",
        passed,
        if passed { "CIPP works on the tenant" } else { "the tenant is excluded in CIPP, or gone" },
    )
}

/// Whether the tenant's license offers it.
pub fn licensed(facts: &Facts) -> Check {
    let passed = facts.is_licensed != Some(false);
    check(
        "license",
        passed,
        if passed {
            "the tenant's licenses do not speak against it"
        } else {
            "the tenant has no license that offers it"
        },
    )
}

/// One change touches one tenant; few of them go on beside each other.
pub fn budget(others: i32) -> Check {
    let text =
        format!("1 tenant; {others} other changes of this customer are under way (at most {CHANGES_MAX})");
    check("budget", others < CHANGES_MAX, text)
}

/// Whether the value is still the one that the plan replaces.
pub fn as_planned(before: Option<&Value>, now: &Facts) -> Check {
    let passed = match (before, &now.value) {
        (Some(before), Some(now)) => same(before, now),
        (None, None) => true,
        _ => false,
    };
    let was = before.map_or_else(|| "nothing".to_owned(), text);
    check("value", passed, format!("{}; the plan replaces {was}", now.describe()))
}
