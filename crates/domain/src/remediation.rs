//! Which rule answers an alert. The first enabled rule whose condition holds wins; a rule that cannot be evaluated
//! is reported and passed over, it never counts as a match.
use serde_json::Value;

use crate::expression::{Expression, ExpressionError, Holds, Scope};

/// What a rule's condition may name.
const NAMES: &[&str] = &["device", "condition", "customer"];

/// What a rule is matched by.
pub trait Matchable {
    fn condition(&self) -> &str;
    fn name(&self) -> &str;
}

/// The outcome of matching: the rule, if any, and the rules that could not be evaluated.
#[derive(Debug)]
pub struct Match<'a, R> {
    pub rule: Option<&'a R>,
    pub faults: Vec<(String, ExpressionError)>,
}

/// `device`, `condition` and `customer` are what the expressions see.
pub fn choose<'a, R: Matchable>(
    rules: &'a [R],
    device: &Value,
    condition: &Value,
    customer: &Value,
) -> Match<'a, R> {
    let scope = Scope::new(vec![
        ("device", device.clone()),
        ("condition", condition.clone()),
        ("customer", customer.clone()),
    ]);
    let mut faults = Vec::new();
    for rule in rules {
        match Expression::compile(rule.condition(), NAMES).and_then(|expression| expression.holds(&scope)) {
            Ok(Holds::Yes) => return Match { rule: Some(rule), faults },
            Ok(Holds::No) => {}
            Err(error) => faults.push((rule.name().to_owned(), error)),
        }
    }
    Match { rule: None, faults }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Rule(&'static str, &'static str);

    impl Matchable for Rule {
        fn condition(&self) -> &str {
            self.1
        }
        fn name(&self) -> &str {
            self.0
        }
    }

    #[test]
    fn the_first_true_rule_wins_and_broken_rules_are_named() {
        let rules = [
            Rule("servers", "device.class == 'server'"),
            Rule("broken", "device.missing == 1"),
            Rule("all", "true"),
            Rule("never reached", "true"),
        ];
        let found = choose(&rules, &json!({ "class": "workstation" }), &json!({}), &json!({}));
        assert_eq!(found.rule.map(|rule| rule.0), Some("all"));
        assert_eq!(found.faults.len(), 1);
        assert_eq!(found.faults[0].0, "broken");
    }

    #[test]
    fn no_rule_is_no_match() {
        assert!(choose::<Rule>(&[], &json!({}), &json!({}), &json!({})).rule.is_none());
    }
}
