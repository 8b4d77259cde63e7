//! Custom fields: their definitions, and what devices have in them. Two hold secrets, which come masked unless they are asked
//! for in clear.
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use serde_json::{Value, json};

use super::Answer;
use super::lists::{array, truncate};
use super::query::{Is, Params};
use crate::estate::Device;
use crate::faults::Tamper;
use crate::names;
use crate::rng::Rng;
use crate::server::Shared;

/// Name, label, type.
const DEFINITIONS: [(&str, &str, &str); 6] = [
    ("assetOwner", "Asset owner", "TEXT"),
    ("warrantyEnd", "Warranty ends", "DATE"),
    ("isCritical", "Business critical", "CHECKBOX"),
    ("rack", "Rack", "DROPDOWN"),
    ("localAdminPassword", "Local administrator", "TEXT_ENCRYPTED"),
    ("consoleCode", "Console code", "TOTP"),
];
/// Stands in every secret, so that a test finds it wherever it got to.
const SECRET: &str = "kingfisher";
const DAY_S: i64 = 86_400;

pub(super) async fn definitions(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    uri: Uri,
) -> Answer {
    Params::read(&uri, &[("scopes", Is::Text)])?;
    let now = shared.now();
    let mut rows: Vec<_> = DEFINITIONS.iter().collect();
    truncate(&mut rows, tamper);
    let row = |(name, label, kind): &(&str, &str, &str)| {
        json!({"entityType": "NODE", "scope": "NODE_GLOBAL", "definitionScope": ["NODE"], "type": kind, "label": label, "name": name,
            "description": "", "endUserPermission": "HIDDEN", "technicianPermission": "EDITABLE", "scriptPermission": "READ_WRITE",
            "apiPermission": "READ_ONLY", "system": false, "active": true, "createTime": super::render::epoch(now)})
    };
    Ok(array(rows, row))
}

pub(super) fn has_some(device: &Device) -> bool {
    device.kind.has_agent()
}

/// The row of a device in the report.
pub(super) fn row(device: &Device, in_clear: bool) -> Value {
    let mut rng = Rng::of(device.salt, 41);
    let secret =
        |of: &str| if in_clear { format!("{SECRET}-{of}-{}", device.id) } else { format!("*{SECRET}*") };
    let mut fields = json!({
        "assetOwner": rng.pick(&names::PEOPLE),
        // Dates of custom fields come in milliseconds, at midnight.
        "warrantyEnd": (device.created_s / DAY_S * DAY_S + 1_095 * DAY_S) * 1_000,
        "isCritical": rng.percent(20),
        "localAdminPassword": secret("password"),
        "consoleCode": secret("code"),
        // A field that was deleted and whose values are still sent.
        "formerSecret": secret("former"),
    });
    if rng.percent(50) {
        fields["rack"] = format!("R{}", 1 + device.salt % 4).into();
    }
    json!({"deviceId": device.id, "fields": fields})
}
