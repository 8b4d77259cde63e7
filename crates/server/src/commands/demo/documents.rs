//! The demo MSP's SharePoint: the integration with the sandbox's Graph through an application of its own, and what its people chose
//! to read: the documentation of IT as a whole, of other sites who may open what.
use app::{
    connect::New,
    vendors::{Credentials, MicrosoftCredentials},
};
use graph::{Graph, sharepoint::Site};
use kernel::{
    Timestamp,
    id::{CustomerId, IntegrationId, SyncRunId},
};
use pg::{Pg, PgError, WorkReason};
use store::{
    documents::{self, Reads, SiteRow},
    integrations,
    tenants::Seen,
};

use crate::{
    commands::{demo::SYNC_INTERVAL_S, integration, sandbox::SandboxHandle},
    failure::Failure,
    runtime::Product,
};

const INTEGRATION: &str = "SharePoint (sandbox)";
const SEARCHED: &str = "IT Documentation";

/// Its tenants are those of Microsoft 365, with their customers.
pub async fn prepare(product: &Product, sandbox: &SandboxHandle) -> Result<(), Failure> {
    let failed = |error: &dyn std::error::Error| Failure::start("the demo's sites", error);
    let credentials = MicrosoftCredentials {
        client_id: sandbox.sharepoint_client_id.clone(),
        client_secret: sandbox.sharepoint_client_secret.clone(),
        home_tenant_id: sandbox.graph_home_tenant_id.clone(),
        login_url: sandbox.graph_login_url.clone(),
    };
    let new = New {
        name: INTEGRATION.into(),
        base_url: sandbox.graph_url.clone(),
        credentials: Credentials::SharePoint(credentials),
        sync_interval_s: SYNC_INTERVAL_S,
    };
    let id = integration::put(product, &new).await?;
    let client = product.services.vendors.sharepoint(id).await.map_err(|error| failed(&error))?;
    let (pg, now) = (&product.services.pg, product.clock.now());
    choose(pg, &client, id, now).await.map_err(|error| failed(&error))
}

async fn choose(pg: &Pg, client: &Graph, id: IntegrationId, now: Timestamp) -> Result<(), PgError> {
    let tx = pg.work_for_provider(WorkReason::Sync).await?;
    documents::offer_tenants(&tx, id, client.home().tenant_id(), now).await?;
    let all = integrations::organizations(&tx, id).await?;
    tx.commit().await?;
    for organization in all {
        let Some(customer) = organization.customer else { continue };
        let sites = client.tenant(&organization.external_id).sites().await;
        // A tenant that does not let us in has none; its first synchronization says so.
        if !sites.items.is_empty() {
            let named = (organization.external_id.as_str(), organization.name.as_str());
            keep(pg, (id, customer), named, &sites.items, now).await?;
        }
    }
    Ok(())
}

async fn keep(
    pg: &Pg,
    (id, customer): (IntegrationId, CustomerId),
    named: (&str, &str),
    sites: &[Site],
    now: Timestamp,
) -> Result<(), PgError> {
    let row = |site: &Site| SiteRow {
        external_id: site.id.clone(),
        name: site.name.clone(),
        web_url: site.web_url.clone(),
        kind: site.kind.as_str(),
    };
    let rows: Vec<SiteRow> = sites.iter().map(row).collect();
    let tx = pg.work_for(customer, WorkReason::Sync).await?;
    let run = SyncRunId::new(now);
    let tenant = documents::ensure_tenant(&tx, customer, id, named, run).await?;
    let is_new = documents::sites(&tx, customer, tenant.id, run).await?.is_empty();
    let seen = Seen { run, observed_at: now, is_complete: false };
    documents::upsert_sites(&tx, customer, tenant.id, &seen, &rows).await?;
    for site in documents::sites(&tx, customer, tenant.id, run).await?.iter().filter(|_| is_new) {
        let reads = if site.name == SEARCHED { Reads::Documents } else { Reads::Sharing };
        documents::choose(&tx, customer, site.id, reads).await?;
    }
    tx.commit().await
}
