//! What the conditions and templates of a definition may name: CEL over the run.
use domain::expression::EXPRESSION_CHARS_MAX;
pub use domain::expression::{Expression as Expr, ExpressionError as ExprError, Holds, Scope};
use serde_json::Value;

/// What an expression of a definition may name.
const VARIABLES: &[&str] = &["input", "run", "steps", "change", "now"];

pub fn compile(text: &str) -> Result<Expr, ExprError> {
    Expr::compile(text, VARIABLES)
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
            parts.push(Part::Expr(compile(inside)?));
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_hold_expressions() {
        let scope = Scope::new(vec![("input", json!({ "count": 3, "name": "AD-FS02" }))]);
        let template =
            Template::compile("Free space on {{ input.name }} ({{ input.count }})").expect("a template");
        assert_eq!(template.render(&scope).expect("text"), "Free space on AD-FS02 (3)");
        assert!(Template::compile("{{ input.name").is_err());
        assert!(Template::compile("{{ secrets.key }}").is_err());
    }
}
