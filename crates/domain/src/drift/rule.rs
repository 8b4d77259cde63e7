//! What may be demanded of a value.
use kernel::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::value::{is_empty, normal, number, same, text};

/// Longest list of allowed values.
pub const VALUES_MAX: usize = 50;

/// Values compare as [`same`] says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    Equals {
        value: Value,
    },
    OneOf {
        values: Vec<Value>,
    },
    /// A number, or a text that is one.
    AtLeast {
        value: Value,
    },
    AtMost {
        value: Value,
    },
    /// A list has this item, or a text this part; of an object, all these members are as here.
    Contains {
        value: Value,
    },
    /// Nothing, or an empty text, list or object.
    NotSet,
}

impl Rule {
    /// What is wrong with the rule itself, for a person.
    pub fn fault(&self) -> Option<&'static str> {
        match self {
            Self::OneOf { values } if values.is_empty() => Some("Name at least one value."),
            Self::OneOf { values } if values.len() > VALUES_MAX => Some("Name at most 50 values."),
            Self::AtLeast { value } | Self::AtMost { value } if number(value).is_none() => {
                Some("At least and at most take a number.")
            }
            _ => None,
        }
    }

    pub fn holds(&self, actual: &Value) -> bool {
        match self {
            Self::Equals { value } => same(value, actual),
            Self::OneOf { values } => values.iter().any(|value| same(value, actual)),
            Self::AtLeast { value } => compare(value, actual).is_some_and(|(limit, it)| it >= limit),
            Self::AtMost { value } => compare(value, actual).is_some_and(|(limit, it)| it <= limit),
            Self::Contains { value } => contains(&normal(actual), &normal(value)),
            Self::NotSet => is_empty(&normal(actual)),
        }
    }

    /// The value to set so that the rule holds; `None` when no value can be named.
    pub fn target(&self, actual: &Value) -> Option<Value> {
        match self {
            Self::Equals { value } | Self::AtLeast { value } | Self::AtMost { value } => Some(value.clone()),
            Self::OneOf { values } => values.first().cloned(),
            Self::Contains { value } => match (normal(actual), normal(value)) {
                (Value::Array(mut list), Value::Array(items)) => {
                    list.extend(items);
                    Some(Value::Array(list))
                }
                (Value::Array(mut list), item) => {
                    list.push(item);
                    Some(Value::Array(list))
                }
                (Value::Object(mut object), Value::Object(part)) => {
                    object.extend(part);
                    Some(Value::Object(object))
                }
                (actual, item) if is_empty(&actual) => Some(item),
                _ => None,
            },
            Self::NotSet => None,
        }
    }

    /// In words, as the middle of a sentence.
    pub fn words(&self) -> String {
        match self {
            Self::Equals { value } => text(value),
            Self::OneOf { values } => values.iter().map(text).collect::<Vec<_>>().join(" or "),
            Self::AtLeast { value } => format!("at least {}", text(value)),
            Self::AtMost { value } => format!("at most {}", text(value)),
            Self::Contains { value } => format!("contains {}", text(value)),
            Self::NotSet => "not set".to_owned(),
        }
    }
}

fn compare(limit: &Value, actual: &Value) -> Option<(Decimal, Decimal)> {
    number(limit).zip(number(actual))
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Array(items), Value::Array(parts)) => {
            parts.iter().all(|part| items.iter().any(|item| same(item, part)))
        }
        (Value::Array(items), part) => items.iter().any(|item| same(item, part)),
        (Value::Object(members), Value::Object(parts)) => {
            parts.iter().all(|(name, part)| members.get(name).is_some_and(|member| same(member, part)))
        }
        (Value::String(whole), Value::String(part)) => whole.to_lowercase().contains(&part.to_lowercase()),
        _ => same(whole, part),
    }
}
