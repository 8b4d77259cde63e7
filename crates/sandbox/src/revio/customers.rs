//! Patching a customer's custom fields: by the index in the list, not by the field's id.
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::Value;

use super::books::local;
use super::errors::Refusal;
use super::{Answer, ok};
use crate::server::Shared;

#[derive(Deserialize)]
struct Operation {
    op: String,
    path: String,
    #[serde(default)]
    value: Value,
}

pub(crate) async fn patch(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answer {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.starts_with("application/json-patch+json") {
        return Err(Refusal::bad("The content type must be application/json-patch+json"));
    }
    let id: i64 = id.parse().map_err(|_| Refusal::bad("The id is not a number"))?;
    let operations: Vec<Operation> =
        serde_json::from_slice(&bytes).map_err(|_| Refusal::bad("The body is not a JSON Patch"))?;
    let now = local(shared.now());
    let mut world = shared.world();
    let customer = world.books.customers.get_mut(&id).ok_or_else(|| Refusal::not_found("Customer"))?;
    let mut changed = customer.clone();
    for operation in operations {
        let index = operation.path.strip_prefix("/fields/").and_then(|rest| rest.strip_suffix("/value"));
        let index = index.and_then(|index| index.parse::<usize>().ok());
        let field = index.and_then(|index| changed.fields.get_mut(index));
        let (Some(field), "replace" | "add") = (field, operation.op.as_str()) else {
            return Err(Refusal::bad(format!("{} {} is not possible", operation.op, operation.path)));
        };
        field.1 = match operation.value {
            Value::String(text) => Some(text),
            Value::Null => None,
            _ => return Err(Refusal::bad(format!("{} is not a text", operation.path))),
        };
    }
    changed.updated = now;
    *customer = changed;
    Ok(ok())
}
