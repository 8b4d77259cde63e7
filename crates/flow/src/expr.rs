//! Conditions and templates: CEL over the run. Total (no loops but bounded comprehensions), no side effects, no clock.
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use cel::{Context, Env, Program, Value as Cel};
use serde_json::Value;

/// Longest CEL text and longest template.
pub const EXPRESSION_CHARS_MAX: usize = 2_000;
/// What an expression may name.
const VARIABLES: &[&str] = &["input", "run", "steps", "change", "now"];

/// The standard functions; the same for every evaluation.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ExprError(String);

/// A compiled expression.
#[derive(Debug)]
pub struct Expr(Program);

/// The variables of one evaluation.
#[derive(Debug)]
pub struct Scope(Vec<(&'static str, Cel)>);

impl Scope {
    pub fn new(variables: Vec<(&'static str, Value)>) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name, to_cel(&value))).collect())
    }
}

impl Expr {
    pub fn compile(text: &str) -> Result<Self, ExprError> {
        if text.trim().is_empty() || text.chars().count() > EXPRESSION_CHARS_MAX {
            return Err(ExprError(format!("an expression has 1 to {EXPRESSION_CHARS_MAX} characters")));
        }
        let program = Program::compile(text).map_err(|error| ExprError(error.to_string()))?;
        let references = program.references();
        // The crate counts the variables of comprehensions as references; those are the only one-letter names.
        let is_unknown = |name: &&str| !VARIABLES.contains(name) && !name.starts_with('@') && name.len() > 1;
        if let Some(name) = references.variables().into_iter().find(is_unknown) {
            return Err(ExprError(format!("{name:?} is not known here; there are {}", VARIABLES.join(", "))));
        }
        drop(references);
        Ok(Self(program))
    }

    /// The value of a condition; anything but a boolean is an error.
    pub fn holds(&self, scope: &Scope) -> Result<Holds, ExprError> {
        match self.value(scope)? {
            Value::Bool(true) => Ok(Holds::Yes),
            Value::Bool(false) => Ok(Holds::No),
            other => Err(ExprError(format!("a condition gives true or false, not {other}"))),
        }
    }

    pub fn value(&self, scope: &Scope) -> Result<Value, ExprError> {
        let mut context = Context::with_env(Arc::clone(&ENV));
        for (name, value) in &scope.0 {
            context.add_variable_from_value(*name, value.clone());
        }
        let value = self.0.execute(&context).map_err(|error| ExprError(error.to_string()))?;
        value.json().map_err(|error| ExprError(error.to_string()))
    }
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Yes,
    No,
}

/// Text with `{{ CEL }}` in it.
#[derive(Debug)]
pub struct Template(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    Expr(Expr),
}

impl Template {
    pub fn compile(text: &str) -> Result<Self, ExprError> {
        if text.chars().count() > EXPRESSION_CHARS_MAX {
            return Err(ExprError(format!("a template has at most {EXPRESSION_CHARS_MAX} characters")));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, after) =
                after.split_once("}}").ok_or_else(|| ExprError("`{{` without `}}`".to_owned()))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Expr(Expr::compile(inside)?));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    pub fn render(&self, scope: &Scope) -> Result<String, ExprError> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Expr(expr) => match expr.value(scope)? {
                    Value::String(value) => text.push_str(&value),
                    other => text.push_str(&other.to_string()),
                },
            }
        }
        Ok(text)
    }
}

/// JSON integers become CEL integers (not unsigned), so that `input.count + 1` is what it looks like.
fn to_cel(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(value) => Cel::Bool(*value),
        Value::Number(number) => number
            .as_i64()
            .map(Cel::Int)
            .or_else(|| number.as_u64().map(Cel::UInt))
            .unwrap_or_else(|| Cel::Float(number.as_f64().unwrap_or(f64::NAN))),
        Value::String(text) => Cel::from(text.as_str()),
        Value::Array(items) => Cel::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Object(fields) => {
            let fields: HashMap<String, Cel> =
                fields.iter().map(|(key, value)| (key.clone(), to_cel(value))).collect();
            Cel::from(fields)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        Scope::new(vec![
            ("input", json!({ "count": 3, "name": "AD-FS02", "ratio": 0.5 })),
            ("steps", json!({ "look": { "state": "ended", "output": { "rows": [1, 2] } } })),
        ])
    }

    #[test]
    fn conditions_read_the_run() {
        let holds = |text: &str| Expr::compile(text).expect(text).holds(&scope());
        assert_eq!(holds("input.count + 1 == 4").expect("holds"), Holds::Yes);
        assert_eq!(holds("steps.look.output.rows.size() > 2").expect("holds"), Holds::No);
        assert_eq!(holds("has(input.missing)").expect("holds"), Holds::No);
        assert!(holds("input.missing == 1").is_err());
        assert!(holds("input.count").is_err());
    }

    #[test]
    fn only_known_names_compile() {
        assert!(Expr::compile("secrets.key == ''").is_err());
        assert!(Expr::compile("input.").is_err());
        assert!(Expr::compile(&"1 + ".repeat(1000)).is_err());
        assert!(Expr::compile("steps.all(k, steps[k].state == 'ended')").is_ok());
    }

    #[test]
    fn templates_hold_expressions() {
        let template =
            Template::compile("Free space on {{ input.name }} ({{ input.count }})").expect("a template");
        assert_eq!(template.render(&scope()).expect("text"), "Free space on AD-FS02 (3)");
        assert!(Template::compile("{{ input.name").is_err());
    }
}
