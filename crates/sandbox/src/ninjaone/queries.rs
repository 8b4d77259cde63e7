//! Alerts, and the disks and services of a device.
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::Uri;
use serde_json::json;

use super::df::Filter;
use super::errors::Refusal;
use super::lists::{array, truncate};
use super::query::{Is, Params, path_id};
use super::{Answer, render};
use crate::conditions::SPOOLER;
use crate::faults::Tamper;
use crate::server::Shared;

const SERVICES: [(&str, &str); 4] = [
    (SPOOLER, "Print Spooler"),
    ("LanmanServer", "Server"),
    ("W32Time", "Windows Time"),
    ("WinDefend", "Microsoft Defender Antivirus Service"),
];

/// Every open alert. Not paged.
pub(super) async fn alerts(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    uri: Uri,
) -> Answer {
    let known = [("sourceType", Is::Text), ("df", Is::Text), ("lang", Is::Text), ("tz", Is::Text)];
    let params = Params::read(&uri, &known)?;
    let filter = Filter::parse(params.text("df"))?;
    let world = shared.world();
    let wanted = params.text("sourceType");
    let of_source = |source: &str| wanted.is_none_or(|wanted| wanted == source);
    let kept = world.alerts.values().filter(|alert| {
        of_source(alert.illness.source_type())
            && world.device(alert.device_id).is_some_and(|it| filter.keeps(it))
    });
    let mut rows: Vec<_> = kept.collect();
    rows.sort_by_key(|alert| (alert.created, alert.uid));
    truncate(&mut rows, tamper);
    Ok(array(rows, render::alert))
}

pub(super) async fn device_alerts(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    Path(id): Path<String>,
    uri: Uri,
) -> Answer {
    Params::read(&uri, &[("lang", Is::Text), ("tz", Is::Text)])?;
    let id = path_id(&id)?;
    let world = shared.world();
    world.device(id).ok_or_else(|| Refusal::not_found("Device"))?;
    let mut rows: Vec<_> = world.alerts.values().filter(|alert| alert.device_id == id).collect();
    truncate(&mut rows, tamper);
    Ok(array(rows, render::alert))
}

pub(super) async fn device_volumes(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Answer {
    Params::read(&uri, &[("include", Is::Text)])?;
    let id = path_id(&id)?;
    let world = shared.world();
    let device = world.device(id).ok_or_else(|| Refusal::not_found("Device"))?;
    Ok(array(&device.volumes, |disk| render::volume(device, disk)))
}

pub(super) async fn device_services(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Answer {
    let params = Params::read(&uri, &[("name", Is::Text), ("state", Is::Text)])?;
    let id = path_id(&id)?;
    let world = shared.world();
    let device = world.device(id).ok_or_else(|| Refusal::not_found("Device"))?;
    let services: &[_] = if device.kind.is_windows() { &SERVICES } else { &[] };
    let state = |name: &str| if device.stopped_service == Some(name) { "STOPPED" } else { "RUNNING" };
    let kept = services.iter().filter(|(name, _)| {
        params.text("name").is_none_or(|wanted| wanted.eq_ignore_ascii_case(name))
            && params.text("state").is_none_or(|wanted| wanted == state(name))
    });
    Ok(array(
        kept,
        |(name, display)| json!({"name": name, "displayName": display, "startType": "AUTO_START", "userName": "LocalSystem", "state": state(name)}),
    ))
}
