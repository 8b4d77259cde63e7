//! What people ask for: a window for devices, its early end, an alert out of it.
use flow::{Engine, RunMode, StartRun, Subject};
use jiff::Span;
use kernel::{
    ApiError, ErrorCode, Timestamp,
    id::{AlertId, CustomerId, DeviceId, RunId, uuid_v7},
};
use pg::{Actor, ActorTx, Pg, WorkReason};
use store::maintenance::{self, Fit, NewWindow, Outcome};
use uuid::Uuid;

use super::{DEVICES_MAX, PERMISSION, WINDOW_MINUTES_MAX, WINDOW_MINUTES_MIN, WINDOWS_MAX, flows, give_back};
use crate::access;

/// What the RMM leaves alone while the window lasts. Its alerts go on: they are kept here, and page nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    Patching,
    AntivirusScans,
    Tasks,
}

impl Feature {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patching => "patching",
            Self::AntivirusScans => "antivirus_scans",
            Self::Tasks => "tasks",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Start<'a> {
    pub devices: &'a [DeviceId],
    pub minutes: i64,
    pub reason: &'a str,
    pub features: &'a [Feature],
}

/// A run that was started, or why none was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    pub device: DeviceId,
    pub outcome: Result<RunId, String>,
}

/// Starts a run for each device; one that does not fit is named with its reason, and the others go on. Needs `incidents:write`.
pub async fn start(
    pg: &Pg,
    engine: &Engine,
    actor: &Actor,
    customer: CustomerId,
    order: &Start<'_>,
    now: Timestamp,
) -> Result<Vec<Started>, ApiError> {
    let (reason, features) = check(order)?;
    let (tx, fits) = begin(pg, actor, customer, order.devices).await?;
    let ends_at = now + Span::new().minutes(order.minutes);
    let mut open = maintenance::others(&tx, customer, Uuid::nil()).await?;
    let mut started = Vec::with_capacity(fits.len());
    for device in &fits {
        let id = uuid_v7(now);
        let new = NewWindow {
            id,
            device: device.id,
            reason,
            features: &features,
            ends_at,
            by: actor.user,
            at: now,
        };
        let outcome = if let Some(why) = unfit(device, open) {
            Err(why)
        } else if maintenance::ask(&tx, customer, &new).await? {
            let title = format!("Maintenance of {}", device.name);
            let run = run(&tx, engine, actor, flows::START, title, id, device.id).await?;
            maintenance::attach_run(&tx, customer, id, run).await?;
            open += 1;
            Ok(run)
        } else {
            Err(format!("{} is in maintenance already; end that first.", device.name))
        };
        started.push(Started { device: device.id, outcome });
    }
    settle(tx, started).await
}

/// Starts the run that ends the devices' windows early. Needs `incidents:write`.
pub async fn end(
    pg: &Pg,
    engine: &Engine,
    actor: &Actor,
    customer: CustomerId,
    devices: &[DeviceId],
) -> Result<Vec<Started>, ApiError> {
    let (tx, fits) = begin(pg, actor, customer, devices).await?;
    let mut ended = Vec::with_capacity(fits.len());
    for device in &fits {
        let outcome = match maintenance::open_of_device(&tx, customer, device.id).await? {
            Some((id, state)) if state == "active" => {
                let title = format!("End of the maintenance of {}", device.name);
                let run = run(&tx, engine, actor, flows::END, title, id, device.id).await?;
                maintenance::begin_end(&tx, customer, id, run, actor.user).await?;
                Ok(run)
            }
            Some((_, state)) if state == "starting" => {
                Err(format!("The maintenance of {} is not proven yet; cancel its run instead.", device.name))
            }
            Some(_) => Err(format!("The maintenance of {} is being ended already.", device.name)),
            None => Err(format!("{} is not in maintenance.", device.name)),
        };
        ended.push(Started { device: device.id, outcome });
    }
    settle(tx, ended).await
}

/// Takes one alert out of its device's window: it is answered as if it had just been raised. Needs `incidents:write`.
pub async fn unmute(
    pg: &Pg,
    engine: &Engine,
    actor: &Actor,
    customer: CustomerId,
    alert: AlertId,
    now: Timestamp,
) -> Result<(), ApiError> {
    access::require(pg, actor, customer, PERMISSION).await?;
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Workflow).await?;
    let muted = maintenance::muted_alert(&tx, customer, alert).await?;
    if muted.is_empty() {
        return Err(access::not_found());
    }
    give_back(&tx, engine, customer, &muted, Outcome::Unmuted, actor.user, now).await?;
    tx.commit().await?;
    Ok(())
}

fn check<'a>(order: &Start<'a>) -> Result<(&'a str, Vec<String>), ApiError> {
    let refused = |message: String| Err(ApiError::new(ErrorCode::ValueRefused, message));
    let reason = order.reason.trim();
    if reason.is_empty() {
        return refused("Say why.".into());
    }
    if !(WINDOW_MINUTES_MIN..=WINDOW_MINUTES_MAX).contains(&order.minutes) {
        return refused(format!(
            "A window lasts from {WINDOW_MINUTES_MIN} minutes to {} days.",
            WINDOW_MINUTES_MAX / 1_440
        ));
    }
    let mut features: Vec<String> = order.features.iter().map(|it| it.as_str().to_owned()).collect();
    features.sort_unstable();
    features.dedup();
    if features.is_empty() {
        return refused("Say what the RMM is to leave alone.".into());
    }
    Ok((reason, features))
}

/// One device that is not the customer's refuses all: it does not exist for the caller.
async fn begin(
    pg: &Pg,
    actor: &Actor,
    customer: CustomerId,
    devices: &[DeviceId],
) -> Result<(ActorTx, Vec<Fit>), ApiError> {
    access::require(pg, actor, customer, PERMISSION).await?;
    let mut wanted = devices.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() || wanted.len() > DEVICES_MAX {
        return Err(ApiError::new(ErrorCode::ValueRefused, format!("Name 1 to {DEVICES_MAX} devices.")));
    }
    let tx = pg.work_on_behalf(actor, customer, WorkReason::Workflow).await?;
    let fits = maintenance::fit(&tx, customer, &wanted).await?;
    if fits.len() < wanted.len() {
        return Err(access::not_found());
    }
    Ok((tx, fits))
}

fn unfit(device: &Fit, open: i32) -> Option<String> {
    let name = &device.name;
    if device.vendor != "ninjaone" {
        return Some(format!("{name} is not managed by NinjaOne."));
    }
    if device.is_gone {
        return Some(format!("{name} is gone from NinjaOne."));
    }
    if device.approval != "approved" {
        return Some(format!("{name} is not approved in NinjaOne."));
    }
    (open >= WINDOWS_MAX)
        .then(|| format!("{WINDOWS_MAX} devices of this customer are in maintenance: no more go in."))
}

async fn run(
    tx: &ActorTx,
    engine: &Engine,
    actor: &Actor,
    workflow: &str,
    title: String,
    window: Uuid,
    device: DeviceId,
) -> Result<RunId, ApiError> {
    let input = serde_json::to_value(flows::Input { maintenance_id: window })
        .map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))?;
    let order = StartRun {
        workflow_key: workflow.into(),
        title,
        input,
        subject: Some(Subject { kind: "device".into(), id: device.0 }),
        dedup_key: None,
        started_by: actor.user,
        started_reason: "manual".into(),
        mode: RunMode::Real,
    };
    Ok(engine.start(tx, order).await?.run)
}

/// When no device fits, nothing is kept, and the first reason is the answer.
async fn settle(tx: ActorTx, all: Vec<Started>) -> Result<Vec<Started>, ApiError> {
    if all.iter().all(|it| it.outcome.is_err()) {
        let why = all.into_iter().find_map(|it| it.outcome.err()).unwrap_or_default();
        return Err(ApiError::new(ErrorCode::Conflict, why));
    }
    tx.commit().await?;
    Ok(all)
}
