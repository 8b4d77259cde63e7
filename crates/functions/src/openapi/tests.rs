//! The document against the rules of OpenAPI 3.1 that a generator of clients stumbles over.
use std::collections::HashSet;

use super::*;

#[test]
fn every_function_refuses_unknown_fields_in_its_schema() {
    let document = document("0");
    for entry in entries() {
        let schema = &document["paths"][format!("/functions/v1/{}", entry.name)]["post"]["requestBody"]["content"]
            ["application/json"]["schema"];
        let variants = schema["oneOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
        for variant in variants {
            assert_eq!(variant["additionalProperties"], json!(false), "{}: {variant}", entry.name);
        }
    }
}

#[test]
fn the_document_has_the_shape_of_openapi_3_1() {
    let document = document("1.2.3");
    assert_eq!(faults(&document), Vec::<String>::new());
    assert_eq!(document["info"]["version"], "1.2.3");
}

#[test]
fn what_is_wrong_is_found() {
    let post = "/paths/~1functions~1v1~1ninjaone-sync/post";
    let without = |at: &str, field: &str| {
        let mut wrong = document("0");
        let place = wrong.pointer_mut(at).and_then(Value::as_object_mut).expect("an object");
        assert!(place.remove(field).is_some(), "{at} has {field}");
        faults(&wrong)
    };
    for (at, field) in [
        ("", "openapi"),
        ("/info", "title"),
        (post, "operationId"),
        (post, "responses"),
        ("/components/headers", "RetryAfter"),
        ("/components/parameters/IdempotencyKey", "in"),
        ("/components/securitySchemes", "session"),
        ("/components/responses/OB3002", "description"),
    ] {
        assert!(!without(at, field).is_empty(), "{at} without {field}");
    }
    let mut twice = document("0");
    twice["paths"]["/functions/v1/ninjaone-sync"]["post"]["operationId"] = json!("ninjaone-ticket");
    assert!(!faults(&twice).is_empty(), "one operationId twice");
}

#[test]
fn every_function_says_what_it_needs_and_how_often() {
    let document = document("0");
    for entry in entries() {
        let operation = &document["paths"][format!("/functions/v1/{}", entry.name)]["post"];
        let words = operation["description"].as_str().expect("a description");
        assert!(!entry.permissions.is_empty(), "{}", entry.name);
        for permission in entry.permissions {
            assert!(words.contains(permission), "{}: {permission}", entry.name);
        }
        assert_eq!(operation["x-rate-class"], entry.rate.name());
        assert!(operation["x-rate"]["user"]["per_minute"].as_i64().is_some_and(|rate| rate > 0));
        assert!(entry.timeout_ms <= 30_000, "{}: longer than the server waits for a request", entry.name);
    }
}

/// Everything that breaks the structure: missing parts, references that lead nowhere, ids used twice.
fn faults(document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut need = |is_there: bool, what: String| {
        if !is_there {
            faults.push(what);
        }
    };
    need(document["openapi"].as_str().is_some_and(|text| text.starts_with("3.1.")), "openapi".into());
    for field in ["title", "version"] {
        need(document["info"][field].is_string(), format!("info.{field}"));
    }
    let names: HashSet<_> =
        document["tags"].as_array().into_iter().flatten().filter_map(|tag| tag["name"].as_str()).collect();
    let mut ids = HashSet::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        need(path.starts_with('/'), format!("{path} does not begin with /"));
        for (method, operation) in item.as_object().into_iter().flatten() {
            let at = format!("{method} {path}");
            let id = operation["operationId"].as_str();
            need(id.is_some_and(|id| ids.insert(id.to_owned())), format!("{at}: operationId"));
            let responses = operation["responses"].as_object();
            need(responses.is_some_and(|all| !all.is_empty()), format!("{at}: responses"));
            for (status, response) in responses.into_iter().flatten() {
                let is_status = status.len() == 3 && status.parse::<u16>().is_ok();
                need(is_status, format!("{at}: {status} is no status"));
                need(
                    followed(document, response)["description"].is_string(),
                    format!("{at} {status}: description"),
                );
            }
            let parameters: Vec<_> = operation["parameters"].as_array().into_iter().flatten().collect();
            for parameter in &parameters {
                let parameter = followed(document, parameter);
                let place = parameter["in"].as_str().unwrap_or_default();
                need(["query", "header", "path", "cookie"].contains(&place), format!("{at}: in"));
                need(
                    parameter["name"].is_string() && parameter["schema"].is_object(),
                    format!("{at}: parameter"),
                );
                need(
                    place != "path" || parameter["required"] == true,
                    format!("{at}: a path's part is required"),
                );
            }
            for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                need(
                    parameters.iter().any(|it| it["name"] == part && it["in"] == "path"),
                    format!("{at}: {part}"),
                );
            }
            for scheme in operation["security"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_object)
                .flat_map(Map::keys)
            {
                need(
                    document["components"]["securitySchemes"][scheme].is_object(),
                    format!("{at}: {scheme}"),
                );
            }
            for tag in operation["tags"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                need(names.contains(tag), format!("{at}: tag {tag}"));
            }
        }
    }
    dangling(document, document, &mut faults);
    faults
}

/// What a reference stands for; null when it leads nowhere.
fn followed<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(to) => to.strip_prefix('#').and_then(|at| document.pointer(at)).unwrap_or(&Value::Null),
        None => value,
    }
}

fn dangling(document: &Value, value: &Value, faults: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("$ref") && followed(document, value).is_null() {
                faults.push(format!("{} leads nowhere", fields["$ref"]));
            }
            fields.values().for_each(|inner| dangling(document, inner, faults));
        }
        Value::Array(items) => items.iter().for_each(|inner| dangling(document, inner, faults)),
        _ => {}
    }
}
