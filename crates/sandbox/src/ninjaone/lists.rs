//! Lists that are paged with `after`, and single records.
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use serde_json::Value;

use super::df::Filter;
use super::errors::Refusal;
use super::query::{ID, Is, PAGE, Params, path_id};
use super::{Answer, json, json_text, render};
use crate::faults::Tamper;
use crate::server::Shared;
use crate::world::{PageBorders, World};

/// Rows when the client names no number.
const PAGE_ROWS_DEFAULT: usize = 200;

/// Where a page begins and how long it is.
struct Ask {
    after: Option<i64>,
    rows: usize,
    tamper: Tamper,
    borders: PageBorders,
}

impl Ask {
    fn new(params: &Params, tamper: Tamper, world: &World) -> Self {
        let after = params.int("after").filter(|_| tamper != Tamper::RepeatPage);
        Self {
            after,
            rows: params.rows("pageSize", PAGE_ROWS_DEFAULT),
            tamper,
            borders: world.settings.page_borders,
        }
    }

    /// Cuts the page out of rows that ascend by id.
    fn cut<'a, T>(&self, all: impl Iterator<Item = &'a T>, id: impl Fn(&T) -> i64) -> Vec<&'a T> {
        // A page of one row cannot repeat one and go on.
        let repeat = self.borders == PageBorders::Repeat && self.rows > 1;
        let wanted = |row: &&T| match self.after {
            Some(after) if repeat => id(row) >= after,
            Some(after) => id(row) > after,
            None => true,
        };
        let mut page: Vec<_> = all.filter(wanted).take(self.rows).collect();
        if page.last().is_some_and(|last| Some(id(last)) == self.after) {
            page.clear();
        }
        truncate(&mut page, self.tamper);
        page
    }
}

pub(super) fn truncate<T>(rows: &mut Vec<T>, tamper: Tamper) {
    if tamper == Tamper::Truncate {
        rows.truncate(rows.len() / 2);
    }
}

/// Writes an array row by row.
pub(super) fn array<T>(rows: impl IntoIterator<Item = T>, render: impl Fn(T) -> Value) -> Response {
    let mut text = String::from("[");
    for (index, row) in rows.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&render(row).to_string());
    }
    text.push(']');
    json_text(text)
}

pub(super) async fn organizations(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    uri: Uri,
) -> Answer {
    let params = Params::read(&uri, &[("pageSize", PAGE), ("after", ID), ("of", Is::Text)])?;
    let world = shared.world();
    let page = Ask::new(&params, tamper, &world).cut(world.estate.organizations.values(), |row| row.id);
    Ok(array(page, render::organization))
}

pub(super) async fn organization(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Answer {
    Params::read(&uri, &[])?;
    let id = path_id(&id)?;
    let world = shared.world();
    let organization =
        world.estate.organizations.get(&id).ok_or_else(|| Refusal::not_found("Organization"))?;
    let mut row = render::organization(organization);
    let locations = world.estate.locations.values().filter(|location| location.organization_id == id);
    row["locations"] = locations.map(render::location).collect();
    row["policies"] = Value::Array(Vec::new());
    Ok(json(&row))
}

pub(super) async fn organization_locations(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Answer {
    Params::read(&uri, &[])?;
    let id = path_id(&id)?;
    let world = shared.world();
    world.estate.organizations.get(&id).ok_or_else(|| Refusal::not_found("Organization"))?;
    Ok(array(world.estate.locations.values().filter(|row| row.organization_id == id), render::location))
}

pub(super) async fn locations(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    uri: Uri,
) -> Answer {
    let params = Params::read(&uri, &[("pageSize", PAGE), ("after", ID)])?;
    let world = shared.world();
    let page = Ask::new(&params, tamper, &world).cut(world.estate.locations.values(), |row| row.id);
    Ok(array(page, render::location_of_organization))
}

/// The plain list: no member of a subtype.
pub(super) async fn devices(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    uri: Uri,
) -> Answer {
    device_list(&shared, tamper, &uri, Detail::Node)
}

pub(super) async fn devices_detailed(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    uri: Uri,
) -> Answer {
    device_list(&shared, tamper, &uri, Detail::Full)
}

#[derive(Clone, Copy)]
enum Detail {
    Node,
    Full,
}

fn device_list(shared: &Shared, tamper: Tamper, uri: &Uri, detail: Detail) -> Answer {
    let params = Params::read(uri, &[("df", Is::Text), ("pageSize", PAGE), ("after", ID)])?;
    let filter = Filter::parse(params.text("df"))?;
    let now = shared.now();
    let world = shared.world();
    let kept = world.estate.devices.values().filter(|device| filter.keeps(device));
    let page = Ask::new(&params, tamper, &world).cut(kept, |row| row.id);
    Ok(array(page, |device| match detail {
        Detail::Node => Value::Object(render::node(device, now)),
        Detail::Full => render::detailed(device, now),
    }))
}

pub(super) async fn organization_devices(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    Path(id): Path<String>,
    uri: Uri,
) -> Answer {
    let params = Params::read(&uri, &[("pageSize", PAGE), ("after", ID)])?;
    let id = path_id(&id)?;
    let now = shared.now();
    let world = shared.world();
    world.estate.organizations.get(&id).ok_or_else(|| Refusal::not_found("Organization"))?;
    let visible = Filter::default();
    let kept = world.estate.devices.values().filter(|row| row.organization_id == id && visible.keeps(row));
    let page = Ask::new(&params, tamper, &world).cut(kept, |row| row.id);
    Ok(array(page, |device| Value::Object(render::node(device, now))))
}

/// One device, pending or not, with all details.
pub(super) async fn device(State(shared): State<Arc<Shared>>, Path(id): Path<String>, uri: Uri) -> Answer {
    Params::read(&uri, &[])?;
    let id = path_id(&id)?;
    let now = shared.now();
    let world = shared.world();
    let device = world.device(id).ok_or_else(|| Refusal::not_found("Device"))?;
    Ok(json(&render::detailed(device, now)))
}
