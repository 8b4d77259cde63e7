//! Conditions in CEL: a total language without host access. Compiled before they are stored, evaluated over JSON values.
use cel::{Context, Program, Value as CelValue};
use serde_json::Value;

pub const SOURCE_BYTES_MAX: usize = 2_000;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    #[error("the expression is longer than {SOURCE_BYTES_MAX} bytes")]
    TooLong,
    #[error("the expression cannot be read: {0}")]
    Syntax(String),
    #[error("the expression cannot be evaluated: {0}")]
    Evaluation(String),
    #[error("the expression gives {0}, not true or false")]
    NotBoolean(String),
}

/// A compiled expression.
#[derive(Debug)]
pub struct Expression(Program);

impl Expression {
    pub fn compile(source: &str) -> Result<Self, ExpressionError> {
        if source.len() > SOURCE_BYTES_MAX {
            return Err(ExpressionError::TooLong);
        }
        Program::compile(source).map(Self).map_err(|error| ExpressionError::Syntax(error.to_string()))
    }

    /// The value over named JSON values.
    pub fn evaluate(&self, variables: &[(&str, &Value)]) -> Result<Value, ExpressionError> {
        let mut context = Context::default();
        for (name, value) in variables {
            context
                .add_variable(*name, *value)
                .map_err(|error| ExpressionError::Evaluation(format!("`{name}`: {error}")))?;
        }
        let value: CelValue = self.0.execute(&context).map_err(|error| ExpressionError::Evaluation(error.to_string()))?;
        value.json().map_err(|error| ExpressionError::Evaluation(error.to_string()))
    }

    /// True or false; anything else is an error, never a guess.
    pub fn is_true(&self, variables: &[(&str, &Value)]) -> Result<bool, ExpressionError> {
        match self.evaluate(variables)? {
            Value::Bool(answer) => Ok(answer),
            other => Err(ExpressionError::NotBoolean(other.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn eval(source: &str) -> Result<bool, ExpressionError> {
        let device = json!({ "class": "server", "disk_used_percent": 97.5, "os_name": "Windows Server 2022", "count": 3 });
        Expression::compile(source)?.is_true(&[("device", &device)])
    }

    #[test]
    fn conditions_over_json() {
        assert_eq!(eval("device.class == 'server' && device.disk_used_percent >= 90.0"), Ok(true));
        assert_eq!(eval("device.class in ['workstation']"), Ok(false));
        assert_eq!(eval("device.os_name.startsWith('Windows') && device.count == 3"), Ok(true));
    }

    #[test]
    fn faults_are_errors_never_false() {
        assert!(matches!(eval("device.class =="), Err(ExpressionError::Syntax(_))));
        assert!(matches!(eval("device.nothing > 1"), Err(ExpressionError::Evaluation(_))));
        assert!(matches!(eval("device.class + '!'"), Err(ExpressionError::NotBoolean(_))));
        assert!(matches!(eval("nobody.class == 'x'"), Err(ExpressionError::Evaluation(_))));
        assert_eq!(eval(&"1 == 1 || ".repeat(300)), Err(ExpressionError::TooLong));
    }
}
