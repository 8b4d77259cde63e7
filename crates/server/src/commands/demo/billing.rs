//! The demo MSP's books: the integration with the sandbox's Rev.io, its accounts, and the two rules of what is counted.
use app::{
    connect::New,
    vendors::{Credentials, RevIoCredentials},
};
use kernel::{Timestamp, id::IntegrationId};
use pg::{ActorTx, PgError, SystemReason};
use revio::{Customer, Product as Sold};

use crate::{
    commands::{demo::SYNC_INTERVAL_S, integration, sandbox::SandboxHandle},
    failure::Failure,
    runtime::Product,
};

const INTEGRATION: &str = "Rev.io (sandbox)";
/// Name of the rule, code of the product, class of the devices.
const RULES: [(&str, &str, &str); 2] =
    [("Managed workstation", "MGD-WKS", "workstation"), ("Managed server", "MGD-SRV", "server")];
/// The sandbox numbers its accounts after the organizations: `C-1007` is organization 7.
const ACCOUNT_NUMBER_FIRST: i64 = 1_000;

/// Accounts of customers that the demo has are mapped, as a person would have done; the others wait for one.
pub async fn prepare(
    product: &Product,
    sandbox: &SandboxHandle,
    ninjaone: IntegrationId,
) -> Result<(), Failure> {
    let failed = |error: &dyn std::error::Error| Failure::start("the demo's books", error);
    let credentials = RevIoCredentials {
        user: sandbox.revio_user.clone(),
        client_code: sandbox.revio_client_code.clone(),
        password: sandbox.revio_password.clone(),
        subscription_key: None,
    };
    let new = New {
        name: INTEGRATION.into(),
        base_url: sandbox.revio_base_url.clone(),
        credentials: Credentials::RevIo(credentials),
        sync_interval_s: SYNC_INTERVAL_S,
    };
    let id = integration::put(product, &new).await?;
    let client = product.services.vendors.revio(id).await.map_err(|error| failed(&error))?;
    let (accounts, sold) = (client.customers().await, client.products().await);
    if !accounts.completeness.is_complete() || !sold.completeness.is_complete() {
        return Err(Failure::text("The sandbox did not list its accounts and products completely."));
    }
    let now = product.clock.now();
    let kept = async {
        let tx = product.services.pg.system(SystemReason::Seed).await?;
        map(&tx, id, ninjaone, &accounts.items, now).await?;
        rules(&tx, id, &sold.items, now).await?;
        tx.commit().await
    };
    kept.await.map_err(|error| failed(&error))
}

async fn map(
    tx: &ActorTx,
    id: IntegrationId,
    ninjaone: IntegrationId,
    accounts: &[Customer],
    now: Timestamp,
) -> Result<(), PgError> {
    for account in accounts {
        let number = account.account_number.as_deref().unwrap_or_default();
        let Some(organization) = number.strip_prefix("C-").and_then(|number| number.parse::<i64>().ok())
        else {
            continue;
        };
        let organization = (organization - ACCOUNT_NUMBER_FIRST).to_string();
        let name = account.company_name.as_deref().unwrap_or(number);
        tx.execute(
            "insert into public.integration_organizations (integration_id, external_id, name, account_number, customer_id, mapped_at, observed_at)
             select $1, $3, $4, $5, o.customer_id, $6, $6 from public.integration_organizations o
             where o.integration_id = $2 and o.external_id = $7 and o.customer_id is not null
             on conflict (integration_id, external_id) do nothing",
            &[&id.0, &ninjaone.0, &account.id.to_string(), &name, &number, &now, &organization],
        )
        .await?;
    }
    Ok(())
}

/// A rule needs its product, which the first synchronization completes.
async fn rules(tx: &ActorTx, id: IntegrationId, sold: &[Sold], now: Timestamp) -> Result<(), PgError> {
    for (name, code, class) in RULES {
        let Some(product) = sold.iter().find(|product| product.code_1.as_deref() == Some(code)) else {
            continue;
        };
        let external_id = product.id.to_string();
        tx.execute(
            "insert into public.billing_products (integration_id, external_id, name, code, currency, is_active, raw, content_hash, observed_at, is_complete)
             values ($1, $2, $3, $4, 'USD', true, '{}', '\\x00', $5, false) on conflict (integration_id, external_id) do nothing",
            &[&id.0, &external_id, &name, &code, &now],
        )
        .await?;
        tx.execute(
            "insert into public.count_rules (name, billing_product_id, device_classes)
             select $3, p.id, array[$4::text] from public.billing_products p where p.integration_id = $1 and p.external_id = $2
             on conflict do nothing",
            &[&id.0, &external_id, &name, &class],
        )
        .await?;
    }
    Ok(())
}
