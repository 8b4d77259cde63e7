//! Maintenance of devices: windows that a person asks for, that the RMM's own reading proves, and in which alerts page nobody.
mod ask;
pub mod flows;
mod look;

pub use ask::{Feature, Start, Started, end, start, unmute};
pub use look::when_due;

use flow::Engine;
use kernel::{
    Timestamp,
    id::{CustomerId, UserId},
};
use pg::ActorTx;
use store::{
    incidents,
    maintenance::{self, Muted, Outcome},
};

use crate::incidents::intake::{self, IntakeError, Signal};

/// What starting and ending a window, and taking an alert out of it, need of the caller.
pub const PERMISSION: &str = "incidents:write";
/// Shortest and longest window.
pub const WINDOW_MINUTES_MIN: i64 = 5;
pub const WINDOW_MINUTES_MAX: i64 = 7 * 24 * 60;
/// Devices of one call.
pub const DEVICES_MAX: usize = 50;
/// Open windows of one customer: a whole estate in maintenance would be silent.
pub const WINDOWS_MAX: i32 = 200;

/// Muted alerts that are still true come back as if they had just been raised; the others are noted as cleared. Returns how many came back.
async fn give_back(
    tx: &ActorTx,
    engine: &Engine,
    customer: CustomerId,
    muted: &[Muted],
    outcome: Outcome,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<usize, IntakeError> {
    let mut back = 0;
    for it in muted {
        let device = match it.device.filter(|_| !it.is_resolved) {
            Some(device) => incidents::device_facts(tx, customer, device).await?,
            None => None,
        };
        let outcome = if device.is_some() { outcome } else { Outcome::Cleared };
        if !maintenance::unmute(tx, customer, it.id, now, outcome, by).await? {
            continue;
        }
        let Some(device) = device else { continue };
        let signal = Signal {
            alert: it.alert,
            title: &it.title,
            kind: &it.kind,
            severity: &it.severity,
            message: &it.message,
        };
        intake::attend(tx, engine, customer, &device, &signal, now).await?;
        back += 1;
    }
    Ok(back)
}
