//! The script catalog, and running a script on a device.
use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::auth::Caller;
use super::errors::Refusal;
use super::lists::array;
use super::query::{Is, Params, path_id};
use super::{Answer, json, no_content};
use crate::conditions::Illness;
use crate::faults::Tamper;
use crate::runner::{self, Job};
use crate::server::Shared;
use crate::world::{Entry, MachineTokens, World};

/// Runs that are remembered.
const RUNS_MAX: usize = 1_000_000;
const PARAMETERS_CHARS_MAX: usize = 10_000;
const ROLES: [&str; 6] = [
    "system",
    "SR_MAC_SCRIPT",
    "SR_LINUX_SCRIPT",
    "loggedonuser",
    "SR_LOCAL_ADMINISTRATOR",
    "SR_DOMAIN_ADMINISTRATOR",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Heals(Illness),
    Nothing,
}

struct Script {
    id: i64,
    name: &'static str,
    description: &'static str,
    effect: Effect,
}

const CATALOG: [Script; 3] = [
    Script {
        id: 101,
        name: "Clear update cache",
        description: "Deletes downloaded updates and temporary files on the system volume.",
        effect: Effect::Heals(Illness::DiskFull),
    },
    Script {
        id: 102,
        name: "Restart print spooler",
        description: "Starts the print spooler, or starts it again.",
        effect: Effect::Heals(Illness::ServiceStopped),
    },
    Script {
        id: 103,
        name: "Collect diagnostics",
        description: "Writes a report of the system. Changes nothing.",
        effect: Effect::Nothing,
    },
];

/// One accepted run: the truth for tests that count them.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub device_id: i64,
    pub script_id: i64,
    pub parameters: String,
    pub series: Uuid,
    pub activity_id: i64,
    pub accepted_at: Timestamp,
    pub state: RunState,
    honesty: Honesty,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunState {
    /// The device is offline: the run waits until it is back.
    Waiting,
    Running,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Honesty {
    Honest,
    /// Reports success, changes nothing.
    Lying,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Order {
    r#type: OrderType,
    id: Option<i32>,
    uid: Option<Uuid>,
    parameters: Option<String>,
    run_as: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum OrderType {
    Script,
    Action,
}

pub(super) fn body<T: for<'de> Deserialize<'de>>(headers: &HeaderMap, body: &[u8]) -> Result<T, Refusal> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media.starts_with("application/json") {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Refusal::app(status, "FAILURE", "HTTP 415 Unsupported Media Type"));
    }
    serde_json::from_slice(body).map_err(|error| Refusal::bad(format!("Unable to process JSON: {error}")))
}

/// Calls that need a user, when machine tokens are refused: 403 and 500 in turn, as seen in the wild.
pub(super) fn needs_user(world: &mut World, caller: &Caller) -> Result<(), Refusal> {
    if caller.is_person || world.settings.machine_tokens == MachineTokens::Accept {
        return Ok(());
    }
    world.script_answers += 1;
    Err(if world.script_answers.is_multiple_of(2) {
        Refusal::app(StatusCode::INTERNAL_SERVER_ERROR, "FAILURE", "java.lang.NullPointerException")
    } else {
        Refusal::app(StatusCode::FORBIDDEN, "FAILURE", "User context is required for this operation")
    })
}

pub(super) async fn run(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(tamper): Extension<Tamper>,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
    bytes: Bytes,
) -> Answer {
    Params::read(&uri, &[])?;
    let device_id = path_id(&id)?;
    let order: Order = body(&headers, &bytes)?;
    let now = shared.now();
    let mut world = shared.world();
    needs_user(&mut world, &caller)?;
    let script = check(&world, device_id, &order)?;
    if world.runs.len() >= RUNS_MAX {
        return Err(Refusal::bad("Too many scripts were run"));
    }
    let lying = tamper == Tamper::Lie || world.take_lie(device_id);
    let honesty = if lying { Honesty::Lying } else { Honesty::Honest };
    // From here on the run is accepted: it stands in the log before the answer leaves.
    let index = world.accept(device_id, script, order.parameters.unwrap_or_default(), honesty, now);
    let answer = world.answer(index);
    if world.runs[index].state == RunState::Running {
        let ms = shared.config.script_duration_ms;
        let queued = ms > 0 && shared.jobs.try_send(Job { run: index, due: runner::due_in(ms) }).is_ok();
        if !queued {
            world.end_run(index, now);
        }
    }
    Ok(answer)
}

fn check(world: &World, device_id: i64, order: &Order) -> Result<&'static Script, Refusal> {
    let device = world.device(device_id).ok_or_else(|| Refusal::not_found("Device"))?;
    if order.r#type == OrderType::Action {
        let what = if order.uid.is_some() { "Action not found" } else { "uid is required for an action" };
        return Err(Refusal::bad(what));
    }
    let id = order.id.ok_or_else(|| Refusal::bad("id is required for a script"))?;
    let script = CATALOG.iter().find(|script| script.id == i64::from(id));
    let script = script.ok_or_else(|| {
        Refusal::coded(StatusCode::BAD_REQUEST, "script_not_found", json!({"id": id.to_string()}))
    })?;
    if !device.kind.is_windows() {
        return Err(Refusal::bad("The script does not apply to this device"));
    }
    if order.parameters.as_ref().is_some_and(|text| text.chars().count() > PARAMETERS_CHARS_MAX) {
        return Err(Refusal::bad("The parameters are too long"));
    }
    let run_as = order.run_as.as_deref().unwrap_or("system");
    if !ROLES.contains(&run_as) && run_as.parse::<u32>().is_err() {
        return Err(Refusal::bad(format!("Unknown credential role '{run_as}'")));
    }
    Ok(script)
}

impl World {
    fn take_lie(&mut self, device_id: i64) -> bool {
        let Some(left) = self.lies.get_mut(&device_id) else { return false };
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.lies.remove(&device_id);
        }
        true
    }

    fn accept(
        &mut self,
        device_id: i64,
        script: &Script,
        parameters: String,
        honesty: Honesty,
        now: Timestamp,
    ) -> usize {
        let series = self.rng.uuid();
        let online = self.device(device_id).is_some_and(|device| !device.offline);
        let state = if online { RunState::Running } else { RunState::Waiting };
        let mut run = Run {
            device_id,
            script_id: script.id,
            parameters,
            series,
            activity_id: 0,
            accepted_at: now,
            state,
            honesty,
        };
        run.activity_id = self.log(entry(&run, script.name, "START_REQUESTED", "UNCOMPLETED"), now);
        if online {
            self.log(entry(&run, script.name, "STARTED", "UNCOMPLETED"), now);
        }
        self.runs.push(run);
        self.runs.len() - 1
    }

    /// The forms of an acceptance, in turn.
    fn answer(&mut self, index: usize) -> Response {
        let run = &self.runs[index];
        let turn = self.script_answers;
        self.script_answers += 1;
        match turn % 6 {
            0 => json(&json!(run.activity_id)),
            1 => json(&json!({"id": run.activity_id})),
            2 => json(&json!({"activityId": run.activity_id})),
            3 => json(&json!({"jobUid": run.series.to_string()})),
            4 => json(&json!(run.series.to_string())),
            _ => no_content(),
        }
    }

    /// A device is back: what waited for it runs now, and is done at once.
    pub fn run_waiting(&mut self, device_id: i64, now: Timestamp) {
        let waits = |run: &Run| run.device_id == device_id && run.state == RunState::Waiting;
        let waiting: Vec<usize> = (0..self.runs.len()).filter(|index| waits(&self.runs[*index])).collect();
        for index in waiting {
            let run = self.runs[index].clone();
            let name =
                CATALOG.iter().find(|script| script.id == run.script_id).map_or("", |script| script.name);
            self.log(entry(&run, name, "STARTED", "UNCOMPLETED"), now);
            self.end_run(index, now);
        }
    }

    /// The script says that it is done, and, unless it lies, what it heals is healed.
    pub fn end_run(&mut self, index: usize, now: Timestamp) {
        let Some(run) = self.runs.get_mut(index) else { return };
        run.state = RunState::Ended;
        let run = run.clone();
        let script = CATALOG.iter().find(|script| script.id == run.script_id);
        let Some(script) = script.filter(|_| self.device(run.device_id).is_some()) else { return };
        self.log(entry(&run, script.name, "COMPLETED", "SUCCESS"), now);
        if let Effect::Heals(illness) = script.effect
            && run.honesty == Honesty::Honest
        {
            self.reset(run.device_id, illness, now);
        }
    }
}

fn entry(run: &Run, name: &str, code: &'static str, result: &'static str) -> Entry {
    let verb = match code {
        "START_REQUESTED" => "requested",
        "STARTED" => "started",
        _ => "completed",
    };
    Entry {
        device_id: Some(run.device_id),
        kind: "ACTION",
        code,
        severity: "NONE",
        result,
        series: run.series,
        source_name: name.to_owned(),
        subject: "Script".into(),
        message: format!("Script '{name}' {verb}"),
        data: json!({
            "message": {"code": format!("action_{verb}"), "params": {
                "action_name": name,
                "script_id": run.script_id.to_string(),
                "parameters": run.parameters,
            }},
        }),
    }
}

pub(super) async fn options(State(shared): State<Arc<Shared>>, Path(id): Path<String>, uri: Uri) -> Answer {
    Params::read(&uri, &[("lang", Is::Text)])?;
    let id = path_id(&id)?;
    let world = shared.world();
    let device = world.device(id).ok_or_else(|| Refusal::not_found("Device"))?;
    let scripts: &[Script] = if device.kind.is_windows() { &CATALOG } else { &[] };
    let row = |script: &Script| -> Value {
        json!({"type": "SCRIPT", "id": script.id, "name": script.name, "language": "powershell",
            "description": script.description, "architecture": ["32", "64"], "categoryId": 1})
    };
    Ok(json(&json!({
        "categories": [{"id": 1, "name": "Maintenance", "internal": false}],
        "scripts": scripts.iter().map(row).collect::<Vec<_>>(),
        "credentials": {"roles": ROLES, "credentials": []},
    })))
}

pub(super) async fn catalog(uri: Uri) -> Answer {
    Params::read(&uri, &[("lang", Is::Text)])?;
    Ok(array(&CATALOG, |script| {
        json!({"id": script.id, "name": script.name, "description": script.description, "active": true,
            "language": "powershell", "architecture": ["32", "64"], "operatingSystems": ["Windows"]})
    }))
}
