//! That Microsoft tells of changes: one subscription for each tenant, made with a secret of its own, renewed before it ends, made anew when
//! it is gone. It only makes runs come sooner: what was told of is read, and what was not told of is found by the next run.
use ::graph::{Graph, NewSubscription};
use connector_api::VendorError;
use jiff::SignedDuration;
use kernel::{Timestamp, secret::ExposeSecret as _};
use pg::cluster::generate_secret;
use sha2::{Digest as _, Sha256};
use store::{
    subscriptions::{self, Known},
    sync::{Counts, SyncKind},
    tenants::{PartOf, PartRead, PartState},
};

use super::{
    tenants::{Came, Reading, complete, each},
    trouble,
};
use crate::sync::{
    context::Cx,
    error::{PartEnd, SyncError},
    run::PartName,
};

const PART: PartName = PartName::Subscriptions;
const OF: PartOf = PartOf::Subscriptions;
/// The vendor allows 29 days; what is forgotten ends sooner.
const LASTS_HOURS: i64 = 7 * 24;
const RENEWED_BEFORE_HOURS: i64 = 3 * 24;

pub(super) async fn read(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(PART, store::sync::Again::GoOn, None).await?;
    each(cx, kind, PART, OF, |cx, tenant| Box::pin(one(cx, tenant))).await
}

async fn one(cx: &Cx<'_, Graph>, tenant: &Reading) -> Came {
    let Some(public_url) = cx.public_url else {
        let reason =
            "this installation has no public address (OBERA_PUBLIC_URL): changes are found by polling";
        let read = PartRead {
            part: OF,
            state: PartState::Denied,
            reason: Some(reason.to_owned()),
            permission: None,
            observed_at: None,
            rows: 0,
        };
        return Ok((vec![read], 0));
    };
    let url = format!("{public_url}/functions/v1/microsoft-webhook/{}", cx.claim.integration);
    let tx = cx.provider().await?;
    let known = subscriptions::of_tenant(&tx, cx.claim.integration, tenant.client.tenant_id()).await?;
    tx.rollback().await?;
    let now = cx.now();
    let outcome = match to_do(known.as_ref(), now) {
        ToDo::Nothing => Ok(()),
        ToDo::Renew(id) => renew(cx, tenant, &id, &url, now).await?,
        ToDo::Make => make(cx, tenant, &url, now).await?,
    };
    let read = match outcome {
        Ok(()) => complete(OF, now, 1),
        Err(error) => trouble::refused(OF, &error),
    };
    Ok((vec![read], 0))
}

#[derive(Debug, PartialEq, Eq)]
enum ToDo {
    Nothing,
    Renew(String),
    Make,
}

fn to_do(known: Option<&Known>, now: Timestamp) -> ToDo {
    let Some(Known { external_id: Some(id), expires_at: Some(ends), renew_now, .. }) = known else {
        return ToDo::Make;
    };
    if *ends <= now {
        ToDo::Make
    } else if *renew_now || *ends <= after(now, RENEWED_BEFORE_HOURS) {
        ToDo::Renew(id.clone())
    } else {
        ToDo::Nothing
    }
}

fn after(now: Timestamp, hours: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(now)
}

type Done = Result<Result<(), VendorError>, SyncError>;

async fn renew(cx: &Cx<'_, Graph>, tenant: &Reading, id: &str, url: &str, now: Timestamp) -> Done {
    match tenant.client.renew_subscription(id, after(now, LASTS_HOURS)).await {
        Ok(fact) => {
            stands(cx, tenant, &fact.value.id, fact.value.expires_at, now).await?;
            Ok(Ok(()))
        }
        Err(VendorError::NotFound) => make(cx, tenant, url, now).await,
        Err(error) => Ok(Err(error)),
    }
}

/// The secret is kept before the vendor knows it: it may tell of something before it has answered. What an earlier attempt left behind at the
/// vendor is taken back.
async fn make(cx: &Cx<'_, Graph>, tenant: &Reading, url: &str, now: Timestamp) -> Done {
    let left = match tenant.client.subscriptions().await {
        Ok(fact) => fact.value,
        Err(error) => return Ok(Err(error)),
    };
    for old in left.iter().filter(|it| it.notification_url.as_deref() == Some(url)) {
        match tenant.client.unsubscribe(&old.id).await {
            Ok(()) | Err(VendorError::NotFound) => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    let client_state = generate_secret();
    let tx = cx.provider().await?;
    let hash = Sha256::digest(client_state.expose_secret().as_bytes());
    subscriptions::begin(&tx, cx.claim.integration, tenant.client.tenant_id(), &hash, now).await?;
    // Nothing is written by a worker that lost its run.
    cx.count(&tx, PART, &Counts::default()).await?;
    tx.commit().await?;
    let new = NewSubscription {
        notification_url: url.to_owned(),
        client_state,
        expires_at: after(now, LASTS_HOURS),
    };
    match tenant.client.subscribe_to_users(&new).await {
        Ok(fact) => {
            stands(cx, tenant, &fact.value.id, fact.value.expires_at, now).await?;
            Ok(Ok(()))
        }
        Err(error) => Ok(Err(error)),
    }
}

async fn stands(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
    id: &str,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), SyncError> {
    let tx = cx.provider().await?;
    let is = (id, expires_at);
    subscriptions::stands(&tx, cx.claim.integration, tenant.client.tenant_id(), is, now).await?;
    cx.count(&tx, PART, &Counts { read: 1, updated: 1, ..Counts::default() }).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_is_renewed_in_time_and_made_anew_when_it_is_gone() {
        let now = Timestamp::from_second(1_780_000_000).expect("a time");
        let known = |hours: i64, renew_now| Known {
            external_id: Some("s".into()),
            secret_sha256: vec![1],
            expires_at: Some(after(now, hours)),
            renew_now,
        };
        assert_eq!(to_do(None, now), ToDo::Make);
        assert_eq!(to_do(Some(&known(100, false)), now), ToDo::Nothing);
        assert_eq!(to_do(Some(&known(100, true)), now), ToDo::Renew("s".into()));
        assert_eq!(to_do(Some(&known(70, false)), now), ToDo::Renew("s".into()));
        assert_eq!(to_do(Some(&known(0, false)), now), ToDo::Make);
        assert_eq!(to_do(Some(&Known { external_id: None, ..known(100, false) }), now), ToDo::Make);
    }
}
