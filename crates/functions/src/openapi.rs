//! The OpenAPI 3.1 document: every function with what it takes, gives, needs and refuses, and where the other APIs are.
use kernel::{ErrorCode, limits::WEBHOOK_BODY_BYTES_MAX};
use serde_json::{Map, Value, json};

use crate::{
    keys::{KEY_CHARS_MAX, KEY_HOURS},
    limiter::{Rate, RateClass},
    registry::{Entry, entries},
};

const ABOUT: &str = "Functions are intentions: *approve*, *synchronize*. Each is one `POST` with JSON, under the caller's own rights. \
    Reading and plain writing go through `/rest/v1`, sign-in through `/auth/v1`. Every error has one shape; its code has a page.";

/// Answers of every function: the code, and when.
const REFUSALS: &[(ErrorCode, &str)] = &[
    (ErrorCode::BodyInvalid, "The body is not what the function takes."),
    (ErrorCode::NotSignedIn, "Not signed in."),
    (ErrorCode::NotPermitted, "Visible, but not permitted."),
    (ErrorCode::NotFound, "Nothing with this id that the caller may see."),
    (ErrorCode::MethodNotAllowed, "Another method than POST."),
    (ErrorCode::Conflict, "The state does not allow it now, or the call with this key is still under way."),
    (ErrorCode::TooLarge, "The body is over the function's limit."),
    (ErrorCode::MediaType, "Not JSON."),
    (ErrorCode::ValueRefused, "A value was refused, or the key was used with another input."),
    (ErrorCode::TooMany, "Over the limit of the rate class."),
    (ErrorCode::Internal, "A fault of ours; the request id finds it in the log."),
    (ErrorCode::VendorFailed, "The vendor failed."),
    (ErrorCode::DatabaseUnavailable, "Nothing was done; try again."),
    (ErrorCode::TimedOut, "Over the function's time; the details say what was kept."),
];

/// The document. `version` is the product's.
pub fn document(version: &str) -> Value {
    let mut paths = Map::new();
    for entry in entries() {
        paths.insert(format!("/functions/v1/{}", entry.name), json!({ "post": operation(&entry) }));
    }
    paths.insert("/functions/v1/ninjaone-webhook/{integration_id}".into(), webhook());
    paths.insert("/functions/v1/microsoft-webhook/{integration_id}".into(), microsoft_webhook());
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": { "title": "OberaConnect", "version": version, "description": ABOUT, "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" } },
        "servers": [{ "url": "/", "description": "This server" }],
        "tags": tags(),
        "security": [{ "session": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "The access token of `/auth/v1/token`. Rights are asked of the database at every call." },
                "webhook": { "type": "apiKey", "in": "header", "name": app::webhooks::ninjaone::SECRET_HEADER,
                    "description": "The secret that was set when the webhook was registered at the vendor." }
            },
            "parameters": { "IdempotencyKey": idempotency_key() },
            "headers": headers(),
            "schemas": { "Error": schemars::schema_for!(kernel::ApiError).to_value() },
            "responses": refusals()
        }
    })
}

fn tags() -> Value {
    json!([
        { "name": "functions", "description": "Intentions." },
        { "name": "webhooks", "description": "What vendors call." },
        { "name": "rest", "description": "Rows, in PostgREST's dialect.",
          "externalDocs": { "url": "/rest/v1/", "description": "Its own OpenAPI document, for the caller's rights" } },
        { "name": "auth", "description": "Sign-in, in GoTrue's dialect.",
          "externalDocs": { "url": "/auth/v1/settings", "description": "What is switched on" } },
        { "name": "realtime", "description": "Changes, broadcast and presence over a web socket, in Phoenix' protocol.",
          "externalDocs": { "url": "/realtime/v1/websocket", "description": "The socket" } },
        { "name": "storage", "description": "Files, in Supabase Storage's dialect.",
          "externalDocs": { "url": "/storage/v1/bucket", "description": "The buckets" } }
    ])
}

fn operation(entry: &Entry) -> Value {
    let mut responses = Map::new();
    responses.insert(
        "200".into(),
        json!({
            "description": "Done as asked.",
            "headers": {
                "x-request-id": { "$ref": "#/components/headers/RequestId" },
                "idempotency-replayed": { "$ref": "#/components/headers/IdempotencyReplayed" }
            },
            "content": { "application/json": { "schema": entry.output } }
        }),
    );
    for (code, _) in REFUSALS {
        responses.insert(
            code.status().to_string(),
            json!({ "$ref": format!("#/components/responses/{}", code.as_str()) }),
        );
    }
    let permissions: Vec<_> = entry.permissions.iter().map(|name| format!("`{name}`")).collect();
    json!({
        "operationId": entry.name,
        "summary": entry.summary,
        "description": format!(
            "Needs: {}. Permissions: {}.\n\nRate class `{}`: {}. Ends after {} ms at the latest. {}",
            entry.permission, permissions.join(", "), entry.rate.name(), rate_words(entry.rate.per_user()), entry.timeout_ms, entry.kept
        ),
        "tags": ["functions"],
        "security": [{ "session": [] }],
        "parameters": [{ "$ref": "#/components/parameters/IdempotencyKey" }],
        "requestBody": { "required": true, "content": { "application/json": {
            "schema": entry.input, "examples": { "one": { "summary": "With ids of your own", "value": entry.example } }
        } } },
        "responses": responses,
        "x-permissions": entry.permissions,
        "x-permission": entry.permission,
        "x-rate-class": entry.rate.name(),
        "x-rate": rate(entry.rate),
        "x-timeout-ms": entry.timeout_ms,
        "x-kept": entry.kept,
        "x-body-bytes-max": entry.body_bytes_max
    })
}

fn rate(class: RateClass) -> Value {
    let shape = |rate: Rate| json!({ "burst": rate.burst, "per_minute": rate.per_minute });
    json!({ "user": shape(class.per_user()), "customer": shape(class.per_customer()) })
}

fn rate_words(rate: Rate) -> String {
    format!("{} at once and {} a minute per person", rate.burst, rate.per_minute)
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": format!(
            "One key per intention, for example a UUID. For {KEY_HOURS} h the same person's same call under the same key is carried out \
             once and answered alike (`idempotency-replayed: true`); with another input it is refused with 422, while the first is under \
             way with 409 and `Retry-After`."
        ),
        "schema": { "type": "string", "minLength": 1, "maxLength": KEY_CHARS_MAX, "pattern": "^[!-~]+$" },
        "example": "9b2f1c7e4a0d4f6e8c3b5a7d9e1f2a3b"
    })
}

fn headers() -> Value {
    json!({
        "RequestId": { "description": "By which the server's log is searched.", "schema": { "type": "string", "format": "uuid" } },
        "RetryAfter": { "description": "Seconds until asking again makes sense.", "schema": { "type": "integer", "minimum": 1 } },
        "IdempotencyReplayed": { "description": "`true`: the stored answer of the first call.", "schema": { "type": "string", "const": "true" } },
        "Allow": { "description": "What is offered.", "schema": { "type": "string" } }
    })
}

fn refusals() -> Value {
    let one = |(code, words): &(ErrorCode, &str)| {
        let mut headers = Map::new();
        headers.insert("x-request-id".into(), json!({ "$ref": "#/components/headers/RequestId" }));
        if matches!(code, ErrorCode::TooMany | ErrorCode::Conflict) {
            headers.insert("retry-after".into(), json!({ "$ref": "#/components/headers/RetryAfter" }));
        }
        if *code == ErrorCode::MethodNotAllowed {
            headers.insert("allow".into(), json!({ "$ref": "#/components/headers/Allow" }));
        }
        let example = json!({ "code": code.as_str(), "message": words, "details": null, "hint": null });
        let body = json!({ "schema": { "$ref": "#/components/schemas/Error" }, "example": example });
        let response =
            json!({ "description": words, "headers": headers, "content": { "application/json": body } });
        (code.as_str().to_owned(), response)
    };
    Value::Object(REFUSALS.iter().map(one).collect())
}

fn microsoft_webhook() -> Value {
    let error = |code: ErrorCode, description: &str| {
        json!({ "description": description, "content": { "application/json": {
            "schema": { "$ref": "#/components/schemas/Error" },
            "example": { "code": code.as_str(), "message": description, "details": null, "hint": null }
        } } })
    };
    json!({ "post": {
        "operationId": "microsoft-webhook", "summary": "Takes notifications of Microsoft Graph.", "tags": ["webhooks"],
        "description": "For Microsoft Graph only. Each notification is believed for the secret of its subscription (clientState); it makes the tenant be read soon. With validationToken it is the handshake of a new subscription.",
        "security": [],
        "parameters": [
            { "name": "integration_id", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } },
            { "name": "validationToken", "in": "query", "required": false, "schema": { "type": "string", "maxLength": 4096 } }
        ],
        "requestBody": { "required": false, "content": { "application/json": { "schema": { "type": "object" } } } },
        "responses": {
            "200": { "description": "The token as it came.", "content": { "text/plain": { "schema": { "type": "string" } } } },
            "202": { "description": "Taken in.", "content": { "application/json": { "schema": {
                "type": "object", "required": ["taken"], "properties": { "taken": { "type": "integer" } } } } } },
            "400": error(ErrorCode::BodyInvalid, "No notifications."),
            "401": error(ErrorCode::NotSignedIn, "No notification carries the secret of its subscription."),
            "404": error(ErrorCode::NotFound, "No webhook at this address."),
            "413": error(ErrorCode::TooLarge, "Too large."),
            "405": { "$ref": "#/components/responses/OB1004" },
            "422": error(ErrorCode::ValueRefused, "The token is too long, or a value cannot be kept."),
            "500": error(ErrorCode::Internal, "A fault of ours; deliver it again."),
            "503": error(ErrorCode::DatabaseUnavailable, "Nothing was done; deliver it again.")
        },
        "x-body-bytes-max": WEBHOOK_BODY_BYTES_MAX
    } })
}

fn webhook() -> Value {
    let error = |code: ErrorCode, description: &str| {
        json!({ "description": description, "content": { "application/json": {
            "schema": { "$ref": "#/components/schemas/Error" },
            "example": { "code": code.as_str(), "message": description, "details": null, "hint": null }
        } } })
    };
    json!({ "post": {
        "operationId": "ninjaone-webhook", "summary": "Takes a delivery of NinjaOne.", "tags": ["webhooks"],
        "description": "For NinjaOne only: authenticated by the header that was set when the webhook was registered. A delivery is known by the activity's id; a repeated one is taken and not handled again.",
        "security": [{ "webhook": [] }],
        "parameters": [
            { "name": "integration_id", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } }
        ],
        "requestBody": { "required": true, "content": { "application/json": { "schema": { "type": "object" } } } },
        "responses": {
            "202": { "description": "Taken in.", "content": { "application/json": { "schema": {
                "type": "object", "required": ["duplicate", "outcome"],
                "properties": { "duplicate": { "type": "boolean" }, "outcome": { "type": "string" } } } } } },
            "400": error(ErrorCode::BodyInvalid, "Not an activity."),
            "401": error(ErrorCode::NotSignedIn, "The secret is missing or wrong."),
            "404": error(ErrorCode::NotFound, "No webhook at this address."),
            "409": error(ErrorCode::Replayed, "The same activity with other content."),
            "413": error(ErrorCode::TooLarge, "Too large."),
            "405": { "$ref": "#/components/responses/OB1004" },
            "422": error(ErrorCode::ValueRefused, "The activity has a value that cannot be kept."),
            "500": error(ErrorCode::Internal, "A fault of ours; deliver it again."),
            "503": error(ErrorCode::DatabaseUnavailable, "Nothing was done; deliver it again.")
        },
        "x-body-bytes-max": WEBHOOK_BODY_BYTES_MAX
    } })
}

#[cfg(test)]
mod tests;
