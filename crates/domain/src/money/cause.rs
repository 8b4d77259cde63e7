//! Why counted and billed differ, as far as the facts tell.
use kernel::{Decimal, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use super::{Line, NAMED_MAX, Rule, Since, Unit};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// Something is there, and never a line.
    NoLine,
    /// Something is there, and a line that was switched off.
    DisconnectedLine,
    /// Devices that came after the line's last change.
    DevicesAdded,
    /// Seats that were assigned after the line's last change.
    SeatsAdded,
    /// Too little is billed, and nothing came later: the quantity was never right.
    QuantityTooLow,
    /// A line, and no device.
    LineWithoutDevices,
    /// A line, and no seat.
    LineWithoutSeats,
    /// Several lines bill the same, too much together.
    DuplicateLines,
    /// Devices that vanished after the line's last change.
    DevicesGone,
    /// Seats that were taken away after the line's last change.
    SeatsGone,
    QuantityTooHigh,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cause {
    pub kind: CauseKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_changed_at: Option<Timestamp>,
    /// The latest first.
    pub devices: Vec<Named>,
    pub devices_total: usize,
    /// Who got or lost a seat; of a rule that counts seats only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<Vec<Named>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people_total: Option<usize>,
    pub lines: Vec<LineNamed>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Named {
    pub id: Uuid,
    pub name: String,
    /// When it came or went.
    pub at: Timestamp,
    /// Who did it, where the tenant's log tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// It has a record here; what only a log names has none.
    #[serde(skip_serializing_if = "is_true")]
    pub is_known: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
const fn is_true(it: &bool) -> bool {
    *it
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
    pub present: &'a [&'a Unit],
    pub meant: &'a [Unit],
    pub active: &'a [&'a Line],
    pub ours: &'a [&'a Line],
    pub counted: Decimal,
    pub billed: Decimal,
    pub difference: Decimal,
    pub line: Option<&'a Line>,
}

impl Found<'_> {
    /// The difference without its sign.
    pub(super) fn size(&self) -> Decimal {
        if self.difference.is_negative() {
            Decimal::ZERO.checked_sub(self.difference).unwrap_or_default()
        } else {
            self.difference
        }
    }
}

pub(super) fn explain(found: &Found<'_>) -> (Cause, String, Vec<Since>) {
    let changed_at = found.line.and_then(Line::changed_at);
    let (kind, mut named) =
        if found.difference.is_negative() { over(found, changed_at) } else { under(found, changed_at) };
    let text = sentence(found, kind, &named, changed_at);
    let since = since(found, &named, changed_at);
    let total = named.len();
    named.truncate(NAMED_MAX);
    let is_seats = found.rule.counts.is_seats();
    let (devices, people) = if is_seats { (Vec::new(), Some(named)) } else { (named, None) };
    let cause = Cause {
        kind,
        line_changed_at: changed_at,
        devices_total: if is_seats { 0 } else { total },
        devices,
        people,
        people_total: is_seats.then_some(total),
        lines: found.ours.iter().map(|line| LineNamed::of(line)).collect(),
    };
    (cause, text, since)
}

/// The difference in parts: what each thing that came or went makes of it, since that day; the rest since the line is what it is.
/// Nothing lasts longer than the line that does not fit, or than no line is there.
fn since(found: &Found<'_>, named: &[Named], changed_at: Option<Timestamp>) -> Vec<Since> {
    let floor = if found.active.is_empty() {
        found.ours.iter().filter_map(|line| line.disconnected_at).max()
    } else {
        changed_at
    };
    let mut left = found.size();
    let mut parts = Vec::new();
    for unit in named {
        let quantity = left.min(found.rule.multiplier);
        if quantity.is_zero() {
            break;
        }
        parts.push(Since { quantity, at: Some(unit.at).max(floor) });
        left = left.checked_sub(quantity).unwrap_or_default();
    }
    if !left.is_zero() {
        parts.push(Since { quantity: left, at: floor });
    }
    parts
}

fn under(found: &Found<'_>, changed_at: Option<Timestamp>) -> (CauseKind, Vec<Named>) {
    if found.active.is_empty() {
        let kind = if found.ours.is_empty() { CauseKind::NoLine } else { CauseKind::DisconnectedLine };
        return (
            kind,
            newest(found.present.iter().filter_map(|unit| named(unit, unit.added_at, &unit.added_by))),
        );
    }
    let later = |unit: &&&Unit| changed_at.is_some_and(|at| unit.added_at.is_some_and(|added| added > at));
    let mut added = newest(
        found.present.iter().filter(later).filter_map(|unit| named(unit, unit.added_at, &unit.added_by)),
    );
    added.truncate(units_of(found));
    let kind = match (added.is_empty(), found.rule.counts.is_seats()) {
        (true, _) => CauseKind::QuantityTooLow,
        (false, true) => CauseKind::SeatsAdded,
        (false, false) => CauseKind::DevicesAdded,
    };
    (kind, added)
}

fn over(found: &Found<'_>, changed_at: Option<Timestamp>) -> (CauseKind, Vec<Named>) {
    let is_there = !found.counted.is_zero();
    if found.active.len() > 1 && is_there {
        return (CauseKind::DuplicateLines, Vec::new());
    }
    let later = |unit: &&Unit| {
        !unit.is_present && unit.gone_at.is_some_and(|gone| changed_at.is_none_or(|changed| gone > changed))
    };
    let mut gone =
        newest(found.meant.iter().filter(later).filter_map(|unit| named(unit, unit.gone_at, &unit.gone_by)));
    gone.truncate(units_of(found));
    let kind = match (is_there, gone.is_empty(), found.rule.counts.is_seats()) {
        (false, _, true) => CauseKind::LineWithoutSeats,
        (false, _, false) => CauseKind::LineWithoutDevices,
        (true, false, true) => CauseKind::SeatsGone,
        (true, false, false) => CauseKind::DevicesGone,
        (true, true, _) => CauseKind::QuantityTooHigh,
    };
    (kind, gone)
}

/// How many units make up the difference: the smallest number that reaches it.
fn units_of(found: &Found<'_>) -> usize {
    let zero = Decimal::ZERO;
    let wanted = found.size();
    let mut sum = zero;
    let mut units = 0;
    while sum < wanted && units < found.meant.len() {
        units += 1;
        sum = sum.checked_add(found.rule.multiplier).unwrap_or(wanted);
    }
    units
}

fn named(unit: &Unit, at: Option<Timestamp>, by: &Option<String>) -> Option<Named> {
    at.map(|at| Named { id: unit.id, name: unit.name.clone(), at, by: by.clone(), is_known: unit.is_known })
}

fn newest(units: impl Iterator<Item = Named>) -> Vec<Named> {
    let mut units: Vec<_> = units.collect();
    units.sort_by(|one, other| other.at.cmp(&one.at).then_with(|| one.id.cmp(&other.id)));
    units
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

fn sentence(found: &Found<'_>, kind: CauseKind, units: &[Named], changed_at: Option<Timestamp>) -> String {
    let are = found.rule.counts.state();
    let (product, counted, billed) = (&found.rule.product_name, found.counted, found.billed);
    let since = changed_at.map(|at| format!(" since {}", day(at))).unwrap_or_default();
    let names = names(units);
    match kind {
        CauseKind::NoLine => format!("{counted} of {product} are {are}, and no line bills them."),
        CauseKind::DisconnectedLine => {
            let last = found.ours.iter().filter_map(|line| line.disconnected_at).max();
            let when = last.map(|at| format!(" on {}", day(at))).unwrap_or_default();
            format!("{counted} of {product} are {are}, but their line was disconnected{when}.")
        }
        CauseKind::DevicesAdded | CauseKind::SeatsAdded => {
            format!("The line says {billed}{since}; {counted} are {are}. Added since: {names}.")
        }
        CauseKind::QuantityTooLow => {
            format!("The line says {billed}{since}; {counted} are {are}, and none of them came later.")
        }
        CauseKind::LineWithoutDevices | CauseKind::LineWithoutSeats => {
            format!("{billed} of {product} are billed, and the customer has none.")
        }
        CauseKind::DuplicateLines => {
            format!("{} lines bill {product}, {billed} together; {counted} are {are}.", found.active.len())
        }
        CauseKind::DevicesGone | CauseKind::SeatsGone => {
            format!("The line says {billed}{since}; {counted} are {are}. Gone: {names}.")
        }
        CauseKind::QuantityTooHigh => {
            format!("The line says {billed}{since}; {counted} are {are}, and none is known to have gone.")
        }
    }
}

/// Three by name and day, the others by number.
fn names(units: &[Named]) -> String {
    const SHOWN_MAX: usize = 3;
    let one = |unit: &Named| {
        let by = unit.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        format!("{} ({}{by})", unit.name, day(unit.at))
    };
    let shown: Vec<_> = units.iter().take(SHOWN_MAX).map(one).collect();
    match units.len().saturating_sub(SHOWN_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
