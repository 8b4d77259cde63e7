//! Conditions in CEL: total (no loops but bounded comprehensions), no side effects, no clock, no host.
//! Compiled before they are stored, evaluated over named JSON values.
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use cel::{Context, Env, Program, Value as Cel};
use serde_json::Value;

/// Longest expression.
pub const EXPRESSION_CHARS_MAX: usize = 2_000;

/// The standard functions; the same for every evaluation.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ExpressionError(pub String);

/// A compiled expression.
#[derive(Debug)]
pub struct Expression(Program);

/// The variables of one evaluation.
#[derive(Debug)]
pub struct Scope(Vec<(&'static str, Cel)>);

impl Scope {
    pub fn new(variables: Vec<(&'static str, Value)>) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name, to_cel(&value))).collect())
    }
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Yes,
    No,
}

impl Expression {
    /// `names` are what the expression may refer to.
    pub fn compile(text: &str, names: &[&str]) -> Result<Self, ExpressionError> {
        if text.trim().is_empty() || text.chars().count() > EXPRESSION_CHARS_MAX {
            return Err(ExpressionError(format!("an expression has 1 to {EXPRESSION_CHARS_MAX} characters")));
        }
        let program = Program::compile(text).map_err(|error| ExpressionError(error.to_string()))?;
        let references = program.references();
        // The crate counts the variables of comprehensions as references; those are the only one-letter names.
        let is_unknown = |name: &&str| !names.contains(name) && !name.starts_with('@') && name.len() > 1;
        if let Some(name) = references.variables().into_iter().find(is_unknown) {
            return Err(ExpressionError(format!(
                "{name:?} is not known here; there are {}",
                names.join(", ")
            )));
        }
        drop(references);
        Ok(Self(program))
    }

    /// The value of a condition; anything but true or false is an error, never a guess.
    pub fn holds(&self, scope: &Scope) -> Result<Holds, ExpressionError> {
        match self.value(scope)? {
            Value::Bool(true) => Ok(Holds::Yes),
            Value::Bool(false) => Ok(Holds::No),
            other => Err(ExpressionError(format!("a condition gives true or false, not {other}"))),
        }
    }

    pub fn value(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        let mut context = Context::with_env(Arc::clone(&ENV));
        for (name, value) in &scope.0 {
            context.add_variable_from_value(*name, value.clone());
        }
        let value = self.0.execute(&context).map_err(|error| ExpressionError(error.to_string()))?;
        value.json().map_err(|error| ExpressionError(error.to_string()))
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

    const NAMES: &[&str] = &["device", "steps"];

    fn holds(text: &str) -> Result<Holds, ExpressionError> {
        let device = json!({ "class": "server", "disk_used_percent": 97.5, "os_name": "Windows Server 2022", "count": 3 });
        let steps = json!({ "look": { "state": "ended", "output": { "rows": [1, 2] } } });
        Expression::compile(text, NAMES)?.holds(&Scope::new(vec![("device", device), ("steps", steps)]))
    }

    #[test]
    fn conditions_over_json() {
        assert_eq!(holds("device.class == 'server' && device.disk_used_percent >= 90.0"), Ok(Holds::Yes));
        assert_eq!(holds("device.class in ['workstation']"), Ok(Holds::No));
        assert_eq!(holds("device.os_name.startsWith('Windows') && device.count + 1 == 4"), Ok(Holds::Yes));
        assert_eq!(holds("steps.look.output.rows.size() > 2"), Ok(Holds::No));
        assert_eq!(holds("has(device.missing)"), Ok(Holds::No));
    }

    #[test]
    fn faults_are_errors_never_false() {
        assert!(holds("device.class ==").is_err());
        assert!(holds("device.nothing > 1").is_err());
        assert!(holds("device.class + '!'").is_err());
        assert!(holds(&"1 == 1 || ".repeat(300)).is_err());
    }

    #[test]
    fn only_known_names_compile() {
        assert!(holds("secrets.key == ''").is_err());
        assert_eq!(holds("steps.all(k, steps[k].state == 'ended')"), Ok(Holds::Yes));
    }
}
