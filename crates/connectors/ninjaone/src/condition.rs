//! What an activity or an alert means. Pure: the same input gives the same answer.
use jiff::Timestamp;
use serde_json::Value;

use crate::fields::Fields;
use crate::types::{Activity, Alert, Severity};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Joins the alert and all activities of one condition.
    pub series_uid: String,
    pub device_id: i64,
    /// Only when the vendor sent the device along.
    pub organization_id: Option<i64>,
    pub kind: ConditionKind,
    pub state: ConditionState,
    pub severity: Severity,
    pub message: String,
    pub at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ConditionKind {
    DiskFull,
    ServiceStopped,
    Offline,
    BackupFailed,
    PatchFailed,
    /// The vendor's own word for it.
    Other(String),
}

impl ConditionKind {
    pub fn as_str(&self) -> &str {
        match self {
            Self::DiskFull => "disk_full",
            Self::ServiceStopped => "service_stopped",
            Self::Offline => "offline",
            Self::BackupFailed => "backup_failed",
            Self::PatchFailed => "patch_failed",
            Self::Other(word) => word,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConditionState {
    Triggered,
    Reset,
    /// Acknowledged, disabled, could not be evaluated: neither began nor ended.
    Other,
}

impl Condition {
    /// `None` for an activity that is not about a condition, or that names no device or series.
    pub fn of_activity(activity: &Activity) -> Option<Self> {
        let (kind, state) = meaning(activity)?;
        Some(Self {
            series_uid: activity.series_uid.clone()?,
            device_id: activity.device_id?,
            organization_id: activity.organization_id,
            kind,
            state,
            severity: activity.severity.clone(),
            message: activity.message.clone().or_else(|| activity.subject.clone()).unwrap_or_default(),
            at: activity.at,
        })
    }

    /// An alert in the list is an open condition. `None` when it names no device.
    pub fn of_alert(alert: &Alert) -> Option<Self> {
        let words =
            [&alert.source_type, &alert.condition_name, &alert.source_name, &alert.subject, &alert.message];
        Some(Self {
            series_uid: alert.uid.clone(),
            device_id: alert.device_id?,
            organization_id: alert.organization_id,
            kind: kind(words.map(Option::as_deref)),
            state: ConditionState::Triggered,
            severity: alert.severity.clone(),
            message: alert.message.clone().or_else(|| alert.subject.clone()).unwrap_or_default(),
            at: alert.created.or(alert.updated),
        })
    }
}

fn meaning(activity: &Activity) -> Option<(ConditionKind, ConditionState)> {
    let code = activity.status_code.as_str();
    match activity.activity_type.as_str() {
        "CONDITION" => {
            let state = match code {
                "TRIGGERED" => ConditionState::Triggered,
                "RESET" | "RESET_BY_PSA_TICKET_CALLBACK" => ConditionState::Reset,
                _ => ConditionState::Other,
            };
            Some((kind_of_activity(activity), state))
        }
        "NINJA_BACKUP" | "CLOUDBERRY" | "CLOUDBERRY_BACKUP" | "SHADOWPROTECT"
            if code.ends_with("BACKUPJOB_FAILED") =>
        {
            Some((ConditionKind::BackupFailed, ConditionState::Triggered))
        }
        "PATCH_MANAGEMENT" | "SOFTWARE_PATCH_MANAGEMENT"
            if code.ends_with("INSTALL_FAILED") || code == "PATCH_MANAGEMENT_FAILURE" =>
        {
            Some((ConditionKind::PatchFailed, ConditionState::Triggered))
        }
        _ => None,
    }
}

/// The schema of an activity has no source type; it comes in `data` or has to be read from the names.
fn kind_of_activity(activity: &Activity) -> ConditionKind {
    let raw = Fields(&activity.raw);
    let source = raw.text("sourceType");
    let data = raw.at("data").and_then(|data| data.text("sourceType"));
    let code = activity.data().and_then(|data| data.pointer("/message/code")).and_then(Value::as_str);
    kind([
        source.as_deref().or(data.as_deref()),
        code,
        activity.source_name.as_deref(),
        activity.subject.as_deref(),
        activity.message.as_deref(),
    ])
}

/// The first word that is understood decides: source type, condition name or code, source name, subject, message.
fn kind(words: [Option<&str>; 5]) -> ConditionKind {
    let known = words.iter().flatten().find_map(|word| known_kind(word));
    let other =
        || words.iter().flatten().next().map_or_else(|| "unknown".to_owned(), |word| (*word).to_owned());
    known.unwrap_or_else(|| ConditionKind::Other(other()))
}

fn known_kind(word: &str) -> Option<ConditionKind> {
    let word = word.to_ascii_lowercase().replace(['_', '-'], " ");
    let has = |parts: &[&str]| parts.iter().all(|part| word.contains(part));
    if has(&["disk free space"]) || has(&["disk usage"]) || has(&["disk", "low"]) || has(&["disk", "full"]) {
        Some(ConditionKind::DiskFull)
    } else if has(&["service", "state changed"]) || has(&["service", "stopped"]) {
        Some(ConditionKind::ServiceStopped)
    } else if has(&["agent offline"]) || has(&["device", "offline"]) {
        Some(ConditionKind::Offline)
    } else if has(&["backup", "fail"]) {
        Some(ConditionKind::BackupFailed)
    } else if has(&["patch", "fail"]) || has(&["patch last installed"]) {
        Some(ConditionKind::PatchFailed)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn activity(kind: &str, status: &str, extra: &Value) -> Activity {
        let mut row = json!({"id": 1, "deviceId": 5, "seriesUid": "s", "activityType": kind, "statusCode": status,
            "message": "m", "severity": "MAJOR", "device": {"id": 5, "organizationId": 2}});
        let members = extra.as_object().cloned().unwrap_or_default();
        row.as_object_mut().unwrap().extend(members);
        Activity::read(row).unwrap()
    }

    #[test]
    fn activities_mean_conditions() {
        use ConditionKind::{BackupFailed, DiskFull, Offline, Other, PatchFailed, ServiceStopped};
        use ConditionState::{Reset, Triggered};
        let none = json!({});
        let code = |code: &str| json!({"data": {"message": {"code": code}}});
        let cases = [
            (
                activity("CONDITION", "TRIGGERED", &code("CONDITION_AGENT_DISK_FREE_SPACE")),
                DiskFull,
                Triggered,
            ),
            (activity("CONDITION", "RESET", &json!({"sourceName": "Disk space low"})), DiskFull, Reset),
            (
                activity("CONDITION", "TRIGGERED", &code("CONDITION_WINDOWS_SERVICE_STATE_CHANGED")),
                ServiceStopped,
                Triggered,
            ),
            (activity("CONDITION", "TRIGGERED", &json!({"sourceType": "AGENT_OFFLINE"})), Offline, Triggered),
            (
                activity("CONDITION", "TRIGGERED", &code("CONDITION_AGENT_CPU")),
                Other("CONDITION_AGENT_CPU".into()),
                Triggered,
            ),
            (activity("CONDITION", "SOMETHING_NEW", &none), Other("m".into()), ConditionState::Other),
            (activity("NINJA_BACKUP", "NINJA_BACKUP_BACKUPJOB_FAILED", &none), BackupFailed, Triggered),
            (activity("PATCH_MANAGEMENT", "PATCH_MANAGEMENT_INSTALL_FAILED", &none), PatchFailed, Triggered),
        ];
        for (activity, kind, state) in cases {
            let condition = Condition::of_activity(&activity).unwrap();
            assert_eq!((condition.kind, condition.state), (kind, state), "{}", activity.raw);
            assert_eq!((condition.device_id, condition.organization_id), (5, Some(2)));
        }
    }

    #[test]
    fn what_is_not_a_condition_is_none() {
        let none = json!({});
        assert_eq!(Condition::of_activity(&activity("ACTION", "COMPLETED", &none)), None);
        assert_eq!(
            Condition::of_activity(&activity("NINJA_BACKUP", "NINJA_BACKUP_BACKUPJOB_COMPLETED", &none)),
            None
        );
        assert_eq!(
            Condition::of_activity(&activity("CONDITION", "TRIGGERED", &json!({"seriesUid": null}))),
            None
        );
    }

    #[test]
    fn alerts_are_open_conditions() {
        let alert =
            Alert::read(json!({"uid": "s", "deviceId": 5, "sourceType": "CONDITION_LINUX_DISK_USAGE",
            "severity": "WHO_KNOWS", "createTime": 1700000000.25}))
            .unwrap();
        let condition = Condition::of_alert(&alert).unwrap();
        assert_eq!(condition.kind, ConditionKind::DiskFull);
        assert_eq!(condition.severity, Severity::Unknown("WHO_KNOWS".into()));
        assert_eq!(condition.at.unwrap().as_millisecond(), 1_700_000_000_250);
    }
}
