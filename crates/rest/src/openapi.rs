//! The description of the API at its root: OpenAPI 2.0 of what the caller's role may use, as PostgREST describes itself.
use std::collections::{HashMap, HashSet};

use pg::{Actor, Pg, PgError};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::schema::{
    Allowed, Argument, Column, Function, Kind, Need, Relation, Returns, Rows, Schema, Side, Volatility,
};

/// Rights of the role in one schema.
#[derive(Debug, Deserialize)]
pub struct Rights {
    relations: HashMap<String, u8>,
    functions: HashSet<String>,
}

const SELECT: u8 = 1;
const INSERT: u8 = 2;
const UPDATE: u8 = 4;
const DELETE: u8 = 8;

const RIGHTS_SQL: &str = "
  select json_build_object(
    'relations', (
      select coalesce(json_object_agg(c.relname, has_any_column_privilege(c.oid, 'select')::int
        + has_any_column_privilege(c.oid, 'insert')::int * 2 + has_any_column_privilege(c.oid, 'update')::int * 4
        + case when c.relkind = 'm' then 0 else has_table_privilege(c.oid, 'delete')::int * 8 end), '{}')
      from pg_class c where c.relnamespace = n.oid and c.relkind in ('r', 'p', 'v', 'm', 'f')),
    'functions', (
      select coalesce(json_agg(distinct p.proname), '[]')
      from pg_proc p where p.pronamespace = n.oid and has_function_privilege(p.oid, 'execute')))::text
  from pg_namespace n where n.nspname = $1 and has_schema_privilege(n.oid, 'usage')";

/// What the actor's role may do in `schema`.
pub async fn rights(pg: &Pg, actor: &Actor, schema: &str) -> Result<Rights, PgError> {
    let rows = pg.one_shot_read(actor, RIGHTS_SQL, &[schema]).await?;
    let none = Rights { relations: HashMap::new(), functions: HashSet::new() };
    Ok(rows.first().and_then(|row| serde_json::from_str(row.text(0)?).ok()).unwrap_or(none))
}

/// Everything that is served from `schema`, whatever a role may use.
pub fn all_rights(schema: &Schema, profile: &str) -> Rights {
    let relations = schema.relations().iter().filter(|relation| relation.schema == profile);
    let functions = schema.functions(profile).map(|(name, _)| name.to_owned());
    Rights {
        relations: relations
            .map(|relation| (relation.name.clone(), SELECT | INSERT | UPDATE | DELETE))
            .collect(),
        functions: functions.collect(),
    }
}

/// The document as JSON text.
pub fn document(schema: &Schema, profile: &str, rights: &Rights, base_path: &str) -> String {
    let mut relations: Vec<(&Relation, u8)> = schema
        .relations()
        .iter()
        .filter(|relation| relation.schema == profile)
        .filter_map(|relation| Some((relation, *rights.relations.get(&relation.name)?)))
        .filter(|(_, bits)| *bits != 0)
        .collect();
    relations.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    let mut functions: Vec<(&str, &[Function])> =
        schema.functions(profile).filter(|(name, _)| rights.functions.contains(*name)).collect();
    functions.sort_by_key(|(name, _)| *name);

    let mut paths = Map::new();
    let (mut definitions, mut parameters) = (Map::new(), common_parameters());
    for (relation, bits) in relations {
        paths.insert(format!("/{}", relation.name), operations(relation, bits));
        definitions.insert(relation.name.clone(), definition(schema, relation));
        for column in relation.columns.values() {
            let name = format!("rowFilter.{}.{}", relation.name, column.name);
            let filter = json!({"name": column.name, "required": false, "in": "query", "type": "string"});
            parameters.insert(name, filter);
        }
        let body = json!({"name": relation.name, "description": relation.name, "required": false, "in": "body",
            "schema": {"$ref": format!("#/definitions/{}", relation.name)}});
        parameters.insert(format!("body.{}", relation.name), body);
    }
    for (name, overloads) in functions {
        if let Some(function) = overloads.first() {
            paths.insert(format!("/rpc/{name}"), calls(name, function));
        }
    }
    json!({
        "swagger": "2.0",
        "info": {"title": "OberaConnect data API", "version": env!("CARGO_PKG_VERSION"),
            "description": "Tables, views and functions that your role may use, in the dialect of PostgREST."},
        "basePath": base_path,
        "consumes": ["application/json", "application/vnd.pgrst.object+json", "text/csv"],
        "produces": ["application/json", "application/vnd.pgrst.object+json", "text/csv"],
        "paths": paths,
        "definitions": definitions,
        "parameters": parameters,
    })
    .to_string()
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/parameters/{name}")})
}

fn common_parameters() -> Map<String, Value> {
    let query = |name: &str| json!({"name": name, "required": false, "in": "query", "type": "string"});
    let header = |name: &str| json!({"name": name, "required": false, "in": "header", "type": "string"});
    let mut parameters = Map::new();
    for name in ["select", "order", "limit", "offset", "on_conflict", "columns"] {
        parameters.insert(name.to_owned(), query(name));
    }
    parameters.insert("range".to_owned(), header("Range"));
    parameters.insert("rangeUnit".to_owned(), header("Range-Unit"));
    parameters.insert("prefer".to_owned(), header("Prefer"));
    parameters
}

fn operations(relation: &Relation, bits: u8) -> Value {
    let filters =
        || relation.columns.keys().map(|name| reference(&format!("rowFilter.{}.{name}", relation.name)));
    let body = || reference(&format!("body.{}", relation.name));
    let rows = json!({"type": "array", "items": {"$ref": format!("#/definitions/{}", relation.name)}});
    let of = |parameters: Vec<Value>, responses: Value| {
        let mut operation =
            json!({"tags": [relation.name], "parameters": parameters, "responses": responses});
        if let Some(comment) = &relation.comment {
            operation["summary"] = comment.lines().next().unwrap_or_default().into();
            operation["description"] = comment.as_str().into();
        }
        operation
    };
    let can = |bit: u8, allowed: Allowed| bits & bit != 0 && allowed == Allowed::Yes;
    let mut operations = Map::new();
    if bits & SELECT != 0 {
        let page = ["select", "order", "range", "rangeUnit", "offset", "limit", "prefer"].map(reference);
        let answers =
            json!({"200": {"description": "OK", "schema": rows}, "206": {"description": "Partial Content"}});
        operations.insert("get".to_owned(), of(filters().chain(page).collect(), answers));
    }
    if can(INSERT, relation.can_insert) {
        let parameters = vec![
            body(),
            reference("select"),
            reference("columns"),
            reference("on_conflict"),
            reference("prefer"),
        ];
        operations.insert("post".to_owned(), of(parameters, json!({"201": {"description": "Created"}})));
    }
    if can(UPDATE, relation.can_update) {
        let parameters = filters().chain([body(), reference("prefer")]).collect();
        operations.insert("patch".to_owned(), of(parameters, json!({"204": {"description": "No Content"}})));
    }
    if can(DELETE, relation.can_delete) {
        let parameters = filters().chain([reference("prefer")]).collect();
        operations.insert("delete".to_owned(), of(parameters, json!({"204": {"description": "No Content"}})));
    }
    Value::Object(operations)
}

fn definition(schema: &Schema, relation: &Relation) -> Value {
    let required: Vec<&str> = relation
        .columns
        .values()
        .filter(|column| column.is_required && column.default.is_none() && !column.is_generated)
        .map(|column| column.name.as_str())
        .collect();
    let properties: Map<String, Value> = relation
        .columns
        .values()
        .map(|column| {
            let mut property = kind_of(&column.type_sql, column.kind);
            let note = note(schema, relation, column);
            if !note.is_empty() {
                property["description"] = note.into();
            }
            if let Some(default) = &column.default {
                property["default"] = default.as_str().into();
            }
            (column.name.clone(), property)
        })
        .collect();
    let mut definition = json!({"type": "object", "required": required, "properties": properties});
    if let Some(comment) = &relation.comment {
        definition["description"] = comment.as_str().into();
    }
    definition
}

/// The column's comment, and the marks by which clients know keys.
fn note(schema: &Schema, relation: &Relation, column: &Column) -> String {
    let mut lines: Vec<String> = column.comment.iter().cloned().collect();
    if relation.primary_key.contains(&column.name) {
        lines.push("Note:\nThis is a Primary Key.<pk/>".to_owned());
    }
    let key = schema.links(relation.id).iter().find_map(|link| match link.pairs.as_slice() {
        [(here, there)] if link.side == Side::Here && *here == column.name => Some(format!(
            "Note:\nThis is a Foreign Key to `{0}.{there}`.<fk table='{0}' column='{there}'/>",
            schema.at(link.to).name
        )),
        _ => None,
    });
    lines.extend(key);
    lines.join("\n\n")
}

/// A type of JSON, and PostgreSQL's name of it.
fn kind_of(type_sql: &str, kind: Kind) -> Value {
    let base = type_sql.split('(').next().unwrap_or_default().trim();
    let name = match base {
        _ if type_sql.ends_with("[]") => {
            return json!({"format": type_sql, "type": "array", "items": {"type": "string"}});
        }
        "smallint" | "integer" | "bigint" => "integer",
        "numeric" | "real" | "double precision" => "number",
        "boolean" => "boolean",
        _ if kind == Kind::Json => return json!({"format": type_sql}),
        _ => "string",
    };
    json!({"format": type_sql, "type": name})
}

fn calls(name: &str, function: &Function) -> Value {
    let answer = match &function.returns {
        Returns::Nothing => json!({"description": "No Content"}),
        Returns::Values | Returns::Relation(_, Rows::Many) | Returns::Columns(_, Rows::Many) => {
            json!({"description": "OK", "schema": {"type": "array"}})
        }
        Returns::Value(_) | Returns::Relation(..) | Returns::Columns(..) => json!({"description": "OK"}),
    };
    let code = if matches!(function.returns, Returns::Nothing) { "204" } else { "200" };
    let properties: Map<String, Value> = function
        .arguments
        .iter()
        .map(|one| (one.name.clone(), kind_of(&one.type_sql, Kind::Other)))
        .collect();
    let is_required = |argument: &&Argument| argument.need == Need::Required;
    let required: Vec<&str> =
        function.arguments.iter().filter(is_required).map(|argument| argument.name.as_str()).collect();
    let tags = [format!("(rpc) {name}")];
    let body = json!({"in": "body", "name": "args", "required": !required.is_empty(),
        "schema": {"type": "object", "required": required, "properties": properties}});
    let mut responses = Map::new();
    responses.insert(code.to_owned(), answer);
    let with = |parameters: Vec<Value>| {
        let mut operation = json!({"tags": tags, "parameters": parameters, "responses": responses});
        if let Some(comment) = &function.comment {
            operation["description"] = comment.as_str().into();
        }
        operation
    };
    let mut operations = Map::new();
    if function.volatility == Volatility::ReadOnly {
        let parameters = function.arguments.iter().map(|argument| {
            json!({"in": "query", "name": argument.name, "required": argument.need == Need::Required,
                "type": "string", "format": argument.type_sql})
        });
        operations.insert("get".to_owned(), with(parameters.collect()));
    }
    operations.insert("post".to_owned(), with(vec![body, reference("prefer")]));
    Value::Object(operations)
}
