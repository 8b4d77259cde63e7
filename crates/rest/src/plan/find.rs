//! Which way an embedded resource means.
use kernel::ApiError;

use crate::{
    error,
    request::select::EmbedItem,
    schema::{Link, Reach, Relation, Schema, Side, Stores},
};

/// The one way from `from` that `item` names; 300 when there are several, 400 when there is none.
pub fn link<'a>(schema: &'a Schema, from: &Relation, item: &EmbedItem) -> Result<&'a Link, ApiError> {
    let links: Vec<&Link> =
        schema.links(from.id).iter().filter(|link| schema.at(link.to).schema == from.schema).collect();
    let hint = item.hint.as_deref();
    // A function of the row that has this name was written to be meant.
    let is_computed = |link: &&&Link| link.side == Side::Computed && link.constraint == item.target;
    if let Some(link) = links.iter().find(is_computed).filter(|_| hint.is_none()) {
        return Ok(link);
    }
    let mut found = Vec::new();
    // A column that is a key alone is meant before one that is part of a longer key.
    for precision in [Precision::Whole, Precision::Part] {
        let way = |link: &&&Link| {
            names_target(schema, from, link, &item.target, hint, precision)
                && hint.is_none_or(|hint| names_hint(link, hint, precision))
        };
        found = links.iter().filter(way).copied().collect();
        if !found.is_empty() {
            break;
        }
    }
    // A key or column names the table it refers to before the views of that table.
    let is_table = |link: &&Link| schema.at(link.to).stores == Stores::Rows;
    if found.len() > 1
        && found.iter().all(|link| schema.at(link.to).name != item.target)
        && found.iter().any(is_table)
    {
        found.retain(is_table);
    }
    // A view between two relations is meant only when no key and no table is.
    if found.len() > 1 {
        let is_direct = |link: &&Link| {
            link.through.as_ref().is_none_or(|through| schema.at(through.relation).stores == Stores::Rows)
        };
        if found.iter().any(is_direct) {
            found.retain(is_direct);
        }
    }
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(error::no_relationship(&from.name, &item.target, hint, &from.schema)),
        many => {
            let ways: Vec<_> = many.iter().map(|link| describe(schema, from, link)).collect();
            let choices: Vec<_> = many.iter().map(|link| link.constraint.clone()).collect();
            Err(error::many_relationships(&from.name, &item.target, &ways, &choices))
        }
    }
}

/// How a column stands for a foreign key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Precision {
    Whole,
    Part,
}

fn names_target(
    schema: &Schema,
    from: &Relation,
    link: &Link,
    target: &str,
    hint: Option<&str>,
    precision: Precision,
) -> bool {
    if link.side == Side::Computed {
        return false;
    }
    if schema.at(link.to).name == target {
        // A relation that refers to itself, by a hint: the rows that refer to this one. By its column: the row referred to.
        let is_self = link.to == from.id;
        return !(is_self && hint.is_some() && link.side == Side::Here);
    }
    match link.side {
        Side::Here => {
            link.constraint == target || holds(link.pairs.iter().map(|(here, _)| here), target, precision)
        }
        Side::There => link.constraint == target && link.to != from.id,
        Side::Between | Side::Computed => false,
    }
}

fn names_hint(link: &Link, hint: &str, precision: Precision) -> bool {
    if let Some(through) = &link.through {
        return through.name == hint || through.constraints.iter().any(|constraint| constraint == hint);
    }
    link.constraint == hint
        || holds(link.pairs.iter().map(|(here, _)| here), hint, precision)
        || holds(link.pairs.iter().map(|(_, there)| there), hint, precision)
}

fn holds<'a>(
    mut columns: impl ExactSizeIterator<Item = &'a String>,
    name: &str,
    precision: Precision,
) -> bool {
    match precision {
        Precision::Whole => columns.len() == 1 && columns.any(|column| column == name),
        Precision::Part => columns.any(|column| column == name),
    }
}

fn describe(schema: &Schema, from: &Relation, link: &Link) -> String {
    let to = &schema.at(link.to).name;
    let columns = |names: Vec<&str>| names.join(", ");
    let here = columns(link.pairs.iter().map(|(here, _)| here.as_str()).collect());
    let there = columns(link.pairs.iter().map(|(_, there)| there.as_str()).collect());
    let kind = match (link.side, link.reach) {
        (Side::Here, _) => "many-to-one",
        (Side::There, Reach::Many) => "one-to-many",
        (Side::There, Reach::One) => "one-to-one",
        (Side::Between, _) => "many-to-many",
        (Side::Computed, _) => "computed",
    };
    format!("{kind} by {}: {}({here}) and {to}({there})", link.constraint, from.name)
}
