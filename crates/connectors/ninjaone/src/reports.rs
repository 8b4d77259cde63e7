//! The rows of the reports. They do not keep the raw record: an estate of 50,000 devices has millions of them. Unknown words stay as they
//! were sent.
use connector_api::VendorError;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use crate::fields::{Fields, time};
use crate::queries::{OwnList, Report};
use crate::types::Volume;

fn device(at: Fields<'_>, known: Option<i64>) -> Result<i64, VendorError> {
    at.int("deviceId")
        .or(known)
        .ok_or_else(|| VendorError::shape("$.deviceId", "an id is missing or not a number"))
}

/// Something that is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Software {
    pub device_id: i64,
    pub name: String,
    pub version: Option<String>,
    pub publisher: Option<String>,
    /// To the day: the vendor sends either a day or a date-time.
    pub installed_on: Option<Date>,
    pub size_bytes: Option<i64>,
}

impl Report for Software {
    const PATH: &'static str = "/v2/queries/software";
    const CAPABILITY: &'static str = "queries/software";
    type Key = (i64, String, Option<String>, Option<String>);

    fn read(row: &Value, device_id: Option<i64>) -> Result<Self, VendorError> {
        let at = Fields(row);
        Ok(Self {
            device_id: device(at, device_id)?,
            name: at
                .text("name")
                .ok_or_else(|| VendorError::shape("$.name", "a software without its name"))?,
            version: at.text("version"),
            publisher: at.text("publisher"),
            installed_on: row.get("installDate").and_then(day),
            size_bytes: at.int("size"),
        })
    }

    fn key(&self) -> Self::Key {
        (self.device_id, self.name.clone(), self.version.clone(), self.publisher.clone())
    }
}

impl OwnList for Software {
    const OWN_PATH: &'static str = "software";
}

/// `2026-03-01`, or any form of a time.
fn day(value: &Value) -> Option<Date> {
    if let Some(day) = value.as_str().and_then(|text| text.trim().parse().ok()) {
        return Some(day);
    }
    Some(time(value)?.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// A patch of the operating system that is not installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OsPatch {
    pub device_id: i64,
    pub id: String,
    pub name: Option<String>,
    pub kb_number: Option<String>,
    /// `CRITICAL`, `IMPORTANT`, `MODERATE`, `LOW`, `OPTIONAL` and what else the vendor sends.
    pub severity: Option<String>,
    /// A free text in the contract; seen are `PENDING`, `MANUAL`, `APPROVED`, `REJECTED`, `FAILED`, `INSTALLED`.
    pub status: Option<String>,
    pub kind: Option<String>,
    pub attempted_at: Option<Timestamp>,
}

impl Report for OsPatch {
    const PATH: &'static str = "/v2/queries/os-patches";
    const CAPABILITY: &'static str = "queries/os-patches";
    type Key = (i64, String);

    fn read(row: &Value, device_id: Option<i64>) -> Result<Self, VendorError> {
        let at = Fields(row);
        Ok(Self {
            device_id: device(at, device_id)?,
            id: at.text("id").ok_or_else(|| VendorError::shape("$.id", "a patch without its id"))?,
            name: at.text("name"),
            kb_number: at.text("kbNumber"),
            severity: at.text("severity"),
            status: at.text("status"),
            kind: at.text("type"),
            attempted_at: at.time("installedAt"),
        })
    }

    fn key(&self) -> Self::Key {
        (self.device_id, self.id.clone())
    }
}

impl OwnList for OsPatch {
    const OWN_PATH: &'static str = "os-patches";
}

impl Report for Volume {
    const PATH: &'static str = "/v2/queries/volumes";
    const CAPABILITY: &'static str = "queries/volumes";
    const MORE: Option<(&'static str, &'static str)> = Some(("include", "bl"));
    type Key = (i64, Option<String>, Option<String>);

    fn read(row: &Value, device_id: Option<i64>) -> Result<Self, VendorError> {
        let device_id = device(Fields(row), device_id)?;
        Ok(Self { device_id: Some(device_id), ..Self::read(Fields(row)) })
    }

    fn key(&self) -> Self::Key {
        (self.device_id.unwrap_or_default(), self.name.clone(), self.drive_letter.clone())
    }
}

impl OwnList for Volume {
    const OWN_PATH: &'static str = "volumes";
}

/// What the vendor counts of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceHealth {
    pub device_id: i64,
    /// `HEALTHY`, `NEEDS_ATTENTION`, `UNHEALTHY`, `UNKNOWN`.
    pub status: Option<String>,
    pub threats_active: Option<i64>,
    pub threats_quarantined: Option<i64>,
    pub threats_blocked: Option<i64>,
    pub os_patches_pending: Option<i64>,
    pub os_patches_failed: Option<i64>,
    pub software_patches_pending: Option<i64>,
    pub software_patches_failed: Option<i64>,
    pub vulnerabilities_critical: Option<i64>,
    pub vulnerabilities_high: Option<i64>,
    pub reboot_reason: Option<String>,
}

impl Report for DeviceHealth {
    const PATH: &'static str = "/v2/queries/device-health";
    const CAPABILITY: &'static str = "queries/device-health";
    type Key = i64;

    fn read(row: &Value, device_id: Option<i64>) -> Result<Self, VendorError> {
        let at = Fields(row);
        let count = |name| at.int(name).filter(|count| *count >= 0);
        Ok(Self {
            device_id: device(at, device_id)?,
            status: at.text("healthStatus"),
            threats_active: count("activeThreatsCount"),
            threats_quarantined: count("quarantinedThreatsCount"),
            threats_blocked: count("blockedThreatsCount"),
            os_patches_pending: count("pendingOSPatchesCount"),
            os_patches_failed: count("failedOSPatchesCount"),
            software_patches_pending: count("pendingSoftwarePatchesCount"),
            software_patches_failed: count("failedSoftwarePatchesCount"),
            vulnerabilities_critical: count("criticalVulnerabilityCount"),
            vulnerabilities_high: count("highVulnerabilityCount"),
            reboot_reason: at.text("pendingRebootReason"),
        })
    }

    fn key(&self) -> i64 {
        self.device_id
    }
}

/// One antivirus product on one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Antivirus {
    pub device_id: i64,
    pub product: Option<String>,
    /// `ON`, `OFF`, `SNOOZED`, `EXPIRED`, `UNKNOWN` and what else the vendor sends.
    pub state: Option<String>,
    /// `Up-to-Date`, `Out-of-Date`, `Unknown`.
    pub definitions: Option<String>,
    pub version: Option<String>,
}

impl Report for Antivirus {
    const PATH: &'static str = "/v2/queries/antivirus-status";
    const CAPABILITY: &'static str = "queries/antivirus-status";
    type Key = (i64, Option<String>);

    fn read(row: &Value, device_id: Option<i64>) -> Result<Self, VendorError> {
        let at = Fields(row);
        Ok(Self {
            device_id: device(at, device_id)?,
            product: at.text("productName"),
            state: at.text("productState"),
            definitions: at.text("definitionStatus"),
            version: at.text("version"),
        })
    }

    fn key(&self) -> Self::Key {
        (self.device_id, self.product.clone())
    }
}

/// What backups of a device take, and when the last ones ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupUsage {
    pub device_id: i64,
    pub cloud_bytes: Option<i64>,
    pub local_bytes: Option<i64>,
    pub revisions_bytes: Option<i64>,
    pub last_success: Option<Timestamp>,
    pub last_failure: Option<Timestamp>,
}

impl Report for BackupUsage {
    const PATH: &'static str = "/v2/queries/backup/usage";
    const CAPABILITY: &'static str = "queries/backup/usage";
    const HAS_FILTER: bool = false;
    // Named by the contract at the members that it brings, not at the path.
    const MORE: Option<(&'static str, &'static str)> = Some(("includeLastBackupJobTimes", "true"));
    type Key = i64;

    fn read(row: &Value, device_id: Option<i64>) -> Result<Self, VendorError> {
        let at = Fields(row);
        let usage = at.at("references").and_then(|references| references.at("backupUsage"));
        let bytes = |name| usage.and_then(|usage| usage.int(name)).filter(|bytes| *bytes >= 0);
        let when = |name| usage.and_then(|usage| usage.time(name));
        Ok(Self {
            device_id: at
                .int("id")
                .or(device_id)
                .ok_or_else(|| VendorError::shape("$.id", "an id is missing"))?,
            cloud_bytes: bytes("cloudTotalSize"),
            local_bytes: bytes("localTotalSize"),
            revisions_bytes: bytes("revisionsTotalSize"),
            last_success: when("lastSuccessfulBackupJob"),
            last_failure: when("lastFailedBackupJob"),
        })
    }

    fn key(&self) -> i64 {
        self.device_id
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_without_its_device_is_unreadable_unless_it_is_of_a_device() {
        let row = json!({"name": "7-Zip", "version": "24.09", "installDate": "2026-01-31"});
        assert!(Software::read(&row, None).is_err());
        let software = Software::read(&row, Some(7)).unwrap();
        assert_eq!((software.device_id, software.installed_on), (7, "2026-01-31".parse().ok()));
        let row =
            json!({"deviceId": 7, "name": "7-Zip", "installDate": "2026-01-31T10:00:00Z", "size": "12"});
        let software = Software::read(&row, None).unwrap();
        assert_eq!((software.installed_on, software.size_bytes), ("2026-01-31".parse().ok(), Some(12)));
    }

    #[test]
    fn unknown_words_are_kept_and_nonsense_is_absent() {
        let row = json!({"deviceId": 1, "productName": "Odd AV", "productState": "DREAMING", "definitionStatus": 7});
        let antivirus = Antivirus::read(&row, None).unwrap();
        assert_eq!(
            (antivirus.state.as_deref(), antivirus.definitions.as_deref()),
            (Some("DREAMING"), Some("7"))
        );
        let health = DeviceHealth::read(
            &json!({"deviceId": "1", "activeThreatsCount": -1, "healthStatus": "GREEN"}),
            None,
        );
        let health = health.unwrap();
        assert_eq!((health.threats_active, health.status.as_deref()), (None, Some("GREEN")));
        let usage = BackupUsage::read(&json!({"id": 3, "references": {}}), None).unwrap();
        assert_eq!((usage.device_id, usage.cloud_bytes, usage.last_success), (3, None, None));
    }
}
