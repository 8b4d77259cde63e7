//! Values of the change feed as JSON, in the form that the data API gives them.
use std::fmt::Write as _;

use crate::frame::quoted;

/// How a type's text becomes JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Number,
    Json,
    /// `2026-01-02 03:04:05+00`
    TimestampTz,
    Timestamp,
    Text,
}

/// A column's type: its element's kind, and whether it is an array of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub kind: Kind,
    pub is_array: bool,
}

impl Shape {
    /// By the type's name in `pg_type`; arrays begin with an underscore.
    pub fn of(type_name: &str) -> Self {
        let (element, is_array) = type_name.strip_prefix('_').map_or((type_name, false), |name| (name, true));
        let kind = match element {
            "bool" => Kind::Bool,
            "int2" | "int4" | "int8" | "float4" | "float8" | "numeric" | "oid" => Kind::Number,
            "json" | "jsonb" => Kind::Json,
            "timestamptz" => Kind::TimestampTz,
            "timestamp" => Kind::Timestamp,
            _ => Kind::Text,
        };
        Self { kind, is_array }
    }

    /// Appends the JSON of a value's text.
    pub fn write(self, out: &mut String, text: &str) {
        if !self.is_array {
            return scalar(self.kind, out, text);
        }
        let start = out.len();
        if array(self.kind, out, text).is_none() {
            out.truncate(start);
            out.push_str(&quoted(text));
        }
    }
}

fn scalar(kind: Kind, out: &mut String, text: &str) {
    match kind {
        Kind::Bool => out.push_str(if text == "t" { "true" } else { "false" }),
        // `NaN` and `Infinity` are no numbers in JSON.
        Kind::Number if text.ends_with(|c: char| c.is_ascii_digit()) => out.push_str(text),
        Kind::Json => out.push_str(text),
        Kind::TimestampTz | Kind::Timestamp => {
            let text = text.replacen(' ', "T", 1);
            // An offset of whole hours is written `+00`; JSON of PostgreSQL says `+00:00`.
            let is_short = kind == Kind::TimestampTz
                && text.len() > 3
                && matches!(text.as_bytes()[text.len() - 3], b'+' | b'-');
            out.push_str(&quoted(&if is_short { format!("{text}:00") } else { text }));
        }
        Kind::Number | Kind::Text => out.push_str(&quoted(text)),
    }
}

/// An array's text, `{1,"a b",NULL,{…}}`. `None`: not of this form, such as one with explicit bounds.
fn array(kind: Kind, out: &mut String, text: &str) -> Option<()> {
    let rest = nested(kind, out, text.strip_prefix('{')?)?;
    rest.is_empty().then_some(())
}

fn nested<'a>(kind: Kind, out: &mut String, mut rest: &'a str) -> Option<&'a str> {
    out.push('[');
    if let Some(after) = rest.strip_prefix('}') {
        out.push(']');
        return Some(after);
    }
    loop {
        if let Some(inner) = rest.strip_prefix('{') {
            rest = nested(kind, out, inner)?;
        } else if let Some(inner) = rest.strip_prefix('"') {
            let mut element = String::new();
            let mut letters = inner.char_indices();
            let end = loop {
                match letters.next()? {
                    (_, '\\') => element.push(letters.next()?.1),
                    (at, '"') => break at,
                    (_, letter) => element.push(letter),
                }
            };
            scalar(kind, out, &element);
            rest = &inner[end + 1..];
        } else {
            let end = rest.find([',', '}'])?;
            match &rest[..end] {
                "NULL" => out.push_str("null"),
                element => scalar(kind, out, element),
            }
            rest = &rest[end..];
        }
        if let Some(after) = rest.strip_prefix(',') {
            out.push(',');
            rest = after;
        } else {
            out.push(']');
            return rest.strip_prefix('}');
        }
    }
}

/// Appends `"name":`, with a comma before all but the first.
pub fn write_name(out: &mut String, name: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    let _infallible = write!(out, "{}:", quoted(name));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(type_name: &str, text: &str) -> String {
        let mut out = String::new();
        Shape::of(type_name).write(&mut out, text);
        let _valid: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        out
    }

    #[test]
    fn values_have_the_types_of_json() {
        for (type_name, text, expected) in [
            ("bool", "t", "true"),
            ("int4", "-7", "-7"),
            ("numeric", "1.50", "1.50"),
            ("numeric", "NaN", "\"NaN\""),
            ("float8", "1e+30", "1e+30"),
            ("jsonb", "{\"a\": [1]}", "{\"a\": [1]}"),
            ("text", "a\"b", "\"a\\\"b\""),
            ("timestamptz", "2026-11-22 11:34:20.183035+00", "\"2026-11-22T11:34:20.183035+00:00\""),
            ("timestamp", "2026-11-22 11:34:20", "\"2026-11-22T11:34:20\""),
            ("_int4", "{1,NULL,3}", "[1,null,3]"),
            ("_text", "{a,\"b, \\\"c\\\"\",NULL,\"NULL\"}", "[\"a\",\"b, \\\"c\\\"\",null,\"NULL\"]"),
            ("_int4", "{{1,2},{3,4}}", "[[1,2],[3,4]]"),
            ("_text", "{}", "[]"),
            ("_int4", "[0:1]={1,2}", "\"[0:1]={1,2}\""),
        ] {
            assert_eq!(json(type_name, text), expected, "{type_name} {text}");
        }
    }
}
