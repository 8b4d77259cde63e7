//! CIPP as far as the product uses it, under `/cipp/api`: one deployment in front of the same tenants that Graph shows. It keeps the
//! habits of its router: end points in any case, plain-text refusals, failures inside a 200, lists of one as an object.
mod actions;
pub(crate) mod alerts;
pub(crate) mod auth;
pub(crate) mod mail;
mod render;
mod standards;
pub(crate) mod state;

use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::faults::Tamper;
use crate::graph::auth::{App, Caller};
use crate::graph::{self, Reply, Version};
use crate::server::Shared;
use crate::world::{CippRole, World};
use state::Trouble;

/// What an end point comes to.
#[derive(Debug)]
pub(crate) enum Answered {
    Body(Value),
    Status(u16, Value),
    Text(u16, &'static str),
    Nothing,
}

/// One call.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// In lower case.
    pub endpoint: String,
    query: Vec<(String, String)>,
    pub body: Value,
    pub tamper: Tamper,
    pub role: CippRole,
    pub now: Timestamp,
    base: &'a str,
}

impl Asked<'_> {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// From the query or the body, as a text or as `{value}`.
    fn filter(&self) -> Option<String> {
        if let Some(filter) = self.param("tenantFilter") {
            return Some(filter.to_owned());
        }
        let body = self.body.get(0).unwrap_or(&self.body);
        let given = body.get("tenantFilter")?;
        given.as_str().or_else(|| given.get("value")?.as_str()).map(str::to_owned)
    }
}

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new().fallback(one)
}

pub(crate) fn results(words: &str) -> Answered {
    Answered::Body(json!({"Results": words}))
}

async fn one(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let now = shared.now();
    let Some(endpoint) = uri.path().strip_prefix("/api/").map(str::to_ascii_lowercase) else {
        return text(404, "Endpoint not found");
    };
    if endpoint == "publicping" {
        return body(200, &json!({"Message": "Pong"}));
    }
    let mut world = shared.world();
    if !auth::is_known(&world, &headers, now) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    world.cipp.calls += 1;
    let Ok(Query(query)) = Query::<Vec<(String, String)>>::try_from_uri(&uri) else {
        return text(500, "The query could not be read.");
    };
    let sent =
        if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or(Value::Null) };
    let role = world.settings.cipp_role;
    let ask = Asked { endpoint, query, body: sent, tamper, role, now, base: "http://sandbox.invalid/graph" };
    let _ = method;
    match answer(&mut world, &shared.config.cipp.client_id, &ask) {
        Answered::Body(value) => body(200, &value),
        Answered::Status(status, value) => body(status, &value),
        Answered::Text(status, words) => text(status, words),
        Answered::Nothing => body_text(200, "application/json", String::new()),
    }
}

fn body(status: u16, value: &Value) -> Response {
    body_text(status, "application/json", value.to_string())
}

pub(crate) fn text(status: u16, words: &str) -> Response {
    body_text(status, "text/plain; charset=utf-8", words.to_owned())
}

fn body_text(status: u16, media: &'static str, text: String) -> Response {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    answer
}

/// What stands in the place of an answer when a fault says so.
pub(crate) fn placeholder() -> Response {
    let words = "Loading data for all tenants. Please check back in a few minutes";
    body(200, &json!([{"UPN": words, "License": words, "Tenant": words}]))
}

pub(crate) fn not_ok() -> Response {
    body(
        200,
        &json!({"Results": "Failed to process the request. Error: the operation could not be completed."}),
    )
}

pub(crate) fn false_row() -> Response {
    body(200, &json!([render::false_row()]))
}

/// The right that an end point needs; `None` for one that does not exist.
fn right(endpoint: &str) -> Option<&'static str> {
    Some(match endpoint {
        "me" | "listtenants" | "listgraphrequest" | "listcippqueue" => "CIPP.Core.Read",
        "liststandardscompare" | "listbpa" => "Tenant.BestPracticeAnalyser.Read",
        "liststandardtemplates" | "liststandards" | "listtenantalignment" => "Tenant.Standards.Read",
        "addstandardstemplate" | "execstandardsrun" => "Tenant.Standards.ReadWrite",
        "listlicenses" => "Tenant.Directory.Read",
        "listusers" | "listmfausers" => "Identity.User.Read",
        "listgroups" => "Identity.Group.Read",
        "listconditionalaccesspolicies" => "Tenant.ConditionalAccess.Read",
        "listmailboxes" | "listmailboxrules" | "listmailboxpermissions" | "listmailboxforwarding" => {
            "Exchange.Mailbox.Read"
        }
        "listdomainanalyser" => "Tenant.DomainAnalyser.Read",
        "listdomains" => "Tenant.Administration.Read",
        "listalertsqueue" | "listalertresults" => "CIPP.Alert.Read",
        "execdisableuser" | "execresetpass" | "execresetmfa" | "execrevokesessions" | "execoffboarduser"
        | "execbulklicense" => "Identity.User.ReadWrite",
        "execemailforward" | "execconvertmailbox" => "Exchange.Mailbox.ReadWrite",
        _ => return None,
    })
}

fn answer(world: &mut World, client_id: &str, ask: &Asked<'_>) -> Answered {
    let Some(right) = right(&ask.endpoint) else { return Answered::Text(404, "Endpoint not found") };
    if ask.endpoint != "me" && !ask.role.may(right) {
        return Answered::Text(
            403,
            "Access to this CIPP API endpoint is not allowed, you do not have the required permission",
        );
    }
    match ask.endpoint.as_str() {
        "me" => Answered::Body(
            json!({"clientPrincipal": {"appId": client_id, "appRole": [ask.role.name()]}, "permissions": ask.role.permissions()}),
        ),
        "listtenants" => tenants(world, ask),
        "liststandardscompare" => compare(world, ask),
        "liststandardtemplates" => templates(world, ask),
        "liststandards" => Answered::Body(json!([])),
        "listtenantalignment" => alignment(world, ask),
        "listcippqueue" => {
            world.cipp.work(None);
            Answered::Body(Value::Array(render::queue(&world.cipp)))
        }
        "addstandardstemplate" => actions::add_template(world, ask),
        "listalertsqueue" => alerts::queue(&world.cipp),
        _ => of_tenant(world, ask),
    }
}

fn tenants(world: &World, ask: &Asked<'_>) -> Answered {
    let directory = &world.directory;
    let seen = directory.tenants.values().filter(|it| ask.role.sees(it));
    let row = |tenant| {
        let tenant: &graph::tenants::Tenant = tenant;
        world.cipp.members.get(&tenant.id).map(|member| render::tenant(tenant, member, ask.now))
    };
    if let Some(filter) = ask.param("tenantFilter").filter(|it| *it != "null") {
        let found: Vec<Value> =
            seen.filter(|it| it.domain.eq_ignore_ascii_case(filter)).filter_map(row).collect();
        return Answered::Body(Value::Array(found));
    }
    let mut rows: Vec<Value> = seen.filter_map(row).collect();
    if ask.tamper == Tamper::Truncate {
        rows.truncate(rows.len() / 2);
    }
    if ask.param("AllTenantSelector").is_some_and(|it| it.eq_ignore_ascii_case("true"))
        && ask.role != CippRole::Limited
    {
        rows.insert(0, render::selector());
    }
    Answered::Body(Value::Array(rows))
}

/// Rows are kept by default domain: an id finds nothing. A tenant that is left alone has none.
fn compare(world: &mut World, ask: &Asked<'_>) -> Answered {
    let filter = ask.param("tenantFilter").unwrap_or_default().to_owned();
    let found =
        world.directory.tenants.values().find(|it| it.domain.eq_ignore_ascii_case(&filter)).map(|it| it.id);
    let Some(id) = found else { return Answered::Body(json!([])) };
    if !ask.role.sees(&world.directory.tenants[&id]) {
        return denied();
    }
    world.cipp.work(Some(id));
    let Some(member) = world.cipp.members.get(&id).filter(|it| it.trouble != Trouble::Excluded) else {
        return Answered::Body(json!([]));
    };
    let mut row = render::compared(&world.directory.tenants[&id], member, ask.now);
    if ask.tamper == Tamper::Truncate
        && let Some(members) = row.as_object_mut()
    {
        let names: Vec<String> = members.keys().skip(1 + members.len() / 2).cloned().collect();
        names.iter().for_each(|name| drop(members.remove(name)));
    }
    Answered::Body(json!([row]))
}

fn denied() -> Answered {
    Answered::Text(403, "Access to this tenant is not allowed")
}

fn templates(world: &World, ask: &Asked<'_>) -> Answered {
    let wanted = |id: &str| ask.param("id").is_none_or(|it| it == id);
    let rows = world.cipp.templates.iter().filter(|(id, _)| wanted(id)).map(|(_, it)| it.clone());
    Answered::Body(Value::Array(rows.collect()))
}

fn alignment(world: &World, ask: &Asked<'_>) -> Answered {
    let mut rows = Vec::new();
    for tenant in world.directory.tenants.values().filter(|it| ask.role.sees(it)) {
        if let Some(member) = world.cipp.members.get(&tenant.id) {
            rows.extend(render::alignment(&world.cipp, tenant, member, ask.now));
        }
    }
    Answered::Body(Value::Array(rows))
}

fn of_tenant(world: &mut World, ask: &Asked<'_>) -> Answered {
    let Some(filter) = ask.filter() else { return Answered::Text(500, "tenantFilter is required") };
    if filter.eq_ignore_ascii_case("AllTenants") {
        return of_all(world, ask);
    }
    let Some(tenant) = auth::named(&world.directory, &filter) else {
        return Answered::Text(500, "Tenant not found");
    };
    if !ask.role.sees(tenant) {
        return denied();
    }
    let id = tenant.id;
    match ask.endpoint.as_str() {
        "execstandardsrun" => actions::run_standards(world, ask, id),
        "execdisableuser" | "execresetpass" | "execresetmfa" | "execrevokesessions" => {
            actions::on_person(world, ask, id)
        }
        "execoffboarduser" => actions::offboard(world, ask, id),
        "execbulklicense" => actions::bulk_license(world, ask, id),
        "execemailforward" | "execconvertmailbox" => actions::on_mailbox(world, ask, id),
        _ => read(world, ask, id),
    }
}

fn read(world: &World, ask: &Asked<'_>, id: Uuid) -> Answered {
    let Some(tenant) = world.directory.tenants.get(&id) else {
        return Answered::Text(500, "Tenant not found");
    };
    if world.cipp.members.get(&id).is_some_and(|it| it.trouble == Trouble::GraphErrors) {
        return Answered::Status(
            403,
            json!(["Could not get a token: AADSTS65001: The application has no consent in this tenant."]),
        );
    }
    let people = || tenant.indices().map(|index| tenant.person(index));
    let mut rows: Vec<Value> = match ask.endpoint.as_str() {
        "listlicenses" => render::licenses(tenant),
        "listusers" => people().map(|it| render::user(tenant, &it)).collect(),
        "listmfausers" => people().map(|it| render::mfa_user(tenant, &it)).collect(),
        "listmailboxes" => people()
            .filter(|it| it.mail.is_some())
            .map(|it| render::mailbox(&world.cipp, tenant, &it))
            .collect(),
        "listgroups" => return graphed(world, ask, id, "groups"),
        "listconditionalaccesspolicies" => {
            return graphed(world, ask, id, "identity/conditionalAccess/policies");
        }
        "listgraphrequest" => {
            let path = ask.param("Endpoint").unwrap_or_default();
            return match graphed(world, ask, id, path) {
                Answered::Body(rows) => Answered::Body(
                    json!({"Results": rows, "Metadata": {"Endpoint": path, "Tenant": tenant.domain}}),
                ),
                other => other,
            };
        }
        "listbpa" => {
            return Answered::Body(
                json!({"Data": [{"Tenant": tenant.domain}], "Columns": [], "Keys": ["Tenant"], "Style": "Table"}),
            );
        }
        "listdomains" => mail::verified(tenant),
        "listdomainanalyser" => {
            // A list of one comes as an object.
            let mut rows = mail::analysed(&world.directory, &world.cipp, tenant, ask.now);
            return Answered::Body(match rows.len() {
                1 if ask.tamper != Tamper::Truncate => rows.remove(0),
                _ => json!([]),
            });
        }
        "listmailboxforwarding" => {
            let rows = mail::forwardings(&world.cipp, tenant);
            if rows.is_empty() {
                return Answered::Body(Value::Null);
            }
            rows
        }
        "listalertresults" => return alerts::results(&world.cipp, tenant, ask),
        // Nobody made a rule: PowerShell sends nothing at all.
        "listmailboxrules" => return Answered::Nothing,
        "listmailboxpermissions" => return Answered::Body(Value::Null),
        _ => Vec::new(),
    };
    if ask.tamper == Tamper::Truncate {
        rows.truncate(rows.len() / 2);
    }
    Answered::Body(Value::Array(rows))
}

/// A read of Graph behind the deployment. Failures are 400 with a text as JSON.
fn graphed(world: &World, ask: &Asked<'_>, id: Uuid, path: &str) -> Answered {
    let path = path.trim_matches('/').split('/').map(str::to_owned).collect();
    let inner = graph::Ask {
        version: Version::Beta,
        path,
        query: Vec::new(),
        is_eventual: false,
        base: ask.base,
        tamper: ask.tamper,
        now: ask.now,
    };
    let caller = Caller { tenant_id: id, app: App::Directory };
    match graph::answer(world, caller, &inner) {
        Ok(Reply::Json(body)) => Answered::Body(body.get("value").cloned().unwrap_or(body)),
        Ok(Reply::Text(text)) => Answered::Body(json!(text)),
        Err(refusal) => Answered::Status(400, json!(refusal.body["error"]["message"])),
    }
}

/// Over all tenants: queued at first, there when somebody asks again.
fn of_all(world: &mut World, ask: &Asked<'_>) -> Answered {
    if ask.role == CippRole::Limited {
        return denied();
    }
    if ask.endpoint.starts_with("exec") {
        return match ask.endpoint.as_str() {
            "execstandardsrun" => {
                let all: Vec<Uuid> = world.directory.by_organization.values().copied().collect();
                let said = all.into_iter().map(|id| actions::run_standards(world, ask, id)).last();
                said.unwrap_or_else(|| results("Failed to start standards run: no tenants"))
            }
            _ => Answered::Status(500, json!({"Results": "Failed: choose one tenant"})),
        };
    }
    let words = "Loading data for all tenants. Please check back after the job completes";
    let key = format!("{} {}", ask.endpoint, ask.param("Endpoint").unwrap_or_default());
    if world.cipp.gathered.insert(key) {
        return Answered::Body(match ask.endpoint.as_str() {
            "listlicenses" => json!([{"Tenant": words, "License": words}]),
            "listmfausers" => json!([{"UPN": words}]),
            _ => json!({"Results": [], "Metadata": {"Queued": true, "QueueMessage": words}}),
        });
    }
    let world = &*world;
    let mut rows = Vec::new();
    for id in world.directory.by_organization.values() {
        if let Answered::Body(Value::Array(of_one)) = read(world, ask, *id) {
            rows.extend(of_one);
        }
    }
    Answered::Body(Value::Array(rows))
}
