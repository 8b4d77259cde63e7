//! Rows of the vendor's reports as rows of ours: bounded texts, each key once.
use std::collections::HashSet;

use domain::device_facts::{Guard, patch_standing};
use ninjaone::{Antivirus, BackupUsage, DeviceFields, DeviceHealth, OsPatch, Software, Volume};
use serde_json::{Value, json};
use store::device_facts::{
    AntivirusRow, BackupRow, CustomFieldRow, HealthRow, PatchRow, ProgramRow, VolumeRow,
};

use crate::sync::device_row::{text, without_nul};

// What an index can hold of a key: see the constraints of the tables.
const NAME_CHARS_MAX: usize = 200;
const VERSION_CHARS_MAX: usize = 100;
const PATCH_ID_CHARS_MAX: usize = 100;
const DRIVE_CHARS_MAX: usize = 20;
/// Antivirus products of one device that are kept.
const PRODUCTS_MAX: usize = 20;
/// Custom fields of one device that are kept.
const FIELDS_MAX: usize = 200;
/// A value that is longer is cut and kept as a text.
const FIELD_CHARS_MAX: usize = 4_000;

fn short(from: Option<&str>, chars_max: usize) -> String {
    from.unwrap_or_default().chars().filter(|c| *c != '\0').take(chars_max).collect()
}

fn said(words: Option<&String>) -> Option<String> {
    words.map(|words| text(words))
}

/// A count as the column takes it.
fn count(sent: Option<i64>) -> Option<i32> {
    sent.map(|count| i32::try_from(count).unwrap_or(i32::MAX))
}

pub(super) fn programs(device: &str, rows: Vec<Software>) -> Vec<ProgramRow> {
    let mut seen = HashSet::new();
    let rows = rows.into_iter().map(|row| ProgramRow {
        device: device.to_owned(),
        name: short(Some(&row.name), NAME_CHARS_MAX),
        version: short(row.version.as_deref(), VERSION_CHARS_MAX),
        publisher: short(row.publisher.as_deref(), VERSION_CHARS_MAX),
        installed_on: row.installed_on.map(|day| day.to_string()),
        size_bytes: row.size_bytes.filter(|size| *size >= 0),
    });
    // A name may consist of nothing that can be kept.
    let rows = rows.filter(|row| !row.name.is_empty());
    rows.filter(|row| seen.insert((row.name.clone(), row.version.clone(), row.publisher.clone()))).collect()
}

pub(super) fn volumes(device: &str, rows: Vec<Volume>) -> Vec<VolumeRow> {
    let mut seen = HashSet::new();
    let rows = rows.into_iter().map(|row| VolumeRow {
        device: device.to_owned(),
        name: short(row.name.as_deref(), NAME_CHARS_MAX),
        drive_letter: short(row.drive_letter.as_deref(), DRIVE_CHARS_MAX),
        label: said(row.label.as_ref()),
        file_system: said(row.file_system.as_ref()),
        capacity_bytes: row.capacity_bytes,
        free_bytes: row.free_bytes,
        protection: said(row.protection.as_ref()).map(|word| word.to_lowercase()),
    });
    rows.filter(|row| seen.insert((row.name.clone(), row.drive_letter.clone()))).collect()
}

pub(super) fn patches(device: &str, rows: Vec<OsPatch>) -> Vec<PatchRow> {
    let mut seen = HashSet::new();
    let rows = rows.into_iter().map(|row| {
        let status = row.status.as_deref().map(text).unwrap_or_default();
        let external_id = short(Some(&row.id), PATCH_ID_CHARS_MAX);
        PatchRow {
            device: device.to_owned(),
            name: said(row.name.as_ref()).unwrap_or_else(|| external_id.clone()),
            external_id,
            kb_number: said(row.kb_number.as_ref()),
            severity: row.severity.as_deref().map_or("unknown".to_owned(), text).to_lowercase(),
            standing: patch_standing(&status),
            status: status.to_lowercase(),
            kind: said(row.kind.as_ref()).map(|kind| kind.to_lowercase()),
            attempted_at: row.attempted_at,
        }
    });
    // What is installed is no gap, whichever report shows it.
    let rows = rows.filter(|row| row.status != "installed");
    rows.filter(|row| seen.insert(row.external_id.clone())).collect()
}

pub(super) fn health(device: &str, rows: Vec<DeviceHealth>) -> Vec<HealthRow> {
    let row = |row: DeviceHealth| HealthRow {
        device: device.to_owned(),
        health_status: row.status.as_deref().map_or("unknown".to_owned(), text).to_lowercase(),
        threats_active: count(row.threats_active),
        threats_quarantined: count(row.threats_quarantined),
        threats_blocked: count(row.threats_blocked),
        os_patches_pending: count(row.os_patches_pending),
        os_patches_failed: count(row.os_patches_failed),
        software_patches_pending: count(row.software_patches_pending),
        software_patches_failed: count(row.software_patches_failed),
        vulnerabilities_critical: count(row.vulnerabilities_critical),
        vulnerabilities_high: count(row.vulnerabilities_high),
        reboot_reason: said(row.reboot_reason.as_ref()),
    };
    rows.into_iter().take(1).map(row).collect()
}

/// One row for all products of the device.
pub(super) fn antivirus(device: &str, mut rows: Vec<Antivirus>) -> Vec<AntivirusRow> {
    // The vendor's order is not ours to compare.
    rows.sort_by(|one, other| (&one.product, &one.version).cmp(&(&other.product, &other.version)));
    let guard = Guard::best(rows.iter().map(|row| (row.state.as_deref(), row.definitions.as_deref())));
    let product = |row: &Antivirus| {
        json!({"name": said(row.product.as_ref()), "state": said(row.state.as_ref()),
            "definitions": said(row.definitions.as_ref()), "version": said(row.version.as_ref())})
    };
    let products = rows.iter().take(PRODUCTS_MAX).map(product).collect();
    vec![AntivirusRow { device: device.to_owned(), antivirus: guard.as_str(), antivirus_products: products }]
}

pub(super) fn backups(device: &str, rows: Vec<BackupUsage>) -> Vec<BackupRow> {
    let row = |row: BackupUsage| BackupRow {
        device: device.to_owned(),
        backup_cloud_bytes: row.cloud_bytes.or(row.revisions_bytes),
        backup_local_bytes: row.local_bytes,
        backup_last_success_at: row.last_success,
        backup_last_failure_at: row.last_failure,
    };
    rows.into_iter().take(1).map(row).collect()
}

pub(super) fn custom_fields(device: &str, rows: Vec<DeviceFields>) -> Vec<CustomFieldRow> {
    let mut seen = HashSet::new();
    let row = |field: ninjaone::DeviceField| CustomFieldRow {
        device: device.to_owned(),
        name: short(Some(&field.name), NAME_CHARS_MAX),
        label: field.label.as_deref().map(|label| short(Some(label), NAME_CHARS_MAX)),
        kind: field.kind,
        value: bounded(without_nul(field.value)),
    };
    let rows = rows.into_iter().flat_map(|row| row.fields).map(row);
    rows.filter(|row| !row.name.is_empty() && seen.insert(row.name.clone())).take(FIELDS_MAX).collect()
}

fn bounded(value: Value) -> Value {
    let said = match &value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if said.chars().count() <= FIELD_CHARS_MAX { value } else { short(Some(&said), FIELD_CHARS_MAX).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn software(name: &str, version: &str) -> Software {
        Software {
            device_id: 1,
            name: name.to_owned(),
            version: Some(version.to_owned()),
            publisher: None,
            installed_on: None,
            size_bytes: Some(-1),
        }
    }

    #[test]
    fn keys_are_bounded_and_come_once() {
        let long = "x".repeat(900);
        let rows = programs(
            "1",
            vec![software(&long, "1"), software(&format!("{long}y"), "1"), software("\0", "1")],
        );
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (rows[0].name.len(), rows[0].publisher.as_str(), rows[0].size_bytes),
            (NAME_CHARS_MAX, "", None)
        );
    }

    #[test]
    fn a_patch_that_is_installed_is_no_gap() {
        let patch = |status: Option<&str>| OsPatch {
            device_id: 1,
            id: status.unwrap_or("-").to_owned(),
            name: None,
            kb_number: None,
            severity: Some("CRITICAL".into()),
            status: status.map(str::to_owned),
            kind: None,
            attempted_at: None,
        };
        let rows = patches(
            "1",
            vec![patch(Some("INSTALLED")), patch(Some("MANUAL")), patch(Some("NEW")), patch(None)],
        );
        let kept: Vec<_> = rows.iter().map(|row| (row.status.as_str(), row.standing)).collect();
        assert_eq!(kept, [("manual", "pending"), ("new", "other"), ("", "other")]);
        assert_eq!((rows[0].severity.as_str(), rows[0].name.as_str()), ("critical", "MANUAL"));
    }
}
