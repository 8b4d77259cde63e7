//! Maintenance windows: set as a whole, cancelled, over when their time is.
use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::auth::Caller;
use super::errors::Refusal;
use super::query::{Params, path_id};
use super::scripts::{body, needs_user};
use super::{Answer, no_content};
use crate::estate::Approval;
use crate::faults::Tamper;
use crate::server::Shared;

const FEATURES: [&str; 4] = ["ALERTS", "PATCHING", "AVSCANS", "TASKS"];
const REASON_CHARS_MAX: usize = 1_000;

#[derive(Clone, Debug)]
pub(crate) struct Maintenance {
    pub start: Timestamp,
    pub end: Timestamp,
    pub reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Order {
    disabled_features: Vec<String>,
    start: Option<Value>,
    end: Value,
    #[serde(default)]
    reason_message: String,
}

pub(super) async fn set(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(tamper): Extension<Tamper>,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
    bytes: Bytes,
) -> Answer {
    Params::read(&uri, &[])?;
    let id = path_id(&id)?;
    let order: Order = body(&headers, &bytes)?;
    let now = shared.now();
    let start = order.start.as_ref().map_or(Ok(now), |start| time(start, "start"))?;
    let end = time(&order.end, "end")?;
    if end <= start || end <= now {
        return Err(Refusal::bad("The end of the maintenance window must be after its start"));
    }
    if order.disabled_features.is_empty() {
        return Err(Refusal::bad("disabledFeatures must not be empty"));
    }
    if let Some(word) = order.disabled_features.iter().find(|word| !FEATURES.contains(&word.as_str())) {
        return Err(Refusal::bad(format!("Unknown feature '{word}'")));
    }
    if order.reason_message.chars().count() > REASON_CHARS_MAX {
        return Err(Refusal::bad("The reason is too long"));
    }
    let mut world = shared.world();
    needs_user(&mut world, &caller)?;
    let device = world.estate.devices.get_mut(&id).ok_or_else(|| Refusal::not_found("Device"))?;
    if device.approval == Approval::Pending {
        return Err(Refusal::bad("The device waits for approval"));
    }
    if tamper != Tamper::Lie {
        device.maintenance = Some(Maintenance { start, end, reason: order.reason_message });
    }
    Ok(no_content())
}

pub(super) async fn cancel(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(tamper): Extension<Tamper>,
    Path(id): Path<String>,
    uri: Uri,
) -> Answer {
    Params::read(&uri, &[])?;
    let id = path_id(&id)?;
    let mut world = shared.world();
    needs_user(&mut world, &caller)?;
    let device = world.estate.devices.get_mut(&id).ok_or_else(|| Refusal::not_found("Device"))?;
    if tamper != Tamper::Lie {
        device.maintenance = None;
    }
    Ok(no_content())
}

/// Milliseconds since 1970, or an ISO date-time.
fn time(value: &Value, name: &str) -> Result<Timestamp, Refusal> {
    let read = match value {
        Value::Number(number) => number.as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    read.ok_or_else(|| Refusal::bad(format!("'{name}' is no time")))
}
