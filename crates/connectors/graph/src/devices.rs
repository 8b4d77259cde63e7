//! Devices that are enrolled in Intune.
use connector_api::{Call, Completeness, Fact, PartialReason, VendorError, Walk};
use jiff::Timestamp;

use crate::client::{TenantClient, segment};
use crate::errors::About;
use crate::fields::Fields;
use crate::permissions;
use crate::sign_in::PerId;
use crate::types::{Raw, members};

pub(crate) const MANAGED_DEVICES: &str = "/v1.0/deviceManagement/managedDevices";
const SELECT: &str = "id,deviceName,serialNumber,azureADDeviceId,operatingSystem,osVersion,complianceState,isEncrypted,\
managedDeviceOwnerType,userPrincipalName,userId,userDisplayName,lastSyncDateTime,enrolledDateTime,manufacturer,model,\
managementAgent";
/// Intune's own most.
const PAGE_ROWS_MAX: usize = 1_000;
pub(crate) const INTUNE: &str = "Intune";
const LIST: About = About::list(permissions::MANAGED_DEVICES, INTUNE);
const RECORD: About = About::record(permissions::MANAGED_DEVICES);
/// Intune's way to say that a tenant has not bought it: a code for everything, and these words.
const NOT_APPLICABLE: &str = "not applicable to target tenant";

/// A device as Intune knows it. What it does not know is absent; "never" is the year 1 there, and `None` here.
#[derive(Clone, Debug)]
pub struct ManagedDevice {
    pub id: String,
    pub name: Option<String>,
    pub serial_number: Option<String>,
    /// `device.deviceId` of Entra ID; all zeros (not joined) are `None`.
    pub entra_device_id: Option<String>,
    /// `Windows`, `iOS`, `macOS`, `Android`, ...
    pub os: Option<String>,
    pub os_version: Option<String>,
    /// `compliant`, `noncompliant`, `inGracePeriod`, `unknown`, ...
    pub compliance: Option<String>,
    pub is_encrypted: Option<bool>,
    /// `company` or `personal`.
    pub owner_kind: Option<String>,
    pub user_principal_name: Option<String>,
    pub manufacturer: Option<String>,
    pub model: Option<String>,
    pub last_sync_at: Option<Timestamp>,
    pub enrolled_at: Option<Timestamp>,
    pub raw: Raw,
}

impl ManagedDevice {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let entra_device_id = at.text("azureADDeviceId").map(|id| id.to_ascii_lowercase());
        Ok(Self {
            id: at.id("id")?,
            name: at.text("deviceName"),
            serial_number: at.text("serialNumber"),
            entra_device_id: entra_device_id.filter(|id| id.chars().any(|c| c != '0' && c != '-')),
            os: at.text("operatingSystem"),
            os_version: at.text("osVersion"),
            compliance: at.text("complianceState"),
            is_encrypted: at.flag("isEncrypted"),
            owner_kind: at.text("managedDeviceOwnerType"),
            user_principal_name: at.text("userPrincipalName"),
            manufacturer: at.text("manufacturer"),
            model: at.text("model"),
            last_sync_at: at.time("lastSyncDateTime"),
            enrolled_at: at.time("enrolledDateTime"),
            raw,
        })
    }
}

/// A tenant without Intune answers 400, not 404.
pub(crate) fn without_intune(error: VendorError) -> VendorError {
    match &error {
        VendorError::Rejected { status: 400, message } if message.contains(NOT_APPLICABLE) => {
            VendorError::MissingCapability { capability: INTUNE.into() }
        }
        _ => error,
    }
}

impl TenantClient {
    /// All devices. In a tenant without Intune the walk stops with [`VendorError::MissingCapability`].
    pub async fn managed_devices(&self) -> Walk<ManagedDevice> {
        let call = Call::get(MANAGED_DEVICES).query("$select", SELECT).query("$top", PAGE_ROWS_MAX);
        let mut walk = self.list(call, LIST, ManagedDevice::read, |it| it.id.clone()).await;
        if let Completeness::Partial { reason: PartialReason::Stopped(error) } = &walk.completeness {
            let error = without_intune(error.clone());
            walk.completeness = Completeness::partial(PartialReason::Stopped(error));
        }
        walk
    }

    /// [`VendorError::NotFound`] means that the device is not enrolled any more.
    pub async fn managed_device(&self, id: &str) -> Result<Fact<ManagedDevice>, VendorError> {
        let call = Call::get(format!("{MANAGED_DEVICES}/{}", segment(id))).query("$select", SELECT);
        self.one(call, RECORD, ManagedDevice::read).await.map_err(without_intune)
    }

    /// Many devices, by batches; each with its own outcome, in the order of `ids`.
    pub async fn managed_devices_by_id(&self, ids: &[String]) -> Vec<PerId<ManagedDevice>> {
        let path = |id: &str| format!("/deviceManagement/managedDevices/{}?$select={SELECT}", segment(id));
        self.batch("/v1.0/$batch", ids, path, RECORD, ManagedDevice::read).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn never_and_nowhere_are_absent() {
        let text = r#"{"id":"d1","deviceName":" ","serialNumber":"0","azureADDeviceId":"00000000-0000-0000-0000-000000000000",
            "lastSyncDateTime":"0001-01-01T00:00:00Z","enrolledDateTime":"2026-01-01T00:00:00.1234567Z","isEncrypted":"yes"}"#;
        let device = ManagedDevice::read(RawValue::from_string(text.to_owned()).unwrap()).unwrap();
        assert!(device.name.is_none() && device.entra_device_id.is_none() && device.last_sync_at.is_none());
        assert!(device.enrolled_at.is_some() && device.is_encrypted.is_none());
        assert_eq!(device.serial_number.as_deref(), Some("0"), "what a serial is worth is not decided here");
        assert!(ManagedDevice::read(RawValue::from_string("{}".into()).unwrap()).is_err());
    }

    #[test]
    fn a_tenant_without_intune_lacks_a_capability_and_no_right() {
        let refused =
            |message: &str| without_intune(VendorError::Rejected { status: 400, message: message.into() });
        let told = refused("BadRequest: Request not applicable to target tenant.");
        assert_eq!(told, VendorError::MissingCapability { capability: INTUNE.into() });
        assert!(matches!(refused("BadRequest: something else"), VendorError::Rejected { .. }));
    }
}
