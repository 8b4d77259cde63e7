//! The OpenAPI 3.1 document of the functions.
use serde_json::{Map, Value, json};

use crate::registry::entries;

/// The document. `version` is the product's.
pub fn document(version: &str) -> Value {
    let mut paths = Map::new();
    for entry in entries() {
        let operation = json!({
            "post": {
                "operationId": entry.name, "summary": entry.summary, "tags": ["functions"],
                "description": format!("Needs: {}.", entry.permission),
                "security": [{ "session": [] }],
                "requestBody": { "required": true, "content": { "application/json": { "schema": entry.input } } },
                "responses": {
                    "200": { "description": "Done as asked.", "content": { "application/json": { "schema": entry.output } } },
                    "400": error("The body is not what the function takes."), "401": error("Not signed in."),
                    "403": error("Visible, but not permitted."), "404": error("Nothing with this id that the caller may see."),
                    "409": error("The state does not allow it now."), "413": error("Too large."), "415": error("Not JSON."),
                    "422": error("A value was refused."), "502": error("The vendor failed."), "503": error("Try again.")
                }
            }
        });
        paths.insert(format!("/functions/v1/{}", entry.name), operation);
    }
    paths.insert("/functions/v1/ninjaone-webhook/{integration_id}".into(), webhook());
    json!({
        "openapi": "3.1.0",
        "info": { "title": "OberaConnect functions", "version": version,
                  "description": "Intentions. Reading and plain writing go through /rest/v1, sign-in through /auth/v1." },
        "paths": paths,
        "components": {
            "securitySchemes": { "session": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
            "schemas": { "Error": error_schema() }
        }
    })
}

fn webhook() -> Value {
    json!({ "post": {
        "operationId": "ninjaone-webhook", "summary": "Takes a delivery of NinjaOne.", "tags": ["webhooks"],
        "description": "For NinjaOne only: authenticated by the header that was set when the webhook was registered.",
        "parameters": [
            { "name": "integration_id", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } },
            { "name": app::webhooks::ninjaone::SECRET_HEADER, "in": "header", "required": true, "schema": { "type": "string" } }
        ],
        "requestBody": { "required": true, "content": { "application/json": { "schema": { "type": "object" } } } },
        "responses": {
            "202": { "description": "Taken in.", "content": { "application/json": { "schema": {
                "type": "object", "required": ["duplicate", "outcome"],
                "properties": { "duplicate": { "type": "boolean" }, "outcome": { "type": "string" } } } } } },
            "400": error("Not an activity."), "401": error("The secret is missing or wrong."),
            "409": error("The same activity with other content."), "413": error("Too large.")
        }
    } })
}

fn error(description: &str) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } } })
}

fn error_schema() -> Value {
    schemars::schema_for!(kernel::ApiError).to_value()
}

#[cfg(test)]
mod tests {
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
}
