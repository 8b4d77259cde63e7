//! Shots at the APIs that are routes: functions from their registry, storage, sign-in and realtime from the lists of routes in
//! their sources, so that a new route is tried without a word here.
use serde_json::{Map, Value, json};

use super::{
    logout,
    shot::{Kind, Shot},
    world::{Raider, World},
};

const STORAGE_ROUTES: &str = include_str!("../../../storage/src/http.rs");
const AUTH_ROUTES: &str = include_str!("../../../auth/src/http.rs");
const REALTIME_ROUTES: &str = include_str!("../../../realtime/src/http.rs");
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

pub fn shots(world: &World, raider: &Raider) -> Vec<Shot> {
    let mut shots = at_functions(world, raider);
    shots.extend(at_storage(world, raider));
    shots.extend(at_auth(world, raider));
    shots.extend(at_realtime(world, raider));
    for path in ["/openapi.json", "/healthz", "/readyz", "/metrics", "/rest/v1/", "/rest/v1"] {
        let customer = &world.side(raider.target).customer;
        let shot = Shot::new("public", path, "GET", format!("{path}?customer_id=eq.{customer}"));
        shots.push(shot.header("x-customer-id", customer));
    }
    shots
}

/// The paths in the text of a router.
fn paths(source: &str) -> Vec<&str> {
    let found: Vec<_> = source
        .split(".route(")
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        .collect();
    assert!(!found.is_empty(), "no routes in the source");
    found
}

/// Every variant of every function: the customer's ids in every field that takes an id.
fn at_functions(world: &World, raider: &Raider) -> Vec<Shot> {
    let mut shots = Vec::new();
    for entry in functions::entries() {
        let path = format!("/functions/v1/{}", entry.name);
        let variants = entry.input["oneOf"].as_array().cloned().unwrap_or_else(|| vec![entry.input.clone()]);
        for variant in variants {
            let properties = variant["properties"].as_object().cloned().unwrap_or_default();
            let body = body_of(world, raider, entry.name, &properties);
            shots.push(Shot::new("functions", entry.name, "POST", &path).json(&Value::Object(body.clone())));
            // Their object under the raider's own customer, and more than the function takes.
            let mut mixed = body.clone();
            if mixed.contains_key("customer_id") {
                mixed.insert("customer_id".into(), json!(world.side(world.own(raider)).customer));
                shots.push(Shot::new("functions", entry.name, "POST", &path).json(&Value::Object(mixed)));
            }
            let mut more = body;
            more.insert("tenant_id".into(), json!(world.side(raider.target).customer));
            let shot = Shot::new("functions", entry.name, "POST", &path).json(&Value::Object(more));
            shots.push(shot.header("x-customer-id", &world.side(raider.target).customer));
        }
    }
    let integration = id_named(world, raider, "integration_id").expect("integrations have an id");
    let webhook = format!("/functions/v1/ninjaone-webhook/{integration}");
    let mut shot = Shot::new("public", "ninjaone-webhook", "POST", webhook);
    shot.kind = Kind::Write;
    shots.push(shot.json(&json!({ "id": 1, "activityType": "CONDITION" })));
    let webhook = format!("/functions/v1/microsoft-webhook/{integration}");
    let mut shot = Shot::new("public", "microsoft-webhook", "POST", webhook);
    shot.kind = Kind::Write;
    let notification = json!({ "subscriptionId": "1", "tenantId": "1", "clientState": "guessed", "lifecycleEvent": "missed" });
    shots.push(shot.json(&json!({ "value": [notification] })));
    shots
}

fn body_of(
    world: &World,
    raider: &Raider,
    function: &str,
    properties: &Map<String, Value>,
) -> Map<String, Value> {
    let mut body = Map::new();
    for (name, schema) in properties {
        let kind = schema["type"].as_str().unwrap_or_default();
        let value = if let Some(fixed) = schema.get("const") {
            fixed.clone()
        } else if name.ends_with("_id") {
            json!(
                id_named(world, raider, name)
                    .unwrap_or_else(|| panic!("{function}: which table has {name}?"))
            )
        } else if let Some(id) = name.strip_suffix('s').and_then(|one| id_named(world, raider, one)) {
            json!([id])
        } else {
            match kind {
                "string" => schema["enum"].get(0).cloned().unwrap_or_else(|| json!("probe")),
                "object" => json!({ "customer_id": world.side(raider.target).customer }),
                "boolean" => json!(false),
                "integer" | "number" => json!(1),
                _ => continue,
            }
        };
        body.insert(name.clone(), value);
    }
    body
}

/// The id in the target's row of the table that a field's name says.
fn id_named(world: &World, raider: &Raider, field: &str) -> Option<String> {
    let noun = field.strip_suffix("_id")?;
    if noun == "customer" {
        return Some(world.side(raider.target).customer.clone());
    }
    // The tenants that a person names are CIPP's.
    let noun = if noun.ends_with("_tenant") { "cipp_tenant" } else { noun };
    let names = [format!("public.{noun}s"), format!("flow.{noun}s"), format!("public.count_{noun}s")];
    let people = (noun == "person").then(|| "public.tenant_people".to_owned());
    let table = people
        .into_iter()
        .chain(names)
        .find(|name| world.tables.iter().any(|table| table.name == *name && !table.is_view))?;
    let literal = world.seeds.literal(&table, raider.target, "id")?;
    Some(literal.trim_matches('\'').to_owned())
}

fn at_storage(world: &World, raider: &Raider) -> Vec<Shot> {
    let text = |table: &str, column: &str| {
        let row = world.row(table, raider.target);
        row.and_then(|row| row[column].as_str()).unwrap_or_else(|| panic!("a row of {table}")).to_owned()
    };
    let customer = &world.side(raider.target).customer;
    let own = &world.side(world.own(raider)).customer;
    let (bucket, name) = (text("storage.objects", "bucket"), text("storage.objects", "name"));
    let upload = format!("{customer}.{}", text("storage.uploads", "id"));
    let provider_upload = format!("provider.{}", text("storage.provider_uploads", "id"));
    let mut shots = Vec::new();
    for route in paths(STORAGE_ROUTES) {
        for method in METHODS {
            let is_bucket = route.starts_with("/bucket");
            let path = route
                .replace("{*name}", &name)
                .replace("{*rest}", &format!("image/authenticated/{bucket}/{name}"))
                .replace("{bucket}", &bucket)
                .replace("{id}", &upload)
                .replace("{name}", if is_bucket { &bucket } else { &name });
            let body = json!({
                "bucketId": bucket, "sourceKey": name, "destinationKey": format!("{own}/stolen"), "prefix": customer,
                "prefixes": [name], "paths": [name], "expiresIn": 60, "limit": 10, "search": "probe"
            });
            let body = match route {
                "/object/list/{bucket}" => json!({ "prefix": customer, "limit": 10 }),
                "/object/list-v2/{bucket}" => json!({ "prefix": format!("{customer}/"), "limit": 10 }),
                "/object/copy" | "/object/move" => {
                    json!({ "bucketId": bucket, "sourceKey": name, "destinationKey": format!("{own}/stolen") })
                }
                "/object/sign/{bucket}" => json!({ "paths": [name], "expiresIn": 60 }),
                "/object/sign/{bucket}/{*name}" => json!({ "expiresIn": 60 }),
                "/object/{bucket}" => json!({ "prefixes": [name] }),
                _ => body,
            };
            let shot = Shot::new("storage", route, method, format!("/storage/v1{path}"))
                .header("x-customer-id", customer)
                .header("x-upsert", "true")
                .header("tus-resumable", "1.0.0")
                .header("upload-offset", "0")
                .header("upload-length", "3");
            let shot = if *method == "GET" || *method == "HEAD" { shot } else { shot.json(&body) };
            if route.ends_with("/{id}") {
                let mut other = shot.clone();
                other.path = other.path.replace(&upload, &provider_upload);
                shots.push(other);
            }
            shots.push(shot);
        }
    }
    let pair = |key: &str, value: &str| {
        use base64::Engine as _;
        format!("{key} {}", base64::engine::general_purpose::STANDARD.encode(value))
    };
    // A resumable upload into the other customer's folder; the names are in a header.
    let shot = Shot::new("storage", "/upload/resumable", "POST", "/storage/v1/upload/resumable");
    let metadata =
        format!("{},{}", pair("bucketName", &bucket), pair("objectName", &format!("{customer}/planted")));
    shots.push(
        shot.header("tus-resumable", "1.0.0")
            .header("upload-length", "3")
            .header("upload-metadata", metadata),
    );
    let body =
        json!({ "bucketId": bucket, "sourceKey": name, "destinationKey": format!("{customer}/moved") });
    shots.push(Shot::new("storage", "/object/move", "POST", "/storage/v1/object/move").json(&body));
    let body = json!({ "bucketId": bucket, "sourceKey": format!("{own}/none"), "destinationKey": format!("{customer}/planted") });
    for method in ["POST", "PUT"] {
        let path = format!("/storage/v1/object/{bucket}/{customer}/planted");
        shots.push(Shot::new("storage", "/object/{bucket}/{*name}", method, path).json(&body));
    }
    shots.push(Shot::new("storage", "/object/move", "POST", "/storage/v1/object/move").json(&body));
    shots.push(Shot::new("storage", "/object/copy", "POST", "/storage/v1/object/copy").json(&body));
    shots
}

/// Ids and the address of a person of the other customer, on every route of sign-in.
fn at_auth(world: &World, raider: &Raider) -> Vec<Shot> {
    let literal = |table: &str, column: &str| {
        world.seeds.literal(table, raider.target, column).expect("a person").trim_matches('\'').to_owned()
    };
    let (user, email) = (literal("auth.users", "id"), literal("auth.users", "email"));
    let session = literal("auth.sessions", "id");
    let mut shots = Vec::new();
    for route in paths(AUTH_ROUTES) {
        // Signing out ends the session that the raider still needs: it comes last.
        for method in METHODS.iter().filter(|method| (route, **method) != (logout::ROUTE, "POST")) {
            let path = format!("/auth/v1{route}?id={user}&session_id={session}");
            let body =
                json!({ "id": user, "email": email, "session_id": session, "data": { "customer_id": user } });
            shots.push(Shot::new("auth", route, method, path).json(&body));
        }
    }
    let token = |kind: &str| Shot::new("auth", "/token", "POST", format!("/auth/v1/token?grant_type={kind}"));
    shots.push(token("refresh_token").json(&json!({ "refresh_token": session })));
    for path in [format!("/auth/v1/admin/users/{user}"), format!("/auth/v1/users/{user}")] {
        shots.push(Shot::new("auth", "/admin/users", "GET", path));
    }
    shots
}

fn at_realtime(world: &World, raider: &Raider) -> Vec<Shot> {
    let customer = &world.side(raider.target).customer;
    let mut shots = Vec::new();
    for route in paths(REALTIME_ROUTES) {
        for method in ["GET", "POST"] {
            for topic in [
                format!("customer:{customer}"),
                format!("realtime:customer:{customer}"),
                "provider".to_owned(),
            ] {
                let path = route.replace("{topic}", &topic).replace("{event}", "told");
                let message = json!({ "topic": topic, "event": "told", "payload": {}, "private": true });
                let path = format!("/realtime/v1{path}?private=true");
                shots
                    .push(Shot::new("realtime", route, method, path).json(&json!({ "messages": [message] })));
            }
        }
    }
    shots
}
