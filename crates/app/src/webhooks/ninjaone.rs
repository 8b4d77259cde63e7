//! NinjaOne signs nothing: the delivery is believed for the secret header that we set ourselves. It is a hint all the
//! same; the synchronization reads the activities and open alerts as the truth and fills every gap.
use connector_api::VendorError;
use flow::Engine;
use kernel::{
    ApiError, ErrorCode, Timestamp,
    id::{CustomerId, IntegrationId},
    secret::{ExposeSecret as _, SecretString},
};
use ninjaone::{Activity, Condition, ConditionState, NinjaOne, WebhookConfig};
use pg::{Pg, PgError, SystemReason, WorkReason, cluster::generate_secret};
use sha2::{Digest as _, Sha256};
use store::{incidents, integrations, webhooks};
use subtle::ConstantTimeEq as _;

use crate::incidents::intake::{self, Raised};

/// The header that we ask NinjaOne to send with every delivery.
pub const SECRET_HEADER: &str = "x-obera-webhook-secret";

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handled {
    /// The same activity was handled before; nothing was done again.
    pub is_duplicate: bool,
    /// In words: `incident opened`, `condition cleared`, `unmapped organization` …
    pub outcome: String,
}

/// What is kept of a secret that comes back to us: a webhook's, the state of a sign-in.
pub fn secret_hash(secret: &SecretString) -> Vec<u8> {
    Sha256::digest(secret.expose_secret().as_bytes()).to_vec()
}

/// Why the vendor does not send deliveries.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    #[error("the database did not answer")]
    Database(#[from] PgError),
    #[error("the vendor did not take the address")]
    Vendor(#[from] VendorError),
}

/// Gives the vendor our address and a new secret header; only the secret's hash is kept. `public_url`: of this installation.
pub async fn register(
    pg: &Pg,
    integration: IntegrationId,
    ninja: &NinjaOne,
    public_url: &str,
    now: Timestamp,
) -> Result<(), RegisterError> {
    let secret = generate_secret();
    let tx = pg.system(SystemReason::Connect).await?;
    integrations::set_webhook(&tx, integration, &secret_hash(&secret), now).await?;
    tx.commit().await?;
    let address = format!("{public_url}/functions/v1/ninjaone-webhook/{integration}");
    let config = WebhookConfig::for_conditions(address, (SECRET_HEADER.to_owned(), secret));
    Ok(ninja.put_webhook(&config).await?)
}

/// Takes in one delivery. A wrong secret and an unknown integration give the same answer.
pub async fn handle(
    pg: &Pg,
    engine: &Engine,
    integration: IntegrationId,
    secret: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<Handled, ApiError> {
    authenticate(pg, integration, secret).await?;
    let activity = ninjaone::webhook::parse(body).map_err(|error| {
        ApiError::new(ErrorCode::BodyInvalid, "The delivery is not a NinjaOne activity.")
            .details(error.to_string())
    })?;
    let tx = pg.work_for_provider(WorkReason::Webhook).await?;
    let delivery =
        webhooks::accept(&tx, integration, &activity.id.to_string(), &Sha256::digest(body), now).await?;
    tx.commit().await?;
    if delivery.body_differs {
        return Err(ApiError::new(
            ErrorCode::Replayed,
            "An activity with this id was delivered before with other content; the first one was kept.",
        ));
    }
    if delivery.handled_at.is_some() {
        return Ok(Handled { is_duplicate: true, outcome: "handled before".into() });
    }
    let outcome = take_in(pg, engine, integration, &activity, now).await?;
    let tx = pg.work_for_provider(WorkReason::Webhook).await?;
    webhooks::handled(&tx, integration, delivery.id, now, &outcome).await?;
    tx.commit().await?;
    tracing::info!(integration.id = %integration, activity.id = activity.id, outcome, "webhook delivery handled");
    Ok(Handled { is_duplicate: false, outcome })
}

async fn authenticate(pg: &Pg, integration: IntegrationId, secret: Option<&str>) -> Result<(), ApiError> {
    let tx = pg.work_for_provider(WorkReason::Webhook).await?;
    let target = webhooks::target(&tx, integration).await?;
    tx.rollback().await?;
    let expected = target.filter(|target| target.enabled).and_then(|target| target.secret_sha256);
    let given = Sha256::digest(secret.unwrap_or_default().as_bytes());
    // Compared also when there is nothing to compare with: an unknown integration takes as long as a wrong secret.
    let is_same = given.as_slice().ct_eq(expected.as_deref().unwrap_or(&[0; 32]));
    if expected.is_some() && secret.is_some() && bool::from(is_same) {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::NotSignedIn, "The webhook's secret is missing or wrong.")
        .hint("Register the webhook again from the integration's page."))
}

async fn take_in(
    pg: &Pg,
    engine: &Engine,
    integration: IntegrationId,
    activity: &Activity,
    now: Timestamp,
) -> Result<String, ApiError> {
    let Some(condition) = Condition::of_activity(activity) else { return Ok("not a condition".into()) };
    let Some(customer) = customer_of(pg, integration, &condition).await? else {
        return Ok("unmapped organization: kept out until it is mapped".into());
    };
    let tx = pg.work_for(customer, WorkReason::Webhook).await?;
    let at = condition.at.unwrap_or(now);
    let outcome = match condition.state {
        ConditionState::Reset => match intake::cleared(&tx, customer, &condition.series_uid, at).await? {
            true => "condition cleared",
            false => "no open condition to clear",
        },
        ConditionState::Triggered => {
            let device = condition.device_id.to_string();
            match incidents::device_by_external(&tx, customer, integration, &device).await? {
                None => "unknown device: the next synchronization brings it and its condition",
                Some(device) => {
                    let taken =
                        intake::raised(&tx, engine, customer, &report(device, &condition, at), now).await?;
                    if taken.incident.is_some() { "incident opened" } else { "counted on the open alert" }
                }
            }
        }
        ConditionState::Other => "a state without consequence",
    };
    tx.commit().await?;
    Ok(outcome.to_owned())
}

fn report<'a>(device: kernel::id::DeviceId, condition: &'a Condition, at: Timestamp) -> Raised<'a> {
    Raised {
        device,
        external_uid: &condition.series_uid,
        kind: condition.kind.as_str(),
        severity: crate::incidents::severity(&condition.severity),
        message: &condition.message,
        raised_at: at,
        source: "ninjaone",
    }
}

async fn customer_of(
    pg: &Pg,
    integration: IntegrationId,
    condition: &Condition,
) -> Result<Option<CustomerId>, ApiError> {
    let Some(organization) = condition.organization_id else { return Ok(None) };
    let tx = pg.work_for_provider(WorkReason::Webhook).await?;
    let customer = webhooks::customer_of_organization(&tx, integration, &organization.to_string()).await?;
    tx.rollback().await?;
    Ok(customer)
}
