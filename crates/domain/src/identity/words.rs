//! The evidence, in sentences.
use std::collections::BTreeSet;

use super::{Record, Source, keys::serial_key};

fn name(record: &Record) -> &str {
    record.name.as_deref().map(str::trim).filter(|name| !name.is_empty()).unwrap_or("without a name")
}

fn serial(record: &Record) -> &str {
    record.serial.as_deref().map(str::trim).unwrap_or_default()
}

/// `NinjaOne and Intune`.
fn sources(records: &[&Record]) -> String {
    let all: BTreeSet<Source> = records.iter().map(|record| record.id.source).collect();
    all.iter().map(|source| source.name()).collect::<Vec<_>>().join(" and ")
}

fn same_name(records: &[&Record]) -> bool {
    let names: BTreeSet<_> = records.iter().map(|it| it.name.as_deref().and_then(super::name_key)).collect();
    names.len() == 1
}

pub(super) fn by_serial(records: &[&Record]) -> Vec<String> {
    let Some(first) = records.first() else { return Vec::new() };
    let mut words = vec![format!(
        "The serial number {} is the same in {}, and occurs once in each.",
        serial(first),
        sources(records)
    )];
    words.push(if same_name(records) {
        format!("The name {} is the same as well.", name(first))
    } else {
        let names: Vec<String> =
            records.iter().map(|it| format!("{} in {}", name(it), it.id.source.name())).collect();
        format!("The names differ ({}): it was renamed in one of them.", names.join(", "))
    });
    words
}

pub(super) fn by_entra_id(records: &[&Record]) -> Vec<String> {
    vec![format!("The Entra device id is the same in {}.", sources(records))]
}

/// Why the serial number of a record was no help.
fn no_serial(record: &Record) -> Option<String> {
    let source = record.id.source.name();
    let sent = serial(record);
    if sent.is_empty() {
        Some(format!("{source} has no serial number of {}.", name(record)))
    } else if serial_key(sent).is_none() {
        Some(format!("The serial number \"{sent}\" in {source} is a maker's filler and says nothing."))
    } else {
        None
    }
}

pub(super) fn by_name(records: &[&Record]) -> Vec<String> {
    let Some(first) = records.first() else { return Vec::new() };
    let mut words = vec![format!(
        "The name {} is the same in {}, and occurs once in each.",
        name(first),
        sources(records)
    )];
    let without: Vec<String> = records.iter().filter_map(|record| no_serial(record)).collect();
    if without.is_empty() {
        words.push(format!("The serial number {} occurs more than once, and says nothing.", serial(first)));
    }
    words.extend(without);
    words
}

pub(super) fn reenrolled(older: &Record, newer: &Record) -> Vec<String> {
    let source = newer.id.source.name();
    let mut words = vec![format!("{source} has it twice under the serial number {}.", serial(newer))];
    words.push(match (older.last_seen_at, newer.enrolled_at) {
        (Some(seen), Some(enrolled)) if seen <= enrolled => format!(
            "The older record was last seen on {}, the newer one was enrolled on {}: it was set up anew.",
            day(seen),
            day(enrolled)
        ),
        _ => "Both have the same Entra device id.".to_owned(),
    });
    words
}

fn day(at: kernel::Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

pub(super) fn kept() -> Vec<String> {
    vec![
        "They were one machine before, and the last reading was not complete: nothing is taken apart by it."
            .to_owned(),
    ]
}

/// Without the reason: a customer's own people read this, and the reason is the provider's word.
pub(super) fn decided() -> Vec<String> {
    vec!["A person decided that they are one machine.".to_owned()]
}

/// What each record says, one sentence each.
pub(super) fn told(records: &[&Record]) -> Vec<String> {
    let one = |record: &&Record| {
        let (name, serial, source) = (name(record), serial(record), record.id.source.name());
        if serial.is_empty() {
            format!("{source}: {name}, without a serial number.")
        } else {
            format!("{source}: {name}, serial number {serial}.")
        }
    };
    records.iter().map(one).collect()
}
