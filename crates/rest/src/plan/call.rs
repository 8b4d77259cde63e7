use kernel::ApiError;

use super::ReadPlan;
use crate::{
    config::RestConfig,
    error,
    request::{body::Payload, query::Query},
    schema::{Argument, Function, Need, Returns, Rows, Schema},
};

/// One call of a function.
#[derive(Debug)]
pub struct CallPlan<'a> {
    pub function: &'a Function,
    pub arguments: Arguments<'a>,
    pub outcome: Outcome<'a>,
}

/// Where the arguments come from. The order is that of the function's declaration, so that the statement is the same.
#[derive(Debug)]
pub enum Arguments<'a> {
    /// A JSON object.
    Body { payload: &'a Payload, given: Vec<&'a Argument> },
    /// The query string.
    Texts(Vec<(&'a Argument, &'a str)>),
}

#[derive(Debug)]
pub enum Outcome<'a> {
    Nothing,
    Value,
    Values(ReadPlan<'a>),
    Rows(ReadPlan<'a>, Rows),
}

/// Chooses the one function of `overloads` that takes these arguments.
pub fn choose<'a>(
    overloads: &'a [Function],
    schema: &str,
    name: &str,
    given: &[&str],
) -> Result<&'a Function, ApiError> {
    let fits = |function: &&Function| {
        let takes = |name: &&&str| function.arguments.iter().any(|argument| argument.name == **name);
        given.iter().filter(takes).count() == given.len()
            && function
                .arguments
                .iter()
                .all(|argument| argument.need == Need::HasDefault || given.contains(&argument.name.as_str()))
    };
    let found: Vec<_> = overloads.iter().filter(fits).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(error::no_function(schema, name, given)),
        _ => Err(error::many_functions(schema, name)),
    }
}

/// Plans a call; `payload` is the body of a POST, otherwise the arguments are in the query.
pub fn call<'a>(
    schema: &'a Schema,
    profile: &str,
    name: &str,
    query: &'a Query,
    payload: Option<&'a Payload>,
    config: &RestConfig,
) -> Result<CallPlan<'a>, ApiError> {
    let overloads = schema.overloads(profile, name);
    let (function, arguments) = match payload {
        Some(payload) => {
            let given: Vec<&str> = payload.keys.iter().map(String::as_str).collect();
            let function = choose(overloads, profile, name, &given)?;
            let taken = function
                .arguments
                .iter()
                .filter(|argument| given.contains(&argument.name.as_str()))
                .collect();
            (function, Arguments::Body { payload, given: taken })
        }
        None => {
            let given: Vec<&str> = query.arguments.iter().map(|(name, _)| name.as_str()).collect();
            let function = choose(overloads, profile, name, &given)?;
            let text = |argument: &'a Argument| {
                query
                    .arguments
                    .iter()
                    .find(|(name, _)| *name == argument.name)
                    .map(|(_, value)| (argument, value.as_str()))
            };
            (function, Arguments::Texts(function.arguments.iter().filter_map(text).collect()))
        }
    };
    let outcome = match &function.returns {
        Returns::Nothing => Outcome::Nothing,
        Returns::Value => Outcome::Value,
        Returns::Values => Outcome::Values(super::read(schema, &schema.no_columns, query, config)?),
        Returns::Relation(id, rows) => {
            Outcome::Rows(super::read(schema, schema.at(*id), query, config)?, *rows)
        }
        Returns::Columns(relation, rows) => {
            Outcome::Rows(super::read(schema, relation, query, config)?, *rows)
        }
    };
    Ok(CallPlan { function, arguments, outcome })
}
