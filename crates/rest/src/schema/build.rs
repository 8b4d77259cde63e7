//! Catalog document to [`Schema`].
use std::collections::HashMap;

use indexmap::IndexMap;

use super::{
    Allowed, Argument, Column, Function, FunctionBody, Handler, Kind, Link, MediaType, Need, Passing, Reach,
    Relation, RelationId, RequestReaders, Returns, Rows, Scalar, Schema, Shares, Side, Stored, Stores,
    Volatility, WholeBody,
    catalog::{Catalog, RawArgument, RawColumn, RawFunction, RawRelation, RawType},
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
    for raw in catalog.relations.iter().filter(|raw| is_view(raw)) {
        if let Some(id) = ids.get(&raw.oid) {
            built.relations[*id].primary_key = origins.key_of_view(raw, catalog);
        }
    }
    let shown: Vec<Shown> = catalog
        .relations
        .iter()
        .filter_map(|raw| {
            let id = *ids.get(&raw.oid)?;
            Some(Shown {
                id,
                columns: origins.shown_by(raw),
                keys: origins.keys_shown(raw, catalog),
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
    if catalog.reads_requests {
        built.request_readers = RequestReaders::Some;
    }
    built.response_writers = catalog.writes_responses;
    for raw in &catalog.handlers {
        // Rows of a relation that is not served cannot be asked for.
        match (raw.relation, ids.get(&raw.relation)) {
            (0, _) => built.handlers.push(Handler::aggregate(raw, None)),
            (_, Some(id)) => built.handlers.push(Handler::aggregate(raw, Some(*id))),
            (_, None) => {}
        }
    }
    built.handlers.extend(catalog.features.as_deref().map(Handler::features));
    for raw in &catalog.functions {
        add_computed(&mut built, raw, catalog, &ids);
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

/// A function of one row is a column of its relation, or a way to the rows it returns.
fn add_computed(built: &mut Schema, raw: &RawFunction, catalog: &Catalog, ids: &HashMap<i64, RelationId>) {
    let inputs: Vec<_> = raw.arguments.iter().filter(|argument| is_input(argument)).collect();
    let [input] = inputs.as_slice() else { return };
    let Some(&from) = ids.get(&input.relation).filter(|_| input.relation != 0) else { return };
    let sql = format!("{}.{}", quote(&raw.schema), quote(&raw.name));
    match returns(raw, catalog, ids) {
        Returns::Relation(to, rows) => {
            let reach = if rows == Rows::One || raw.rows == 1.0 { Reach::One } else { Reach::Many };
            built.links[from].push(Link {
                to,
                constraint: raw.name.clone(),
                pairs: Vec::new(),
                side: Side::Computed,
                reach,
                through: None,
                call: Some(sql),
            });
        }
        Returns::Value(_) if !raw.returns_set => {
            let column = Column {
                name: raw.name.clone(),
                sql,
                stored: Stored::Computed,
                type_sql: raw.returns.clone(),
                kind: Kind::of(&raw.returns),
                default: None,
                is_required: false,
                is_generated: true,
                comment: raw.comment.clone(),
            };
            built.relations[from].computed.insert(raw.name.clone(), column);
        }
        _ => {}
    }
}

const fn is_input(argument: &RawArgument) -> bool {
    matches!(argument.mode, 'i' | 'b' | 'v')
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
        comment: raw.comment.clone(),
        computed: IndexMap::new(),
        columns: raw.columns.iter().map(column).collect(),
        primary_key: primary.map(|key| key.columns.iter().filter_map(name_of).collect()).unwrap_or_default(),
        shares: raw.shares.as_ref().map(|shares| Shares {
            column: shares.column.clone(),
            column_sql: quote(&shares.column),
            keys: shares.keys.clone(),
        }),
        walks: raw.walks.clone(),
        can_insert: allowed(CAN_INSERT),
        can_update: allowed(CAN_UPDATE),
        can_delete: allowed(CAN_DELETE),
    }
}

fn column(raw: &RawColumn) -> (String, Column) {
    let column = Column {
        name: raw.name.clone(),
        sql: quote(&raw.name),
        stored: Stored::Yes,
        type_sql: raw.type_sql.clone(),
        kind: Kind::of(&raw.base),
        default: raw.default.clone(),
        is_required: raw.is_required,
        is_generated: raw.is_generated,
        comment: raw.comment.clone(),
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

    /// The primary keys that are shown whole, of all base relations.
    fn keys_shown(&self, raw: &RawRelation, catalog: &Catalog) -> Vec<Vec<String>> {
        let shown = self.shown_by(raw);
        let primary = catalog.keys.iter().filter(|key| key.primary);
        let columns = primary.map(|key| {
            let name = |number: &i16| shown.get(&(key.relation, *number))?.first().cloned();
            key.columns.iter().map(name).collect::<Option<Vec<_>>>()
        });
        columns.flatten().collect()
    }

    /// The key of a view that shows one base relation.
    fn key_of_view(&self, raw: &RawRelation, catalog: &Catalog) -> Vec<String> {
        let mut bases = raw.columns.iter().map(|column| self.base((raw.oid, column.number)).0);
        let first = bases.find(|base| *base != raw.oid);
        let is_one = bases.all(|base| base == raw.oid || Some(base) == first);
        match self.keys_shown(raw, catalog).as_slice() {
            [key] if is_one => key.clone(),
            _ => Vec::new(),
        }
    }
}

fn function(raw: &RawFunction, catalog: &Catalog, ids: &HashMap<i64, RelationId>) -> Option<Function> {
    let inputs: Vec<_> = raw.arguments.iter().filter(|argument| is_input(argument)).collect();
    let whole_body = match inputs.as_slice() {
        [one] if one.name.is_empty() => Some((whole_body(&one.base)?, one.type_sql.clone())),
        _ => None,
    };
    if whole_body.is_none() && inputs.iter().any(|argument| argument.name.is_empty()) {
        return None;
    }
    let required = inputs.len().saturating_sub(raw.defaults);
    let arguments = inputs
        .iter()
        .enumerate()
        .filter(|_| whole_body.is_none())
        .map(|(index, argument)| Argument {
            name: argument.name.clone(),
            sql: quote(&argument.name),
            type_sql: argument.type_sql.clone(),
            need: if index < required && argument.mode != 'v' { Need::Required } else { Need::HasDefault },
            passing: if argument.mode == 'v' { Passing::Variadic } else { Passing::Single },
        })
        .collect();
    Some(Function {
        sql: format!("{}.{}", quote(&raw.schema), quote(&raw.name)),
        arguments,
        whole_body,
        returns: returns(raw, catalog, ids),
        media: raw.media.as_deref().map(|name| MediaType::new(name, &raw.media_base)),
        volatility: if raw.volatility == 'v' { Volatility::Volatile } else { Volatility::ReadOnly },
        body: if raw.is_open { FunctionBody::Query } else { FunctionBody::Closed },
        settings: raw
            .settings
            .iter()
            .filter_map(|setting| setting.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        comment: raw.comment.clone(),
    })
}

fn whole_body(base: &str) -> Option<WholeBody> {
    Some(match base {
        "json" | "jsonb" => WholeBody::Json,
        "text" => WholeBody::Text,
        "xml" => WholeBody::Xml,
        "bytea" => WholeBody::Bytes,
        _ => return None,
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
                name: argument.name.clone(),
                sql: quote(&argument.name),
                stored: Stored::Yes,
                type_sql: argument.type_sql.clone(),
                kind,
                default: None,
                is_required: false,
                is_generated: false,
                comment: None,
            };
            (argument.name.clone(), column)
        });
        return of_columns(columns.collect());
    }
    match (raw.returns.as_str(), rows) {
        ("void", _) => Returns::Nothing,
        (base, Rows::One) => Returns::Value(Scalar::of(base)),
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
