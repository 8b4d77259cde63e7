//! Signing in at a vendor as a person, so that scripts, tickets and maintenance windows are theirs: many instances of NinjaOne
//! refuse them to a machine. The browser goes there and comes back to the console, which hands the code over.
use connector_api::{Health, VendorError};
use jiff::SignedDuration;
use kernel::{
    ApiError, Clock, ErrorCode, Timestamp,
    id::{CredentialId, IntegrationId, uuid_v7},
    secret::{ExposeSecret as _, SecretString},
};
use pg::{Actor, Pg, SystemReason, cluster::generate_secret};
use store::sign_ins::{self, Beginning};

use crate::{access, connect, vendors::Vendors, webhooks::ninjaone::secret_hash};

/// The console's page that the vendor sends the browser back to.
const REDIRECT_PATH: &str = "/integrations/signed-in";
const TIME_TO_SIGN_IN_S: i64 = 600;
const WRITE: &str = "integrations:write";
const PURPOSE: &str = "ninjaone sign-in";

/// Where the browser goes now.
#[derive(Debug)]
pub struct Begun {
    pub url: String,
    pub expires_at: Timestamp,
}

/// The address that has to be registered with the vendor's application, to the letter.
pub fn redirect_uri(console_url: &str) -> String {
    format!("{console_url}{REDIRECT_PATH}")
}

/// Needs `integrations:write`. Whoever began before, for this integration, has to begin again.
pub async fn begin(
    pg: &Pg,
    vendors: &dyn Vendors,
    actor: &Actor,
    integration: IntegrationId,
    console_url: &str,
    clock: &Clock,
) -> Result<Begun, ApiError> {
    access::require_for_provider(pg, actor, WRITE).await?;
    let person = actor.user().ok_or_else(access::not_found)?;
    connect::visible(pg, actor, integration).await?;
    let page = vendors.sign_in_page(integration).await?;
    let (state, verifier) = (generate_secret(), generate_secret());
    let url = page.url(&redirect_uri(console_url), state.expose_secret(), &verifier).map_err(vendor_said)?;
    let credential = vendors.seal_text(None, PURPOSE, &verifier).await?;
    let now = clock.now();
    let expires_at = now.saturating_add(SignedDuration::from_secs(TIME_TO_SIGN_IN_S)).unwrap_or(now);
    let new = Beginning {
        id: uuid_v7(now),
        integration,
        person,
        credential,
        state_sha256: &secret_hash(&state),
        started_at: now,
        expires_at,
    };
    let tx = pg.system(SystemReason::Connect).await?;
    sign_ins::begin(&tx, &new).await?;
    tx.commit().await?;
    Ok(Begun { url, expires_at })
}

/// The browser came back with `code`. Only for the person who began; a code and a state are good once.
pub async fn finish(
    pg: &Pg,
    vendors: &dyn Vendors,
    actor: &Actor,
    (state, code): (&SecretString, &SecretString),
    console_url: &str,
    clock: &Clock,
) -> Result<(IntegrationId, Health), ApiError> {
    access::require_for_provider(pg, actor, WRITE).await?;
    let person = actor.user().ok_or_else(access::not_found)?;
    let over = || {
        ApiError::new(ErrorCode::NotFound, "You began no sign-in that this belongs to, or it is over.")
            .hint("Begin again on the integration's page. Nothing was changed.")
    };
    let tx = pg.system(SystemReason::Connect).await?;
    let begun = sign_ins::take(&tx, &secret_hash(state), person, clock.now()).await?.ok_or_else(over)?;
    tx.commit().await?;
    let page = vendors.sign_in_page(begun.integration).await?;
    let verifier = vendors.open(begun.credential).await?;
    let token = page.refresh_token(code, &redirect_uri(console_url), &verifier).await.map_err(vendor_said)?;
    vendors.seal_text(Some(begun.credential), PURPOSE, &token).await?;
    let tx = pg.system(SystemReason::Connect).await?;
    let ended = sign_ins::finish(&tx, &begun, clock.now()).await?;
    tx.commit().await?;
    forget(vendors, &ended).await?;
    tracing::info!(integration.id = %begun.integration, person.id = %person, "a person signed in at a vendor");
    let health = vendors.ninjaone(begun.integration).await?.health_check().await;
    Ok((begun.integration, health))
}

/// The application acts itself again. Needs `integrations:write`.
pub async fn end(
    pg: &Pg,
    vendors: &dyn Vendors,
    actor: &Actor,
    integration: IntegrationId,
    clock: &Clock,
) -> Result<(), ApiError> {
    access::require_for_provider(pg, actor, WRITE).await?;
    connect::visible(pg, actor, integration).await?;
    end_all(pg, vendors, integration, clock).await
}

/// As [`end`], for whoever is allowed already.
pub async fn end_all(
    pg: &Pg,
    vendors: &dyn Vendors,
    integration: IntegrationId,
    clock: &Clock,
) -> Result<(), ApiError> {
    let tx = pg.system(SystemReason::Connect).await?;
    let ended = sign_ins::end(&tx, integration, clock.now()).await?;
    tx.commit().await?;
    forget(vendors, &ended).await
}

/// What is used no more is written over.
async fn forget(vendors: &dyn Vendors, credentials: &[CredentialId]) -> Result<(), ApiError> {
    for credential in credentials {
        vendors.seal_text(Some(*credential), PURPOSE, &SecretString::from("over")).await?;
    }
    Ok(())
}

fn vendor_said(error: VendorError) -> ApiError {
    let transient = error.is_transient();
    ApiError::new(ErrorCode::VendorNotConfigured, format!("The sign-in was not taken: {error}."))
        .details("Nothing was changed.")
        .hint(if transient {
            "Try again in a moment."
        } else {
            "Check the application for people at the vendor: its client id and secret, the grant types Authorization Code and Refresh Token, and its redirect URI."
        })
}
