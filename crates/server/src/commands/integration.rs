//! Connects a vendor's API: seals its credentials, says which rights are missing, registers the webhook.
use std::process::ExitCode;

use app::{
    connect::{self, New, SYNC_INTERVAL_S},
    vendors::{Credentials, NinjaOneCredentials, RevIoCredentials},
    webhooks::ninjaone as webhook,
};
use kernel::{id::IntegrationId, secret::ExposeSecret as _};
use ninjaone::NinjaOne;

use crate::{
    cli::IntegrationCommand,
    commands::read_secret,
    config::Settings,
    database::Database,
    failure::Failure,
    runtime::{Product, Tuning},
    say,
};

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
    }
}

async fn add_revio(
    settings: &Settings,
    name: String,
    base_url: String,
    credentials: RevIoCredentials,
) -> Result<ExitCode, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::start(&format!("the integration {name}"), error);
    let database = Database::open_beside(settings).await?;
    let outcome = async {
        let product = Product::build(&database, settings, &Tuning::default()).await?;
        let credentials = Credentials::RevIo(credentials);
        let new = New { name: name.clone(), base_url, credentials, sync_interval_s: SYNC_INTERVAL_S };
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
        let credentials = Credentials::NinjaOne(credentials);
        let new = New { name: name.clone(), base_url: url, credentials, sync_interval_s: SYNC_INTERVAL_S };
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
pub async fn put(product: &Product, new: &New) -> Result<IntegrationId, Failure> {
    let services = &product.services;
    let kept = connect::keep(&services.pg, &*services.vendors, new, &product.clock).await;
    kept.map_err(|error| Failure::start(&format!("the integration {}", new.name), &error))
}

/// Lets NinjaOne send its deliveries to `url`.
pub async fn register_webhook(
    product: &Product,
    integration: IntegrationId,
    ninja: &NinjaOne,
    url: &str,
) -> Result<(), Failure> {
    let registered =
        webhook::register(&product.services.pg, integration, ninja, url, product.clock.now()).await;
    registered.map_err(|error| Failure::start("the webhook", &error))
}
