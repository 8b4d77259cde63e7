use kernel::ApiError;

use super::{Condition, OrderBy, ReadPlan};
use crate::{
    config::{RestConfig, UnfilteredWrites},
    error,
    request::{
        body::Payload,
        filter::{Op, Sense, Test},
        prefer::{Missing, Prefer, Resolution, Returning},
        query::Query,
    },
    schema::{Allowed, Column, Relation, Schema},
};

/// One insert, update or delete, and what is answered of the written rows.
#[derive(Debug)]
pub struct WritePlan<'a> {
    pub kind: WriteKind<'a>,
    pub returning: Returning,
    /// What is read of the written rows when they are answered.
    pub read: ReadPlan<'a>,
}

#[derive(Debug)]
pub enum WriteKind<'a> {
    Insert {
        payload: &'a Payload,
        columns: Vec<&'a Column>,
        names: Vec<&'a str>,
        missing: Missing,
        conflict: Option<Conflict<'a>>,
        /// Of a PUT: only the row with this key.
        only: Vec<Condition<'a>>,
    },
    Update {
        payload: &'a Payload,
        columns: Vec<&'a Column>,
        rows: Chosen<'a>,
    },
    Delete {
        rows: Chosen<'a>,
    },
}

/// The rows to change.
#[derive(Debug)]
pub enum Chosen<'a> {
    By(Vec<Condition<'a>>),
    /// The first ones in an order that is total, because the key is part of it.
    First {
        by: ReadPlan<'a>,
        key: Vec<&'a Column>,
    },
}

#[derive(Debug)]
pub struct Conflict<'a> {
    pub target: Vec<&'a Column>,
    pub resolution: Resolution,
}

pub fn insert<'a>(
    schema: &'a Schema,
    relation: &'a Relation,
    query: &'a Query,
    payload: &'a Payload,
    prefer: &Prefer,
    config: &RestConfig,
) -> Result<WritePlan<'a>, ApiError> {
    needs(relation, relation.can_insert)?;
    let names = written_names(query, payload);
    let columns = written_columns(relation, &names)?;
    let conflict = match prefer.resolution {
        None => None,
        Some(resolution) => {
            let target = query.on_conflict.as_ref().unwrap_or(&relation.primary_key);
            let target =
                target.iter().map(|name| relation.written_column(name)).collect::<Result<Vec<_>, _>>()?;
            (!target.is_empty()).then_some(Conflict { target, resolution })
        }
    };
    let missing = prefer.missing.unwrap_or(Missing::Null);
    let (read, _) = answer(schema, relation, query, config)?;
    let kind = WriteKind::Insert { payload, columns, names, missing, conflict, only: Vec::new() };
    Ok(WritePlan { kind, returning: prefer.returning.unwrap_or(Returning::Minimal), read })
}

pub fn update<'a>(
    schema: &'a Schema,
    relation: &'a Relation,
    query: &'a Query,
    payload: &'a Payload,
    prefer: &Prefer,
    config: &RestConfig,
) -> Result<WritePlan<'a>, ApiError> {
    needs(relation, relation.can_update)?;
    let columns = written_columns(relation, &written_names(query, payload))?;
    let (read, filters) = answer(schema, relation, query, config)?;
    let rows = chosen("PATCH", schema, relation, query, filters, config)?;
    let kind = WriteKind::Update { payload, columns, rows };
    Ok(WritePlan { kind, returning: prefer.returning.unwrap_or(Returning::Minimal), read })
}

pub fn delete<'a>(
    schema: &'a Schema,
    relation: &'a Relation,
    query: &'a Query,
    prefer: &Prefer,
    config: &RestConfig,
) -> Result<WritePlan<'a>, ApiError> {
    needs(relation, relation.can_delete)?;
    let (read, filters) = answer(schema, relation, query, config)?;
    let rows = chosen("DELETE", schema, relation, query, filters, config)?;
    Ok(WritePlan {
        kind: WriteKind::Delete { rows },
        returning: prefer.returning.unwrap_or(Returning::Minimal),
        read,
    })
}

fn needs(relation: &Relation, allowed: Allowed) -> Result<(), ApiError> {
    if allowed == Allowed::Yes { Ok(()) } else { Err(error::read_only_view(&relation.name)) }
}

fn chosen<'a>(
    verb: &str,
    schema: &'a Schema,
    relation: &'a Relation,
    query: &'a Query,
    filters: Vec<Condition<'a>>,
    config: &RestConfig,
) -> Result<Chosen<'a>, ApiError> {
    let is_limited = query.root().is_some_and(|level| level.limit.is_some() || level.offset.is_some());
    if !is_limited {
        if filters.is_empty() && config.unfiltered_writes == UnfilteredWrites::Refuse {
            return Err(error::unfiltered(verb));
        }
        return Ok(Chosen::By(filters));
    }
    let mut by = super::read(schema, relation, query, config)?;
    let is_ordered_by = |name: &String| {
        by.order
            .iter()
            .any(|term| matches!(&term.by, OrderBy::Own(of) if of.path.is_empty() && of.column.name == *name))
    };
    if relation.primary_key.is_empty() || !relation.primary_key.iter().all(is_ordered_by) {
        return Err(error::limit_needs_order());
    }
    let key = relation.primary_key.iter().map(|name| relation.column(name)).collect::<Result<_, _>>()?;
    by.outputs.clear();
    by.filters = filters;
    Ok(Chosen::First { by, key })
}

/// One row by its whole primary key: written if it is there, made if not.
pub fn put<'a>(
    schema: &'a Schema,
    relation: &'a Relation,
    query: &'a Query,
    payload: &'a Payload,
    prefer: &Prefer,
    config: &RestConfig,
) -> Result<WritePlan<'a>, ApiError> {
    needs(relation, relation.can_insert)?;
    if query.root().is_some_and(|level| level.limit.is_some() || level.offset.is_some()) {
        return Err(error::put_window());
    }
    let (read, only) = answer(schema, relation, query, config)?;
    let mut keys: Vec<&str> = only.iter().filter_map(equal_to).collect();
    keys.sort_unstable();
    let mut wanted: Vec<&str> = relation.primary_key.iter().map(String::as_str).collect();
    wanted.sort_unstable();
    if wanted.is_empty() || keys != wanted || only.len() != keys.len() {
        return Err(error::put_filters());
    }
    let names = written_names(query, payload);
    let columns = written_columns(relation, &names)?;
    if !wanted.iter().all(|key| names.contains(key)) {
        return Err(error::put_key_differs());
    }
    let target = wanted.iter().map(|name| relation.written_column(name)).collect::<Result<Vec<_>, _>>()?;
    let conflict = Some(Conflict { target, resolution: Resolution::MergeDuplicates });
    let missing = prefer.missing.unwrap_or(Missing::Null);
    let kind = WriteKind::Insert { payload, columns, names, missing, conflict, only };
    Ok(WritePlan { kind, returning: prefer.returning.unwrap_or(Returning::Minimal), read })
}

/// The column of `column=eq.value`.
fn equal_to<'a>(condition: &Condition<'a>) -> Option<&'a str> {
    match condition {
        Condition::Test {
            of,
            sense: Sense::Plain,
            test: Test::Compare { op: Op::Eq, quantifier: None, .. },
        } if of.path.is_empty() => Some(&of.column.name),
        _ => None,
    }
}

/// The plan of the answer, and apart from it the conditions on the rows to write: an answer shows every written row.
fn answer<'a>(
    schema: &'a Schema,
    relation: &'a Relation,
    query: &'a Query,
    config: &RestConfig,
) -> Result<(ReadPlan<'a>, Vec<Condition<'a>>), ApiError> {
    let mut read = super::read(schema, relation, query, config)?;
    let filters = std::mem::take(&mut read.filters);
    if let Some(index) = filters.iter().find_map(embed_in) {
        return Err(error::no_filter_for_writes(read.embeds[index].item.name()));
    }
    read.window = crate::request::Window::default();
    Ok((read, filters))
}

fn embed_in(condition: &Condition<'_>) -> Option<usize> {
    match condition {
        Condition::Test { .. } => None,
        Condition::Embed { index, .. } => Some(*index),
        Condition::Node { children, .. } => children.iter().find_map(embed_in),
    }
}

fn written_names<'a>(query: &'a Query, payload: &'a Payload) -> Vec<&'a str> {
    query.columns.as_ref().unwrap_or(&payload.keys).iter().map(String::as_str).collect()
}

fn written_columns<'a>(relation: &'a Relation, names: &[&str]) -> Result<Vec<&'a Column>, ApiError> {
    names.iter().map(|name| relation.written_column(name)).collect()
}
