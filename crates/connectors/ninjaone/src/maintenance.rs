//! Maintenance windows of devices. A window is set as a whole: setting it again replaces the one before, so a repetition does no harm.
use connector_api::{Answer, Call, VendorError};
use jiff::Timestamp;
use serde_json::json;

use crate::client::NinjaOne;
use crate::errors::NotFoundMeans;
use crate::fields::Fields;
use crate::types::MaintenanceStatus;

/// Longest reason that is sent; the contract names no limit.
pub const REASON_CHARS_MAX: usize = 500;

/// A device's window as its record shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    pub status: MaintenanceStatus,
    pub start: Option<Timestamp>,
    /// A window that a technician set at the vendor may have no end.
    pub end: Option<Timestamp>,
    pub reason: Option<String>,
}

/// What the vendor leaves alone while the window lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    Alerts,
    Patching,
    AntivirusScans,
    Tasks,
}

impl Feature {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alerts => "ALERTS",
            Self::Patching => "PATCHING",
            Self::AntivirusScans => "AVSCANS",
            Self::Tasks => "TASKS",
        }
    }
}

/// A window that begins now.
#[derive(Clone, Debug)]
pub struct MaintenanceOrder {
    pub disabled: Vec<Feature>,
    pub end: Timestamp,
    pub reason: String,
}

impl Maintenance {
    /// `None` where there is no status: an empty member is no window.
    pub(crate) fn read(at: Fields<'_>) -> Option<Self> {
        Some(Self {
            status: MaintenanceStatus::parse(&at.text("status")?),
            start: at.time("start"),
            end: at.time("end"),
            reason: at.text("reasonMessage"),
        })
    }
}

impl NinjaOne {
    /// Sent once. The answer says that the vendor took it; whether the device is in maintenance is in its record.
    pub async fn set_maintenance(
        &self,
        device_id: i64,
        order: &MaintenanceOrder,
    ) -> Result<Answer, VendorError> {
        if order.disabled.is_empty() || order.reason.chars().count() > REASON_CHARS_MAX {
            let reason = format!(
                "a maintenance window needs a feature to disable and a reason of at most {REASON_CHARS_MAX} characters"
            );
            return Err(VendorError::Misconfigured { reason });
        }
        let features: Vec<&str> = order.disabled.iter().map(|feature| feature.as_str()).collect();
        // Unlike everywhere else, times go out as milliseconds here; without a start it is now.
        let body = json!({
            "disabledFeatures": features,
            "end": order.end.as_millisecond(),
            "reasonMessage": order.reason,
        });
        let call = Call::put(format!("/v2/device/{device_id}/maintenance")).json(body);
        self.act(call, NotFoundMeans::Record).await
    }

    /// Ends a window that is pending or active.
    pub async fn cancel_maintenance(&self, device_id: i64) -> Result<Answer, VendorError> {
        self.act(Call::delete(format!("/v2/device/{device_id}/maintenance")), NotFoundMeans::Record).await
    }
}
