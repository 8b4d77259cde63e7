use kernel::{
    Timestamp,
    id::{CustomerId, IntegrationId, uuid_v7},
};
use pg::{ActorTx, PgError};
use uuid::Uuid;

/// What the endpoint needs to know of an integration before it believes a delivery.
#[derive(Clone, Debug)]
pub struct WebhookTarget {
    pub id: IntegrationId,
    pub secret_sha256: Option<Vec<u8>>,
    pub enabled: bool,
}

#[derive(Clone, Debug)]
pub struct Delivery {
    pub id: Uuid,
    pub is_new: bool,
    /// Same activity, other content: a forgery or a fault of the vendor.
    pub body_differs: bool,
    pub handled_at: Option<Timestamp>,
}

pub async fn target(tx: &ActorTx, id: IntegrationId) -> Result<Option<WebhookTarget>, PgError> {
    let row = tx.query_opt(include_str!("../../../db/queries/webhooks/integration.sql"), &[&id.0]).await?;
    Ok(row.map(|row| WebhookTarget {
        id,
        secret_sha256: row.get("webhook_secret_sha256"),
        enabled: row.get("enabled"),
    }))
}

/// Records a delivery; `external_id` is the vendor's id of what is delivered.
pub async fn accept(
    tx: &ActorTx,
    integration: IntegrationId,
    external_id: &str,
    body_sha256: &[u8],
    at: Timestamp,
) -> Result<Delivery, PgError> {
    let sql = include_str!("../../../db/queries/webhooks/accept.sql");
    let row = tx.query_one(sql, &[&integration.0, &uuid_v7(at), &external_id, &body_sha256, &at]).await?;
    Ok(Delivery {
        id: row.get("id"),
        is_new: row.get("is_new"),
        body_differs: row.get::<_, &[u8]>("body_sha256") != body_sha256,
        handled_at: row.get("handled_at"),
    })
}

pub async fn handled(
    tx: &ActorTx,
    integration: IntegrationId,
    id: Uuid,
    at: Timestamp,
    outcome: &str,
) -> Result<(), PgError> {
    tx.execute_one(
        include_str!("../../../db/queries/webhooks/handled.sql"),
        &[&integration.0, &id, &at, &outcome],
    )
    .await
}

/// The customer that an organization is mapped to; `None` when it is unknown or unmapped.
pub async fn customer_of_organization(
    tx: &ActorTx,
    integration: IntegrationId,
    organization: &str,
) -> Result<Option<CustomerId>, PgError> {
    let sql = include_str!("../../../db/queries/webhooks/customer_of_organization.sql");
    let row = tx.query_opt(sql, &[&integration.0, &organization]).await?;
    Ok(row.and_then(|row| row.get::<_, Option<Uuid>>("customer_id")).map(CustomerId))
}
