//! The reports over all devices, each cut by a cursor that expires, and the lists of one device that show the same.
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::df::Filter;
use super::errors::Refusal;
use super::lists::{array, truncate};
use super::query::{Is, PAGE, Params, path_id};
use super::{Answer, custom_fields, json, render};
use crate::estate::{Approval, Device};
use crate::facts::{BACKUP_LATE_S, Backup, Guard, PATCHES, SOFTWARE, installed};
use crate::faults::Tamper;
use crate::rng::Rng;
use crate::server::Shared;
use crate::world::{CursorShape, PageBorders, World};

/// Rows of a report page when the client names no number.
const REPORT_ROWS_DEFAULT: usize = 500;
const DAY_S: i64 = 86_400;

/// What a report shows of one device.
struct Report {
    path: &'static str,
    /// Beside `cursor` and `pageSize`.
    parameters: &'static [(&'static str, Is)],
    count: fn(&World, &Device) -> usize,
    rows: fn(&Asked<'_>, &Device) -> Vec<Value>,
}

struct Asked<'a> {
    world: &'a World,
    params: &'a Params,
    now: Timestamp,
}

const VOLUMES: Report = Report {
    path: "volumes",
    parameters: &[("df", Is::Text), ("ts", Is::Text), ("include", Is::Text)],
    count: |_, device| device.volumes.len(),
    rows: volume_rows,
};
const SOFTWARE_REPORT: Report = Report {
    path: "software",
    parameters: &[("df", Is::Text), ("installedBefore", Is::Text), ("installedAfter", Is::Text)],
    count: |_, device| installed(device).count(),
    rows: |asked, device| {
        software_rows(device).into_iter().map(|row| dated(row, device, asked.now)).collect()
    },
};
const OS_PATCHES: Report = Report {
    path: "os-patches",
    parameters: &[
        ("df", Is::Text),
        ("ts", Is::Text),
        ("status", Is::Text),
        ("type", Is::Text),
        ("severity", Is::Text),
    ],
    count: |_, device| device.facts.patches.len(),
    rows: |asked, device| patch_rows(device).into_iter().map(|row| dated(row, device, asked.now)).collect(),
};
const HEALTH: Report = Report {
    path: "device-health",
    parameters: &[("df", Is::Text), ("health", Is::Text)],
    count: |_, _| 1,
    rows: |asked, device| vec![health_row(asked.world, device)],
};
const ANTIVIRUS: Report = Report {
    path: "antivirus-status",
    parameters: &[("df", Is::Text), ("ts", Is::Text), ("productState", Is::Text), ("productName", Is::Text)],
    count: |_, device| antivirus_rows(device).len(),
    rows: |asked, device| {
        antivirus_rows(device).into_iter().map(|row| dated(row, device, asked.now)).collect()
    },
};
const BACKUPS: Report = Report {
    path: "backup/usage",
    // The last one is named by the contract at the members that it brings.
    parameters: &[("includeDeletedDevices", Is::Text), ("includeLastBackupJobTimes", Is::Text)],
    count: |_, device| usize::from(device.facts.backup != Backup::None),
    rows: |asked, device| vec![backup_row(asked, device)],
};
const CUSTOM_FIELDS: Report = Report {
    path: "custom-fields",
    parameters: &[
        ("df", Is::Text),
        ("updatedAfter", Is::Text),
        ("fields", Is::Text),
        ("showSecureValues", Is::Text),
    ],
    count: |_, device| usize::from(custom_fields::has_some(device)),
    rows: |asked, device| {
        vec![custom_fields::row(device, asked.params.text("showSecureValues") == Some("true"))]
    },
};

macro_rules! handlers {
    ($($name:ident = $report:expr;)+) => {$(
        pub(super) async fn $name(
            State(shared): State<Arc<Shared>>,
            Extension(tamper): Extension<Tamper>,
            uri: Uri,
        ) -> Answer {
            page(&shared, tamper, &uri, &$report)
        }
    )+};
}

handlers! {
    volumes = VOLUMES;
    software = SOFTWARE_REPORT;
    os_patches = OS_PATCHES;
    health = HEALTH;
    antivirus = ANTIVIRUS;
    backups = BACKUPS;
    custom_fields = CUSTOM_FIELDS;
}

fn page(shared: &Shared, tamper: Tamper, uri: &Uri, report: &Report) -> Answer {
    let mut known = vec![("cursor", Is::Text), ("pageSize", PAGE)];
    known.extend_from_slice(report.parameters);
    let params = Params::read(uri, &known)?;
    let filter = Filter::parse(params.text("df"))?;
    let query = format!("{}?{}", report.path, params.text("df").unwrap_or_default());
    let now = shared.now();
    let mut world = shared.world();
    let mut start = match params.text("cursor").filter(|_| tamper != Tamper::RepeatPage) {
        None => 0,
        Some(name) => {
            let lost = || Refusal::coded(StatusCode::BAD_REQUEST, "cursor_expired", json!({"cursor": name}));
            let cursor = world.cursors.get(name).filter(|cursor| cursor.expires > now).ok_or_else(lost)?;
            if cursor.query != query {
                return Err(Refusal::bad("The cursor belongs to another query"));
            }
            cursor.offset
        }
    };
    let most = params.rows("pageSize", REPORT_ROWS_DEFAULT);
    let repeats = world.settings.page_borders == PageBorders::Repeat && start > 0 && most > 1;
    start -= usize::from(repeats);
    let mut rows = cut(&Asked { world: &world, params: &params, now }, report, &filter, start, most);
    if repeats && rows.len() == 1 {
        rows.clear();
    }
    let next = start + rows.len();
    let more = !rows.is_empty();
    truncate(&mut rows, tamper);
    let count = rows.len();
    let mut body = json!({"results": rows});
    if more {
        let (name, expires) = world.keep_cursor(query, next, now);
        body["cursor"] = match world.settings.cursor {
            CursorShape::Text => name.into(),
            CursorShape::Object => {
                json!({"name": name, "offset": next, "count": count, "expires": render::epoch(expires)})
            }
        };
    }
    Ok(json(&body))
}

/// Rows are made for the devices of the page only.
fn cut(asked: &Asked<'_>, report: &Report, filter: &Filter, start: usize, most: usize) -> Vec<Value> {
    let (mut skip, mut rows) = (start, Vec::new());
    for device in asked.world.estate.devices.values().filter(|device| filter.keeps(device)) {
        let count = (report.count)(asked.world, device);
        if skip >= count {
            skip -= count;
            continue;
        }
        rows.extend((report.rows)(asked, device).into_iter().skip(skip).take(most - rows.len()));
        skip = 0;
        if rows.len() == most {
            break;
        }
    }
    rows
}

pub(super) async fn device_software(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    Path(id): Path<String>,
    uri: Uri,
) -> Answer {
    Params::read(&uri, &[])?;
    own(&shared, tamper, &id, software_rows)
}

pub(super) async fn device_os_patches(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    Path(id): Path<String>,
    uri: Uri,
) -> Answer {
    Params::read(&uri, &[("status", Is::Text), ("type", Is::Text), ("severity", Is::Text)])?;
    own(&shared, tamper, &id, patch_rows)
}

fn own(shared: &Shared, tamper: Tamper, id: &str, rows: fn(&Device) -> Vec<Value>) -> Answer {
    let world = shared.world();
    let device = world.device(path_id(id)?).ok_or_else(|| Refusal::not_found("Device"))?;
    let mut rows = rows(device);
    truncate(&mut rows, tamper);
    Ok(array(rows, |row| row))
}

/// A row of a report says whose it is and when it was gathered.
fn dated(mut row: Value, device: &Device, now: Timestamp) -> Value {
    row["deviceId"] = device.id.into();
    row["timestamp"] = render::epoch(now).into();
    row
}

fn volume_rows(asked: &Asked<'_>, device: &Device) -> Vec<Value> {
    let shows_bitlocker =
        asked.params.text("include").is_some_and(|words| words.split(',').any(|it| it == "bl"));
    let row = |disk| {
        let mut row = dated(render::volume(device, disk), device, asked.now);
        if shows_bitlocker && device.kind.is_windows() {
            row["bitLockerStatus"] = bitlocker(device);
        }
        row
    };
    device.volumes.iter().map(row).collect()
}

fn bitlocker(device: &Device) -> Value {
    let is_on = Rng::of(device.salt, 12).percent(70);
    let [conversion, method, protection] = if is_on {
        ["FULLY_ENCRYPTED", "XTS_AES_256", "PROTECTED"]
    } else {
        ["FULLY_DECRYPTED", "NONE", "UNPROTECTED"]
    };
    json!({"conversionStatus": conversion, "encryptionMethod": method, "protectionStatus": protection,
        "lockStatus": "UNLOCKED", "initializedForProtection": is_on})
}

fn software_rows(device: &Device) -> Vec<Value> {
    let row = |(index, version): (usize, &str)| {
        let app = &SOFTWARE[index];
        let age = i64::try_from(Rng::of(device.salt, 300 + index as u64).below(400)).unwrap_or(0);
        let day = Timestamp::from_second(device.created_s + age * DAY_S / 10).unwrap_or_default();
        let day = day.strftime("%Y-%m-%d").to_string();
        let mut row = json!({
            // The contract says date-time; a plain day is what is seen most.
            "installDate": if index % 4 == 3 { format!("{day}T00:00:00Z") } else { day },
            "location": "",
            "name": app.name,
            "size": app.megabytes << 20,
            "version": version,
            "productCode": format!("{{{}}}", Rng::of(0x7072_6f64, index as u64).uuid()),
            "isSystemComponent": false,
        });
        if !app.publisher.is_empty() {
            row["publisher"] = app.publisher.into();
        }
        row
    };
    installed(device).map(row).collect()
}

fn patch_rows(device: &Device) -> Vec<Value> {
    let row = |(index, status): &(usize, &str)| {
        let patch = &PATCHES[*index];
        let mut row = json!({
            "id": Rng::of(0x7061_7463, *index as u64).uuid().to_string(),
            "name": patch.name,
            "severity": patch.severity,
            "status": status,
            "type": patch.kind,
            "kbNumber": patch.kb,
        });
        if *status == "FAILED" {
            row["installedAt"] = json!(render::seconds(device.created_s + 20 * DAY_S, device.salt));
        }
        row
    };
    device.facts.patches.iter().map(row).collect()
}

fn antivirus_rows(device: &Device) -> Vec<Value> {
    if !device.kind.has_agent() {
        return Vec::new();
    }
    let product = if device.kind.is_windows() { "Windows Defender" } else { "SentinelOne Agent" };
    let row = |name: &str, state: &str, definitions: &str| {
        json!({"productName": name, "productState": state, "definitionStatus": definitions,
            "version": format!("4.18.{}", 24_000 + device.salt % 5)})
    };
    // A second product beside Defender puts it to sleep.
    let has_second = device.kind.is_windows() && Rng::of(device.salt, 13).percent(20);
    match device.facts.guard {
        Guard::None => Vec::new(),
        Guard::Good if has_second => {
            vec![row(product, "OFF", "Unknown"), row("Sophos Endpoint", "ON", "Up-to-Date")]
        }
        Guard::Good => vec![row(product, "ON", "Up-to-Date")],
        Guard::Outdated => vec![row(product, "ON", "Out-of-Date")],
        Guard::Off => vec![row(product, "OFF", "Up-to-Date")],
    }
}

fn health_row(world: &World, device: &Device) -> Value {
    let facts = &device.facts;
    let of = |wanted: &[&str]| facts.patches.iter().filter(|(_, status)| wanted.contains(status)).count();
    let (pending, failed) = (of(&["MANUAL", "APPROVED"]), of(&["FAILED"]));
    let alerts = world.alerts.values().filter(|alert| alert.device_id == device.id).count();
    let threats = u64::from(facts.guard == Guard::Off && device.salt.is_multiple_of(3));
    let status = if alerts > 0 || threats > 0 {
        "UNHEALTHY"
    } else if failed > 0 || facts.lacks_critical() || device.needs_reboot {
        "NEEDS_ATTENTION"
    } else {
        "HEALTHY"
    };
    let mut row = json!({
        "activeThreatsCount": threats,
        "quarantinedThreatsCount": device.salt % 2,
        "blockedThreatsCount": 0,
        "failedOSPatchesCount": failed,
        "pendingOSPatchesCount": pending,
        "alertCount": alerts,
        "activeJobCount": 0,
        "failedSoftwarePatchesCount": 0,
        "pendingSoftwarePatchesCount": device.salt % 4,
        "productsInstallationStatuses": {},
        "offline": device.offline,
        "parentOffline": false,
        "healthStatus": status,
        "criticalVulnerabilityCount": u64::from(facts.lacks_critical()) * 3,
        "highVulnerabilityCount": device.salt % 5,
        "mediumVulnerabilityCount": 0,
        "lowVulnerabilityCount": 0,
        "installationIssuesCount": 0,
        "deviceId": device.id,
    });
    if device.kind.has_agent() {
        row["avInstallStatus"] = if facts.guard == Guard::None { "UNINSTALLED" } else { "INSTALLED" }.into();
    }
    if device.needs_reboot {
        row["pendingRebootReason"] = "OS_PATCH".into();
    }
    row
}

fn backup_row(asked: &Asked<'_>, device: &Device) -> Value {
    let gigabytes = |shift: u32| 5 + i64::try_from((device.salt >> shift) % 400).unwrap_or(0);
    let (cloud, local) = (gigabytes(20) << 30, gigabytes(28) << 30);
    let mut usage = json!({
        "revisionsCurrentSize": cloud,
        "revisionsPreviousSize": cloud / 4,
        "revisionsDeletedSize": 0,
        "localFileFolderSize": 0,
        "localImageSize": local,
        "cloudFileFolderSize": 0,
        "cloudImageSize": cloud,
        "revisionsTotalSize": cloud + cloud / 4,
        "cloudTotalSize": cloud,
        "localTotalSize": local,
    });
    if asked.params.text("includeLastBackupJobTimes") == Some("true") {
        let midnight = asked.now.as_second() / DAY_S * DAY_S;
        let last_night = midnight - i64::try_from(device.salt % 18_000).unwrap_or(0);
        let is_late = device.facts.backup == Backup::Late;
        let success = if is_late { device.facts.backup_s } else { last_night };
        usage["lastSuccessfulBackupJob"] = json!(render::seconds(success, device.salt));
        if is_late {
            usage["lastFailedBackupJob"] = json!(render::seconds(last_night, device.salt));
        }
    }
    let mut row = Value::Object(render::node(device, asked.now));
    row["references"] = json!({"backupUsage": usage});
    row
}

/// Devices of which something beside their record is not well: what must be found here, no more and no less.
pub(crate) fn truth(world: &World, now: Timestamp) -> Vec<Value> {
    let approved = world.estate.devices.values().filter(|it| it.approval == Approval::Approved);
    let with_agent = approved.filter(|it| it.kind.has_agent());
    let row = |device: &Device| {
        let facts = &device.facts;
        let is_late = facts.backup == Backup::Late && now.as_second() - facts.backup_s > BACKUP_LATE_S;
        let full: Vec<&str> = device
            .volumes
            .iter()
            .filter(|disk| disk.free * 20 < disk.capacity)
            .map(|disk| disk.name)
            .collect();
        let is_well = facts.guard == Guard::Good && !facts.lacks_critical() && !is_late && full.is_empty();
        let row = || {
            json!({"device_id": device.id, "organization_id": device.organization_id, "antivirus": facts.guard,
                "lacks_critical": facts.lacks_critical(), "backup": facts.backup, "full_volumes": full})
        };
        (!is_well).then(row)
    };
    with_agent.filter_map(row).collect()
}
