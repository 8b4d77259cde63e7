//! Filters of `postgres_changes`: `column=operator.value`, several joined by commas (all must hold). The grammar is that of the
//! client's filter builder; values are parameters of the statement that judges, never part of its text.
use std::{borrow::Cow, fmt::Write as _};

use crate::{
    catalog::Table,
    limits::{CONDITIONS_PER_FILTER_MAX, FILTER_BYTES_MAX, VALUES_PER_CONDITION_MAX},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    pub conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    pub column: String,
    pub is_negated: bool,
    pub test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// An operator of SQL and its right side.
    Compare(&'static str, Value),
    Like(&'static str, Value),
    Is(&'static str),
    In(Value),
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    One(String),
    Many(Vec<String>),
}

impl Value {
    /// As PostgreSQL reads a text, or an array of texts.
    pub fn as_text(&self) -> Cow<'_, str> {
        match self {
            Self::One(text) => Cow::Borrowed(text),
            Self::Many(texts) => {
                let quoted = texts
                    .iter()
                    .map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")));
                Cow::Owned(format!("{{{}}}", quoted.collect::<Vec<_>>().join(",")))
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterFault {
    #[error("the filter is over its limit of {FILTER_BYTES_MAX} bytes")]
    TooLong,
    #[error("the filter has more than {CONDITIONS_PER_FILTER_MAX} conditions")]
    TooMany,
    #[error("`in` has no value, or more than {VALUES_PER_CONDITION_MAX}")]
    Values,
    #[error("`{0}` is not of the form column=operator.value")]
    Form(String),
    #[error(
        "the operator `{0}` is not offered; use eq, neq, lt, lte, gt, gte, in, like, ilike, is, isdistinct, or not. before one of them"
    )]
    Operator(String),
    #[error("`is` takes null, true, false or unknown")]
    Is,
    #[error("a pattern must not end with a single backslash")]
    Pattern,
}

impl Filter {
    /// Reads a filter; an empty text is none.
    pub fn parse(text: &str) -> Result<Option<Self>, FilterFault> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(FilterFault::TooLong);
        }
        if text.trim().is_empty() {
            return Ok(None);
        }
        let conditions: Vec<Condition> =
            split(text).into_iter().map(Condition::parse).collect::<Result<_, _>>()?;
        if conditions.len() > CONDITIONS_PER_FILTER_MAX {
            return Err(FilterFault::TooMany);
        }
        Ok(Some(Self { conditions }))
    }

    /// Appends a boolean expression over the row `table.alias`; its values go to `values`, numbered after the first.
    pub fn write_sql<'a>(
        &'a self,
        out: &mut String,
        table: &Table,
        values: &mut Vec<&'a Value>,
    ) -> Option<()> {
        out.push('(');
        for (position, condition) in self.conditions.iter().enumerate() {
            if position > 0 {
                out.push_str(" and ");
            }
            condition.write_sql(out, table, values)?;
        }
        out.push(')');
        Some(())
    }
}

impl Condition {
    fn parse(text: &str) -> Result<Self, FilterFault> {
        let form = || FilterFault::Form(text.to_owned());
        let (column, rest) = text.split_once('=').ok_or_else(form)?;
        let (mut operator, mut rest) = rest.split_once('.').ok_or_else(form)?;
        let is_negated = operator == "not";
        if is_negated {
            (operator, rest) = rest.split_once('.').ok_or_else(form)?;
        }
        let test = match operator {
            "eq" => Test::Compare("=", Value::One(unquoted(rest))),
            "neq" => Test::Compare("<>", Value::One(unquoted(rest))),
            "lt" => Test::Compare("<", Value::One(unquoted(rest))),
            "lte" => Test::Compare("<=", Value::One(unquoted(rest))),
            "gt" => Test::Compare(">", Value::One(unquoted(rest))),
            "gte" => Test::Compare(">=", Value::One(unquoted(rest))),
            "isdistinct" => Test::Compare("is distinct from", Value::One(unquoted(rest))),
            "like" | "ilike" => {
                let pattern = unquoted(rest);
                if pattern.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1 {
                    return Err(FilterFault::Pattern);
                }
                Test::Like(if operator == "like" { "like" } else { "ilike" }, Value::One(pattern))
            }
            "is" => Test::Is(match rest {
                "null" => "null",
                "true" => "true",
                "false" => "false",
                "unknown" => "unknown",
                _ => return Err(FilterFault::Is),
            }),
            "in" => {
                let list = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or_else(form)?;
                let values: Vec<String> = split(list).into_iter().map(unquoted).collect();
                if values.is_empty() || values.len() > VALUES_PER_CONDITION_MAX {
                    return Err(FilterFault::Values);
                }
                Test::In(Value::Many(values))
            }
            other => return Err(FilterFault::Operator(other.to_owned())),
        };
        Ok(Self { column: column.trim().to_owned(), is_negated, test })
    }

    fn write_sql<'a>(&'a self, out: &mut String, table: &Table, values: &mut Vec<&'a Value>) -> Option<()> {
        let column = table.column(&self.column)?;
        let name = format!("{}.{}", table.alias, column.sql_name);
        let sql_type = &column.sql_type;
        let mut parameter = |value: &'a Value| {
            values.push(value);
            values.len() + 1
        };
        if self.is_negated {
            out.push_str("not ");
        }
        let _infallible = match &self.test {
            Test::Compare(operator, value) => {
                let n = parameter(value);
                write!(out, "({name} {operator} ${n}::text::{sql_type})")
            }
            Test::Like(operator, value) => {
                let n = parameter(value);
                write!(out, "({name}::text {operator} ${n}::text)")
            }
            Test::Is(what @ ("true" | "false" | "unknown")) => write!(out, "({name}::boolean is {what})"),
            Test::Is(what) => write!(out, "({name} is {what})"),
            Test::In(value) => {
                let n = parameter(value);
                write!(out, "({name} = any (${n}::text[]::{sql_type}[]))")
            }
        };
        Some(())
    }
}

/// At commas outside of quotes and parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut is_quoted, mut is_escaped) =
        (Vec::new(), 0, 0_usize, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unquoted(text: &str) -> String {
    let Some(inner) =
        text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|_| text.len() >= 2)
    else {
        return text.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        plain.push(if letter == '\\' { letters.next().unwrap_or('\\') } else { letter });
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(text: &str) -> Condition {
        let filter = Filter::parse(text).expect("a filter").expect("not empty");
        assert_eq!(filter.conditions.len(), 1, "{text}");
        filter.conditions.into_iter().next().expect("one")
    }

    #[test]
    fn the_clients_grammar_is_read() {
        assert_eq!(one("id=eq.1").test, Test::Compare("=", Value::One("1".into())));
        assert_eq!(one("t=neq.a=b.c").test, Test::Compare("<>", Value::One("a=b.c".into())));
        assert_eq!(one(r#"s=in.("a,b",c)"#).test, Test::In(Value::Many(vec!["a,b".into(), "c".into()])));
        let negated = one("s=not.in.(x,y)");
        assert!(negated.is_negated);
        assert_eq!(one("d=not.is.null").test, Test::Is("null"));
        assert_eq!(one(r#"n=eq."a\"b""#).test, Test::Compare("=", Value::One("a\"b".into())));
        let two = Filter::parse("id=eq.1,age=lt.30").expect("a filter").expect("not empty");
        assert_eq!(two.conditions.len(), 2);
        assert_eq!(Filter::parse(""), Ok(None));
    }

    #[test]
    fn what_is_not_offered_is_named() {
        assert_eq!(Filter::parse("id"), Err(FilterFault::Form("id".into())));
        assert_eq!(Filter::parse("id=match.x"), Err(FilterFault::Operator("match".into())));
        assert_eq!(Filter::parse("id=is.maybe"), Err(FilterFault::Is));
        assert_eq!(Filter::parse(r"id=like.a\"), Err(FilterFault::Pattern));
        assert_eq!(Filter::parse(&"a=eq.1,".repeat(20)), Err(FilterFault::Form(String::new())));
        assert_eq!(Filter::parse(&["a=eq.1"; 9].join(",")), Err(FilterFault::TooMany));
        assert_eq!(Filter::parse(&"x".repeat(5_000)), Err(FilterFault::TooLong));
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC{0,120}") {
            let _read = Filter::parse(&text);
        }

        #[test]
        fn a_quoted_value_comes_back(value in "\\PC{0,40}") {
            let quoted = format!("c=eq.\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(one(&quoted).test, Test::Compare("=", Value::One(value)));
        }
    }
}
