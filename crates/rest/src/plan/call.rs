use kernel::ApiError;

use super::ReadPlan;
use crate::{
    config::RestConfig,
    error,
    request::{body::Payload, query::Query},
    schema::{Argument, Function, Need, Passing, Returns, Rows, Scalar, Schema, WholeBody},
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
    /// The query string, or a form. Several values only for a variadic argument.
    Texts(Vec<(&'a Argument, Vec<&'a str>)>),
    /// The body as it is, as this type.
    Whole { text: &'a str, type_sql: &'a str },
}

/// What the request gives to a function.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a> {
    /// [`Query::arguments`]
    Query,
    Payload(&'a Payload),
    /// A body that is one value.
    Whole(WholeBody, &'a str),
}

#[derive(Debug)]
pub enum Outcome<'a> {
    Nothing,
    Value(Scalar),
    Values(ReadPlan<'a>),
    Rows(ReadPlan<'a>, Rows),
}

/// The functions that take these arguments.
pub fn candidates<'a>(overloads: &'a [Function], given: &[&str]) -> Vec<&'a Function> {
    let fits = |function: &&Function| {
        let takes = |name: &&&str| function.arguments.iter().any(|argument| argument.name == **name);
        function.whole_body.is_none()
            && given.iter().filter(takes).count() == given.len()
            && function
                .arguments
                .iter()
                .all(|argument| argument.need == Need::HasDefault || given.contains(&argument.name.as_str()))
    };
    overloads.iter().filter(fits).collect()
}

/// Chooses the one function of `overloads` that takes these arguments.
pub fn choose<'a>(
    overloads: &'a [Function],
    schema: &str,
    name: &str,
    given: &[&str],
) -> Result<&'a Function, ApiError> {
    let found = candidates(overloads, given);
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(error::no_function(schema, name, given)),
        _ => Err(error::many_functions(schema, name)),
    }
}

/// Plans a call.
pub fn call<'a>(
    schema: &'a Schema,
    profile: &str,
    name: &str,
    query: &'a Query,
    given: Given<'a>,
    config: &RestConfig,
) -> Result<CallPlan<'a>, ApiError> {
    let overloads = schema.overloads(profile, name);
    let (function, arguments) = match given {
        Given::Payload(payload) => {
            let given: Vec<&str> = payload.keys.iter().map(String::as_str).collect();
            let function = choose(overloads, profile, name, &given)?;
            let taken = function
                .arguments
                .iter()
                .filter(|argument| given.contains(&argument.name.as_str()))
                .collect();
            (function, Arguments::Body { payload, given: taken })
        }
        Given::Query => {
            let mut given: Vec<&str> = query.arguments.iter().map(|(name, _)| name.as_str()).collect();
            given.dedup();
            let function = choose(overloads, profile, name, &given)?;
            (function, Arguments::Texts(texts(function, query)))
        }
        Given::Whole(kind, text) => {
            let takes =
                |function: &&Function| function.whole_body.as_ref().is_some_and(|whole| whole.0 == kind);
            let function =
                overloads.iter().find(takes).ok_or_else(|| error::no_function(profile, name, &[]))?;
            let type_sql = function.whole_body.as_ref().map_or("text", |whole| whole.1.as_str());
            (function, Arguments::Whole { text, type_sql })
        }
    };
    let outcome = match &function.returns {
        Returns::Nothing => Outcome::Nothing,
        Returns::Value(scalar) => Outcome::Value(*scalar),
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

/// The values of each argument: of a variadic one all, of another the last.
fn texts<'a>(function: &'a Function, query: &'a Query) -> Vec<(&'a Argument, Vec<&'a str>)> {
    let values = |argument: &'a Argument| {
        let all = query.arguments.iter().filter(|(name, _)| *name == argument.name);
        let mut values: Vec<&str> = all.map(|(_, value)| value.as_str()).collect();
        if argument.passing == Passing::Single {
            values = values.pop().into_iter().collect();
        }
        (argument, values)
    };
    function.arguments.iter().map(values).filter(|(_, values)| !values.is_empty()).collect()
}
