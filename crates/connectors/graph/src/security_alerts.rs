//! Alerts of Microsoft Defender and Entra in a tenant. They cannot be subscribed to: they are asked for.
use connector_api::{Call, Fact, Repeats, VendorError, Walk};
use jiff::Timestamp;

use crate::client::{TenantClient, segment};
use crate::errors::About;
use crate::fields::Fields;
use crate::permissions;
use crate::types::{Raw, members};

pub(crate) const SECURITY_ALERTS: &str = "/v1.0/security/alerts_v2";
const PAGE_ROWS: usize = 100;
/// Of one reading; a tenant with more alerts than that in a month is read in part.
const PAGES_MAX: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertSeverity {
    High,
    Medium,
    Low,
    /// Informational, unknown, or a word that this version does not know.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityAlert {
    pub id: String,
    pub title: String,
    pub severity: AlertSeverity,
    pub is_resolved: bool,
    /// Such as `microsoftDefenderForEndpoint`.
    pub source: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The name of the first device that the evidence names.
    pub device: Option<String>,
    /// The first account that the evidence names.
    pub account: Option<String>,
}

impl SecurityAlert {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let created_at = at
            .time("createdDateTime")
            .ok_or_else(|| VendorError::shape("$.createdDateTime", "not a time"))?;
        let status = at.text("status").ok_or_else(|| VendorError::shape("$.status", "missing"))?;
        let evidence = || at.objects("evidence").into_iter().flatten();
        let account = evidence().find_map(|it| it.at("userAccount")?.text("userPrincipalName"));
        Ok(Self {
            id: at.id("id")?,
            title: at.text("title").unwrap_or_else(|| "Alert without a title".to_owned()),
            severity: match at.text("severity").as_deref() {
                Some("high") => AlertSeverity::High,
                Some("medium") => AlertSeverity::Medium,
                Some("low") => AlertSeverity::Low,
                _ => AlertSeverity::Other,
            },
            is_resolved: status == "resolved",
            source: at.text("serviceSource"),
            created_at,
            updated_at: at.time("lastUpdateDateTime").unwrap_or(created_at),
            device: evidence().find_map(|it| it.text("deviceDnsName")),
            account,
        })
    }
}

impl TenantClient {
    /// All alerts that changed since, resolved ones as well.
    pub async fn security_alerts(&self, since: Timestamp) -> Walk<SecurityAlert> {
        let about = About::list(permissions::SECURITY_ALERTS, "security alerts");
        let call = Call::get(SECURITY_ALERTS)
            .query("$filter", format!("lastUpdateDateTime ge {since}"))
            .query("$top", PAGE_ROWS);
        self.bounded(call, (PAGES_MAX, Repeats::Natural), about, SecurityAlert::read, |it| it.id.clone())
            .await
    }

    pub async fn security_alert(&self, id: &str) -> Result<Fact<SecurityAlert>, VendorError> {
        let call = Call::get(format!("{SECURITY_ALERTS}/{}", segment(id)));
        self.one(call, About::record(permissions::SECURITY_ALERTS), SecurityAlert::read).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::RawValue};

    use super::*;

    #[test]
    fn an_unknown_severity_is_no_failure_and_a_missing_status_is_one() {
        let read = |status: Option<&str>| {
            let row = json!({"id": "a", "title": "Odd sign-in", "severity": "unknownFutureValue", "status": status, "createdDateTime": "2026-03-01T10:00:00Z",
                "evidence": [{"@odata.type": "#microsoft.graph.security.deviceEvidence", "deviceDnsName": "ws-1.a.example"},
                    {"@odata.type": "#microsoft.graph.security.userEvidence", "userAccount": {"userPrincipalName": "ada@a.example"}}]});
            SecurityAlert::read(RawValue::from_string(row.to_string()).unwrap())
        };
        let alert = read(Some("inProgress")).unwrap();
        assert_eq!((alert.severity, alert.is_resolved), (AlertSeverity::Other, false));
        assert_eq!(
            (alert.device.as_deref(), alert.account.as_deref()),
            (Some("ws-1.a.example"), Some("ada@a.example"))
        );
        assert!(read(Some("resolved")).unwrap().is_resolved);
        assert!(read(None).is_err());
    }
}
