//! What a change handler says about the outside: readings, plan, guard, receipt, verdict. Serialized as they are shown.
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{StepError, Subject};

/// Facts as they were read from the system itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// What the change is about, when it is not the run's subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Subject>,
    pub facts: Value,
    pub observed_at: Timestamp,
    #[serde(rename = "complete", with = "completeness")]
    pub completeness: Completeness,
    /// The vendor's request id, or ours.
    pub request_id: Option<String>,
}

/// Whether a reading saw everything it was to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    Complete,
    Partial,
}

/// A diff that a person can read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub title: String,
    pub lines: Vec<PlanLine>,
    /// How it is taken back, in words; `none` when it cannot be.
    pub undo: String,
    pub blast_radius: BlastRadius,
    /// What the reading back has to show.
    pub verified_by: String,
    /// For the act; not shown.
    #[serde(default)]
    pub parameters: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanLine {
    pub op: Op,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    Add,
    Remove,
    Keep,
    Info,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlastRadius {
    pub devices: u32,
    pub customers: u32,
}

/// What planning came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Planned {
    Change(Plan),
    /// The reading shows that nothing is to change: the change ends as `unneeded`.
    Nothing {
        text: String,
    },
}

/// The checks before a change; all have to pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    pub checks: Vec<Check>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub passed: bool,
    pub text: String,
}

impl Guard {
    /// The first check that did not pass.
    pub fn refusal(&self) -> Option<&Check> {
        self.checks.iter().find(|check| !check.passed)
    }
}

/// What the vendor answered to the act. Not a proof: only a reading back is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    pub text: String,
    pub data: Value,
    pub request_id: Option<String>,
}

/// What looking for the effect of an earlier attempt found.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Found(Receipt),
    /// It certainly was not done: it may be done now.
    NotFound,
    /// The vendor cannot tell: it is not repeated, and the reading back decides.
    Unknown,
}

/// What an independent reading says about the change.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Verified {
        after: Reading,
        text: String,
    },
    /// Not (yet) to be seen: read again until the deadline.
    NotYet {
        after: Option<Reading>,
        text: String,
    },
    /// The reading shows that it was not done, or was undone: no use to wait.
    Contradicted {
        after: Reading,
        text: String,
    },
}

/// Why an act has no receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct ActError {
    pub error: StepError,
    pub effect: Possible,
}

/// Whether a failed act may have taken effect all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Possible {
    No,
    Yes,
}

impl ActError {
    /// The vendor certainly did nothing (refused, throttled, never reached).
    pub fn not_applied(error: StepError) -> Self {
        Self { error, effect: Possible::No }
    }

    /// The vendor may have done it: its effect is looked up before anything is repeated.
    pub fn maybe_applied(error: StepError) -> Self {
        Self { error, effect: Possible::Yes }
    }
}

mod completeness {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Completeness;

    pub fn serialize<S: Serializer>(value: &Completeness, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*value == Completeness::Complete)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Completeness, D::Error> {
        Ok(if bool::deserialize(deserializer)? { Completeness::Complete } else { Completeness::Partial })
    }
}
