//! Catalog document to [`Schema`].
use std::collections::HashMap;

use indexmap::IndexMap;

use super::{
    Allowed, Argument, Column, Function, Kind, Need, Relation, RelationId, Returns, Rows, Schema, Stores,
    Volatility,
    catalog::{Catalog, RawColumn, RawFunction, RawRelation, RawType},
    link::{self, Shown},
    origin, quote,
};

const CAN_UPDATE: i32 = 4;
const CAN_INSERT: i32 = 8;
const CAN_DELETE: i32 = 16;
/// Views on views on views: deeper chains are cut.
const VIEW_DEPTH_MAX: usize = 32;

pub fn schema(catalog: &Catalog, served: &[String]) -> Schema {
    let mut built =
        Schema { served: served.to_vec(), types: types(&catalog.types, served), ..Schema::default() };
    let mut ids: HashMap<i64, RelationId> = HashMap::new();
    for raw in catalog.relations.iter().filter(|raw| raw.served) {
        let id = built.relations.len();
        ids.insert(raw.oid, id);
        built.by_name.entry(raw.schema.clone()).or_default().insert(raw.name.clone(), id);
        built.relations.push(relation(id, raw, catalog));
    }
    let origins = Origins::of(catalog);
    let shown: Vec<Shown> = catalog
        .relations
        .iter()
        .filter_map(|raw| {
            let id = *ids.get(&raw.oid)?;
            Some(Shown {
                id,
                own: if is_view(raw) { 0 } else { raw.oid },
                columns: origins.shown_by(raw),
                primary_key: built.relations[id].primary_key.clone(),
                name: raw.name.clone(),
            })
        })
        .collect();
    let is_unique = |relation: i64, columns: &[i16]| {
        catalog.keys.iter().any(|key| {
            key.relation == relation
                && key.columns.len() == columns.len()
                && columns.iter().all(|column| key.columns.contains(column))
        })
    };
    built.links = link::all(&shown, &catalog.foreign_keys, is_unique, built.relations.len());
    for raw in &catalog.functions {
        if let Some(function) = function(raw, catalog, &ids) {
            built
                .functions
                .entry(raw.schema.clone())
                .or_default()
                .entry(raw.name.clone())
                .or_default()
                .push(function);
        }
    }
    built
}

fn is_view(raw: &RawRelation) -> bool {
    matches!(raw.kind, 'v' | 'm')
}

fn relation(id: RelationId, raw: &RawRelation, catalog: &Catalog) -> Relation {
    let allowed = |bit: i32| if raw.verbs & bit == 0 { Allowed::No } else { Allowed::Yes };
    let name_of = |number: &i16| {
        raw.columns.iter().find(|column| column.number == *number).map(|column| column.name.clone())
    };
    let primary = catalog.keys.iter().find(|key| key.primary && key.relation == raw.oid);
    Relation {
        id,
        schema: raw.schema.clone(),
        name: raw.name.clone(),
        sql: format!("{}.{}", quote(&raw.schema), quote(&raw.name)),
        stores: if is_view(raw) { Stores::Nothing } else { Stores::Rows },
        columns: raw.columns.iter().map(column).collect(),
        primary_key: primary.map(|key| key.columns.iter().filter_map(name_of).collect()).unwrap_or_default(),
        can_insert: allowed(CAN_INSERT),
        can_update: allowed(CAN_UPDATE),
        can_delete: allowed(CAN_DELETE),
    }
}

fn column(raw: &RawColumn) -> (String, Column) {
    let column = Column {
        sql: quote(&raw.name),
        type_sql: raw.type_sql.clone(),
        kind: Kind::of(&raw.base),
        default: raw.default.clone(),
    };
    (raw.name.clone(), column)
}

/// View columns to the base table columns they show.
struct Origins(HashMap<(i64, i16), (i64, i16)>);

impl Origins {
    fn of(catalog: &Catalog) -> Self {
        let direct = catalog.views.iter().flat_map(|view| {
            origin::origins(&view.rule)
                .into_iter()
                .map(|origin| ((view.oid, origin.column), (origin.relation, origin.relation_column)))
        });
        Self(direct.collect())
    }

    fn base(&self, mut at: (i64, i16)) -> (i64, i16) {
        for _ in 0..VIEW_DEPTH_MAX {
            match self.0.get(&at) {
                Some(below) => at = *below,
                None => break,
            }
        }
        at
    }

    fn shown_by(&self, raw: &RawRelation) -> HashMap<(i64, i16), Vec<String>> {
        let mut shown: HashMap<(i64, i16), Vec<String>> = HashMap::new();
        for column in &raw.columns {
            let base = self.base((raw.oid, column.number));
            shown.entry(base).or_default().push(column.name.clone());
        }
        shown
    }
}

fn function(raw: &RawFunction, catalog: &Catalog, ids: &HashMap<i64, RelationId>) -> Option<Function> {
    let inputs: Vec<_> = raw.arguments.iter().filter(|argument| matches!(argument.mode, 'i' | 'b')).collect();
    if raw.is_variadic || inputs.iter().any(|argument| argument.name.is_empty()) {
        return None;
    }
    let required = inputs.len().saturating_sub(raw.defaults);
    let arguments = inputs
        .iter()
        .enumerate()
        .map(|(index, argument)| Argument {
            name: argument.name.clone(),
            sql: quote(&argument.name),
            type_sql: argument.type_sql.clone(),
            need: if index < required { Need::Required } else { Need::HasDefault },
        })
        .collect();
    Some(Function {
        sql: format!("{}.{}", quote(&raw.schema), quote(&raw.name)),
        arguments,
        returns: returns(raw, catalog, ids),
        volatility: if raw.volatility == 'v' { Volatility::Volatile } else { Volatility::ReadOnly },
    })
}

fn returns(raw: &RawFunction, catalog: &Catalog, ids: &HashMap<i64, RelationId>) -> Returns {
    let rows = if raw.returns_set { Rows::Many } else { Rows::One };
    let of_columns = |columns: IndexMap<String, Column>| {
        let relation =
            Relation { schema: raw.schema.clone(), name: raw.name.clone(), columns, ..Relation::default() };
        Returns::Columns(Box::new(relation), rows)
    };
    if raw.returns_relation != 0 {
        if let Some(id) = ids.get(&raw.returns_relation) {
            return Returns::Relation(*id, rows);
        }
        if let Some(known) = catalog.relations.iter().find(|relation| relation.oid == raw.returns_relation) {
            return of_columns(known.columns.iter().map(column).collect());
        }
    }
    let out: Vec<_> =
        raw.arguments.iter().filter(|argument| matches!(argument.mode, 'o' | 'b' | 't')).collect();
    let is_table = out.iter().any(|argument| argument.mode == 't');
    if is_table || raw.returns == "record" && !out.is_empty() {
        let columns = out.iter().map(|argument| {
            let kind = Kind::of(&argument.base);
            let column = Column {
                sql: quote(&argument.name),
                type_sql: argument.type_sql.clone(),
                kind,
                default: None,
            };
            (argument.name.clone(), column)
        });
        return of_columns(columns.collect());
    }
    match (raw.returns.as_str(), rows) {
        ("void", _) => Returns::Nothing,
        (_, Rows::One) => Returns::Value,
        (_, Rows::Many) => Returns::Values,
    }
}

/// Names that SQL has for types besides those of `pg_type`.
const TYPE_NAMES: &[(&str, &str)] = &[
    ("int", "int4"),
    ("integer", "int4"),
    ("bigint", "int8"),
    ("smallint", "int2"),
    ("boolean", "bool"),
    ("decimal", "numeric"),
    ("real", "float4"),
    ("float", "float8"),
    ("double precision", "float8"),
    ("character varying", "varchar"),
    ("timestamp with time zone", "timestamptz"),
    ("timestamp without time zone", "timestamp"),
    ("time with time zone", "timetz"),
    ("time without time zone", "time"),
];

fn types(raw: &[RawType], served: &[String]) -> HashMap<String, String> {
    let mut types = HashMap::new();
    let mut add = |name: &str, sql: String| {
        types.entry(format!("{name}[]")).or_insert_with(|| format!("{sql}[]"));
        types.entry(name.to_owned()).or_insert(sql);
    };
    let schemas = std::iter::once("pg_catalog").chain(served.iter().map(String::as_str));
    for schema in schemas {
        for found in raw.iter().filter(|found| found.schema == schema) {
            add(&found.name, format!("{}.{}", quote(schema), quote(&found.name)));
        }
    }
    for (name, canonical) in TYPE_NAMES {
        add(name, format!("\"pg_catalog\".{}", quote(canonical)));
    }
    types
}
