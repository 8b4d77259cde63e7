//! Microsoft signs nothing: each subscription has a secret of ours that comes back with every notification. A notification is a hint: it makes
//! the tenant be read sooner, and the reading is what counts.
use std::collections::BTreeMap;

use graph::webhook::{Event, notifications};
use kernel::{ApiError, ErrorCode, Timestamp, id::IntegrationId};
use pg::{Pg, WorkReason};
use sha2::{Digest as _, Sha256};
use store::{
    integrations::{self, Vendor},
    subscriptions::{self, Told},
};
use subtle::ConstantTimeEq as _;

/// Whether a subscription may be made for this address: an integration with Microsoft that is switched on.
pub async fn is_expected(pg: &Pg, integration: IntegrationId) -> Result<bool, ApiError> {
    let tx = pg.work_for_provider(WorkReason::Webhook).await?;
    let found = integrations::by_id(&tx, integration).await?;
    tx.rollback().await?;
    Ok(found.is_some_and(|it| it.enabled && it.vendor == Vendor::Microsoft))
}

/// Takes in one delivery; gives how many of its notifications are believed. None at all is refused, as is an unknown integration.
pub async fn handle(
    pg: &Pg,
    integration: IntegrationId,
    body: &[u8],
    now: Timestamp,
) -> Result<usize, ApiError> {
    let all = notifications(body).map_err(|error| {
        ApiError::new(ErrorCode::BodyInvalid, "The delivery holds no notifications of Microsoft.")
            .details(error.to_string())
    })?;
    // The same is said many times over: it is counted, and taken in once.
    let mut said: BTreeMap<(String, Vec<u8>, Told), i64> = BTreeMap::new();
    for it in all {
        let (Some(tenant), Some(state)) = (it.tenant_id, it.client_state) else { continue };
        let told = match it.event {
            Event::ReauthorizationRequired => Told::Renew,
            Event::SubscriptionRemoved => Told::Removed,
            Event::Missed => Told::Missed,
            Event::Changed { .. } | Event::Unknown(_) => Told::Changed,
        };
        let hash = Sha256::digest(state.as_bytes()).to_vec();
        *said.entry((tenant.to_ascii_lowercase(), hash, told)).or_default() += 1;
    }
    let mut believed = 0;
    let tx = pg.work_for_provider(WorkReason::Webhook).await?;
    for ((tenant, hash, told), times) in said {
        let known = subscriptions::of_tenant(&tx, integration, &tenant).await?;
        let expected = known.map(|it| it.secret_sha256);
        // Compared also when there is nothing to compare with.
        let is_same = hash.ct_eq(expected.as_deref().unwrap_or(&[0; 32]));
        if expected.is_some() && bool::from(is_same) {
            subscriptions::told(&tx, integration, &tenant, (told, times), now).await?;
            believed += usize::try_from(times).unwrap_or(usize::MAX);
        }
    }
    if believed == 0 {
        return Err(ApiError::new(
            ErrorCode::NotSignedIn,
            "No notification carries the secret of its subscription.",
        ));
    }
    tx.notify(crate::sync::WAKE_CHANNEL, &integration.to_string()).await?;
    tx.commit().await?;
    Ok(believed)
}
