use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A workflow: its name, its limits, its steps. Stored as a frozen version when its content is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub key: String,
    pub name: String,
    pub description: String,
    /// At most this many steps of this workflow run at one moment for one customer, over all workers.
    #[serde(default = "concurrency_per_customer")]
    pub concurrency_per_customer: i16,
    /// From its start; after that a run is `timed_out`.
    pub timeout_ms: i64,
    pub steps: Vec<StepDef>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepDef {
    pub key: String,
    pub title: String,
    #[serde(flatten)]
    pub kind: Kind,
    /// Keys of steps that have to be over before; missing: the previous one; empty: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Vec<String>>,
    /// CEL; false skips the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    #[serde(default)]
    pub run_on: RunOn,
    #[serde(default)]
    pub on_failure: OnFailure,
    #[serde(default)]
    pub dry_run: DryRun,
    #[serde(default)]
    pub retry: Retry,
    /// Of one attempt.
    #[serde(default = "step_timeout_ms")]
    pub timeout_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// Runs a [`crate::TaskHandler`].
    Task { handler: String },
    /// Waits: a fixed time, or until what the CEL expression gives (RFC 3339 text, or milliseconds from now).
    Timer {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delay_ms: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<String>,
    },
    /// Waits for a person.
    Approval { approval: Approval },
    /// Changes something outside through a [`crate::ChangeHandler`].
    Change {
        handler: String,
        /// Without it nobody is asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<Approval>,
        #[serde(default)]
        verify: Verify,
    },
    /// Writes and signs the record of the run up to here. Always runs.
    Evidence,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// CEL; false: nobody is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Who may decide, in words for people (a template).
    pub policy: String,
    pub expires_after_ms: i64,
    /// A template; for a change, missing: the plan's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// How a change is read back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// From the act to the first reading.
    pub delay_ms: i64,
    /// Between readings.
    pub every_ms: i64,
    /// From the act; what is not verified by then is `unverified`.
    pub deadline_ms: i64,
}

impl Default for Verify {
    fn default() -> Self {
        Self { delay_ms: 0, every_ms: 10_000, deadline_ms: 600_000 }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    pub attempts_max: i16,
    pub delay_ms: i64,
    pub factor: f64,
    pub delay_ms_max: i64,
    /// 0.2 = up to 20 % earlier or later.
    pub jitter: f64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts_max: 5, delay_ms: 1_000, factor: 2.0, delay_ms_max: 60_000, jitter: 0.2 }
    }
}

/// When a step runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOn {
    /// While nothing that counts has failed.
    #[default]
    Success,
    /// Also after a failure, a rejection, a cancellation or a time-out.
    Always,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The run goes down.
    #[default]
    Fail,
    /// The run goes on; what the step ended with can be read in `steps.<key>.state`.
    Continue,
}

/// What a task does in a dry run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DryRun {
    #[default]
    Skip,
    /// For tasks that only read.
    Run,
}

const fn concurrency_per_customer() -> i16 {
    4
}

const fn step_timeout_ms() -> i64 {
    60_000
}

/// SHA-256 (lower-case hex) of the canonical JSON: keys sorted, no white space.
pub fn canonical_sha256(value: &Value) -> String {
    hex::encode(Sha256::digest(canonical(value)))
}

/// Canonical JSON: keys sorted, no white space.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort_unstable();
            let fields: Vec<String> = keys
                .into_iter()
                .map(|key| format!("{}:{}", Value::String(key.clone()), canonical(&fields[key.as_str()])))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_hash_does_not_depend_on_the_order_of_keys() {
        let one = json!({ "b": [1, { "y": "\"", "x": null }], "a": 1.5 });
        let two = json!({ "a": 1.5, "b": [1, { "x": null, "y": "\"" }] });
        assert_eq!(canonical(&one), r#"{"a":1.5,"b":[1,{"x":null,"y":"\""}]}"#);
        assert_eq!(canonical_sha256(&one), canonical_sha256(&two));
        assert_ne!(canonical_sha256(&one), canonical_sha256(&json!({ "a": 1.5 })));
    }
}
