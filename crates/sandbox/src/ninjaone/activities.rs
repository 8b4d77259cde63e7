//! The activity log: newest first; `olderThan` goes back, `newerThan` sets the lower end.
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::Uri;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::df::Filter;
use super::errors::Refusal;
use super::lists::truncate;
use super::query::{Is, LONG_ID, Params, path_id};
use super::{Answer, json, render};
use crate::faults::Tamper;
use crate::server::Shared;
use crate::world::{Activity, World};

const ROWS: Is = Is::Int(10, 1_000);
const ROWS_DEFAULT: usize = 200;

pub(super) async fn all(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    uri: Uri,
) -> Answer {
    let known = [
        ("class", Is::Text),
        ("before", Is::Text),
        ("after", Is::Text),
        ("olderThan", LONG_ID),
        ("newerThan", LONG_ID),
        ("type", Is::Text),
        ("status", Is::Text),
        ("user", Is::Text),
        ("seriesUid", Is::Uid),
        ("df", Is::Text),
        ("pageSize", ROWS),
        ("lang", Is::Text),
        ("tz", Is::Text),
        ("sourceConfigUid", Is::Text),
    ];
    let params = Params::read(&uri, &known)?;
    let class = params.text("class").unwrap_or("ALL");
    if !["SYSTEM", "DEVICE", "USER", "ALL"].contains(&class) {
        return Err(Refusal::bad("Invalid value of query parameter 'class'"));
    }
    let (before, after) = (moment(&params, "before")?, moment(&params, "after")?);
    let filter = params.text("df").map(|text| Filter::parse(Some(text))).transpose()?;
    let world = shared.world();
    let fits = |activity: &&Activity| {
        let device = activity.device_id.and_then(|id| world.device(id));
        filter.as_ref().is_none_or(|filter| device.is_some_and(|device| filter.keeps(device)))
            && (class == "ALL" || (class == "DEVICE") == activity.device_id.is_some() && class != "USER")
            && before.is_none_or(|before| activity.at < before)
            && after.is_none_or(|after| activity.at > after)
    };
    let page = page(&world, &params, "type", tamper, fits);
    Ok(json(&json!({"lastActivityId": world.last_activity_id(), "activities": page})))
}

pub(super) async fn of_device(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    Path(id): Path<String>,
    uri: Uri,
) -> Answer {
    let known = [
        ("olderThan", LONG_ID),
        ("newerThan", LONG_ID),
        ("activityType", Is::Text),
        ("status", Is::Text),
        ("seriesUid", Is::Uid),
        ("pageSize", ROWS),
        ("lang", Is::Text),
        ("tz", Is::Text),
    ];
    let params = Params::read(&uri, &known)?;
    let id = path_id(&id)?;
    let world = shared.world();
    world.device(id).ok_or_else(|| Refusal::not_found("Device"))?;
    let of_device = |activity: &&Activity| activity.device_id == Some(id);
    let page = page(&world, &params, "activityType", tamper, of_device);
    let last = world.activities.iter().rev().find(of_device).map_or(0, |activity| activity.id);
    Ok(json(
        &json!({"lastActivityId": world.last_activity_id(), "activities": page, "lastNodeActivityId": last}),
    ))
}

fn page(
    world: &World,
    params: &Params,
    type_name: &str,
    tamper: Tamper,
    fits: impl Fn(&&Activity) -> bool,
) -> Vec<Value> {
    let older_than = params.int("olderThan").filter(|_| tamper != Tamper::RepeatPage);
    let newer_than = params.int("newerThan");
    let (kind, status) = (params.text(type_name), params.text("status"));
    let series = params.text("seriesUid").and_then(|text| text.parse().ok());
    let newest_first = world.activities.iter().rev();
    let kept = newest_first
        .skip_while(|activity| older_than.is_some_and(|id| activity.id >= id))
        .take_while(|activity| newer_than.is_none_or(|id| activity.id > id))
        .filter(|activity| kind.is_none_or(|kind| activity.kind == kind))
        .filter(|activity| status.is_none_or(|status| activity.code == status))
        .filter(|activity| series.is_none_or(|series: uuid::Uuid| activity.series == series))
        .filter(fits);
    let mut rows: Vec<_> = kept.take(params.rows("pageSize", ROWS_DEFAULT)).collect();
    truncate(&mut rows, tamper);
    rows.into_iter().map(render::activity).collect()
}

/// Epoch seconds, a date, or a date-time.
fn moment(params: &Params, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = params.text(name) else { return Ok(None) };
    let seconds = text.parse::<i64>().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let date = || format!("{text}T00:00:00Z").parse().ok();
    let at = seconds.or_else(|| text.parse().ok()).or_else(date);
    at.map(Some).ok_or_else(|| Refusal::bad(format!("Invalid value of query parameter '{name}'")))
}
