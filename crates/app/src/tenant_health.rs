//! What is known of a customer's tenants through CIPP: whether reads work, until when there is access, how far settings were read.
use kernel::{ApiError, id::CustomerId};
use pg::{Actor, Pg};
pub use store::cipp::TenantHealth;

use crate::access;

/// As it was read last, with when that was. Needs `people:read` at the customer, as one of the provider's people.
pub async fn known(pg: &Pg, actor: &Actor, customer: CustomerId) -> Result<Vec<TenantHealth>, ApiError> {
    access::require(pg, actor, customer, "people:read").await?;
    access::require_for_provider(pg, actor, "people:read").await?;
    let tx = pg.act_as(actor).await?;
    let health = store::cipp::health(&tx, customer).await?;
    tx.rollback().await?;
    Ok(health)
}
