//! The demo MSP: its integration with the sandbox, its customers, their mapping, its remediation rules.
use std::collections::HashSet;

use app::{
    connect::New,
    incidents::flows::{FREE_DISK_SPACE, RESTART_SERVICE},
    sign_in,
    vendors::{Credentials, NinjaOneCredentials, PeopleApp},
};
use kernel::id::{CustomerId, IntegrationId};
use ninjaone::Organization;
use pg::{ActorTx, PgError, SystemReason};
use serde_json::json;

use crate::{
    commands::{
        demo::{SYNC_INTERVAL_S, billing, documents, settings, tenants},
        integration,
        sandbox::SandboxHandle,
    },
    failure::Failure,
    runtime::Product,
};

const INTEGRATION: &str = "NinjaOne (sandbox)";
/// From this many organizations on, the last one stays unmapped, so that the mapping can be tried.
const ORGANIZATIONS_WITH_UNMAPPED_MIN: usize = 5;

/// Returns the customers with their slugs.
pub async fn prepare(
    product: &Product,
    sandbox: &SandboxHandle,
    url: &str,
) -> Result<Vec<(CustomerId, String)>, Failure> {
    // The sandbox has a new address and a new secret at every start.
    let failed = |error: &dyn std::error::Error| Failure::start("the demo's estate", error);
    let people = sandbox.people.clone();
    let credentials = NinjaOneCredentials {
        client_id: sandbox.client_id.clone(),
        client_secret: sandbox.client_secret.clone(),
        people: people.map(|(client_id, client_secret)| PeopleApp { client_id, client_secret }),
    };
    let new = New {
        name: INTEGRATION.into(),
        base_url: sandbox.base_url.clone(),
        credentials: Credentials::NinjaOne(credentials),
        sync_interval_s: SYNC_INTERVAL_S,
    };
    let integration = integration::put(product, &new).await?;
    // Whoever signed in did so at another sandbox.
    let (pg, vendors) = (&product.services.pg, &*product.services.vendors);
    sign_in::end_all(pg, vendors, integration, &product.services.clock)
        .await
        .map_err(|error| Failure::text(error.message))?;
    let ninja = product.services.vendors.ninjaone(integration).await.map_err(|error| failed(&error))?;
    let organizations = ninja.organizations().await;
    if !organizations.completeness.is_complete() {
        return Err(Failure::text("The sandbox did not list its organizations completely."));
    }
    let customers = async {
        let tx = product.services.pg.system(SystemReason::Seed).await?;
        let customers = customers(&tx, product, integration, &organizations.items).await?;
        rules(&tx).await?;
        tx.commit().await?;
        Ok::<_, PgError>(customers)
    };
    let customers = customers.await.map_err(|error| failed(&error))?;
    integration::register_webhook(product, integration, &ninja, url).await?;
    billing::prepare(product, sandbox, integration).await?;
    tenants::prepare(product, sandbox, integration).await?;
    settings::prepare(product, sandbox, integration).await?;
    documents::prepare(product, sandbox).await?;
    Ok(customers)
}

async fn customers(
    tx: &ActorTx,
    product: &Product,
    integration: IntegrationId,
    organizations: &[Organization],
) -> Result<Vec<(CustomerId, String)>, PgError> {
    let known =
        tx.query("select id, slug, code from public.customers order by created_at, slug", &[]).await?;
    if !known.is_empty() {
        return Ok(known.iter().map(|row| (CustomerId(row.get(0)), row.get(1))).collect());
    }
    let mapped = match organizations.len() {
        many @ ORGANIZATIONS_WITH_UNMAPPED_MIN.. => many - 1,
        few => few,
    };
    let now = product.clock.now();
    let mut made = Vec::with_capacity(mapped);
    let (mut slugs, mut codes) = (HashSet::new(), HashSet::new());
    for organization in &organizations[..mapped] {
        let (id, slug) = (CustomerId::new(now), unique(&mut slugs, &slug(&organization.name), "-"));
        let code = unique(&mut codes, &code(&organization.name), "");
        tx.execute_one(
            "insert into public.customers (id, slug, code, name) values ($1, $2, $3, $4)",
            &[&id.0, &slug, &code, &organization.name],
        )
        .await?;
        tx.execute_one(
            "insert into public.integration_organizations (integration_id, external_id, name, customer_id, mapped_at, observed_at)
             values ($1, $2, $3, $4, $5, $5)",
            &[&integration.0, &organization.id.to_string(), &organization.name, &id.0, &now],
        )
        .await?;
        made.push((id, slug));
    }
    Ok(made)
}

async fn rules(tx: &ActorTx) -> Result<(), PgError> {
    let free = json!({
        "script_id": 101, "script_name": "Clear update cache", "condition_kind": "disk_full",
        "disk": { "drive": "C:", "used_percent_below": 90.0 },
        "removes": ["downloaded updates that are installed already", "crash dumps"], "undo": "none: files are deleted"
    });
    let restart = json!({
        "script_id": 102, "script_name": "Restart print spooler", "condition_kind": "service_stopped", "service": "Spooler",
        "removes": [], "undo": "none needed: a service is started"
    });
    for (name, kind, key, parameters, position) in [
        ("Free disk space", "disk_full", FREE_DISK_SPACE, free, 10_i16),
        ("Restart print spooler", "service_stopped", RESTART_SERVICE, restart, 20),
    ] {
        tx.execute(
            "insert into public.remediation_rules (name, condition_kind, workflow_id, parameters, position)
             select $1, $2, w.id, $4, $5 from public.workflows w where w.key = $3
             on conflict (name) do nothing",
            &[&name, &kind, &key, &parameters, &position],
        )
        .await?;
    }
    Ok(())
}

fn slug(name: &str) -> String {
    let text: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let parts: Vec<_> = text.split('-').filter(|part| !part.is_empty()).collect();
    let slug: String = parts.join("-").chars().take(50).collect();
    if slug.is_empty() { "customer".into() } else { slug }
}

/// Initials, at least two: `Acme Dental` is `AD`.
fn code(name: &str) -> String {
    let initials: String = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(char::is_ascii_alphanumeric))
        .take(4)
        .collect();
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).take(3).collect();
    let code = if initials.len() >= 2 { initials } else { letters };
    format!("{code:X<2}").to_uppercase()
}

fn unique(taken: &mut HashSet<String>, wanted: &str, joint: &str) -> String {
    let mut name = wanted.to_owned();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{wanted}{joint}{number}");
        number += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_and_codes_are_fit_for_the_constraints_and_unique() {
        assert_eq!((slug("Acme Dental").as_str(), code("Acme Dental").as_str()), ("acme-dental", "AD"));
        assert_eq!((slug("Pine & Oak").as_str(), code("Pine & Oak").as_str()), ("pine-oak", "PO"));
        assert_eq!((slug("Ü").as_str(), code("Ü").as_str()), ("customer", "XX"));
        let mut taken = HashSet::new();
        assert_eq!((unique(&mut taken, "AD", ""), unique(&mut taken, "AD", "")), ("AD".into(), "AD2".into()));
    }
}
