//! Connects a vendor's API: seals its credentials, says which rights are missing, registers the webhook.
use std::process::ExitCode;

use app::{
    sync::Vendor,
    vendors::{MicrosoftCredentials, NinjaOneCredentials, RevIoCredentials},
    webhooks::ninjaone::{SECRET_HEADER, secret_hash},
};
use kernel::{
    id::{CredentialId, IntegrationId},
    secret::{ExposeSecret as _, SecretString},
};
use ninjaone::{NinjaOne, WebhookConfig};
use pg::{PgError, SystemReason, cluster::generate_secret};

use crate::{
    cli::IntegrationCommand,
    commands::read_secret,
    config::Settings,
    database::Database,
    failure::Failure,
    runtime::{Product, Tuning},
    say,
};

const SYNC_INTERVAL_S: i32 = 900;

/// What an integration is made of.
pub struct IntegrationSettings {
    pub vendor: Vendor,
    pub name: String,
    pub base_url: String,
    /// The vendor's credentials, as they are sealed.
    pub secret: SecretString,
    pub sync_interval_s: i32,
}

pub async fn run(settings: &Settings, command: IntegrationCommand) -> Result<ExitCode, Failure> {
    match command {
        IntegrationCommand::Add { name, url, client_id } => {
            add_ninjaone(settings, name, url, client_id).await
        }
        IntegrationCommand::AddRevio { name, url, user, client_code, with_subscription_key } => {
            say!("Password of {user}@{client_code}, then Enter:");
            let password = read_secret()?.expose_secret().to_owned();
            let subscription_key = if with_subscription_key {
                say!("Subscription key, then Enter:");
                Some(read_secret()?.expose_secret().to_owned())
            } else {
                None
            };
            let credentials = RevIoCredentials { user, client_code, password, subscription_key };
            add_revio(settings, name, url, credentials).await
        }
        IntegrationCommand::AddMicrosoft { name, tenant_id, client_id, url, login_url } => {
            say!("Client secret of {client_id}, then Enter:");
            let client_secret = read_secret()?.expose_secret().to_owned();
            let credentials =
                MicrosoftCredentials { client_id, client_secret, home_tenant_id: tenant_id, login_url };
            add_microsoft(settings, name, url, credentials).await
        }
    }
}

async fn add_microsoft(
    settings: &Settings,
    name: String,
    base_url: String,
    credentials: MicrosoftCredentials,
) -> Result<ExitCode, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::start(&format!("the integration {name}"), error);
    let secret = credentials.to_secret().map_err(|error| failed(&error))?;
    let database = Database::open_beside(settings).await?;
    let outcome = async {
        let product = Product::build(&database, settings, &Tuning::default()).await?;
        let new = IntegrationSettings {
            vendor: Vendor::Microsoft,
            name: name.clone(),
            base_url,
            secret,
            sync_interval_s: SYNC_INTERVAL_S,
        };
        let id = put(&product, &new).await?;
        let graph = product.services.vendors.microsoft(id).await.map_err(|error| failed(&error))?;
        let health = graph.health_check().await;
        for problem in health.problems() {
            say!("TO DO {problem}");
        }
        say!("{name} is kept. The first synchronization starts with `obera serve`; then map its tenants under Integrations.");
        Ok(if health.can_read() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
    .await;
    database.close().await;
    outcome
}

async fn add_revio(
    settings: &Settings,
    name: String,
    base_url: String,
    credentials: RevIoCredentials,
) -> Result<ExitCode, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::start(&format!("the integration {name}"), error);
    let secret = credentials.to_secret().map_err(|error| failed(&error))?;
    let database = Database::open_beside(settings).await?;
    let outcome = async {
        let product = Product::build(&database, settings, &Tuning::default()).await?;
        let new = IntegrationSettings {
            vendor: Vendor::RevIo,
            name: name.clone(),
            base_url,
            secret,
            sync_interval_s: SYNC_INTERVAL_S,
        };
        let id = put(&product, &new).await?;
        let revio = product.services.vendors.revio(id).await.map_err(|error| failed(&error))?;
        let health = revio.health_check().await;
        for problem in health.problems() {
            say!("TO DO {problem}");
        }
        say!("{name} is kept. The first synchronization starts with `obera serve`; then map its accounts under Integrations.");
        Ok(if health.can_read() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
    .await;
    database.close().await;
    outcome
}

async fn add_ninjaone(
    settings: &Settings,
    name: String,
    url: String,
    client_id: String,
) -> Result<ExitCode, Failure> {
    say!("Client secret of {client_id}, then Enter:");
    let client_secret = read_secret()?.expose_secret().to_owned();
    let database = Database::open_beside(settings).await?;
    let outcome = async {
        let product = Product::build(&database, settings, &Tuning::default()).await?;
        let credentials = NinjaOneCredentials { client_id, client_secret };
        let failed = |error: &dyn std::error::Error| Failure::start(&format!("the integration {name}"), error);
        let secret = credentials.to_secret().map_err(|error| failed(&error))?;
        let new = IntegrationSettings { vendor: Vendor::NinjaOne, name: name.clone(), base_url: url, secret, sync_interval_s: SYNC_INTERVAL_S };
        let id = put(&product, &new).await?;
        let ninja = product.services.vendors.ninjaone(id).await.map_err(|error| failed(&error))?;
        let health = ninja.health_check().await;
        for problem in health.problems() {
            say!("TO DO {problem}");
        }
        match &settings.public_url {
            Some(url) => {
                register_webhook(&product, id, &ninja, url).await?;
                say!("The webhook is registered at {url}.");
            }
            None => say!("No webhook: set --public-url to the address that NinjaOne can reach, and run this again."),
        }
        say!("{name} is kept. The first synchronization starts with `obera serve`; then map its organizations under Integrations.");
        Ok(if health.can_read() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
    .await;
    database.close().await;
    outcome
}

/// Adds the integration, or gives the one of that name new credentials and a new address.
pub async fn put(product: &Product, new: &IntegrationSettings) -> Result<IntegrationId, Failure> {
    let failed =
        |error: &dyn std::error::Error| Failure::start(&format!("the integration {}", new.name), error);
    let secret = &new.secret;
    let known = async {
        let tx = product.services.pg.system(SystemReason::Seed).await?;
        let row = tx
            .query_opt("select id, credential_id from public.integrations where name = $1", &[&new.name])
            .await?;
        Ok::<_, PgError>(
            row.map(|row| (IntegrationId(row.get(0)), row.get::<_, Option<_>>(1).map(CredentialId))),
        )
    };
    let known = known.await.map_err(|error| failed(&error))?;
    let credential = match known {
        Some((_, Some(credential))) => {
            product.vault.rotate_credential(credential, secret).await.map_err(|error| failed(&error))?;
            credential
        }
        _ => {
            product.vault.put_credential(new.vendor.as_str(), secret).await.map_err(|error| failed(&error))?
        }
    };
    let id = known.map_or_else(|| IntegrationId::new(product.clock.now()), |(id, _)| id);
    let kept = async {
        let tx = product.services.pg.system(SystemReason::Seed).await?;
        tx.execute_one(
            "insert into public.integrations (id, vendor, name, base_url, credential_id, sync_interval_s)
             values ($1, $6, $2, $3, $4, $5)
             on conflict (name) do update set base_url = excluded.base_url, credential_id = excluded.credential_id, activity_cursor = null,
               credentials_failed_at = null",
            &[&id.0, &new.name, &new.base_url, &credential.0, &new.sync_interval_s, &new.vendor.as_str()],
        )
        .await?;
        tx.commit().await
    };
    kept.await.map_err(|error| failed(&error))?;
    Ok(id)
}

/// Gives the vendor our address and a new secret header; only the secret's hash is kept.
pub async fn register_webhook(
    product: &Product,
    integration: IntegrationId,
    ninja: &NinjaOne,
    url: &str,
) -> Result<(), Failure> {
    let failed = |error: &dyn std::error::Error| Failure::start("the webhook", error);
    let secret = generate_secret();
    let kept = async {
        let tx = product.services.pg.system(SystemReason::Seed).await?;
        tx.execute_one(
            "update public.integrations set webhook_secret_sha256 = $2, webhook_registered_at = $3 where id = $1",
            &[&integration.0, &secret_hash(&secret), &product.clock.now()],
        )
        .await?;
        tx.commit().await
    };
    kept.await.map_err(|error| failed(&error))?;
    let address = format!("{url}/functions/v1/ninjaone-webhook/{integration}");
    let config = WebhookConfig::for_conditions(address, (SECRET_HEADER.to_owned(), secret));
    ninja.put_webhook(&config).await.map_err(|error| failed(&error))
}
