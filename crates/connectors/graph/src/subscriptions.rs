//! Subscriptions to changes of a tenant: made with a handshake (the vendor calls the address before it answers), renewed before they end.
use connector_api::{Call, Fact, VendorError};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::client::{TenantClient, fact, page, segment};
use crate::errors::About;
use crate::fields::Fields;
use crate::permissions;
use crate::types::{Raw, members};

pub(crate) const SUBSCRIPTIONS: &str = "/v1.0/subscriptions";
/// The vendor calls our address meanwhile and waits for it up to ten seconds.
const CREATE_TIMEOUT_MS: u64 = 30_000;

/// What to be told of, and where.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    pub notification_url: String,
    /// Comes back with every notification and proves it.
    pub client_state: SecretString,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub id: String,
    pub notification_url: Option<String>,
    pub expires_at: Timestamp,
}

impl Subscription {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let expires_at = at
            .time("expirationDateTime")
            .ok_or_else(|| VendorError::shape("$.expirationDateTime", "not a time"))?;
        Ok(Self { id: at.id("id")?, notification_url: at.text("notificationUrl"), expires_at })
    }
}

impl TenantClient {
    /// To changes of accounts, also to the life of the subscription itself.
    pub async fn subscribe_to_users(&self, new: &NewSubscription) -> Result<Fact<Subscription>, VendorError> {
        let body = json!({
            "changeType": "updated,deleted", "resource": "users", "notificationUrl": new.notification_url,
            "lifecycleNotificationUrl": new.notification_url, "expirationDateTime": new.expires_at,
            "clientState": new.client_state.expose_secret(),
        });
        let call = Call::post(SUBSCRIPTIONS).json(body).timeout_ms(CREATE_TIMEOUT_MS);
        self.one(call, About::list(permissions::USERS, "subscriptions"), Subscription::read).await
    }

    /// [`VendorError::NotFound`]: it ended, or was removed.
    pub async fn renew_subscription(
        &self,
        id: &str,
        expires_at: Timestamp,
    ) -> Result<Fact<Subscription>, VendorError> {
        let path = format!("{SUBSCRIPTIONS}/{}", segment(id));
        let call = Call::patch(path).json(json!({ "expirationDateTime": expires_at })).changes_nothing();
        self.one(call, About::record(permissions::USERS), Subscription::read).await
    }

    pub async fn unsubscribe(&self, id: &str) -> Result<(), VendorError> {
        let call = Call::delete(format!("{SUBSCRIPTIONS}/{}", segment(id))).any_content();
        self.call(call, About::record(permissions::USERS)).await.map(drop)
    }

    /// Those of this application in the tenant; the vendor allows a hundred.
    pub async fn subscriptions(&self) -> Result<Fact<Vec<Subscription>>, VendorError> {
        let about = About::list(permissions::USERS, "subscriptions");
        let answer = self.call(Call::get(SUBSCRIPTIONS), about).await?;
        let found = page(&answer, Subscription::read)?.items;
        Ok(fact(&answer, found))
    }
}
