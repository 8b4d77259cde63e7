//! A device of the vendor as a row of ours.
use domain::estate::{DeviceClass, DiskSpace, disk_used_percent};
use ninjaone::Device;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use store::devices::{ContentHash, DeviceRow};

/// Raise it when a row would be made differently from the same record: then every device is written once again.
const MAKING_VERSION: u8 = 1;
/// Longest text of one column; the raw record keeps all of it.
const TEXT_CHARS_MAX: usize = 500;
/// Members that change with every contact of an agent and are no content.
const CONTACT_MEMBERS: [&str; 2] = ["lastContact", "lastUpdate"];

pub(super) fn device_row(device: Device) -> DeviceRow {
    let vendor_class = text(device.node_class.as_str());
    let name = device.name().map(text).filter(|name| !name.trim().is_empty());
    let disks = device.volumes.iter().flatten().filter_map(|volume| {
        Some(DiskSpace { capacity_bytes: volume.capacity_bytes?, free_bytes: volume.free_bytes? })
    });
    let disk_used_percent = disk_used_percent(disks);
    let volumes = device.volumes.as_ref().map(|volumes| {
        let row = |volume: &ninjaone::Volume| {
            json!({ "name": volume.name, "drive_letter": volume.drive_letter, "label": volume.label,
                "file_system": volume.file_system, "capacity_bytes": volume.capacity_bytes, "free_bytes": volume.free_bytes })
        };
        without_nul(Value::Array(volumes.iter().map(row).collect()))
    });
    let approval = device
        .approval
        .as_ref()
        .map_or_else(|| "approved".to_owned(), |word| text(word.as_str()).to_lowercase());
    let (os, system) = (device.os.as_ref(), device.system.as_ref());
    let raw = without_nul(device.raw);
    DeviceRow {
        external_id: device.id.to_string(),
        site_external_id: device.location_id.map(|id| id.to_string()),
        name: name.unwrap_or_else(|| format!("Device {}", device.id)),
        class: DeviceClass::of_vendor(&vendor_class).as_str(),
        vendor_class,
        os_name: os.and_then(|os| os.name.as_deref()).map(text),
        serial_number: system.and_then(|system| system.serial_number.as_deref()).map(text),
        manufacturer: system.and_then(|system| system.manufacturer.as_deref()).map(text),
        model: system.and_then(|system| system.model.as_deref()).map(text),
        last_user: device.last_logged_in_user.as_deref().map(text),
        ip_addresses: device.ip_addresses.iter().map(|address| text(address)).collect(),
        is_offline: device.offline,
        needs_reboot: os.and_then(|os| os.needs_reboot),
        approval,
        disk_used_percent,
        volumes,
        last_contact_at: device.last_contact,
        content_hash: content_hash(&raw),
        raw,
    }
}

/// Independent of the order of members, so that a vendor that shuffles them changes nothing.
pub(super) fn content_hash(raw: &Value) -> ContentHash {
    let mut hasher = Sha256::new();
    hasher.update([MAKING_VERSION]);
    match raw {
        Value::Object(members) => hash_members(&mut hasher, members, &CONTACT_MEMBERS),
        other => hash(&mut hasher, other),
    }
    ContentHash(hasher.finalize().into())
}

fn hash(hasher: &mut Sha256, value: &Value) {
    match value {
        Value::Null => hasher.update(b"z"),
        Value::Bool(value) => hasher.update(if *value { b"t" } else { b"f" }),
        Value::Number(number) => hash_text(hasher, b'n', &number.to_string()),
        Value::String(text) => hash_text(hasher, b's', text),
        Value::Array(items) => {
            hasher.update(b"[");
            items.iter().for_each(|item| hash(hasher, item));
            hasher.update(b"]");
        }
        Value::Object(members) => hash_members(hasher, members, &[]),
    }
}

fn hash_members(hasher: &mut Sha256, members: &Map<String, Value>, left_out: &[&str]) {
    let mut sorted: Vec<_> = members.iter().filter(|(name, _)| !left_out.contains(&name.as_str())).collect();
    sorted.sort_unstable_by_key(|(name, _)| name.as_str());
    hasher.update(b"{");
    for (name, value) in sorted {
        hash_text(hasher, b'k', name);
        hash(hasher, value);
    }
    hasher.update(b"}");
}

fn hash_text(hasher: &mut Sha256, tag: u8, text: &str) {
    hasher.update([tag]);
    hasher.update(text.len().to_le_bytes());
    hasher.update(text.as_bytes());
}

/// A bounded text without the one character that PostgreSQL cannot keep.
pub(super) fn text(from: &str) -> String {
    from.chars().filter(|c| *c != '\0').take(TEXT_CHARS_MAX).collect()
}

pub(super) fn without_nul(value: Value) -> Value {
    let cleaned = |text: String| if text.contains('\0') { text.replace('\0', "") } else { text };
    match value {
        Value::String(text) => Value::String(cleaned(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nul).collect()),
        Value::Object(members) => Value::Object(
            members.into_iter().map(|(name, value)| (cleaned(name), without_nul(value))).collect(),
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(extra: &Value) -> DeviceRow {
        let mut raw = json!({"id": 7, "organizationId": 1, "locationId": 3, "nodeClass": "WINDOWS_SERVER", "systemName": "AD-FS01",
            "offline": false, "lastContact": 1_700_000_000.5, "os": {"name": "Windows Server", "needsReboot": true},
            "volumes": [{"name": "C:", "capacity": 1000, "freeSpace": 50}, {"name": "D:", "capacity": 1000, "freeSpace": 900}]});
        raw.as_object_mut().unwrap().extend(extra.as_object().cloned().unwrap_or_default());
        device_row(Device::read(raw).unwrap())
    }

    #[test]
    fn a_device_becomes_a_row() {
        let row = row(&json!({}));
        assert_eq!(
            (row.external_id.as_str(), row.site_external_id.as_deref(), row.name.as_str()),
            ("7", Some("3"), "AD-FS01")
        );
        assert_eq!(
            (row.class, row.approval.as_str(), row.disk_used_percent),
            ("server", "approved", Some(95.0))
        );
        assert_eq!((row.is_offline, row.needs_reboot), (Some(false), Some(true)));
        assert_eq!(row.volumes.unwrap()[0]["capacity_bytes"], 1000);
    }

    #[test]
    fn the_content_is_everything_but_the_contact_times() {
        let base = row(&json!({})).content_hash;
        assert_eq!(row(&json!({"lastContact": 1_800_000_000.0, "lastUpdate": 5})).content_hash, base);
        assert_ne!(row(&json!({"offline": true})).content_hash, base);
        assert_ne!(row(&json!({"somethingNew": null})).content_hash, base);
        let shuffled = Device::read(
            json!({"volumes": [{"freeSpace": 50, "capacity": 1000, "name": "C:"}, {"name": "D:", "capacity": 1000, "freeSpace": 900}],
            "os": {"needsReboot": true, "name": "Windows Server"}, "offline": false, "systemName": "AD-FS01", "nodeClass": "WINDOWS_SERVER",
            "locationId": 3, "organizationId": 1, "id": 7}),
        );
        assert_eq!(device_row(shuffled.unwrap()).content_hash, base);
    }

    #[test]
    fn what_postgres_cannot_keep_is_left_out_and_names_are_never_empty() {
        let odd = row(&json!({"systemName": "A\u{0}B", "notes": {"a\u{0}": ["x\u{0}"]}}));
        assert_eq!(odd.name, "AB");
        assert_eq!(odd.raw["notes"], json!({"a": ["x"]}));
        assert_eq!(row(&json!({"systemName": " "})).name, "Device 7");
        assert_eq!(row(&json!({"systemName": "x".repeat(9_000)})).name.len(), TEXT_CHARS_MAX);
    }
}
