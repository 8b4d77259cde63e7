//! Shots at `/rest/v1`: every relation of public, every function, the other schemas.
use serde_json::{Map, Value, json};
use testkit::rows::Table;
use uuid::Uuid;

use super::{
    shot::Shot,
    world::{Raider, World},
};

const REST: &str = "rest";
/// Headers that some servers take a customer from.
const CUSTOMER_HEADERS: &[&str] = &["x-customer-id", "x-tenant-id", "x-forwarded-user", "x-hasura-user-id"];

/// Every shot of this raider at `/rest/v1`.
pub fn shots(world: &World, raider: &Raider) -> Vec<Shot> {
    let mut shots: Vec<Shot> =
        relations(world).flat_map(|relation| at_relation(world, raider, relation)).collect();
    shots.extend(at_functions(world, raider));
    shots.extend(at_other_schemas(world, raider));
    shots
}

pub fn relations(world: &World) -> impl Iterator<Item = &Table> {
    world.tables.iter().filter(|table| table.name.starts_with("public."))
}

pub fn at_relation(world: &World, raider: &Raider, table: &Table) -> Vec<Shot> {
    let mut shots = reads(world, raider, table);
    shots.extend(embeds(world, raider, table));
    shots.extend(writes(world, raider, table));
    shots
}

fn short(table: &Table) -> &str {
    table.name.rsplit('.').next().expect("a name")
}

/// The columns that name a row, their values in the target's row.
fn names(world: &World, raider: &Raider, table: &Table) -> Vec<(String, String)> {
    let Some(row) = world.row(&table.name, raider.target) else { return Vec::new() };
    let told = |column: &&testkit::rows::Column| {
        column.kind == "uuid"
            || table.key.contains(&column.name)
            || matches!(column.name.as_str(), "slug" | "code" | "name" | "email")
    };
    let named = table.columns.iter().filter(told).filter_map(|column| {
        let text = match &row[&column.name] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some((column.name.clone(), text))
    });
    named.collect()
}

fn reads(world: &World, raider: &Raider, table: &Table) -> Vec<Shot> {
    let name = short(table);
    let customer = &world.side(raider.target).customer;
    let get = |query: String| Shot::new(REST, &table.name, "GET", format!("/rest/v1/{name}{query}"));
    let first = &table.columns[0].name;
    let mut shots = vec![
        CUSTOMER_HEADERS
            .iter()
            .fold(get("?select=*".into()), |shot, header| shot.header(header, customer))
            .header("prefer", "count=exact"),
        get(format!("?order={first}.desc.nullslast&limit=1000")).header("accept", "text/csv"),
        get(format!("?select={first},count()")),
        get("?select=*".into())
            .header("prefer", "count=planned")
            .header("accept", "application/vnd.pgrst.plan+json"),
    ];
    let named = names(world, raider, table);
    for (column, value) in &named {
        shots.push(get(format!("?{column}=eq.{value}")).header("prefer", "count=exact"));
    }
    if let Some((column, value)) = named.first() {
        shots.push(get(format!("?select={column}&{column}=not.neq.{value}&order={column}")));
        shots.push(get(format!("?or=({column}.in.({value}),and({column}.eq.{value},{column}.not.is.null))")));
        shots.push(
            get(format!("?{column}=in.({value})&limit=1"))
                .header("accept", "application/vnd.pgrst.object+json"),
        );
        shots.push(get(format!("?{column}=gte.{value}&{column}=lte.{value}")).header("range", "0-0"));
        let path = format!("/rest/v1/{name}?{column}=eq.{value}");
        shots.push(Shot::new(REST, &table.name, "HEAD", path).header("prefer", "count=exact"));
    }
    shots
}

/// Through every foreign key in both directions, and filters inside.
fn embeds(world: &World, raider: &Raider, table: &Table) -> Vec<Shot> {
    let name = short(table);
    let customer = &world.side(raider.target).customer;
    let mut shots = Vec::new();
    let mut push =
        |query: String| shots.push(Shot::new(REST, &table.name, "GET", format!("/rest/v1/{name}?{query}")));
    for key in &table.foreign_keys {
        let Some(parent) = key.parent.strip_prefix("public.") else { continue };
        push(format!("select=*,{parent}!{}(*)", key.name));
        if let Some(value) =
            world.row(&key.parent, raider.target).and_then(|row| row[&key.parent_columns[0]].as_str())
        {
            let column = &key.parent_columns[0];
            push(format!("select=*,p:{parent}!{}!inner(*)&p.{column}=eq.{value}", key.name));
        }
    }
    for child in relations(world) {
        for key in child.foreign_keys.iter().filter(|key| key.parent == table.name) {
            push(format!("select=*,{}!{}(*)", short(child), key.name));
            push(format!(
                "select=*,c:{}!{}!inner(*)&c.{}=eq.{customer}",
                short(child),
                key.name,
                key.columns[0]
            ));
        }
    }
    if table.is_view && table.customer_column().is_some() {
        push(format!("select=*,customers(*)&customers.id=eq.{customer}"));
    }
    shots
}

/// Bodies with the other customer's values, cut to what the role may write, and whole.
fn writes(world: &World, raider: &Raider, table: &Table) -> Vec<Shot> {
    let name = short(table);
    let side = world.side(raider.target);
    let theirs = world.row(&table.name, raider.target).cloned().unwrap_or_default();
    let cut = |verb: &str, row: &Map<String, Value>| -> Map<String, Value> {
        let may = |column: &str| world.may(raider.role, &table.name, verb, column);
        row.iter()
            .filter(|(column, _)| may(column))
            .map(|(column, value)| (column.clone(), value.clone()))
            .collect()
    };
    let mut fresh = cut("insert", &theirs);
    let id = Uuid::now_v7();
    let tail = id.simple().to_string().split_off(26);
    for (column, value) in [
        ("id", json!(id)),
        ("slug", json!(format!("new-{tail}"))),
        ("code", json!(format!("N{}", tail.to_uppercase()))),
        ("setting", json!(format!("new.{tail}"))),
    ] {
        if fresh.contains_key(column) {
            fresh.insert(column.into(), value);
        }
    }
    let key = table.key.join(",");
    let minimal = "return=minimal";
    let shot = |method, query: String, prefer: &str, body: Option<Value>| {
        let shot =
            Shot::new(REST, &table.name, method, format!("/rest/v1/{name}{query}")).header("prefer", prefer);
        body.map_or(shot.clone(), |body| shot.json(&body))
    };
    let mut shots = vec![
        shot("POST", String::new(), minimal, Some(json!(fresh))),
        shot("POST", String::new(), "return=representation", Some(json!([fresh]))),
        shot("POST", String::new(), minimal, Some(json!(theirs))),
        shot(
            "POST",
            format!("?on_conflict={key}"),
            "resolution=merge-duplicates,return=minimal",
            Some(json!(cut("insert", &theirs))),
        ),
        shot(
            "POST",
            format!("?on_conflict={key}"),
            "resolution=ignore-duplicates,return=minimal",
            Some(json!(cut("insert", &theirs))),
        ),
    ];
    let named = names(world, raider, table);
    let again = cut("update", &theirs);
    for (column, value) in named
        .iter()
        .filter(|(column, _)| table.key.contains(column) || Some(column.as_str()) == table.customer_column())
    {
        shots.push(shot("PATCH", format!("?{column}=eq.{value}"), minimal, Some(json!(again))));
        shots.push(shot(
            "PATCH",
            format!("?{column}=eq.{value}"),
            "return=representation",
            Some(json!(again)),
        ));
        shots.push(shot("DELETE", format!("?{column}=eq.{value}"), minimal, None));
        shots.push(shot(
            "DELETE",
            format!("?{column}=eq.{value}&select=*"),
            "return=representation,count=exact",
            None,
        ));
    }
    // The raider's own row given away.
    let own = world.own(raider);
    if let (Some(mine), Some(customer), Some(key)) =
        (world.row(&table.name, own), table.customer_column(), table.key.last())
        && let Some(value) = mine[key].as_str()
    {
        let body = json!({ customer: side.customer });
        shots.push(shot("PATCH", format!("?{key}=eq.{value}"), minimal, Some(body)));
    }
    shots
}

/// Every function with the customer's id in each argument, in the body and in the query.
fn at_functions(world: &World, raider: &Raider) -> Vec<Shot> {
    let customer = &world.side(raider.target).customer;
    let device = world.row("public.devices", raider.target).map(|row| row["id"].clone());
    let mut shots = Vec::new();
    for function in &world.functions {
        let path = format!("/rest/v1/rpc/{function}");
        let subject = format!("rpc {function}");
        shots.push(Shot::new(REST, &subject, "GET", format!("{path}?customer_id=eq.{customer}")));
        shots.push(Shot::new(REST, &subject, "GET", format!("{path}?customer_id={customer}")));
        shots.push(Shot::new(REST, &subject, "POST", &path).json(&json!({})).reading());
        shots.push(
            Shot::new(REST, &subject, "POST", &path).json(&json!({ "customer_id": customer })).reading(),
        );
        shots.push(
            Shot::new(REST, &subject, "POST", &path)
                .header("x-customer-id", customer)
                .json(&json!([]))
                .reading(),
        );
        // As those take it that are about one object.
        shots.push(
            Shot::new(REST, &subject, "POST", &path)
                .json(&json!({ "p_customer": customer, "p_item": customer }))
                .reading(),
        );
        shots.push(
            Shot::new(REST, &subject, "POST", &path)
                .json(&json!({ "p_kind": "device", "p_customer": customer, "p_id": device, "p_at": "now" }))
                .reading(),
        );
    }
    shots
}

/// What is in no exposed schema, by its name and by the profile headers.
fn at_other_schemas(world: &World, raider: &Raider) -> Vec<Shot> {
    let mut shots = Vec::new();
    for table in world.tables.iter().filter(|table| !table.name.starts_with("public.")) {
        let (schema, name) = table.name.split_once('.').expect("schema and name");
        let path = format!("/rest/v1/{name}");
        shots.push(Shot::new(REST, &table.name, "GET", &path).header("accept-profile", schema));
        shots.push(Shot::new(REST, &table.name, "GET", format!("/rest/v1/{}", table.name)));
        let body = Value::Object(world.row(&table.name, raider.target).cloned().unwrap_or_default());
        shots.push(Shot::new(REST, &table.name, "POST", &path).header("content-profile", schema).json(&body));
    }
    shots
}
