//! Illness and recovery: what triggers a condition, what it changes, and what heals it.
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::estate::{Approval, Device};
use crate::world::{Entry, World};

/// The service that the restart script cares for.
pub const SPOOLER: &str = "Spooler";

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Illness {
    DiskFull,
    ServiceStopped,
    Offline,
}

impl Illness {
    pub fn source_type(self) -> &'static str {
        match self {
            Self::DiskFull => "CONDITION_AGENT_DISK_FREE_SPACE",
            Self::ServiceStopped => "CONDITION_WINDOWS_SERVICE_STATE_CHANGED",
            Self::Offline => "AGENT_OFFLINE",
        }
    }

    pub fn source_name(self) -> &'static str {
        match self {
            Self::DiskFull => "Disk free space below 5 %",
            Self::ServiceStopped => "Print Spooler is not running",
            Self::Offline => "Device is offline",
        }
    }

    pub fn severity(self) -> &'static str {
        match self {
            Self::DiskFull => "MAJOR",
            Self::ServiceStopped => "MODERATE",
            Self::Offline => "CRITICAL",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Alert {
    pub uid: Uuid,
    pub device_id: i64,
    pub illness: Illness,
    pub message: String,
    pub created: Timestamp,
    pub data: Value,
}

/// What a trigger did.
#[derive(Clone, Debug)]
pub(crate) struct Triggered {
    pub uid: Uuid,
    /// Absent when the device had this condition already.
    pub activity_id: Option<i64>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TriggerError {
    #[error("no such device")]
    NoDevice,
    #[error("this condition cannot befall a device of this kind")]
    WrongKind,
}

impl World {
    /// A device that can fall ill: with an agent, approved, online, and well so far.
    pub fn candidate(&self, organization_id: Option<i64>) -> Option<i64> {
        let well = |device: &&Device| {
            device.kind.is_windows()
                && device.approval == Approval::Approved
                && !device.offline
                && organization_id.is_none_or(|id| device.organization_id == id)
                && !self.alerts.values().any(|alert| alert.device_id == device.id)
        };
        self.estate.devices.values().find(well).map(|device| device.id)
    }

    /// Makes a device ill: its state, the alert, the activity and the deliveries, in one instant.
    pub fn trigger(
        &mut self,
        device_id: i64,
        illness: Illness,
        now: Timestamp,
    ) -> Result<Triggered, TriggerError> {
        let device = self.estate.devices.get_mut(&device_id).ok_or(TriggerError::NoDevice)?;
        let fits = match illness {
            Illness::DiskFull => device.kind.has_agent() && !device.volumes.is_empty(),
            Illness::ServiceStopped => device.kind.is_windows(),
            Illness::Offline => true,
        };
        if !fits || device.approval == Approval::Pending {
            return Err(TriggerError::WrongKind);
        }
        let open = |alert: &&Alert| alert.device_id == device_id && alert.illness == illness;
        if let Some(alert) = self.alerts.values().find(open) {
            return Ok(Triggered { uid: alert.uid, activity_id: None });
        }
        let (message, params) = befall(device, illness, now);
        let uid = self.rng.uuid();
        let data = json!({
            "message": {"code": illness.source_type(), "params": params},
        });
        self.alerts.insert(
            uid,
            Alert { uid, device_id, illness, message: message.clone(), created: now, data: data.clone() },
        );
        let activity_id = self.log(condition(device_id, illness, "TRIGGERED", uid, message, data), now);
        Ok(Triggered { uid, activity_id: Some(activity_id) })
    }

    /// Heals a device. `None` when it did not have this condition.
    pub fn reset(&mut self, device_id: i64, illness: Illness, now: Timestamp) -> Option<i64> {
        let open = |alert: &&Alert| alert.device_id == device_id && alert.illness == illness;
        let uid = self.alerts.values().find(open)?.uid;
        let device = self.estate.devices.get_mut(&device_id)?;
        let (message, params) = heal(device, illness);
        self.alerts.remove(&uid);
        let data = json!({
            "message": {"code": illness.source_type(), "params": params},
        });
        let activity_id = self.log(condition(device_id, illness, "RESET", uid, message, data), now);
        if illness == Illness::Offline {
            self.run_waiting(device_id, now);
        }
        Some(activity_id)
    }
}

fn condition(
    device_id: i64,
    illness: Illness,
    code: &'static str,
    series: Uuid,
    message: String,
    data: Value,
) -> Entry {
    Entry {
        device_id: Some(device_id),
        kind: "CONDITION",
        code,
        severity: if code == "RESET" { "NONE" } else { illness.severity() },
        result: "SUCCESS",
        series,
        source_name: illness.source_name().into(),
        subject: illness.source_name().into(),
        message,
        data,
    }
}

fn befall(device: &mut Device, illness: Illness, now: Timestamp) -> (String, Value) {
    match illness {
        Illness::DiskFull => {
            let Some(volume) = device.volumes.first_mut() else { return (String::new(), json!({})) };
            volume.free = volume.capacity / 1_000 * 12;
            let message = format!("Volume {} has {} free (1.2 %)", volume.name, gigabytes(volume.free));
            (
                message,
                json!({"volume": volume.name, "free_bytes": volume.free.to_string(), "threshold_percent": "5"}),
            )
        }
        Illness::ServiceStopped => {
            device.stopped_service = Some(SPOOLER);
            ("Service 'Print Spooler' is stopped".into(), json!({"service": SPOOLER, "state": "STOPPED"}))
        }
        Illness::Offline => {
            device.offline = true;
            device.last_seen_s = now.as_second();
            ("Device has been offline for 5 minutes".into(), json!({"minutes": "5"}))
        }
    }
}

fn heal(device: &mut Device, illness: Illness) -> (String, Value) {
    match illness {
        Illness::DiskFull => {
            let Some(volume) = device.volumes.first_mut() else { return (String::new(), json!({})) };
            volume.free = volume.free.max(volume.capacity / 100 * 28);
            let message = format!("Volume {} has {} free again", volume.name, gigabytes(volume.free));
            (message, json!({"volume": volume.name, "free_bytes": volume.free.to_string()}))
        }
        Illness::ServiceStopped => {
            device.stopped_service = None;
            ("Service 'Print Spooler' is running".into(), json!({"service": SPOOLER, "state": "RUNNING"}))
        }
        Illness::Offline => {
            device.offline = false;
            ("Device is online".into(), json!({}))
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "for a person to read, with one digit")]
fn gigabytes(bytes: i64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}
