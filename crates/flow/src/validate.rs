//! What a definition has to be before it is stored or run.
use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::{
    definition::{Approval, Definition, Kind, Retry, RunOn, StepDef, Verify},
    expr::{ExprError, Template},
};

pub const STEPS_MAX: usize = 40;
pub const NAME_CHARS_MAX: usize = 200;
pub const ATTEMPTS_MAX: i16 = 20;
pub const DELAY_MS_MAX: i64 = 24 * 60 * 60 * 1_000;
pub const STEP_TIMEOUT_MS_MAX: i64 = 60 * 60 * 1_000;
pub const RUN_TIMEOUT_MS_MAX: i64 = 90 * DELAY_MS_MAX;
pub const CONCURRENCY_MAX: i16 = 1_000;
pub const READINGS_MAX: i64 = 10_000;

/// A definition that is not usable: where, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("workflow {workflow}{}: {reason}", step.as_ref().map(|step| format!(", step {step}")).unwrap_or_default())]
pub struct DefinitionError {
    pub workflow: String,
    pub step: Option<String>,
    pub reason: String,
}

const FIELDS: &[&str] = &[
    "key",
    "title",
    "kind",
    "handler",
    "delay_ms",
    "until",
    "approval",
    "verify",
    "needs",
    "when",
    "run_on",
    "on_failure",
    "dry_run",
    "retry",
    "timeout_ms",
];

impl Definition {
    /// Reads and validates JSON; unknown fields are errors.
    pub fn from_json(value: &Value) -> Result<Self, DefinitionError> {
        let name = value.get("key").and_then(Value::as_str).unwrap_or("?").to_owned();
        let refuse = |step: Option<&str>, reason: String| DefinitionError {
            workflow: name.clone(),
            step: step.map(str::to_owned),
            reason,
        };
        for step in value.get("steps").and_then(Value::as_array).into_iter().flatten() {
            let key = step.get("key").and_then(Value::as_str);
            for field in step.as_object().into_iter().flat_map(serde_json::Map::keys) {
                if !FIELDS.contains(&field.as_str()) {
                    return Err(refuse(key, format!("unknown field {field:?}")));
                }
            }
        }
        let definition: Self = serde::Deserialize::deserialize(value)
            .map_err(|error: serde_json::Error| refuse(None, error.to_string()))?;
        definition.validate()?;
        Ok(definition)
    }

    pub fn validate(&self) -> Result<(), DefinitionError> {
        let whole = |reason: &str| {
            Err(DefinitionError { workflow: self.key.clone(), step: None, reason: reason.to_owned() })
        };
        if !is_workflow_key(&self.key) {
            return whole(
                "a key has 2 to 80 characters: a letter, then letters, digits, `_`, `.`, `-`; lower case",
            );
        }
        if !is_name(&self.name) || self.description.chars().count() > 2_000 {
            return whole("a name has 1 to 200 characters, a description at most 2000");
        }
        if !(1..=CONCURRENCY_MAX).contains(&self.concurrency_per_customer) {
            return whole("concurrency_per_customer is from 1 to 1000");
        }
        if !(100..=RUN_TIMEOUT_MS_MAX).contains(&self.timeout_ms) {
            return whole("timeout_ms is from 100 ms to 90 days");
        }
        if !(1..=STEPS_MAX).contains(&self.steps.len()) {
            return whole("a workflow has 1 to 40 steps");
        }
        let mut keys = HashSet::new();
        for step in &self.steps {
            self.at(step, check_step(step))?;
            if !keys.insert(step.key.as_str()) {
                return Err(self.refusal(step, "this key is used twice"));
            }
        }
        self.check_order()?;
        self.check_evidence()
    }

    /// Keys that the step waits for: its own `needs`, or the step before it.
    pub(crate) fn needs_of(&self, index: usize) -> Vec<&str> {
        match &self.steps[index].needs {
            Some(needs) => needs.iter().map(String::as_str).collect(),
            None => index.checked_sub(1).map(|before| self.steps[before].key.as_str()).into_iter().collect(),
        }
    }

    /// Every need exists and there is no circle (Kahn's order).
    fn check_order(&self) -> Result<(), DefinitionError> {
        let index_of: HashMap<&str, usize> =
            self.steps.iter().enumerate().map(|(index, step)| (step.key.as_str(), index)).collect();
        let mut waits_for = vec![0_usize; self.steps.len()];
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); self.steps.len()];
        for (index, step) in self.steps.iter().enumerate() {
            let mut seen = HashSet::new();
            for need in self.needs_of(index) {
                let Some(&before) = index_of.get(need) else {
                    return Err(self.refusal(step, &format!("needs {need:?}, which does not exist")));
                };
                if !seen.insert(need) {
                    return Err(self.refusal(step, &format!("needs {need:?} twice")));
                }
                waits_for[index] += 1;
                needed_by[before].push(index);
            }
        }
        let mut free: Vec<usize> = (0..self.steps.len()).filter(|&index| waits_for[index] == 0).collect();
        let mut ordered = 0;
        while let Some(index) = free.pop() {
            ordered += 1;
            for &next in &needed_by[index] {
                waits_for[next] -= 1;
                if waits_for[next] == 0 {
                    free.push(next);
                }
            }
        }
        if ordered == self.steps.len() {
            return Ok(());
        }
        let stuck = waits_for.iter().position(|&count| count > 0).unwrap_or(0);
        Err(self.refusal(&self.steps[stuck], "needs itself, through a circle"))
    }

    /// What changes something outside leaves a signed record.
    fn check_evidence(&self) -> Result<(), DefinitionError> {
        let of_kind = |wanted: fn(&Kind) -> bool| -> Vec<usize> {
            (0..self.steps.len()).filter(|&index| wanted(&self.steps[index].kind)).collect()
        };
        let changes = of_kind(|kind| matches!(kind, Kind::Change { .. }));
        let evidence = of_kind(|kind| matches!(kind, Kind::Evidence));
        if let Some(second) = evidence.get(1) {
            return Err(self.refusal(&self.steps[*second], "there is one evidence step in a workflow"));
        }
        let Some(&last) = changes.last() else { return Ok(()) };
        let Some(&evidence) = evidence.first() else {
            return Err(
                self.refusal(&self.steps[last], "a workflow with a change needs an evidence step after it")
            );
        };
        let mut before = HashSet::new();
        let mut ask = vec![evidence];
        while let Some(index) = ask.pop() {
            for need in self.needs_of(index) {
                let need = self.steps.iter().position(|step| step.key == need);
                ask.extend(need.filter(|&need| before.insert(need)));
            }
        }
        match changes.iter().find(|change| !before.contains(*change)) {
            Some(&missed) => {
                Err(self.refusal(&self.steps[missed], "the evidence step has to come after every change"))
            }
            None => Ok(()),
        }
    }

    fn at<T>(&self, step: &StepDef, outcome: Result<T, String>) -> Result<T, DefinitionError> {
        outcome.map_err(|reason| self.refusal(step, &reason))
    }

    fn refusal(&self, step: &StepDef, reason: &str) -> DefinitionError {
        DefinitionError {
            workflow: self.key.clone(),
            step: Some(step.key.clone()),
            reason: reason.to_owned(),
        }
    }
}

fn check_step(step: &StepDef) -> Result<(), String> {
    if !is_step_key(&step.key) {
        return Err(
            "a step's key has 1 to 40 characters: a letter, then letters, digits, `_`; lower case".into()
        );
    }
    if !is_name(&step.title) {
        return Err("a title has 1 to 200 characters".into());
    }
    within("timeout_ms", step.timeout_ms, 10, STEP_TIMEOUT_MS_MAX)?;
    check_retry(&step.retry)?;
    step.when.as_deref().map(crate::expr::compile).transpose().map_err(in_field("when"))?;
    match &step.kind {
        Kind::Task { handler } => is_handler(handler),
        Kind::Timer { delay_ms: Some(delay), until: None } => {
            within("delay_ms", *delay, 0, RUN_TIMEOUT_MS_MAX)
        }
        Kind::Timer { delay_ms: None, until: Some(until) } => {
            crate::expr::compile(until).map(drop).map_err(in_field("until"))
        }
        Kind::Timer { .. } => Err("a timer has either delay_ms or until".into()),
        Kind::Approval { approval } => {
            if approval.title.is_none() {
                return Err("an approval of its own has a title".into());
            }
            check_approval(approval)
        }
        Kind::Change { handler, approval, verify } => {
            if step.run_on == RunOn::Always {
                return Err("a change runs on success only".into());
            }
            is_handler(handler)?;
            approval.as_ref().map_or(Ok(()), check_approval)?;
            check_verify(verify)
        }
        Kind::Evidence if step.when.is_some() => Err("the evidence step has no condition".into()),
        Kind::Evidence => Ok(()),
    }
}

fn check_approval(approval: &Approval) -> Result<(), String> {
    within("expires_after_ms", approval.expires_after_ms, 100, RUN_TIMEOUT_MS_MAX)?;
    if !is_name(&approval.policy) {
        return Err("a policy has 1 to 200 characters".into());
    }
    approval.when.as_deref().map(crate::expr::compile).transpose().map_err(in_field("approval.when"))?;
    Template::compile(&approval.policy).map_err(in_field("approval.policy"))?;
    approval.title.as_deref().map(Template::compile).transpose().map_err(in_field("approval.title"))?;
    Ok(())
}

fn check_verify(verify: &Verify) -> Result<(), String> {
    within("verify.delay_ms", verify.delay_ms, 0, DELAY_MS_MAX)?;
    within("verify.every_ms", verify.every_ms, 10, DELAY_MS_MAX)?;
    within("verify.deadline_ms", verify.deadline_ms, verify.delay_ms.max(10), 7 * DELAY_MS_MAX)?;
    if verify.deadline_ms / verify.every_ms > READINGS_MAX {
        return Err(format!("verify would read more than {READINGS_MAX} times"));
    }
    Ok(())
}

fn check_retry(retry: &Retry) -> Result<(), String> {
    within("retry.attempts_max", retry.attempts_max.into(), 1, ATTEMPTS_MAX.into())?;
    within("retry.delay_ms", retry.delay_ms, 1, DELAY_MS_MAX)?;
    within("retry.delay_ms_max", retry.delay_ms_max, retry.delay_ms, DELAY_MS_MAX)?;
    if !(1.0..=10.0).contains(&retry.factor) || !(0.0..=1.0).contains(&retry.jitter) {
        return Err("retry.factor is from 1 to 10, retry.jitter from 0 to 1".into());
    }
    Ok(())
}

fn within(field: &str, value: i64, min: i64, max: i64) -> Result<(), String> {
    if (min..=max).contains(&value) {
        Ok(())
    } else {
        Err(format!("{field} is from {min} to {max}, not {value}"))
    }
}

fn in_field(field: &'static str) -> impl Fn(ExprError) -> String {
    move |error| format!("{field}: {error}")
}

fn is_handler(name: &str) -> Result<(), String> {
    if is_workflow_key(name) { Ok(()) } else { Err(format!("{name:?} cannot name a handler")) }
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= NAME_CHARS_MAX
}

fn is_step_key(text: &str) -> bool {
    is_identifier(text, 40, "_")
}

fn is_workflow_key(text: &str) -> bool {
    text.len() >= 2 && is_identifier(text, 80, "_.-")
}

fn is_identifier(text: &str, chars_max: usize, extra: &str) -> bool {
    let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase());
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || extra.contains(c);
    starts_well && text.len() <= chars_max && text.chars().all(is_allowed)
}
