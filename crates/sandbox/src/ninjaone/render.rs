//! The vendor's JSON of everything in the estate. Times are epoch seconds with a fraction.
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::conditions::Alert;
use crate::estate::{Device, Kind, Location, Organization, Volume};
use crate::ninjaone::maintenance::Maintenance;
use crate::rng::Rng;
use crate::world::Activity;

#[expect(clippy::cast_precision_loss, reason = "the vendor sends floats; milliseconds of today fit")]
pub(crate) fn epoch(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1_000.0
}

/// Whole seconds and a fraction that belongs to the device.
#[expect(clippy::cast_precision_loss, reason = "seconds of today fit")]
pub(crate) fn seconds(seconds: i64, salt: u64) -> f64 {
    seconds as f64 + (1 + salt % 998) as f64 / 1_000.0
}

/// An online device was seen within the minute before the last full one, so that two readings agree.
fn last_contact(device: &Device, now: Timestamp) -> f64 {
    if device.offline {
        return seconds(device.last_seen_s, device.salt);
    }
    let minute = now.as_second() / 60 * 60;
    let ago = i64::try_from(device.salt % 55).unwrap_or(0) + 1;
    seconds(minute - ago, device.salt)
}

pub(crate) fn organization(organization: &Organization) -> Value {
    json!({
        "name": organization.name,
        "description": format!("Managed customer {}", organization.name),
        "userData": {},
        "nodeApprovalMode": "AUTOMATIC",
        "id": organization.id,
    })
}

pub(crate) fn location(location: &Location) -> Value {
    json!({"name": location.name, "address": location.address, "description": "", "userData": {}, "id": location.id})
}

pub(crate) fn location_of_organization(place: &Location) -> Value {
    let mut row = location(place);
    row["organizationId"] = place.organization_id.into();
    row
}

pub(crate) fn role_id(device: &Device) -> i64 {
    match device.kind {
        Kind::WindowsServer => 1,
        Kind::WindowsWorkstation => 2,
        Kind::Mac => 3,
        Kind::LinuxServer => 4,
        Kind::LinuxWorkstation => 5,
        Kind::VmwareGuest => 6,
        Kind::Phone => 7,
    }
}

/// What the plain lists show of a device.
pub(crate) fn node(device: &Device, now: Timestamp) -> Map<String, Value> {
    let dns = format!("{}.example.internal", device.name.to_ascii_lowercase());
    let contact = last_contact(device, now);
    let members = [
        ("id", json!(device.id)),
        ("uid", json!(uid(device).to_string())),
        ("organizationId", json!(device.organization_id)),
        ("locationId", json!(device.location_id)),
        ("nodeClass", json!(device.kind.node_class())),
        ("nodeRoleId", json!(role_id(device))),
        ("rolePolicyId", json!(50 + role_id(device))),
        ("approvalStatus", json!(device.approval.as_str())),
        ("offline", json!(device.offline)),
        ("displayName", json!(device.name)),
        ("systemName", json!(device.name)),
        ("dnsName", json!(dns)),
        ("created", json!(seconds(device.created_s, device.salt >> 8))),
        ("lastContact", json!(contact)),
        ("lastUpdate", json!(contact)),
        ("tags", json!([])),
    ];
    let mut map: Map<String, Value> =
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    if device.kind.is_windows() {
        map.insert("netbiosName".into(), json!(device.name.chars().take(15).collect::<String>()));
    }
    map
}

/// What a detail call shows: the node and the members of its subtype.
pub(crate) fn detailed(device: &Device, now: Timestamp) -> Value {
    let mut map = node(device, now);
    let salt = device.salt;
    let octet = |shift: u32| (salt >> shift) & 0xff;
    map.insert(
        "ipAddresses".into(),
        json!([format!("10.{}.{}.{}", octet(0), octet(8), 2 + octet(16) % 250)]),
    );
    map.insert(
        "macAddresses".into(),
        json!([format!(
            "02:{:02X}:{:02X}:{:02X}:{:02X}:{:02X}",
            octet(24),
            octet(32),
            octet(40),
            octet(48),
            octet(56)
        )]),
    );
    map.insert("publicIP".into(), json!(format!("203.0.113.{}", 1 + octet(12) % 250)));
    map.insert("notes".into(), json!([]));
    if let Some(window) = device.maintenance.as_ref().and_then(|window| maintenance(window, now)) {
        map.insert("maintenance".into(), window);
    }
    let kind = match device.kind {
        Kind::Phone => "MDM_DEVICE",
        Kind::VmwareGuest => "VM_GUEST",
        _ => "AGENT_DEVICE",
    };
    map.insert("deviceType".into(), json!(kind));
    match device.kind {
        Kind::Phone => phone(&mut map, device),
        Kind::VmwareGuest => guest(&mut map, device),
        _ => agent(&mut map, device, now),
    }
    Value::Object(map)
}

/// A window that is over shows no more.
fn maintenance(window: &Maintenance, now: Timestamp) -> Option<Value> {
    let status = if now < window.start { "PENDING" } else { "IN_MAINTENANCE" };
    (now < window.end).then(|| {
        json!({"status": status, "start": epoch(window.start), "end": epoch(window.end), "reasonMessage": window.reason})
    })
}

fn make(device: &Device, rng: &mut Rng) -> (&'static str, &'static str) {
    match device.kind {
        Kind::Mac => ("Apple Inc.", rng.pick(&["MacBookPro18,3", "Mac14,2", "Mac15,12"])),
        Kind::WindowsServer | Kind::LinuxServer => rng.pick(&[
            ("Dell Inc.", "PowerEdge R650"),
            ("HPE", "ProLiant DL380 Gen10"),
            ("VMware, Inc.", "VMware7,1"),
        ]),
        Kind::Phone => ("Apple Inc.", "iPhone 15"),
        _ => {
            rng.pick(&[("Dell Inc.", "Latitude 5440"), ("LENOVO", "21HMCTO1WW"), ("HP", "EliteBook 840 G10")])
        }
    }
}

/// Maker and model, whoever asks.
pub(crate) fn make_of(device: &Device) -> (&'static str, &'static str) {
    make(device, &mut Rng::of(device.salt, 1))
}

fn agent(map: &mut Map<String, Value>, device: &Device, now: Timestamp) {
    let mut rng = Rng::of(device.salt, 1);
    let (maker, model) = make(device, &mut rng);
    let (os, build) = match device.kind {
        Kind::Mac => ("macOS 15.5", "24F74"),
        Kind::WindowsServer => ("Windows Server 2022 Standard Edition", "20348"),
        Kind::LinuxServer | Kind::LinuxWorkstation => ("Ubuntu 24.04.2 LTS", "6.8.0-60-generic"),
        _ => ("Windows 11 Professional Edition", "26100"),
    };
    let booted =
        now.as_second() / 86_400 * 86_400 - 86_400 * i64::try_from(1 + device.salt % 40).unwrap_or(1);
    let domain = device
        .user
        .as_deref()
        .and_then(|user| user.split_once('\\'))
        .map_or("WORKGROUP", |(domain, _)| domain);
    let gigabytes = rng.pick(&[8_i64, 16, 32, 64]);
    map.insert(
        "os".into(),
        json!({"manufacturer": if device.kind.is_windows() { "Microsoft Corporation" } else { maker }, "name": os,
            "architecture": "64-bit", "lastBootTime": seconds(booted, device.salt >> 16), "buildNumber": build,
            "locale": "en-US", "language": "English", "needsReboot": device.needs_reboot}),
    );
    map.insert(
        "system".into(),
        json!({"name": device.name, "manufacturer": maker, "model": model, "biosSerialNumber": device.serial,
            "serialNumber": device.serial, "domain": domain, "domainRole": "Member", "numberOfProcessors": 1,
            "totalPhysicalMemory": gigabytes << 30, "virtualMachine": maker.starts_with("VMware"),
            "chassisType": if device.kind == Kind::WindowsWorkstation { "LAPTOP" } else { "DESKTOP" }}),
    );
    map.insert("memory".into(), json!({"capacity": gigabytes << 30}));
    map.insert(
        "processors".into(),
        json!([{"architecture": "x64", "name": "8-core processor", "numCores": 8, "numLogicalCores": 16,
            "clockSpeed": 2_400_000_000_i64, "maxClockSpeed": 4_200_000_000_i64}]),
    );
    map.insert("volumes".into(), device.volumes.iter().map(|disk| volume(device, disk)).collect());
    if let Some(user) = &device.user {
        map.insert("lastLoggedInUser".into(), json!(user));
    }
}

fn phone(map: &mut Map<String, Value>, device: &Device) {
    map.insert(
        "system".into(),
        json!({"displayName": device.name, "name": device.name, "manufacturer": "Apple Inc.", "model": "iPhone 15",
            "serialNumber": device.serial, "build": "22F76"}),
    );
    map.insert("memory".into(), json!({"capacity": 6_i64 << 30}));
    map.insert(
        "network".into(),
        json!([{"imei": format!("35{:013}", device.salt % 10_000_000_000_000), "carrier": "Example Mobile"}]),
    );
    map.insert("volumes".into(), device.volumes.iter().map(|disk| volume(device, disk)).collect());
}

fn guest(map: &mut Map<String, Value>, device: &Device) {
    let members = json!({"files": "[datastore1] vm/vm.vmx", "fullName": device.name, "memorySize": 8_i64 << 30, "cpuCores": 4,
        "powerState": if device.offline { "POWERED_OFF" } else { "POWERED_ON" }, "toolStatus": "OK",
        "guestOSFullName": "Ubuntu Linux (64-bit)", "guestOSFamily": "LINUX", "snapshotCount": device.salt % 3});
    if let Value::Object(members) = members {
        map.extend(members);
    }
}

pub(crate) fn volume(device: &Device, volume: &Volume) -> Value {
    let mut row = json!({
        "name": volume.name,
        "label": volume.label,
        "deviceType": "Local Disk",
        "fileSystem": volume.file_system,
        "autoMount": true,
        "compressed": false,
        "capacity": volume.capacity,
        "freeSpace": volume.free,
        "serialNumber": format!("{:08X}", device.salt & 0xffff_ffff),
    });
    if let Some(letter) = volume.drive_letter {
        row["driveLetter"] = letter.into();
    }
    row
}

pub(crate) fn alert(alert: &Alert) -> Value {
    json!({
        "uid": alert.uid.to_string(),
        "deviceId": alert.device_id,
        "message": alert.message,
        "createTime": epoch(alert.created),
        "updateTime": epoch(alert.created),
        "sourceType": alert.illness.source_type(),
        "sourceName": alert.illness.source_name(),
        "subject": alert.illness.source_name(),
        "conditionName": alert.illness.source_name(),
        "severity": alert.illness.severity(),
        "priority": "HIGH",
        "data": alert.data,
    })
}

pub(crate) fn activity(activity: &Activity) -> Value {
    let mut row = json!({
        "id": activity.id,
        "activityTime": epoch(activity.at),
        "severity": activity.severity,
        "priority": activity.priority,
        "seriesUid": activity.series.to_string(),
        "activityType": activity.kind,
        "statusCode": activity.code,
        "status": activity.code.to_lowercase().replace('_', " "),
        "activityResult": activity.result,
        "sourceName": activity.source_name,
        "subject": activity.subject,
        "message": activity.message,
        "type": activity.kind.to_lowercase().replace('_', " "),
        "data": activity.data,
    });
    if let Some(id) = activity.device_id {
        row["deviceId"] = id.into();
    }
    row
}

fn uid(device: &Device) -> uuid::Uuid {
    Rng::of(device.salt, 2).uuid()
}
