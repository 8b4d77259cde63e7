//! The webhook: one per API app, no reading back, no signature. A delivery is a hint; the activities are the truth.
use std::collections::BTreeMap;

use connector_api::{Call, VendorError};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::client::NinjaOne;
use crate::errors::NotFoundMeans;
use crate::types::Activity;

/// Largest payload that is parsed.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;

#[derive(Clone, Debug)]
pub struct WebhookConfig {
    pub url: String,
    /// Activity type to status codes, such as `CONDITION` to `TRIGGERED`, `RESET`.
    pub activities: BTreeMap<String, Vec<String>>,
    pub expand: Vec<String>,
    /// The only authenticity there is: a secret of ours in a header, compared in constant time by the receiver.
    pub headers: Vec<(String, SecretString)>,
    /// Empty means all organizations.
    pub organization_ids: Vec<i64>,
}

impl WebhookConfig {
    /// Conditions, backups and patching: what this product acts on.
    pub fn for_conditions(url: impl Into<String>, header: (String, SecretString)) -> Self {
        let codes = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>();
        let activities = BTreeMap::from([
            ("CONDITION".to_owned(), codes(&["TRIGGERED", "RESET", "ACKNOWLEDGED"])),
            ("ACTION".to_owned(), codes(&["COMPLETED", "CANCELLED"])),
            ("NINJA_BACKUP".to_owned(), codes(&["NINJA_BACKUP_BACKUPJOB_FAILED"])),
            (
                "PATCH_MANAGEMENT".to_owned(),
                codes(&["PATCH_MANAGEMENT_INSTALL_FAILED", "PATCH_MANAGEMENT_FAILURE"]),
            ),
        ]);
        Self {
            url: url.into(),
            activities,
            expand: vec!["organization".into(), "location".into()],
            headers: vec![header],
            organization_ids: Vec::new(),
        }
    }
}

impl NinjaOne {
    /// Sets or replaces the webhook. The vendor cannot be asked for it: keep your own copy.
    pub async fn put_webhook(&self, config: &WebhookConfig) -> Result<(), VendorError> {
        let header =
            |(name, value): &(String, SecretString)| json!({"name": name, "value": value.expose_secret()});
        let body = json!({
            "url": config.url,
            "activities": config.activities,
            "expand": config.expand,
            "headers": config.headers.iter().map(header).collect::<Vec<Value>>(),
            "organizationIds": config.organization_ids,
        });
        let call = Call::put("/v2/webhook").json(body);
        self.call(call, NotFoundMeans::Capability("webhook")).await.map(drop)
    }

    pub async fn delete_webhook(&self) -> Result<(), VendorError> {
        self.call(Call::delete("/v2/webhook"), NotFoundMeans::Capability("webhook")).await.map(drop)
    }
}

/// Reads a delivered payload: one activity, with its device. Check the header secret first.
pub fn parse(payload: &[u8]) -> Result<Activity, VendorError> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(VendorError::TooLarge { bytes_max: PAYLOAD_BYTES_MAX });
    }
    let raw: Value =
        serde_json::from_slice(payload).map_err(|error| VendorError::shape("$", error.to_string()))?;
    let activity = Activity::read(raw)?;
    if activity.activity_type.is_empty() {
        return Err(VendorError::shape("$.activityType", "an activity without its type"));
    }
    Ok(activity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_one_activity_with_its_device() {
        let activity = parse(
            br#"{"id":9,"activityTime":1592600612.5,"activityType":"CONDITION","statusCode":"TRIGGERED",
                "seriesUid":"u","device":{"id":4,"organizationId":2},"new":1}"#,
        )
        .unwrap();
        assert_eq!((activity.id, activity.device_id, activity.organization_id), (9, Some(4), Some(2)));
        assert_eq!(activity.at.unwrap().as_millisecond(), 1_592_600_612_500);
    }

    #[test]
    fn anything_else_is_refused_with_the_place() {
        for bad in [&b"<html>"[..], b"[]", b"{}", br#"{"id":1}"#, b"\xff\xfe", b""] {
            assert!(matches!(parse(bad), Err(VendorError::Shape { .. })));
        }
        let large = vec![b' '; PAYLOAD_BYTES_MAX + 1];
        assert!(matches!(parse(&large), Err(VendorError::TooLarge { .. })));
    }
}
