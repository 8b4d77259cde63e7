//! What NinjaOne's record of the device says of its maintenance, read anew.
use connector_api::{Completeness, VendorError};
use flow::{Reading, StepError, Subject};
use jiff::SignedDuration;
use kernel::{ErrorCode, Timestamp, id::DeviceId};
use ninjaone::{MaintenanceStatus, NinjaOne};
use serde::{Deserialize, Serialize};

/// The vendor's ends are floats of seconds, and its windows may be rounded to a minute.
const END_TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub device: String,
    /// The vendor's word; none when there is no window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Facts {
    pub fn is_in_maintenance_until(&self, end: Timestamp) -> bool {
        let ends_then = self.end.is_some_and(|at| at.duration_since(end).abs() <= END_TOLERANCE);
        self.status.as_deref() == Some(MaintenanceStatus::InMaintenance.as_str()) && ends_then
    }

    pub fn failed(&self) -> bool {
        self.status.as_deref() == Some(MaintenanceStatus::Failed.as_str())
    }

    pub fn describe(&self) -> String {
        let device = &self.device;
        match (self.status.as_deref(), self.end) {
            (None, _) => format!("{device} is not in maintenance"),
            (Some("IN_MAINTENANCE"), Some(end)) => {
                format!("{device} is in maintenance until {}", minute(end))
            }
            (Some("IN_MAINTENANCE"), None) => format!("{device} is in maintenance without an end"),
            (Some(word), _) => format!("the maintenance of {device} reads {word}"),
        }
    }
}

/// UTC, to the minute.
pub fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

pub async fn read(
    ninja: &NinjaOne,
    external_id: i64,
    device: DeviceId,
) -> Result<(Reading, Facts), StepError> {
    let found = ninja.device(external_id).await.map_err(step_error)?;
    let found = found.ok_or_else(|| {
        StepError::permanent(ErrorCode::Conflict, "NinjaOne does not know this device any more.")
    })?;
    let window = found.value.maintenance.as_ref();
    let facts = Facts {
        device: found.value.name().unwrap_or("the device").to_owned(),
        status: window.map(|window| window.status.as_str().to_owned()),
        end: window.and_then(|window| window.end),
        reason: window.and_then(|window| window.reason.clone()),
    };
    let value = serde_json::to_value(&facts)
        .map_err(|error| StepError::permanent(ErrorCode::Internal, error.to_string()))?;
    let reading = Reading {
        target: Some(Subject { kind: "device".into(), id: device.0 }),
        facts: value,
        observed_at: found.observed_at,
        completeness: match found.completeness {
            Completeness::Complete => flow::Completeness::Complete,
            Completeness::Partial { .. } => flow::Completeness::Partial,
        },
        request_id: found.request_id,
    };
    Ok((reading, facts))
}

pub fn facts(reading: &Reading) -> Result<Facts, StepError> {
    Facts::deserialize(&reading.facts)
        .map_err(|error| StepError::permanent(ErrorCode::Internal, format!("a stored reading: {error}")))
}

/// A vendor's error as a step's: retried when it may pass.
pub fn step_error(error: VendorError) -> StepError {
    let message = format!("NinjaOne: {error}");
    if error.is_transient() {
        StepError::transient(ErrorCode::VendorFailed, message)
    } else {
        StepError::permanent(ErrorCode::VendorFailed, message)
    }
}
