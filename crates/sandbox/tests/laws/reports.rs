//! The reports of facts: the members that the contract names, the odd ones that are planted, and one estate behind all of them.
use std::collections::BTreeSet;

use connector_api::Call;
use sandbox::CONTROL_HEADER;
use serde_json::{Value, json};

use crate::support::{Host, host};

async fn truth(host: &Host) -> Value {
    let call = Call::get("/_sandbox/truth").header(CONTROL_HEADER, host.sandbox.control_token().clone());
    host.http.send(&call).await.unwrap().json().unwrap()
}

const REPORTS: [(&str, &[&str]); 6] = [
    (
        "software",
        &[
            "installDate",
            "location",
            "name",
            "publisher",
            "size",
            "version",
            "productCode",
            "isSystemComponent",
            "deviceId",
            "timestamp",
        ],
    ),
    (
        "os-patches",
        &["id", "name", "severity", "status", "type", "installedAt", "deviceId", "timestamp", "kbNumber"],
    ),
    (
        "volumes",
        &[
            "name",
            "driveLetter",
            "label",
            "deviceType",
            "fileSystem",
            "autoMount",
            "compressed",
            "capacity",
            "freeSpace",
            "serialNumber",
            "bitLockerStatus",
            "deviceId",
            "timestamp",
        ],
    ),
    (
        "device-health",
        &[
            "activeThreatsCount",
            "quarantinedThreatsCount",
            "blockedThreatsCount",
            "failedOSPatchesCount",
            "pendingOSPatchesCount",
            "alertCount",
            "activeJobCount",
            "failedSoftwarePatchesCount",
            "pendingSoftwarePatchesCount",
            "pendingRebootReason",
            "avInstallStatus",
            "productsInstallationStatuses",
            "offline",
            "parentDeviceId",
            "parentOffline",
            "healthStatus",
            "criticalVulnerabilityCount",
            "highVulnerabilityCount",
            "mediumVulnerabilityCount",
            "lowVulnerabilityCount",
            "installationIssuesCount",
            "deviceId",
        ],
    ),
    (
        "antivirus-status",
        &["productName", "productState", "definitionStatus", "version", "deviceId", "timestamp"],
    ),
    (
        "backup/usage",
        &[
            "id",
            "uid",
            "assignedOwnerUid",
            "parentDeviceId",
            "organizationId",
            "locationId",
            "nodeClass",
            "nodeRoleId",
            "rolePolicyId",
            "policyId",
            "approvalStatus",
            "offline",
            "displayName",
            "systemName",
            "dnsName",
            "netbiosName",
            "created",
            "lastContact",
            "lastUpdate",
            "userData",
            "tags",
            "maintenance",
            "references",
        ],
    ),
];

/// All rows, over as many pages as there are.
async fn report(host: &Host, name: &str, query: &[(&'static str, &str)]) -> Vec<Value> {
    let (mut rows, mut cursor): (Vec<Value>, Option<String>) = (Vec::new(), None);
    loop {
        let mut asked = query.to_vec();
        asked.push(("pageSize", "1000"));
        if let Some(cursor) = &cursor {
            asked.push(("cursor", cursor));
        }
        let answer = host.get(&format!("/v2/queries/{name}"), &asked).await;
        assert_eq!(answer.status, 200, "{name}: {}", String::from_utf8_lossy(&answer.body));
        let body = answer.json().unwrap();
        rows.extend(body["results"].as_array().unwrap().iter().cloned());
        match body["cursor"]["name"].as_str() {
            Some(name) => cursor = Some(name.to_owned()),
            None => return rows,
        }
    }
}

#[tokio::test]
async fn rows_have_the_members_of_the_contract_and_a_seed_keeps_them() {
    let (one, two) = (host(6, 150).await, host(6, 150).await);
    for (name, members) in REPORTS {
        let rows = report(&one, name, &[]).await;
        assert!(!rows.is_empty(), "{name}");
        assert_eq!(rows, report(&two, name, &[]).await, "{name}");
        for member in rows.iter().flat_map(|row| row.as_object().unwrap().keys()) {
            assert!(members.contains(&member.as_str()), "{name}: {member}");
        }
    }
    let times = report(&one, "backup/usage", &[("includeLastBackupJobTimes", "true")]).await;
    assert!(times.iter().all(|row| row["references"]["backupUsage"]["lastSuccessfulBackupJob"].is_f64()));
    let without = report(&one, "backup/usage", &[]).await;
    assert!(
        without.iter().all(|row| row["references"]["backupUsage"].get("lastSuccessfulBackupJob").is_none())
    );
    assert_eq!(one.get("/v2/queries/software", &[("owner", "me")]).await.status, 400);
    assert_eq!(one.get("/v2/queries/backup/usage", &[("df", "id = 1")]).await.status, 400);
}

#[tokio::test]
async fn every_estate_has_devices_that_are_not_well() {
    for (customers, devices) in [(1, 12), (25, 400), (400, 2_000)] {
        let host = host(customers, devices).await;
        let truth = truth(&host).await["device_facts"].as_array().unwrap().clone();
        let has = |member: &str, value: Value| truth.iter().any(|row| row[member] == value);
        assert!(has("antivirus", json!("none")) && has("antivirus", json!("outdated")), "{customers}");
        assert!(has("lacks_critical", json!(true)) && has("backup", json!("late")), "{customers}");
    }
}

#[tokio::test]
async fn a_full_disk_is_full_in_every_report_and_a_change_is_seen() {
    let host = host(3, 60).await;
    let ill = host.control("/trigger", json!({"kind": "disk_full"})).await["device_id"].clone();
    let id = ill.as_i64().unwrap();
    let filter = format!("id = {id}");
    let disks = report(&host, "volumes", &[("df", &filter), ("include", "bl")]).await;
    assert!(disks[0]["freeSpace"].as_i64().unwrap() * 20 < disks[0]["capacity"].as_i64().unwrap());
    assert!(disks[0]["bitLockerStatus"]["protectionStatus"].is_string());
    let health = report(&host, "device-health", &[("df", &filter)]).await;
    assert_eq!((&health[0]["alertCount"], &health[0]["healthStatus"]), (&json!(1), &json!("UNHEALTHY")));
    let before = host.rows(&format!("/v2/device/{id}/software"), &[]).await.len();
    host.control(
        "/facts",
        json!({"device_id": id, "antivirus": "off", "uninstall": 2, "install_patches": true}),
    )
    .await;
    assert_eq!(host.rows(&format!("/v2/device/{id}/software"), &[]).await.len(), before - 2);
    assert_eq!(report(&host, "software", &[("df", &filter)]).await.len(), before - 2);
    assert!(host.rows(&format!("/v2/device/{id}/os-patches"), &[]).await.is_empty());
    assert_eq!(report(&host, "antivirus-status", &[("df", &filter)]).await[0]["productState"], "OFF");
}

#[tokio::test]
async fn a_large_estate_is_reported_slice_by_slice() {
    let host = host(5_000, 25_000).await;
    let organizations: Vec<String> = (1..=100).map(|id: u32| id.to_string()).collect();
    let filter = format!("org in ({})", organizations.join(","));
    let software = report(&host, "software", &[("df", &filter)]).await;
    let devices: BTreeSet<_> = software.iter().filter_map(|row| row["deviceId"].as_i64()).collect();
    assert!(
        devices.len() > 300 && software.len() > devices.len() * 8,
        "{} {}",
        devices.len(),
        software.len()
    );
    assert_eq!(report(&host, "device-health", &[]).await.len(), 24_999);
}
