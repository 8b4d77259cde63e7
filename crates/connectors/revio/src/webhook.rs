//! Receivers and subscriptions. The vendor signs no message: a delivery is a hint, the object read by its id is the truth.
use connector_api::{Call, Fact, VendorError, Walk};
use jiff::civil::DateTime;
use serde_json::json;

use crate::client::{List, RevIo};
use crate::errors::NotFoundMeans;
use crate::fields::Fields;
use crate::types::Raw;

/// Sent once to a new receiver. The receiver answers 200 with the same header, and is active.
pub const SECRET_HEADER: &str = "x-hook-secret";
/// Largest payload that is parsed.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;

const RECEIVERS: List = List { path: "/v1/WebhookReceivers", id_member: "webhook_receiver_id" };
const SUBSCRIPTIONS: List = List { path: "/v1/WebhookSubscriptions", id_member: "webhook_subscription_id" };

#[derive(Clone, Debug)]
pub struct Receiver {
    pub id: i64,
    pub url: Option<String>,
    pub active: Option<bool>,
    pub raw: Raw,
}

#[derive(Clone, Debug)]
pub struct Subscription {
    pub id: i64,
    pub receiver_id: Option<i64>,
    pub event_type: Option<String>,
    pub raw: Raw,
}

/// What a delivery says. Nothing of it is proven but that something happened.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: Option<String>,
    pub event_type: String,
    pub created_at: Option<DateTime>,
    /// Absent for events without an object.
    pub object_id: Option<i64>,
    pub raw: Raw,
}

impl Receiver {
    fn read(raw: Raw) -> Result<Self, VendorError> {
        let at = Fields::of(&raw)?;
        Ok(Self {
            id: at.id("webhook_receiver_id")?,
            url: at.text("url"),
            active: at.flag("active"),
            raw: raw.clone(),
        })
    }
}

impl Subscription {
    fn read(raw: Raw) -> Result<Self, VendorError> {
        let at = Fields::of(&raw)?;
        Ok(Self {
            id: at.id("webhook_subscription_id")?,
            receiver_id: at.int("webhook_receiver_id"),
            event_type: at.text("event_type"),
            raw: raw.clone(),
        })
    }
}

impl RevIo {
    /// Names an address and says its id. The vendor calls the address at once with [`SECRET_HEADER`]; where it did not
    /// get the header back, [`Self::activate_receiver`] does it later. Put a secret of ours into the address.
    pub async fn create_receiver(&self, url: &str, description: &str) -> Result<Fact<i64>, VendorError> {
        let call = Call::post(RECEIVERS.path).json(json!({"url": url, "description": description}));
        self.create(call, NotFoundMeans::Capability("webhooks")).await
    }

    pub async fn receiver(&self, id: i64) -> Result<Fact<Receiver>, VendorError> {
        self.one(format!("{}/{id}", RECEIVERS.path), Receiver::read).await
    }

    pub async fn receivers(&self) -> Walk<Receiver> {
        self.list(RECEIVERS, None, Receiver::read, |it| it.id, |_| true).await
    }

    /// With the secret that came in [`SECRET_HEADER`]. The member's name is not public; `code` and `secret` are sent.
    pub async fn activate_receiver(&self, id: i64, secret: &str) -> Result<(), VendorError> {
        let call = Call::post(format!("{}/{id}/activate", RECEIVERS.path));
        let body = json!({"code": secret, "secret": secret});
        self.call(call.json(body), NotFoundMeans::Record).await.map(drop)
    }

    pub async fn delete_receiver(&self, id: i64) -> Result<(), VendorError> {
        self.call(Call::delete(format!("{}/{id}", RECEIVERS.path)), NotFoundMeans::Record).await.map(drop)
    }

    /// Such as `bill created`.
    pub async fn subscribe(&self, receiver_id: i64, event_type: &str) -> Result<Fact<i64>, VendorError> {
        let call = Call::post(SUBSCRIPTIONS.path)
            .json(json!({"webhook_receiver_id": receiver_id, "event_type": event_type}));
        self.create(call, NotFoundMeans::Capability("webhooks")).await
    }

    pub async fn subscriptions(&self) -> Walk<Subscription> {
        self.list(SUBSCRIPTIONS, None, Subscription::read, |it| it.id, |_| true).await
    }

    pub async fn unsubscribe(&self, id: i64) -> Result<(), VendorError> {
        self.call(Call::delete(format!("{}/{id}", SUBSCRIPTIONS.path)), NotFoundMeans::Record).await.map(drop)
    }
}

/// Reads a delivered payload. Check the secret of the address first, and read the object by its id afterward.
pub fn parse(payload: &[u8]) -> Result<Event, VendorError> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(VendorError::TooLarge { bytes_max: PAYLOAD_BYTES_MAX });
    }
    let raw: Raw =
        serde_json::from_slice(payload).map_err(|error| VendorError::shape("$", error.to_string()))?;
    let at = Fields::of(&raw)?;
    let event_type = at
        .text("event_type")
        .ok_or_else(|| VendorError::shape("$.event_type", "an event without its type"))?;
    Ok(Event {
        id: at.text("event_id"),
        event_type,
        created_at: at.time("created_date"),
        object_id: at.int("object_id"),
        raw: raw.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_a_type_and_often_an_object() {
        let event = parse(br#"{"event_id":"e-1","event_type":"bill created","created_date":"2026-03-01T00:00:05","object_id":"77"}"#).unwrap();
        assert_eq!(
            (event.event_type.as_str(), event.object_id, event.id.as_deref()),
            ("bill created", Some(77), Some("e-1"))
        );
        assert_eq!(parse(br#"{"event_type":"rating completed"}"#).unwrap().object_id, None);
        for bad in [&b"<html>"[..], b"[]", b"{}", b"\xff", b""] {
            assert!(matches!(parse(bad), Err(VendorError::Shape { .. })));
        }
        let large = vec![b' '; PAYLOAD_BYTES_MAX + 1];
        assert!(matches!(parse(&large), Err(VendorError::TooLarge { .. })));
    }
}
