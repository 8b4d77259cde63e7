//! Connects a vendor's API: seals its credentials, says which rights are missing, registers the webhook.
use std::process::ExitCode;

use app::{
    connect::{self, New, SYNC_INTERVAL_S},
    sync::Vendor,
    vendors::{
        CippCredentials, Credentials, MicrosoftCredentials, NinjaOneCredentials, PeopleApp, RevIoCredentials,
    },
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
    let secret = |of: &str| {
        say!("{of}, then Enter:");
        read_secret().map(|secret| secret.expose_secret().to_owned())
    };
    let (name, base_url, credentials) = match command {
        IntegrationCommand::Add { name, url, client_id, people_client_id } => {
            let client_secret = secret(&format!("Client secret of {client_id}"))?;
            let people = match people_client_id {
                Some(client_id) => {
                    let client_secret = secret(&format!("Client secret of {client_id}"))?;
                    Some(PeopleApp { client_id, client_secret })
                }
                None => None,
            };
            (name, url, Credentials::NinjaOne(NinjaOneCredentials { client_id, client_secret, people }))
        }
        IntegrationCommand::AddRevio { name, url, user, client_code, with_subscription_key } => {
            let password = secret(&format!("Password of {user}@{client_code}"))?;
            let subscription_key =
                if with_subscription_key { Some(secret("Subscription key")?) } else { None };
            let credentials = RevIoCredentials { user, client_code, password, subscription_key };
            (name, url, Credentials::RevIo(credentials))
        }
        IntegrationCommand::AddMicrosoft { name, tenant_id, client_id, url, login_url } => {
            let client_secret = secret(&format!("Client secret of {client_id}"))?;
            let home_tenant_id = tenant_id;
            let credentials = MicrosoftCredentials { client_id, client_secret, home_tenant_id, login_url };
            (name, url, Credentials::Microsoft(credentials))
        }
        IntegrationCommand::AddCipp { name, url, tenant_id, client_id, login_url } => {
            let client_secret = secret(&format!("Client secret of {client_id}"))?;
            let credentials = CippCredentials { client_id, client_secret, tenant_id, login_url };
            (name, url, Credentials::Cipp(credentials))
        }
        IntegrationCommand::AddSharePoint { name, tenant_id, client_id, url, login_url } => {
            let client_secret = secret(&format!("Client secret of {client_id}"))?;
            let home_tenant_id = tenant_id;
            let credentials = MicrosoftCredentials { client_id, client_secret, home_tenant_id, login_url };
            (name, url, Credentials::SharePoint(credentials))
        }
    };
    let database = Database::open_beside(settings).await?;
    let new = New { name, base_url, credentials, sync_interval_s: SYNC_INTERVAL_S };
    let outcome = add(&database, settings, &new).await;
    database.close().await;
    outcome
}

async fn add(database: &Database, settings: &Settings, new: &New) -> Result<ExitCode, Failure> {
    let product = Product::build(database, settings, &Tuning::default()).await?;
    let failed =
        |error: &dyn std::error::Error| Failure::start(&format!("the integration {}", new.name), error);
    let id = put(&product, new).await?;
    let (vendors, vendor) = (&*product.services.vendors, new.credentials.vendor());
    let health = connect::health(vendors, id, vendor).await.map_err(|error| failed(&error))?;
    for problem in health.problems() {
        say!("TO DO {problem}");
    }
    if vendor == Vendor::NinjaOne {
        match &settings.public_url {
            Some(url) => {
                let ninja = vendors.ninjaone(id).await.map_err(|error| failed(&error))?;
                register_webhook(&product, id, &ninja, url).await?;
                say!("The webhook is registered at {url}.");
            }
            None => say!(
                "No webhook: set --public-url to the address that NinjaOne can reach, and run this again."
            ),
        }
    }
    say!(
        "{} is kept. The first synchronization starts with `obera serve`; then say under Integrations whose everything is.",
        new.name
    );
    Ok(if health.can_read() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
