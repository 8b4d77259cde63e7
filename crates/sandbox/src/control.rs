//! `/_sandbox/`: faults, triggers, changes to the estate, time, and the truth for tests. None of it is the vendor's.
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use kernel::Decimal;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cipp::state::Trouble;
use crate::cipp::{alerts as cipp_alerts, mail};
use crate::conditions::Illness;
use crate::config::DEVICES_MAX;
use crate::estate::Device;
use crate::facts::FactsOrder;
use crate::faults::FaultOrder;
use crate::graph::alerts::AlertOrder;
use crate::graph::applications::ApplicationOrder;
use crate::graph::control::PeopleOrder;
use crate::graph::intune::{self, IntuneOrder};
use crate::graph::subscriptions::LifeOrder;
use crate::graph::truth as directory;
use crate::ninjaone::reports;
use crate::revio::books::local;
use crate::revio::tickets::TicketOrder;
use crate::revio::truth as billing;
use crate::server::Shared;
use crate::sharepoint::control::{self as sites, DocumentOrder};
use crate::world::{Settings, World};

/// Holds the control token of this sandbox.
pub const CONTROL_HEADER: &str = "x-sandbox-control";
/// Longest wait for deliveries to end.
const SETTLE_MS_MAX: u64 = 10_000;
/// Rows that one call of the control plane adds, removes or repeats.
const ROWS_MAX: usize = 10_000;
/// Tenants whose documents the truth tells.
const LIBRARIES_MAX: usize = 50;

type Outcome = Result<Json<Value>, Problem>;

/// The control plane's own errors; none looks like the vendor's.
#[derive(Debug)]
pub(crate) struct Problem(StatusCode, String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"sandbox_error": self.1}))).into_response()
    }
}

fn bad(text: impl ToString) -> Problem {
    Problem(StatusCode::BAD_REQUEST, text.to_string())
}

fn missing(what: &str) -> Problem {
    Problem(StatusCode::NOT_FOUND, format!("no such {what}"))
}

pub(crate) fn routes(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    Router::new()
        .route("/state", get(state))
        .route("/truth", get(truth))
        .route("/faults", post(add_fault).delete(clear_faults))
        .route("/settings", post(settings))
        .route("/trigger", post(trigger))
        .route("/reset", post(reset))
        .route("/devices/add", post(add_devices))
        .route("/devices/remove", post(remove_devices))
        .route("/organizations/add", post(add_organization))
        .route("/people", post(people))
        .route("/consent", post(consent))
        .route("/payments", post(payment))
        .route("/billing-tickets", post(billing_ticket))
        .route("/applications", post(applications))
        .route("/security-alerts", post(security_alerts))
        .route("/cipp-alerts", post(checks))
        .route("/subscriptions", post(subscriptions))
        .route("/documents", post(documents))
        .route("/intune", post(enrolled))
        .route("/facts", post(facts))
        .route("/webhook/redeliver", post(redeliver))
        .route("/webhook/next", post(next_deliveries))
        .route("/webhook/settle", post(settle))
        .route("/clock/advance", post(advance))
        .layer(middleware::from_fn_with_state(shared.clone(), guard))
}

async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(CONTROL_HEADER).map(|value| value.as_bytes());
    if given == Some(shared.config.control_token.expose_secret().as_bytes()) {
        return next.run(request).await;
    }
    Problem(StatusCode::UNAUTHORIZED, format!("the header {CONTROL_HEADER} is missing or wrong"))
        .into_response()
}

/// No body means no members.
fn read<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    serde_json::from_slice(bytes).map_err(bad)
}

/// Counts, every script run, and the runs by their parameters: the truth that exactly-once tests compare with.
async fn state(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let now = shared.now();
    let outbox = shared.outbox.clone();
    let world = shared.world();
    let mut by_parameters: BTreeMap<&str, u64> = BTreeMap::new();
    for run in &world.runs {
        *by_parameters.entry(&run.parameters).or_default() += 1;
    }
    let run = |run: &crate::ninjaone::scripts::Run| {
        json!({"device_id": run.device_id, "script_id": run.script_id, "parameters": run.parameters, "state": run.state,
            "series_uid": run.series.to_string(), "activity_id": run.activity_id, "accepted_at": run.accepted_at.to_string()})
    };
    let alert = |alert: &crate::conditions::Alert| json!({"uid": alert.uid.to_string(), "device_id": alert.device_id, "kind": alert.illness});
    Json(json!({
        "now": now.to_string(),
        "organizations": world.estate.organizations.len(),
        "locations": world.estate.locations.len(),
        "devices": world.estate.devices.len(),
        "pending_devices": world.estate.devices.values().filter(|it| it.approval.as_str() == "PENDING").count(),
        "activities": world.activities.len(),
        "last_activity_id": world.last_activity_id(),
        "alerts": world.alerts.values().map(alert).collect::<Vec<_>>(),
        "tickets": world.tickets.len(),
        "tokens_issued": world.tokens.len(),
        "webhooks": world.webhooks.len(),
        "faults_waiting": world.faults.waiting(),
        "faults_used": world.faults.used(),
        "revio": {
            "calls": world.books.calls,
            "customers": world.books.customers.len(),
            "lines": world.books.lines.len(),
            "bills": world.books.bills.len(),
            "charges": world.books.charges.len(),
            "payments": world.books.payments.len(),
            "payments_unapplied": world.books.payments.values().filter(|it| it.bill_id.is_none()).count(),
            "tickets": world.books.tickets.len(),
        },
        "graph": {
            "calls": world.directory.calls,
            "tenants": world.directory.tenants.len(),
            "subscriptions": world.subscriptions.len(),
            "people": world.directory.tenants.values().map(|tenant| u64::from(tenant.head_count())).sum::<u64>(),
        },
        "cipp": {
            "calls": world.cipp.calls,
            "templates": world.cipp.templates.len(),
            "runs": world.cipp.runs.len(),
            "passwords_reset": world.cipp.resets.iter().filter(|((what, _), _)| *what == "password").map(|(_, times)| times).sum::<u32>(),
        },
        "settings": world.settings,
        "script_runs": world.runs.iter().map(run).collect::<Vec<_>>(),
        "script_runs_by_parameters": by_parameters,
        "deliveries": {
            "open": outbox.open(),
            "delivered": outbox.delivered.load(Ordering::Relaxed),
            "failed": outbox.failed.load(Ordering::Relaxed),
            "dropped": outbox.dropped.load(Ordering::Relaxed),
            "answers": outbox.answers(),
        },
    }))
}

/// Every billing mistake there is, counted now: what a reconciliation must find, no more and no less. All tenants, and
/// how well each account is guarded.
async fn truth(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let now = shared.now();
    let mut world = shared.world();
    world.bill_months(now);
    let tenants: Vec<_> =
        world.directory.tenants.values().filter(|it| it.has_consent).map(|it| it.id).collect();
    let (mut documents, mut shares) = (Vec::new(), Vec::new());
    for id in tenants.into_iter().take(LIBRARIES_MAX) {
        if let Some(library) = world.library(id, now) {
            documents.extend(sites::documents(id, library));
            shares.extend(sites::shares(id, library));
        }
    }
    let mut posture = directory::posture(&world, now);
    posture.extend(mail::truth(&world.directory, &world.cipp));
    let all = world.directory.tenants.values();
    let fired: Vec<Value> = all.flat_map(|it| cipp_alerts::truth(&world.cipp, it, now)).collect();
    let open = shares.iter().filter(|it| it["scope"] == "anonymous");
    posture.extend(
        open.map(|it| {
            json!({"tenant_id": it["tenant_id"], "check": "anonymous_links", "key": format!("{} {}",
        it["item_id"].as_str().unwrap_or_default(), it["share_id"].as_str().unwrap_or_default())})
        })
        .collect::<Vec<_>>(),
    );
    Json(json!({
        "now": now.to_string(),
        "billing_mistakes": billing::mistakes(&world, now),
        "tenants": directory::tenants(&world),
        "mfa": directory::mfa(&world),
        "settings": world.cipp.truth(&world.directory),
        "cipp_alerts": fired,
        "documents": documents,
        "shares": shares,
        "endpoints": intune::endpoints(&world),
        "posture": posture,
        "device_facts": reports::truth(&world, now),
    }))
}

/// A file comes, changes, goes, or is shared.
async fn documents(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: DocumentOrder = read(&bytes)?;
    let now = shared.now();
    let mut world = shared.world();
    let tenant = world.directory.of_organization(order.organization_id).map(|tenant| tenant.id);
    let library = tenant.and_then(|id| world.library(id, now)).ok_or_else(|| missing("tenant"))?;
    order.run(library, now).map(Json).map_err(bad)
}

/// Somebody looks after the secrets of a tenant's applications.
async fn applications(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: ApplicationOrder = read(&bytes)?;
    let now = shared.now();
    let mut world = shared.world();
    let tenant =
        world.directory.of_organization_mut(order.organization_id).ok_or_else(|| missing("tenant"))?;
    Ok(Json(order.run(tenant, now)))
}

/// A security service of a tenant raises an alert, or calls one resolved.
async fn security_alerts(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: AlertOrder = read(&bytes)?;
    let now = shared.now();
    let mut world = shared.world();
    let tenant =
        world.directory.of_organization_mut(order.organization_id).ok_or_else(|| missing("tenant"))?;
    order.run(tenant, now).map(Json).map_err(bad)
}

/// A check of CIPP finds something in a tenant, or finds it no more; or somebody sets up a rule.
async fn checks(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: cipp_alerts::AlertOrder = read(&bytes)?;
    let now = shared.now();
    let mut world = shared.world();
    let World { directory, cipp, .. } = &mut *world;
    let tenant = directory.of_organization(order.organization_id).ok_or_else(|| missing("tenant"))?;
    order.run(cipp, tenant, now).map(Json).map_err(bad)
}

/// Somebody joins a tenant, leaves it, or gets or loses something there.
async fn people(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: PeopleOrder = read(&bytes)?;
    let now = shared.now();
    let mut world = shared.world();
    let tenant =
        world.directory.of_organization_mut(order.organization_id).ok_or_else(|| missing("tenant"))?;
    let (tenant_id, moved) = (tenant.id, order.run(tenant, now).map_err(bad)?);
    let rows = moved["people"].as_array().into_iter().flatten();
    let people: Vec<_> = rows.filter_map(|row| row["user_id"].as_str()?.parse().ok()).collect();
    world.tell_people(tenant_id, &people);
    Ok(Json(moved))
}

/// Microsoft wants a subscription of a tenant to be renewed, ends it, or tells that notifications were lost.
async fn subscriptions(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: LifeOrder = read(&bytes)?;
    let mut world = shared.world();
    let tenant = world.directory.of_organization(order.organization_id).map(|tenant| tenant.id);
    let tenant = tenant.ok_or_else(|| missing("tenant"))?;
    let told = world.live_subscriptions(tenant, &order);
    Ok(Json(json!({"tenant_id": tenant, "queued": told})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payment {
    bill_id: i64,
    /// Default: all that is left.
    #[serde(default)]
    amount: Option<Decimal>,
}

/// The account pays a bill, or a part of it.
async fn payment(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: Payment = read(&bytes)?;
    let now = local(shared.now());
    let mut world = shared.world();
    let total = world.books.bills.get(&order.bill_id).ok_or_else(|| missing("bill"))?.total;
    let most = order.amount.unwrap_or(total);
    world.books.pay(order.bill_id, most, now).ok_or_else(|| missing("bill"))?;
    Ok(Json(json!({"bill_id": order.bill_id})))
}

/// A ticket of an account is opened, closed, deleted, left out of the list, or found to be another account's.
async fn billing_ticket(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: TicketOrder = read(&bytes)?;
    let now = local(shared.now());
    order.run(&mut shared.world().books, now).map(Json).map_err(bad)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Consent {
    organization_id: i64,
    granted: bool,
    /// Default: the applications at Microsoft; `true`: what CIPP has.
    #[serde(default)]
    of_cipp: bool,
}

/// A tenant revokes its consent, or gives it again. Tokens that were given before live on.
async fn consent(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: Consent = read(&bytes)?;
    let mut world = shared.world();
    let tenant =
        world.directory.of_organization_mut(order.organization_id).ok_or_else(|| missing("tenant"))?;
    let id = tenant.id;
    if order.of_cipp {
        let member = world.cipp.members.get_mut(&id).ok_or_else(|| missing("tenant of CIPP"))?;
        member.trouble = if order.granted { Trouble::None } else { Trouble::GraphErrors };
    } else {
        tenant.has_consent = order.granted;
    }
    Ok(Json(json!({"tenant_id": id, "granted": order.granted})))
}

/// A device leaves Intune, or tells another name or serial there.
async fn enrolled(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: IntuneOrder = read(&bytes)?;
    let now = shared.now();
    let mut world = shared.world();
    let tenant =
        world.directory.of_organization_mut(order.organization_id).ok_or_else(|| missing("tenant"))?;
    order.run(tenant, now).map(Json).map_err(bad)
}

/// Antivirus, patches, software or the backup of a device changes.
async fn facts(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: FactsOrder = read(&bytes)?;
    let mut world = shared.world();
    let device = world.estate.devices.get_mut(&order.device_id).ok_or_else(|| missing("device"))?;
    order.run(device).ok_or_else(|| bad("the device has no agent"))?;
    Ok(Json(describe(&world, order.device_id)))
}

async fn add_fault(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: FaultOrder = read(&bytes)?;
    let mut world = shared.world();
    world.faults.add(order).map_err(bad)?;
    Ok(Json(json!({"waiting": world.faults.waiting()})))
}

async fn clear_faults(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let mut world = shared.world();
    world.faults.clear();
    world.lies.clear();
    Json(json!({"waiting": 0}))
}

/// A setting of a tenant is changed there, by nobody's order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantSetting {
    organization_id: i64,
    /// `standards.AuditLog`.
    setting: String,
    value: Value,
}

/// All settings at once; what is left out goes back to its default. With `organization_id`: one setting of its tenant.
async fn settings(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let given: Value = read(&bytes)?;
    if given.get("organization_id").is_some() {
        let order: TenantSetting = read(&bytes)?;
        let mut world = shared.world();
        let tenant =
            world.directory.of_organization(order.organization_id).ok_or_else(|| missing("tenant"))?.id;
        world.cipp.set(tenant, &order.setting, order.value.clone()).map_err(bad)?;
        return Ok(Json(json!({"tenant_id": tenant, "setting": order.setting, "value": order.value})));
    }
    let settings: Settings = read(&bytes)?;
    shared.world().settings = settings;
    Ok(Json(json!(settings)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TriggerOrder {
    kind: Illness,
    device_id: Option<i64>,
    organization_id: Option<i64>,
    /// The next script on this device reports success and changes nothing.
    #[serde(default)]
    lying: bool,
}

async fn trigger(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: TriggerOrder = read(&bytes)?;
    let now = shared.now();
    let mut world = shared.world();
    let device_id = match order.device_id {
        Some(id) => id,
        None => world.candidate(order.organization_id).ok_or_else(|| missing("healthy Windows device"))?,
    };
    let device = world.device(device_id).ok_or_else(|| missing("device"))?;
    if order.organization_id.is_some_and(|id| id != device.organization_id) {
        return Err(bad("the device belongs to another organization"));
    }
    let triggered = world.trigger(device_id, order.kind, now).map_err(bad)?;
    if order.lying {
        *world.lies.entry(device_id).or_default() += 1;
    }
    let mut row = describe(&world, device_id);
    row["kind"] = json!(order.kind);
    row["series_uid"] = triggered.uid.to_string().into();
    row["activity_id"] = json!(triggered.activity_id);
    Ok(Json(row))
}

fn describe(world: &World, device_id: i64) -> Value {
    let device = world.device(device_id);
    let organization = device.and_then(|device| world.estate.organizations.get(&device.organization_id));
    json!({
        "device_id": device_id,
        "device_name": device.map(|device| &device.name),
        "organization_id": organization.map(|organization| organization.id),
        "organization_name": organization.map(|organization| &organization.name),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetOrder {
    kind: Illness,
    device_id: i64,
}

/// A device gets well by itself.
async fn reset(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: ResetOrder = read(&bytes)?;
    let now = shared.now();
    let mut world = shared.world();
    let activity_id =
        world.reset(order.device_id, order.kind, now).ok_or_else(|| missing("open condition"))?;
    let mut row = describe(&world, order.device_id);
    row["activity_id"] = activity_id.into();
    Ok(Json(row))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddDevices {
    organization_id: i64,
    count: Option<usize>,
}

async fn add_devices(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: AddDevices = read(&bytes)?;
    let count = order.count.unwrap_or(1);
    let now = shared.now();
    let mut world = shared.world();
    if count > ROWS_MAX || world.estate.devices.len() + count > DEVICES_MAX as usize {
        return Err(bad("too many devices"));
    }
    let add = |_| world.add_device(order.organization_id, now);
    let ids = (0..count).map(add).collect::<Option<Vec<i64>>>().ok_or_else(|| missing("organization"))?;
    let rows: Vec<Value> = ids.iter().map(|id| describe(&world, *id)).collect();
    Ok(Json(json!({"devices": rows})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RemoveDevices {
    device_id: Option<i64>,
    /// The last `count` devices of this organization.
    organization_id: Option<i64>,
    count: Option<usize>,
}

async fn remove_devices(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: RemoveDevices = read(&bytes)?;
    let now = shared.now();
    let mut world = shared.world();
    let ids: Vec<i64> = match (order.device_id, order.organization_id) {
        (Some(id), None) => vec![id],
        (None, Some(organization)) => {
            let of_organization = |device: &&Device| device.organization_id == organization;
            let last = world.estate.devices.values().rev().filter(of_organization).map(|device| device.id);
            last.take(order.count.unwrap_or(1).min(ROWS_MAX)).collect()
        }
        _ => return Err(bad("name either device_id or organization_id")),
    };
    let removed: Vec<_> = ids.into_iter().filter_map(|id| world.remove_device(id, now)).collect();
    if removed.is_empty() {
        return Err(missing("device"));
    }
    let rows =
        removed.iter().map(|it| json!({"device_id": it.id, "device_name": it.name})).collect::<Vec<_>>();
    Ok(Json(json!({"devices": rows})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddOrganization {
    name: String,
    devices: Option<usize>,
}

async fn add_organization(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: AddOrganization = read(&bytes)?;
    let count = order.devices.unwrap_or(0);
    let now = shared.now();
    let mut world = shared.world();
    let taken = world.estate.organizations.values().any(|it| it.name == order.name);
    if order.name.trim().is_empty() || taken || count > ROWS_MAX {
        return Err(bad("the name is empty or taken, or there are too many devices"));
    }
    let id = world.estate.add_organization(order.name);
    let devices: Vec<_> = (0..count).filter_map(|_| world.add_device(id, now)).collect();
    Ok(Json(json!({"organization_id": id, "devices": devices})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redeliver {
    /// Default: the last `count` activities.
    activity_id: Option<i64>,
    count: Option<usize>,
}

/// Sends activities again, as the vendor does when it likes.
async fn redeliver(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: Redeliver = read(&bytes)?;
    let world = shared.world();
    let wanted = |id: i64| order.activity_id.is_none_or(|wanted| wanted == id);
    let newest_first = world.activities.iter().rev().filter(|activity| wanted(activity.id));
    let queued: usize = newest_first
        .take(order.count.unwrap_or(1).min(ROWS_MAX))
        .map(|activity| world.deliver(activity))
        .sum();
    Ok(Json(json!({"queued": queued})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NextDeliveries {
    /// So many deliveries are lost.
    #[serde(default)]
    drop: u32,
    /// So many are sent twice.
    #[serde(default)]
    repeat: u32,
}

async fn next_deliveries(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: NextDeliveries = read(&bytes)?;
    shared.outbox.drop_next.store(order.drop, Ordering::SeqCst);
    shared.outbox.repeat_next.store(order.repeat, Ordering::SeqCst);
    Ok(Json(json!({"drop": order.drop, "repeat": order.repeat})))
}

/// Answers when every delivery has ended, one way or the other.
async fn settle(State(shared): State<Arc<Shared>>) -> Outcome {
    let outbox = shared.outbox.clone();
    tokio::time::timeout(Duration::from_millis(SETTLE_MS_MAX), outbox.idle())
        .await
        .map_err(|_| Problem(StatusCode::GATEWAY_TIMEOUT, "deliveries are still under way".into()))?;
    Ok(Json(json!({
        "delivered": outbox.delivered.load(Ordering::Relaxed),
        "failed": outbox.failed.load(Ordering::Relaxed),
        "dropped": outbox.dropped.load(Ordering::Relaxed),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: i64,
}

/// Only forward: tokens and cursors expire, and months that begin are billed.
async fn advance(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Outcome {
    let order: Advance = read(&bytes)?;
    if !(0..=10 * 366 * 86_400).contains(&order.seconds) {
        return Err(bad("seconds must be from 0 to ten years"));
    }
    shared.advance_ms(order.seconds * 1_000);
    let now: Timestamp = shared.now();
    shared.world().bill_months(now);
    Ok(Json(json!({"now": now.to_string()})))
}
