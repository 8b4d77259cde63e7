//! The demo MSP's books: the integration with the sandbox's Rev.io, its accounts, and the rules of what is counted.
use app::{
    connect::New,
    vendors::{Credentials, RevIoCredentials},
};
use kernel::{Timestamp, id::IntegrationId};
use pg::{ActorTx, PgError, SystemReason};
use revio::{Customer, Product as Sold};
use uuid::Uuid;

use crate::{
    commands::{demo::SYNC_INTERVAL_S, integration, sandbox::SandboxHandle},
    failure::Failure,
    runtime::Product,
};

const INTEGRATION: &str = "Rev.io (sandbox)";
/// Name of the rule, code of the product, class of the devices.
const RULES: [(&str, &str, &str); 2] =
    [("Managed workstation", "MGD-WKS", "workstation"), ("Managed server", "MGD-SRV", "server")];
/// Name of the rule, code of the product, Microsoft's id of the license.
const SEAT_RULES: [(&str, &str, &str); 2] = [
    ("Microsoft 365 Business Premium", "M365-BP", "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"),
    ("Microsoft 365 E3", "M365-E3", "05e9a617-0261-4cee-bb44-138d3ef5d965"),
];
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
        if let Some(product) = product(tx, id, sold, (name, code), now).await? {
            tx.execute(
                "insert into public.count_rules (name, billing_product_id, device_classes) values ($1, $2, array[$3::text]) on conflict do nothing",
                &[&name, &product, &class],
            )
            .await?;
        }
    }
    for (name, code, sku) in SEAT_RULES {
        if let Some(product) = product(tx, id, sold, (name, code), now).await? {
            tx.execute(
                "insert into public.count_rules (name, billing_product_id, counts, sku_ids, seat_basis)
                 values ($1, $2, 'seats', array[$3::text::uuid], 'assigned') on conflict do nothing",
                &[&name, &product, &sku],
            )
            .await?;
        }
    }
    Ok(())
}

/// The row of a product that the billing system sells.
async fn product(
    tx: &ActorTx,
    id: IntegrationId,
    sold: &[Sold],
    (name, code): (&str, &str),
    now: Timestamp,
) -> Result<Option<Uuid>, PgError> {
    let Some(product) = sold.iter().find(|product| product.code_1.as_deref() == Some(code)) else {
        return Ok(None);
    };
    let external_id = product.id.to_string();
    tx.execute(
        "insert into public.billing_products (integration_id, external_id, name, code, currency, is_active, raw, content_hash, observed_at, is_complete)
         values ($1, $2, $3, $4, 'USD', true, '{}', '\\x00', $5, false) on conflict (integration_id, external_id) do nothing",
        &[&id.0, &external_id, &name, &code, &now],
    )
    .await?;
    let sql = "select id from public.billing_products where integration_id = $1 and external_id = $2";
    Ok(tx.query_opt(sql, &[&id.0, &external_id]).await?.map(|row| row.get(0)))
}
