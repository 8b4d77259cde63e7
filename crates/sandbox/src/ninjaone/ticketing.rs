//! Tickets: create, read, and change under a version.
use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::auth::Caller;
use super::errors::Refusal;
use super::query::{Params, path_id};
use super::{Answer, json, render, scripts};
use crate::server::Shared;
use crate::world::World;

const FORM_ID: i32 = 1;
const SUBJECT_CHARS_MAX: usize = 200;
const TICKETS_MAX: usize = 100_000;
const STATUSES: [(i64, &str, &str); 6] = [
    (1000, "OPEN_NEW", "New"),
    (2000, "OPEN", "Open"),
    (3000, "WAITING", "Waiting"),
    (4000, "PAUSED", "Paused"),
    (5000, "RESOLVED", "Resolved"),
    (6000, "CLOSED", "Closed"),
];
const TYPES: [&str; 9] = [
    "PROBLEM",
    "QUESTION",
    "INCIDENT",
    "TASK",
    "CHANGE_REQUEST",
    "SERVICE_REQUEST",
    "PROJECT",
    "APPOINTMENT",
    "MISCELLANEOUS",
];
const SEVERITIES: [&str; 5] = ["NONE", "MINOR", "MODERATE", "MAJOR", "CRITICAL"];
const PRIORITIES: [&str; 4] = ["NONE", "LOW", "MEDIUM", "HIGH"];

#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    id: i64,
    version: i64,
    created: Timestamp,
    requester: Uuid,
    status: i64,
    /// The other members, as they were sent.
    members: Map<String, Value>,
}

/// Create and change share their members; a change needs `version` and `requesterUid` as well.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Order {
    version: Option<i32>,
    client_id: i32,
    ticket_form_id: i32,
    location_id: Option<i32>,
    node_id: Option<i32>,
    subject: String,
    description: Option<Description>,
    status: String,
    r#type: Option<String>,
    cc: Option<Value>,
    assigned_app_user_id: Option<i32>,
    requester_uid: Option<Uuid>,
    severity: Option<String>,
    priority: Option<String>,
    parent_ticket_id: Option<i32>,
    tags: Option<Vec<String>>,
    attributes: Option<Vec<Value>>,
    additional_assigned_technician_ids: Option<Vec<i32>>,
    followup_time: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "read to check the contract; comments are not kept")]
struct Description {
    public: bool,
    body: Option<String>,
    html_body: Option<String>,
    time_tracked: Option<i32>,
    duplicate_in_incidents: Option<bool>,
}

impl Order {
    fn check(&self, world: &World) -> Result<i64, Refusal> {
        let invalid = |what: &str| Refusal::bad(format!("Invalid value of '{what}'"));
        if !world.estate.organizations.contains_key(&i64::from(self.client_id)) {
            return Err(invalid("clientId"));
        }
        let of_client = |id: i32| {
            world
                .device(i64::from(id))
                .is_some_and(|device| device.organization_id == i64::from(self.client_id))
        };
        if self.node_id.is_some_and(|id| !of_client(id)) {
            return Err(invalid("nodeId"));
        }
        if self.ticket_form_id != FORM_ID {
            return Err(invalid("ticketFormId"));
        }
        if self.subject.is_empty() || self.subject.chars().count() > SUBJECT_CHARS_MAX {
            return Err(invalid("subject"));
        }
        let one_of = |value: &Option<String>, known: &[&str]| {
            value.as_deref().is_none_or(|word| known.contains(&word))
        };
        let words = [
            ("type", &self.r#type, &TYPES[..]),
            ("severity", &self.severity, &SEVERITIES),
            ("priority", &self.priority, &PRIORITIES),
        ];
        for (name, value, known) in words {
            if !one_of(value, known) {
                return Err(invalid(name));
            }
        }
        let known = |id: &i64| STATUSES.iter().any(|status| status.0 == *id);
        self.status.parse().ok().filter(known).ok_or_else(|| invalid("status"))
    }

    fn members(&self) -> Map<String, Value> {
        let all = [
            ("clientId", json!(self.client_id)),
            ("ticketFormId", json!(self.ticket_form_id)),
            ("locationId", json!(self.location_id)),
            ("nodeId", json!(self.node_id)),
            ("subject", json!(self.subject)),
            ("type", json!(self.r#type)),
            ("ccList", json!(self.cc)),
            ("assignedAppUserId", json!(self.assigned_app_user_id)),
            ("severity", json!(self.severity.as_deref().unwrap_or("NONE"))),
            ("priority", json!(self.priority.as_deref().unwrap_or("NONE"))),
            ("parentTicketId", json!(self.parent_ticket_id)),
            ("tags", json!(self.tags.as_deref().unwrap_or_default())),
            ("attributeValues", json!(self.attributes.as_deref().unwrap_or_default())),
            ("additionalAssignedTechnicianIds", json!(self.additional_assigned_technician_ids)),
            ("followupTime", json!(self.followup_time)),
        ];
        let present = all.into_iter().filter(|(_, value)| !value.is_null());
        present.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    uri: Uri,
    bytes: Bytes,
) -> Answer {
    Params::read(&uri, &[])?;
    let order: Order = scripts::body(&headers, &bytes)?;
    if order.version.is_some() {
        return Err(Refusal::bad("Unable to process JSON: unknown field `version`"));
    }
    let now = shared.now();
    let mut world = shared.world();
    scripts::needs_user(&mut world, &caller)?;
    let status = order.check(&world)?;
    if world.tickets.len() >= TICKETS_MAX {
        return Err(Refusal::bad("Too many tickets"));
    }
    let id = world.tickets.keys().next_back().map_or(1_001, |last| last + 1);
    let requester = match order.requester_uid {
        Some(uid) => uid,
        None => world.rng.uuid(),
    };
    let ticket = Ticket { id, version: 1, created: now, requester, status, members: order.members() };
    let body = row(&ticket);
    world.tickets.insert(id, ticket);
    Ok(json(&body))
}

pub(super) async fn read(State(shared): State<Arc<Shared>>, Path(id): Path<String>, uri: Uri) -> Answer {
    Params::read(&uri, &[])?;
    let id = path_id(&id)?;
    let world = shared.world();
    let ticket = world.tickets.get(&id).ok_or_else(|| Refusal::not_found("Ticket"))?;
    Ok(json(&row(ticket)))
}

pub(super) async fn update(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
    bytes: Bytes,
) -> Answer {
    Params::read(&uri, &[])?;
    let id = path_id(&id)?;
    let order: Order = scripts::body(&headers, &bytes)?;
    if order.description.is_some() {
        return Err(Refusal::bad("Unable to process JSON: unknown field `description`"));
    }
    let mut world = shared.world();
    scripts::needs_user(&mut world, &caller)?;
    let status = order.check(&world)?;
    let version = order.version.ok_or_else(|| Refusal::bad("version is required"))?;
    let requester = order.requester_uid.ok_or_else(|| Refusal::bad("requesterUid is required"))?;
    let ticket = world.tickets.get_mut(&id).ok_or_else(|| Refusal::not_found("Ticket"))?;
    if ticket.version != i64::from(version) {
        let params = json!({"expected": ticket.version, "actual": version});
        return Err(Refusal::coded(StatusCode::CONFLICT, "ticket_version_conflict", params));
    }
    ticket.version += 1;
    ticket.status = status;
    ticket.requester = requester;
    ticket.members = order.members();
    Ok(json(&row(ticket)))
}

pub(super) async fn forms(uri: Uri) -> Answer {
    Params::read(&uri, &[])?;
    Ok(json(
        &json!([{"id": FORM_ID, "name": "Default", "description": "", "active": true, "default": true, "fields": []}]),
    ))
}

pub(super) async fn statuses(uri: Uri) -> Answer {
    Params::read(&uri, &[])?;
    Ok(json(&STATUSES.iter().map(|(id, _, _)| status_row(*id)).collect()))
}

fn status_row(id: i64) -> Value {
    let (_, name, display) = STATUSES.iter().find(|status| status.0 == id).copied().unwrap_or(STATUSES[0]);
    json!({"name": name, "displayName": display, "parentId": id, "statusId": id})
}

fn row(ticket: &Ticket) -> Value {
    let mut row = ticket.members.clone();
    row.insert("id".into(), ticket.id.into());
    row.insert("version".into(), ticket.version.into());
    row.insert("requesterUid".into(), ticket.requester.to_string().into());
    row.insert("status".into(), status_row(ticket.status));
    row.insert("source".into(), "TECHNICIAN".into());
    row.insert("createTime".into(), render::epoch(ticket.created).into());
    row.insert("deleted".into(), false.into());
    Value::Object(row)
}
