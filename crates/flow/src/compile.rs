//! A definition made ready to run: expressions compiled, changes expanded into their phases.
use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    DefinitionError, FlowError,
    definition::{Approval, Definition, Kind, OnFailure, RunOn, StepDef, canonical_sha256},
    expr::{Expr, Template},
};

/// The steps of a change, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Read,
    Plan,
    Guard,
    Approve,
    Act,
    Reread,
}

impl Phase {
    pub const ALL: [Self; 6] = [Self::Read, Self::Plan, Self::Guard, Self::Approve, Self::Act, Self::Reread];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Plan => "plan",
            Self::Guard => "guard",
            Self::Approve => "approve",
            Self::Act => "act",
            Self::Reread => "reread",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Plan => "plan",
            Self::Guard => "check",
            Self::Approve => "approve",
            Self::Act => "act",
            Self::Reread => "read back",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Compiled {
    pub key: String,
    pub sha256: String,
    pub concurrency_per_customer: i16,
    pub timeout_ms: i64,
    /// The step rows of a new run, for `flow.start_run`.
    pub rows: Value,
    steps: Vec<CompiledStep>,
    by_row: HashMap<String, (usize, Option<Phase>)>,
}

#[derive(Debug)]
pub(crate) struct CompiledStep {
    pub def: StepDef,
    pub when: Option<Expr>,
    pub until: Option<Expr>,
    pub approval: Option<CompiledApproval>,
}

#[derive(Debug)]
pub(crate) struct CompiledApproval {
    pub when: Option<Expr>,
    pub policy: Template,
    pub title: Option<Template>,
    pub expires_after_ms: i64,
}

impl Compiled {
    pub fn new(definition: &Definition) -> Result<Self, FlowError> {
        definition.validate()?;
        let sha256 = canonical_sha256(&serde_json::to_value(definition)?);
        let mut steps = Vec::new();
        let mut by_row = HashMap::new();
        let mut rows = Vec::new();
        for (index, def) in definition.steps.iter().enumerate() {
            steps.push(compile_step(definition, def)?);
            let needs =
                definition.needs_of(index).into_iter().map(|need| last_row(definition, need)).collect();
            for (row, phase) in rows_of(definition, index, needs, rows.len() + 1) {
                by_row.insert(row["key"].as_str().unwrap_or_default().to_owned(), (index, phase));
                rows.push(row);
            }
        }
        Ok(Self {
            key: definition.key.clone(),
            sha256,
            concurrency_per_customer: definition.concurrency_per_customer,
            timeout_ms: definition.timeout_ms,
            rows: Value::Array(rows),
            steps,
            by_row,
        })
    }

    /// The step and phase of a step row.
    pub fn row(&self, key: &str) -> Option<(&CompiledStep, Option<Phase>)> {
        self.by_row.get(key).map(|&(index, phase)| (&self.steps[index], phase))
    }
}

impl CompiledStep {
    /// Rows of the phases after `phase`.
    pub fn rows_after(&self, phase: Phase) -> Vec<String> {
        Phase::ALL
            .iter()
            .filter(|&&later| later > phase)
            .map(|later| row_key(&self.def.key, *later))
            .collect()
    }
}

fn row_key(change: &str, phase: Phase) -> String {
    format!("{change}.{}", phase.name())
}

/// The row that has to be over before what needs `key` may start.
fn last_row(definition: &Definition, key: &str) -> String {
    let is_change =
        definition.steps.iter().any(|step| step.key == key && matches!(step.kind, Kind::Change { .. }));
    if is_change { row_key(key, Phase::Reread) } else { key.to_owned() }
}

fn rows_of(
    definition: &Definition,
    index: usize,
    needs: Vec<String>,
    first: usize,
) -> Vec<(Value, Option<Phase>)> {
    let def = &definition.steps[index];
    let run_on = match (&def.kind, def.run_on) {
        (Kind::Evidence, _) | (_, RunOn::Always) => "always",
        (_, RunOn::Success) => "success",
    };
    let on_failure = match def.on_failure {
        OnFailure::Fail => "fail",
        OnFailure::Continue => "continue",
    };
    let kind = match &def.kind {
        Kind::Task { .. } => "task",
        Kind::Timer { .. } => "timer",
        Kind::Approval { .. } => "approval",
        Kind::Change { .. } => "change",
        Kind::Evidence => "evidence",
    };
    if kind != "change" {
        let row = json!({ "key": def.key, "position": first, "kind": kind, "title": def.title, "needs": needs,
                          "run_on": run_on, "on_failure": on_failure });
        return vec![(row, None)];
    }
    let mut needs = needs;
    let mut rows = Vec::new();
    for (offset, phase) in Phase::ALL.into_iter().enumerate() {
        let key = row_key(&def.key, phase);
        let row = json!({ "key": key, "position": first + offset, "kind": kind, "change_key": def.key,
                          "title": format!("{}: {}", def.title, phase.title()), "phase": phase.name(), "needs": needs,
                          "run_on": run_on, "on_failure": on_failure });
        rows.push((row, Some(phase)));
        needs = vec![key];
    }
    rows
}

fn compile_step(definition: &Definition, def: &StepDef) -> Result<CompiledStep, FlowError> {
    let refused = |error: crate::expr::ExprError| {
        FlowError::Definition(DefinitionError {
            workflow: definition.key.clone(),
            step: Some(def.key.clone()),
            reason: error.to_string(),
        })
    };
    let until = match &def.kind {
        Kind::Timer { until: Some(until), .. } => Some(crate::expr::compile(until).map_err(refused)?),
        _ => None,
    };
    let approval = match &def.kind {
        Kind::Approval { approval } | Kind::Change { approval: Some(approval), .. } => {
            Some(compile_approval(approval).map_err(refused)?)
        }
        _ => None,
    };
    let when = def.when.as_deref().map(crate::expr::compile).transpose().map_err(refused)?;
    Ok(CompiledStep { def: def.clone(), when, until, approval })
}

fn compile_approval(approval: &Approval) -> Result<CompiledApproval, crate::expr::ExprError> {
    Ok(CompiledApproval {
        when: approval.when.as_deref().map(crate::expr::compile).transpose()?,
        policy: Template::compile(&approval.policy)?,
        title: approval.title.as_deref().map(Template::compile).transpose()?,
        expires_after_ms: approval.expires_after_ms,
    })
}
