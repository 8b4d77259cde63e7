//! The demo MSP's CIPP: the integration with the sandbox's deployment, and its tenants.
use app::{
    connect::New,
    vendors::{CippCredentials, Credentials},
};
use kernel::{Timestamp, id::IntegrationId};
use pg::{ActorTx, PgError, SystemReason};

use crate::{
    commands::{demo::SYNC_INTERVAL_S, integration, sandbox::SandboxHandle},
    failure::Failure,
    runtime::Product,
};

const INTEGRATION: &str = "CIPP (sandbox)";

/// Tenants that are called as a customer's organization are mapped to it, as a person would have done; the others wait for one.
pub async fn prepare(
    product: &Product,
    sandbox: &SandboxHandle,
    ninjaone: IntegrationId,
) -> Result<(), Failure> {
    let failed = |error: &dyn std::error::Error| Failure::start("the demo's CIPP", error);
    let credentials = CippCredentials {
        client_id: sandbox.cipp_client_id.clone(),
        client_secret: sandbox.cipp_client_secret.clone(),
        tenant_id: sandbox.graph_home_tenant_id.clone(),
        login_url: sandbox.graph_login_url.clone(),
    };
    let new = New {
        name: INTEGRATION.into(),
        base_url: sandbox.cipp_url.clone(),
        credentials: Credentials::Cipp(credentials),
        sync_interval_s: SYNC_INTERVAL_S,
    };
    let id = integration::put(product, &new).await?;
    let client = product.services.vendors.cipp(id).await.map_err(|error| failed(&error))?;
    let walk = client.tenants().await.walk;
    if !walk.completeness.is_complete() {
        return Err(Failure::text("The sandbox did not list CIPP's tenants completely."));
    }
    let kept = async {
        let tx = product.services.pg.system(SystemReason::Seed).await?;
        map(&tx, id, ninjaone, &walk.items, product.clock.now()).await?;
        tx.commit().await
    };
    kept.await.map_err(|error| failed(&error))
}

async fn map(
    tx: &ActorTx,
    id: IntegrationId,
    ninjaone: IntegrationId,
    tenants: &[cipp::Tenant],
    now: Timestamp,
) -> Result<(), PgError> {
    for tenant in tenants.iter().filter(|tenant| !tenant.is_partner) {
        tx.execute(
            "insert into public.integration_organizations (integration_id, external_id, name, domain, customer_id, mapped_at, observed_at)
             select $1, $3, $4, $5, o.customer_id, $6, $6 from public.integration_organizations o
             where o.integration_id = $2 and o.name = $4 and o.customer_id is not null
             on conflict (integration_id, external_id) do nothing",
            &[&id.0, &ninjaone.0, &tenant.id, &tenant.name, &tenant.default_domain, &now],
        )
        .await?;
    }
    Ok(())
}
