//! The vendor's records, as far as this product reads them, each with the raw record beside it.
use connector_api::VendorError;
use jiff::Timestamp;
use serde_json::Value;

use crate::fields::Fields;
use crate::maintenance::Maintenance;

/// A closed list of known words that lets unknown ones through: the vendor's lists grow.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($word:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($word,)+ Unknown(String) }

        impl $name {
            pub fn parse(text: &str) -> Self {
                match text { $($text => Self::$word,)+ other => Self::Unknown(other.to_owned()) }
            }

            pub fn as_str(&self) -> &str {
                match self { $(Self::$word => $text,)+ Self::Unknown(text) => text }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
    };
}

words! {
    /// What kind of thing a device is. Printers, switches and the like arrive as `Unknown`.
    NodeClass {
        WindowsServer = "WINDOWS_SERVER", WindowsWorkstation = "WINDOWS_WORKSTATION", LinuxServer = "LINUX_SERVER",
        LinuxWorkstation = "LINUX_WORKSTATION", Mac = "MAC", MacServer = "MAC_SERVER", Android = "ANDROID",
        AppleIos = "APPLE_IOS", AppleIpadOs = "APPLE_IPADOS", VmwareHost = "VMWARE_VM_HOST",
        VmwareGuest = "VMWARE_VM_GUEST", HypervHost = "HYPERV_VMM_HOST", HypervGuest = "HYPERV_VMM_GUEST",
        CloudMonitor = "CLOUD_MONITOR_TARGET", Unmanaged = "UNMANAGED_DEVICE", Managed = "MANAGED_DEVICE",
    }
}

words! { ApprovalStatus {
    Pending = "PENDING", Staged = "STAGED", Approved = "APPROVED", Decommissioned = "DECOMMISSIONED",
} }

words! {
    /// `Pending`: it begins later, or has not reached the device.
    MaintenanceStatus { Pending = "PENDING", InMaintenance = "IN_MAINTENANCE", Failed = "FAILED" }
}

words! { Severity { None = "NONE", Minor = "MINOR", Moderate = "MODERATE", Major = "MAJOR", Critical = "CRITICAL" } }

#[derive(Clone, Debug)]
pub struct Organization {
    pub id: i64,
    pub name: String,
    pub description: Option<String>,
    pub raw: Value,
}

impl Organization {
    pub fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        let name =
            at.text("name").ok_or_else(|| VendorError::shape("$.name", "an organization without a name"))?;
        Ok(Self { id: at.id("id")?, name, description: at.text("description"), raw })
    }
}

#[derive(Clone, Debug)]
pub struct Location {
    pub id: i64,
    pub organization_id: i64,
    pub name: Option<String>,
    pub address: Option<String>,
    pub raw: Value,
}

impl Location {
    pub fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        let (id, organization_id) = (at.id("id")?, at.id("organizationId")?);
        Ok(Self { id, organization_id, name: at.text("name"), address: at.text("address"), raw })
    }
}

/// A device of any subtype. Members of other subtypes are absent; lists without details leave out `os` to `volumes`.
#[derive(Clone, Debug)]
pub struct Device {
    pub id: i64,
    pub uid: Option<String>,
    pub organization_id: i64,
    pub location_id: Option<i64>,
    pub node_class: NodeClass,
    pub approval: Option<ApprovalStatus>,
    pub offline: Option<bool>,
    pub display_name: Option<String>,
    pub system_name: Option<String>,
    pub dns_name: Option<String>,
    pub created: Option<Timestamp>,
    pub last_contact: Option<Timestamp>,
    pub last_update: Option<Timestamp>,
    pub ip_addresses: Vec<String>,
    pub mac_addresses: Vec<String>,
    pub public_ip: Option<String>,
    pub tags: Vec<String>,
    /// Absent when there is none, and where the list does not tell.
    pub maintenance: Option<Maintenance>,
    pub os: Option<OsInfo>,
    pub system: Option<SystemInfo>,
    pub memory_bytes: Option<i64>,
    /// `None` when the answer did not carry volumes, which is not the same as none.
    pub volumes: Option<Vec<Volume>>,
    /// `DOMAIN\name`: not a user principal name.
    pub last_logged_in_user: Option<String>,
    pub raw: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OsInfo {
    pub name: Option<String>,
    pub build: Option<String>,
    pub needs_reboot: Option<bool>,
    pub last_boot: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemInfo {
    pub manufacturer: Option<String>,
    pub model: Option<String>,
    /// As sent: makers fill in junk such as `To Be Filled By O.E.M.`, and virtual machines share serials.
    pub serial_number: Option<String>,
    pub bios_serial_number: Option<String>,
    pub domain: Option<String>,
    pub chassis: Option<String>,
    pub virtual_machine: Option<bool>,
}

impl Device {
    pub fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        let class = at.text("nodeClass").unwrap_or_default();
        let volumes =
            at.list("volumes").map(|rows| rows.iter().map(|row| Volume::read(Fields(row))).collect());
        Ok(Self {
            id: at.id("id")?,
            uid: at.text("uid"),
            organization_id: at.id("organizationId")?,
            location_id: at.int("locationId"),
            node_class: NodeClass::parse(&class),
            approval: at.text("approvalStatus").map(|word| ApprovalStatus::parse(&word)),
            offline: at.flag("offline"),
            display_name: at.text("displayName"),
            system_name: at.text("systemName"),
            dns_name: at.text("dnsName"),
            created: at.time("created"),
            last_contact: at.time("lastContact"),
            last_update: at.time("lastUpdate"),
            ip_addresses: at.texts("ipAddresses"),
            mac_addresses: at.texts("macAddresses"),
            public_ip: at.text("publicIP"),
            tags: at.texts("tags"),
            maintenance: at.at("maintenance").and_then(Maintenance::read),
            os: at.at("os").map(OsInfo::read),
            system: at.at("system").map(SystemInfo::read),
            memory_bytes: at.at("memory").and_then(|memory| memory.int("capacity")),
            volumes,
            last_logged_in_user: at.text("lastLoggedInUser"),
            raw,
        })
    }

    /// The name to show: what a person gave it, else what it calls itself.
    pub fn name(&self) -> Option<&str> {
        let names = [&self.display_name, &self.system_name, &self.dns_name];
        names.into_iter().find_map(Option::as_deref)
    }
}

impl OsInfo {
    fn read(at: Fields<'_>) -> Self {
        Self {
            name: at.text("name"),
            build: at.text("buildNumber"),
            needs_reboot: at.flag("needsReboot"),
            last_boot: at.time("lastBootTime"),
        }
    }
}

impl SystemInfo {
    fn read(at: Fields<'_>) -> Self {
        Self {
            manufacturer: at.text("manufacturer"),
            model: at.text("model"),
            serial_number: at.text("serialNumber"),
            bios_serial_number: at.text("biosSerialNumber"),
            domain: at.text("domain"),
            chassis: at.text("chassisType"),
            virtual_machine: at.flag("virtualMachine"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Only in `/queries/volumes`.
    pub device_id: Option<i64>,
    pub name: Option<String>,
    /// Such as `C:`; absent on other systems than Windows.
    pub drive_letter: Option<String>,
    pub label: Option<String>,
    pub file_system: Option<String>,
    pub capacity_bytes: Option<i64>,
    pub free_bytes: Option<i64>,
    /// Whether BitLocker guards it (`PROTECTED`, `UNPROTECTED`, ...), where it was asked for.
    pub protection: Option<String>,
    /// When the agent measured it, where the answer says so.
    pub measured_at: Option<Timestamp>,
}

impl Volume {
    pub(crate) fn read(at: Fields<'_>) -> Self {
        Self {
            device_id: at.int("deviceId"),
            name: at.text("name"),
            drive_letter: at.text("driveLetter"),
            label: at.text("label"),
            file_system: at.text("fileSystem"),
            capacity_bytes: at.int("capacity"),
            free_bytes: at.int("freeSpace"),
            protection: at.at("bitLockerStatus").and_then(|status| status.text("protectionStatus")),
            measured_at: at.time("timestamp"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowsService {
    pub name: Option<String>,
    pub display_name: Option<String>,
    pub start_type: Option<String>,
    /// `RUNNING`, `STOPPED` and six more.
    pub state: Option<String>,
}

impl WindowsService {
    pub(crate) fn read(at: Fields<'_>) -> Self {
        Self {
            name: at.text("name"),
            display_name: at.text("displayName"),
            start_type: at.text("startType"),
            state: at.text("state"),
        }
    }
}

/// An open alert. The list holds only open ones: a reset alert disappears.
#[derive(Clone, Debug)]
pub struct Alert {
    /// The same as the `series_uid` of the activities of this condition.
    pub uid: String,
    pub device_id: Option<i64>,
    /// Only when the answer carried the device.
    pub organization_id: Option<i64>,
    pub message: Option<String>,
    pub subject: Option<String>,
    pub created: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    pub source_type: Option<String>,
    pub source_name: Option<String>,
    pub condition_name: Option<String>,
    pub severity: Severity,
    pub priority: Option<String>,
    pub raw: Value,
}

impl Alert {
    pub fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        Ok(Self {
            uid: at.text("uid").ok_or_else(|| VendorError::shape("$.uid", "an alert without its uid"))?,
            device_id: at.int("deviceId"),
            organization_id: at.at("device").and_then(|device| device.int("organizationId")),
            message: at.text("message"),
            subject: at.text("subject"),
            created: at.time("createTime"),
            updated: at.time("updateTime"),
            source_type: at.text("sourceType"),
            source_name: at.text("sourceName"),
            condition_name: at.text("conditionName"),
            severity: severity(at),
            priority: at.text("priority"),
            raw,
        })
    }
}

/// One line of the vendor's log. Ids rise with time and are the cursor.
#[derive(Clone, Debug)]
pub struct Activity {
    pub id: i64,
    pub at: Option<Timestamp>,
    pub device_id: Option<i64>,
    /// Only when the answer carried the device (webhooks do).
    pub organization_id: Option<i64>,
    pub severity: Severity,
    pub priority: Option<String>,
    /// Groups the activities of one condition or one job.
    pub series_uid: Option<String>,
    /// `CONDITION`, `ACTION`, `PATCH_MANAGEMENT` and about forty more.
    pub activity_type: String,
    /// `TRIGGERED`, `RESET`, `STARTED`, `COMPLETED` and several hundred more.
    pub status_code: String,
    /// `SUCCESS`, `FAILURE`, `UNSUPPORTED`, `UNCOMPLETED`.
    pub result: Option<String>,
    pub source_name: Option<String>,
    pub subject: Option<String>,
    pub message: Option<String>,
    pub raw: Value,
}

impl Activity {
    pub fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        let device = at.at("device");
        Ok(Self {
            id: at.id("id")?,
            at: at.time("activityTime"),
            device_id: at.int("deviceId").or_else(|| device?.int("id")),
            organization_id: device.and_then(|device| device.int("organizationId")),
            severity: severity(at),
            priority: at.text("priority"),
            series_uid: at.text("seriesUid"),
            activity_type: at.text("activityType").unwrap_or_default(),
            status_code: at.text("statusCode").unwrap_or_default(),
            result: at.text("activityResult"),
            source_name: at.text("sourceName"),
            subject: at.text("subject"),
            message: at.text("message"),
            raw,
        })
    }

    /// The `data` object, where the parameters of a script run are found.
    pub fn data(&self) -> Option<&Value> {
        self.raw.get("data")
    }
}

fn severity(at: Fields<'_>) -> Severity {
    at.text("severity").map_or(Severity::None, |word| Severity::parse(&word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_members_and_words_never_fail() {
        let device = Device::read(json!({
            "id": "12", "organizationId": 3, "nodeClass": "QUANTUM_TOASTER", "approvalStatus": "MAYBE", "offline": "false",
            "created": "1719830400.5", "os": "none", "system": {"serialNumber": 42}, "volumes": [{"capacity": "100"}, 7],
            "somethingNew": {"a": [1]},
        }))
        .unwrap();
        assert_eq!(device.id, 12);
        assert_eq!(device.node_class, NodeClass::Unknown("QUANTUM_TOASTER".into()));
        assert_eq!(device.approval, Some(ApprovalStatus::Unknown("MAYBE".into())));
        assert_eq!(device.offline, Some(false));
        assert_eq!(device.os, None);
        assert_eq!(device.system.unwrap().serial_number.as_deref(), Some("42"));
        assert_eq!(device.volumes.unwrap()[0].capacity_bytes, Some(100));
        assert_eq!(device.raw["somethingNew"]["a"][0], 1);
    }

    #[test]
    fn a_row_without_its_id_is_a_shape_error_that_names_the_member() {
        let error = Device::read(json!({"organizationId": 3})).unwrap_err();
        assert!(matches!(error, VendorError::Shape { path, .. } if path == "$.id"));
        assert!(Organization::read(json!({"id": 1})).is_err());
        assert!(Alert::read(json!({"deviceId": 1})).is_err());
    }
}
