//! Values of settings as they compare. Sources send numbers and booleans as text, and JSON inside text.
use kernel::Decimal;
use serde_json::Value;

/// A text longer than this is no number.
const NUMBER_CHARS_MAX: usize = 30;
/// JSON inside text is opened this often.
const DEPTH_MAX: usize = 16;

/// One form for what means the same: JSON in text is opened, `"True"` is a boolean, `"8"` is a number. Lists keep their order.
pub fn normal(value: &Value) -> Value {
    normal_at(value, 0)
}

fn normal_at(value: &Value, depth: usize) -> Value {
    if depth >= DEPTH_MAX {
        return value.clone();
    }
    match value {
        Value::String(text) => of_text(text, depth),
        Value::Array(items) => items.iter().map(|item| normal_at(item, depth + 1)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), normal_at(member, depth + 1))).collect()
        }
        other => other.clone(),
    }
}

fn of_text(text: &str, depth: usize) -> Value {
    let trimmed = text.trim();
    if trimmed.eq_ignore_ascii_case("true") {
        return Value::Bool(true);
    }
    if trimmed.eq_ignore_ascii_case("false") {
        return Value::Bool(false);
    }
    if trimmed.starts_with(['{', '['])
        && let Ok(inner) = serde_json::from_str::<Value>(trimmed)
    {
        return normal_at(&inner, depth + 1);
    }
    Value::String(trimmed.to_owned())
}

/// Whether both mean the same: without the order of members and of lists, numbers by their size, words without case.
pub fn same(a: &Value, b: &Value) -> bool {
    key(&normal(a)) == key(&normal(b))
}

/// A text that is equal for equal meanings.
fn key(value: &Value) -> String {
    if let Some(number) = number(value) {
        return format!("n{number}");
    }
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(is) => format!("b{is}"),
        Value::Number(number) => format!("n{number}"),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => format!("s{}", Value::String(text.to_lowercase())),
        Value::Array(items) => {
            let mut keys: Vec<String> = items.iter().map(key).collect();
            keys.sort_unstable();
            format!("[{}]", keys.join(","))
        }
        Value::Object(members) => {
            let mut keys: Vec<String> = members
                .iter()
                .map(|(name, member)| format!("{}:{}", Value::String(name.clone()), key(member)))
                .collect();
            keys.sort_unstable();
            format!("{{{}}}", keys.join(","))
        }
    }
}

/// Of a number, or a text that is one.
pub fn number(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    if text.is_empty() || text.len() > NUMBER_CHARS_MAX {
        return None;
    }
    text.parse().ok()
}

pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// For people: booleans as yes and no (names of settings are statements), text bare, members by name.
pub fn text(value: &Value) -> String {
    match normal(value) {
        Value::Null => "not set".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) if text.is_empty() => "not set".to_owned(),
        Value::String(text) => text,
        Value::Array(items) if items.is_empty() => "nothing".to_owned(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let mut words: Vec<String> =
                members.iter().map(|(name, member)| format!("{name}: {}", text(member))).collect();
            words.sort_unstable();
            words.join(", ")
        }
        other => other.to_string(),
    }
}
