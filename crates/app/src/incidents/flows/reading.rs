//! What NinjaOne says of the device, read anew: before the change, and independently after it.
use connector_api::{Completeness, VendorError};
use flow::{Reading, StepError, Subject};
use kernel::{ErrorCode, Timestamp, id::DeviceId};
use ninjaone::{Condition, ConditionState, NinjaOne};
use serde::{Deserialize, Serialize};

use super::Parameters;

/// The facts of one reading. Percentages 0 to 100, sizes in bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    pub device: String,
    pub is_offline: Option<bool>,
    /// Is a condition of the rule's kind open at the vendor?
    pub condition_open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drive: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_used_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_state: Option<String>,
    /// Highest activity id at the vendor before the act; what comes after it can be ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_mark: Option<i64>,
}

impl Facts {
    /// Does the reading show the rule's goal: no open condition, and the disk or service as it should be?
    pub fn goal_is_met(&self, parameters: &Parameters) -> bool {
        let disk = parameters
            .disk
            .as_ref()
            .is_none_or(|goal| self.disk_used_percent.is_some_and(|used| used < goal.used_percent_below));
        let service = parameters.service.is_none() || self.service_state.as_deref() == Some("RUNNING");
        !self.condition_open && disk && service
    }

    pub fn describe(&self) -> String {
        let disk = match (&self.drive, self.disk_used_percent, self.free_bytes) {
            (Some(drive), Some(used), Some(free)) => {
                format!("{drive} of {} is {used:.0} % full ({} free)", self.device, size(free))
            }
            _ => String::new(),
        };
        let service = self
            .service_state
            .as_ref()
            .map(|state| format!("the service is {}", state.to_lowercase()))
            .unwrap_or_default();
        let condition = if self.condition_open { "condition open" } else { "no open condition" };
        [disk, service, condition.to_owned()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Reads device, disks, services and open conditions through their own endpoints.
pub async fn read(
    ninja: &NinjaOne,
    external_id: i64,
    device: DeviceId,
    parameters: &Parameters,
) -> Result<Reading, StepError> {
    let found = ninja.device(external_id).await.map_err(step_error)?;
    let found = found.ok_or_else(|| {
        StepError::permanent(ErrorCode::Conflict, "NinjaOne does not know this device any more.")
    })?;
    let alerts = ninja.device_alerts(external_id).await.map_err(step_error)?;
    let mut completeness = found.completeness.clone().and(alerts.completeness.clone());
    let open = alerts.value.iter().filter_map(Condition::of_alert).find(|condition| {
        condition.state != ConditionState::Reset && condition.kind.as_str() == parameters.condition_kind
    });
    let mut facts = Facts {
        device: found.value.name().unwrap_or("the device").to_owned(),
        is_offline: found.value.offline,
        condition_open: open.is_some(),
        condition_message: open.map(|condition| condition.message),
        drive: None,
        disk_used_percent: None,
        free_bytes: None,
        service_state: None,
        activity_mark: None,
    };
    let mut observed_at: Timestamp = found.observed_at.min(alerts.observed_at);
    if let Some(goal) = &parameters.disk {
        let volumes = ninja.device_volumes(external_id).await.map_err(step_error)?;
        completeness = completeness.and(volumes.completeness.clone());
        observed_at = observed_at.min(volumes.observed_at);
        let wanted = goal.drive.trim_end_matches(':');
        let volume = volumes.value.iter().find(|volume| {
            [volume.drive_letter.as_deref(), volume.name.as_deref()]
                .into_iter()
                .flatten()
                .any(|name| name.trim_end_matches(['\\', ':']).eq_ignore_ascii_case(wanted))
        });
        if let Some(volume) = volume
            && let (Some(capacity), Some(free)) = (volume.capacity_bytes, volume.free_bytes)
            && capacity > 0
        {
            #[expect(clippy::cast_precision_loss, reason = "a percentage with one decimal")]
            let used = 100.0 * (capacity - free) as f64 / capacity as f64;
            facts.drive = Some(goal.drive.clone());
            facts.disk_used_percent = Some((used * 10.0).round() / 10.0);
            facts.free_bytes = Some(free);
        }
    }
    if let Some(service) = &parameters.service {
        let services = ninja.device_services(external_id, Some(service)).await.map_err(step_error)?;
        completeness = completeness.and(services.completeness.clone());
        facts.service_state = services.value.first().and_then(|service| service.state.clone());
    }
    let value = serde_json::to_value(&facts)
        .map_err(|error| StepError::permanent(ErrorCode::Internal, error.to_string()))?;
    Ok(Reading {
        target: Some(Subject { kind: "device".into(), id: device.0 }),
        facts: value,
        observed_at,
        completeness: match completeness {
            Completeness::Complete => flow::Completeness::Complete,
            Completeness::Partial { .. } => flow::Completeness::Partial,
        },
        request_id: alerts.request_id.or(found.request_id),
    })
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

/// Bytes for people, in binary units.
pub fn size(bytes: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal for people")]
    let gib = bytes as f64 / f64::from(1 << 30);
    format!("{gib:.1} GB")
}
