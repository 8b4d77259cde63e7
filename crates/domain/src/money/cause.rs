//! Why counted and billed differ, as far as the facts tell.
use kernel::{Decimal, Timestamp, id::DeviceId};
use serde::Serialize;
use uuid::Uuid;

use super::{DEVICES_NAMED_MAX, Device, Line, Rule};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// Devices, and never a line.
    NoLine,
    /// Devices, and a line that was switched off.
    DisconnectedLine,
    /// Devices that came after the line's last change.
    DevicesAdded,
    /// Too little is billed, and no device came later: the quantity was never right.
    QuantityTooLow,
    /// A line, and no device.
    LineWithoutDevices,
    /// Several lines bill the same, too much together.
    DuplicateLines,
    /// Devices that vanished after the line's last change.
    DevicesGone,
    QuantityTooHigh,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cause {
    pub kind: CauseKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_changed_at: Option<Timestamp>,
    /// The latest first.
    pub devices: Vec<DeviceNamed>,
    pub devices_total: usize,
    pub lines: Vec<LineNamed>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceNamed {
    pub id: DeviceId,
    pub name: String,
    /// When it came or went.
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LineNamed {
    pub id: Uuid,
    #[serde(rename = "ref")]
    pub external_id: String,
    pub quantity: Decimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
    pub is_active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disconnected_at: Option<Timestamp>,
}

pub(super) struct Found<'a> {
    pub rule: &'a Rule,
    pub present: &'a [&'a Device],
    pub meant: &'a [&'a Device],
    pub active: &'a [&'a Line],
    pub ours: &'a [&'a Line],
    pub counted: Decimal,
    pub billed: Decimal,
    pub difference: Decimal,
    pub line: Option<&'a Line>,
}

pub(super) fn explain(found: &Found<'_>) -> (Cause, String) {
    let changed_at = found.line.and_then(Line::changed_at);
    let (kind, devices) =
        if found.difference.is_negative() { over(found, changed_at) } else { under(found, changed_at) };
    let text = sentence(found, kind, &devices, changed_at);
    let cause = Cause {
        kind,
        line_changed_at: changed_at,
        devices_total: devices.len(),
        devices: devices.into_iter().take(DEVICES_NAMED_MAX).collect(),
        lines: found.ours.iter().map(|line| LineNamed::of(line)).collect(),
    };
    (cause, text)
}

fn under(found: &Found<'_>, changed_at: Option<Timestamp>) -> (CauseKind, Vec<DeviceNamed>) {
    if found.active.is_empty() {
        let kind = if found.ours.is_empty() { CauseKind::NoLine } else { CauseKind::DisconnectedLine };
        return (kind, newest(found.present.iter().filter_map(|device| named(device, device.added_at))));
    }
    let later =
        |device: &&&Device| changed_at.is_some_and(|at| device.added_at.is_some_and(|added| added > at));
    let mut added =
        newest(found.present.iter().filter(later).filter_map(|device| named(device, device.added_at)));
    added.truncate(units_of(found));
    let kind = if added.is_empty() { CauseKind::QuantityTooLow } else { CauseKind::DevicesAdded };
    (kind, added)
}

fn over(found: &Found<'_>, changed_at: Option<Timestamp>) -> (CauseKind, Vec<DeviceNamed>) {
    if found.active.len() > 1 && !found.present.is_empty() {
        return (CauseKind::DuplicateLines, Vec::new());
    }
    let later = |device: &&&Device| {
        device.missing_since.is_some_and(|gone| changed_at.is_none_or(|changed| gone > changed))
    };
    let mut gone =
        newest(found.meant.iter().filter(later).filter_map(|device| named(device, device.missing_since)));
    gone.truncate(units_of(found));
    let kind = match (found.present.is_empty(), gone.is_empty()) {
        (true, _) => CauseKind::LineWithoutDevices,
        (false, false) => CauseKind::DevicesGone,
        (false, true) => CauseKind::QuantityTooHigh,
    };
    (kind, gone)
}

/// How many devices make up the difference: the smallest number that reaches it.
fn units_of(found: &Found<'_>) -> usize {
    let zero = Decimal::ZERO;
    let wanted = if found.difference.is_negative() {
        zero.checked_sub(found.difference)
    } else {
        Some(found.difference)
    };
    let Some(wanted) = wanted else { return 0 };
    let mut sum = zero;
    let mut units = 0;
    while sum < wanted && units < found.meant.len() {
        units += 1;
        sum = sum.checked_add(found.rule.multiplier).unwrap_or(wanted);
    }
    units
}

fn named(device: &Device, at: Option<Timestamp>) -> Option<DeviceNamed> {
    at.map(|at| DeviceNamed { id: device.id, name: device.name.clone(), at })
}

fn newest(devices: impl Iterator<Item = DeviceNamed>) -> Vec<DeviceNamed> {
    let mut devices: Vec<_> = devices.collect();
    devices.sort_by(|one, other| other.at.cmp(&one.at).then_with(|| one.id.cmp(&other.id)));
    devices
}

impl LineNamed {
    fn of(line: &Line) -> Self {
        Self {
            id: line.id,
            external_id: line.external_id.clone(),
            quantity: line.quantity,
            rate: line.rate,
            is_active: line.is_active,
            disconnected_at: line.disconnected_at,
        }
    }
}

fn sentence(
    found: &Found<'_>,
    kind: CauseKind,
    devices: &[DeviceNamed],
    changed_at: Option<Timestamp>,
) -> String {
    let (product, counted, billed) = (&found.rule.product_name, found.counted, found.billed);
    let since = changed_at.map(|at| format!(" since {}", day(at))).unwrap_or_default();
    let names = names(devices);
    match kind {
        CauseKind::NoLine => format!("{counted} of {product} are there, and no line bills them."),
        CauseKind::DisconnectedLine => {
            let last = found.ours.iter().filter_map(|line| line.disconnected_at).max();
            let when = last.map(|at| format!(" on {}", day(at))).unwrap_or_default();
            format!("{counted} of {product} are there, but their line was disconnected{when}.")
        }
        CauseKind::DevicesAdded => {
            format!("The line says {billed}{since}; {counted} are there. Added since: {names}.")
        }
        CauseKind::QuantityTooLow => {
            format!("The line says {billed}{since}; {counted} are there, and none of them came later.")
        }
        CauseKind::LineWithoutDevices => {
            format!("{billed} of {product} are billed, and the customer has none.")
        }
        CauseKind::DuplicateLines => {
            format!("{} lines bill {product}, {billed} together; {counted} are there.", found.active.len())
        }
        CauseKind::DevicesGone => {
            format!("The line says {billed}{since}; {counted} are there. Gone: {names}.")
        }
        CauseKind::QuantityTooHigh => {
            format!("The line says {billed}{since}; {counted} are there, and none is known to have gone.")
        }
    }
}

/// Three by name and day, the others by number.
fn names(devices: &[DeviceNamed]) -> String {
    const NAMED_MAX: usize = 3;
    let shown: Vec<_> = devices
        .iter()
        .take(NAMED_MAX)
        .map(|device| format!("{} ({})", device.name, day(device.at)))
        .collect();
    match devices.len().saturating_sub(NAMED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
