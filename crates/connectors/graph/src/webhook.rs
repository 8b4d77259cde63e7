//! Change notifications: what the vendor posts, and what tells it from anybody else. Nothing is signed: each
//! subscription carries a secret of ours (`clientState`) that comes back with every notification.
use connector_api::VendorError;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use subtle::ConstantTimeEq;

use crate::fields::Fields;

/// Notifications in one delivery that are read; the vendor sends far fewer.
pub const NOTIFICATIONS_MAX: usize = 1_000;
/// One notification, of a change or of the subscription's own life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub subscription_id: String,
    pub tenant_id: Option<String>,
    /// Whether its `clientState` is the one of that subscription; nothing else proves where it came from.
    pub client_state: Option<String>,
    pub event: Event,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// `created`, `updated`, `deleted`. Says only that something changed: read it.
    Changed { change: String, resource: String, id: Option<String>, etag: Option<String> },
    /// Renew, or the subscription stops.
    ReauthorizationRequired,
    /// Make a new one, and read all changes.
    SubscriptionRemoved,
    /// Notifications were lost: read all changes.
    Missed,
    /// A word that this version does not know.
    Unknown(String),
}

impl Notification {
    /// Compares in constant time.
    pub fn is_of(&self, client_state: &SecretString) -> bool {
        let given = self.client_state.as_deref().unwrap_or_default().as_bytes();
        let known = client_state.expose_secret().as_bytes();
        !known.is_empty() && bool::from(given.ct_eq(known))
    }

    /// The same change may be told several times: what is told twice has the same key.
    pub fn key(&self) -> Option<(&str, &str, &str, &str)> {
        let Event::Changed { change, resource, etag, .. } = &self.event else { return None };
        Some((&self.subscription_id, resource, change, etag.as_deref().unwrap_or_default()))
    }
}

/// What a delivery holds. Entries without a subscription are left out.
pub fn notifications(body: &[u8]) -> Result<Vec<Notification>, VendorError> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| VendorError::shape("$", error.to_string()))?;
    let rows = Fields(&body).list("value").ok_or_else(|| VendorError::shape("$.value", "not a list"))?;
    Ok(rows.iter().take(NOTIFICATIONS_MAX).filter_map(|row| notification(Fields(row))).collect())
}

fn notification(at: Fields<'_>) -> Option<Notification> {
    let event = match at.text("lifecycleEvent") {
        None => Event::Changed {
            change: at.text("changeType")?,
            resource: at.text("resource")?,
            id: at.at("resourceData").and_then(|data| data.text("id")),
            etag: at.at("resourceData").and_then(|data| data.text("@odata.etag")),
        },
        Some(word) => match word.as_str() {
            "reauthorizationRequired" => Event::ReauthorizationRequired,
            "subscriptionRemoved" => Event::SubscriptionRemoved,
            "missed" => Event::Missed,
            _ => Event::Unknown(word),
        },
    };
    Some(Notification {
        subscription_id: at.text("subscriptionId")?,
        tenant_id: at.text("tenantId").or_else(|| at.text("organizationId")),
        client_state: at.text("clientState"),
        event,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Notification> {
        notifications(text.as_bytes()).unwrap()
    }

    #[test]
    fn changes_and_lifecycle_are_told_apart() {
        let all = read(
            r#"{"value":[
            {"subscriptionId":"s","clientState":"x","changeType":"updated","resource":"Users/u1","tenantId":"t",
             "resourceData":{"id":"u1","@odata.etag":"W/1"}},
            {"subscriptionId":"s","clientState":"x","lifecycleEvent":"missed","organizationId":"t"},
            {"subscriptionId":"s","lifecycleEvent":"new"},
            {"changeType":"updated","resource":"Users/u1"}]}"#,
        );
        assert_eq!(all.len(), 3);
        assert_eq!(all[0].key(), Some(("s", "Users/u1", "updated", "W/1")));
        assert_eq!((&all[1].event, all[1].tenant_id.as_deref()), (&Event::Missed, Some("t")));
        assert_eq!(all[2].event, Event::Unknown("new".into()));
        assert!(notifications(b"<html>").is_err() && notifications(b"{}").is_err());
    }

    #[test]
    fn only_the_own_secret_proves_a_notification() {
        let one =
            read(r#"{"value":[{"subscriptionId":"s","clientState":"right","lifecycleEvent":"missed"}]}"#);
        assert!(one[0].is_of(&"right".into()));
        assert!(!one[0].is_of(&"wrong".into()) && !one[0].is_of(&"righ".into()));
        let none = read(r#"{"value":[{"subscriptionId":"s","lifecycleEvent":"missed"}]}"#);
        assert!(!none[0].is_of(&"right".into()) && !none[0].is_of(&"".into()));
    }
}
