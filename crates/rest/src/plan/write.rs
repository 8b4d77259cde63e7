use kernel::ApiError;

use super::{Condition, ReadPlan};
use crate::{
    config::{RestConfig, UnfilteredWrites},
    error,
    request::{
        body::Payload,
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
    },
    Update {
        payload: &'a Payload,
        columns: Vec<&'a Column>,
        filters: Vec<Condition<'a>>,
    },
    Delete {
        filters: Vec<Condition<'a>>,
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
    let kind = WriteKind::Insert { payload, columns, names, missing, conflict };
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
    needs_filter("PATCH", &filters, config)?;
    let kind = WriteKind::Update { payload, columns, filters };
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
    needs_filter("DELETE", &filters, config)?;
    Ok(WritePlan {
        kind: WriteKind::Delete { filters },
        returning: prefer.returning.unwrap_or(Returning::Minimal),
        read,
    })
}

fn needs(relation: &Relation, allowed: Allowed) -> Result<(), ApiError> {
    if allowed == Allowed::Yes { Ok(()) } else { Err(error::read_only_view(&relation.name)) }
}

fn needs_filter(verb: &str, filters: &[Condition<'_>], config: &RestConfig) -> Result<(), ApiError> {
    if filters.is_empty() && config.unfiltered_writes == UnfilteredWrites::Refuse {
        return Err(error::unfiltered(verb));
    }
    Ok(())
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
