//! Clients of vendors, made from the sealed credentials of an integration.
mod calls;
mod credentials;
mod days;
mod person;
mod sealed;

use std::{collections::HashMap, future::Future, pin::Pin, sync::Arc};

use ::cipp::Cipp;
use connector_api::{CallCounts, Health, RetryPolicy, VendorError};
use graph::Graph;
use kernel::{
    ApiError, Clock, ErrorCode,
    id::{CredentialId, IntegrationId},
    secret::{ExposeSecret as _, SecretString},
};
use ninjaone::{NinjaOne, SignIn};
use pg::{Pg, PgError, WorkReason};
use revio::RevIo;
use store::integrations::Vendor;
use tokio::sync::Mutex;
use uuid::Uuid;
use vault::{Vault, VaultError};

use credentials::Watch;
pub use days::{DayQuotas, NotAQuota};
use person::Person;
pub use sealed::{
    CippCredentials, Credentials, MicrosoftCredentials, NinjaOneCredentials, PeopleApp, RevIoCredentials,
};

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Gives the client of an integration. The sandbox's and a real vendor's differ only in the integration's row.
pub trait Vendors: Send + Sync + 'static {
    fn ninjaone(&self, integration: IntegrationId) -> BoxFuture<'_, Result<NinjaOne, VendorsError>>;

    /// Nothing is billed where this is not said.
    fn revio(&self, _integration: IntegrationId) -> BoxFuture<'_, Result<RevIo, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }

    /// Nobody's accounts are read where this is not said.
    fn microsoft(&self, _integration: IntegrationId) -> BoxFuture<'_, Result<Graph, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }

    /// Nobody's settings are read where this is not said.
    fn cipp(&self, _integration: IntegrationId) -> BoxFuture<'_, Result<Cipp, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }

    /// No site is read where this is not said.
    fn sharepoint(&self, _integration: IntegrationId) -> BoxFuture<'_, Result<Graph, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }

    /// What these credentials may do at this address; nothing is kept.
    fn try_out<'a>(
        &'a self,
        _base_url: &'a str,
        _credentials: &'a Credentials,
    ) -> BoxFuture<'a, Result<Health, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }

    /// Writes down what was asked of vendors since the last time.
    fn keep_counts(&self) -> BoxFuture<'_, Result<(), PgError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Where people sign in at the vendor, through the application that is kept for them.
    fn sign_in_page(&self, _integration: IntegrationId) -> BoxFuture<'_, Result<SignIn, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }

    /// Seals a text: anew, or under the id of the one that it replaces.
    fn seal_text<'a>(
        &'a self,
        _known: Option<CredentialId>,
        _purpose: &'a str,
        _secret: &'a SecretString,
    ) -> BoxFuture<'a, Result<CredentialId, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }

    /// What was sealed.
    fn open(&self, _credential: CredentialId) -> BoxFuture<'_, Result<SecretString, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }

    /// Seals credentials: anew, or under the id of those that they replace.
    fn seal<'a>(
        &'a self,
        _known: Option<CredentialId>,
        _credentials: &'a Credentials,
    ) -> BoxFuture<'a, Result<CredentialId, VendorsError>> {
        Box::pin(std::future::ready(Err(VendorsError::NotConfigured)))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum VendorsError {
    #[error("there is no such integration")]
    Unknown,
    #[error("the integration is switched off")]
    SwitchedOff,
    #[error("the integration has no credentials")]
    NotConfigured,
    #[error("the database did not answer")]
    Database(#[from] PgError),
    #[error("the credentials could not be opened")]
    Vault(#[from] VaultError),
    #[error("the credentials are not of the expected form")]
    Form,
    #[error("it has no application through which people sign in")]
    NobodySignsIn,
    #[error("the vendor's client could not be made")]
    Client(#[from] VendorError),
}

impl VendorsError {
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => error.is_transient(),
            Self::Client(error) => error.is_transient(),
            _ => false,
        }
    }
}

impl From<VendorsError> for ApiError {
    fn from(error: VendorsError) -> Self {
        match error {
            VendorsError::Unknown => Self::new(ErrorCode::NotFound, "There is no such integration."),
            VendorsError::Database(error) => error.into(),
            other => {
                Self::new(ErrorCode::VendorNotConfigured, format!("The integration cannot be used: {other}."))
                    .hint("Check its credentials under Integrations.")
            }
        }
    }
}

/// Clients by integration, kept so that tokens and concurrency limits are shared. A rotated credential makes a new client.
pub struct SealedVendors {
    pg: Pg,
    vault: Vault,
    clock: Clock,
    retry: RetryPolicy,
    counts: calls::Counts,
    days: DayQuotas,
    ninjaone: Made<NinjaOne>,
    revio: Made<RevIo>,
    microsoft: Made<Graph>,
    cipp: Made<Cipp>,
    sharepoint: Made<Graph>,
}

type Made<C> = Mutex<HashMap<IntegrationId, (Version, C)>>;

/// What a client was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    base_url: String,
    credential: CredentialId,
    sealed_at: kernel::Timestamp,
    /// The sign-in as which automations act.
    person: Option<(Uuid, CredentialId)>,
}

impl std::fmt::Debug for SealedVendors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedVendors").finish_non_exhaustive()
    }
}

impl SealedVendors {
    pub fn new(pg: Pg, vault: Vault, clock: Clock) -> Self {
        Self {
            pg,
            vault,
            clock,
            retry: RetryPolicy::default(),
            counts: calls::Counts::default(),
            days: DayQuotas::default(),
            ninjaone: Mutex::default(),
            revio: Mutex::default(),
            microsoft: Mutex::default(),
            cipp: Mutex::default(),
            sharepoint: Mutex::default(),
        }
    }

    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    #[must_use]
    pub fn with_day_quotas(mut self, days: DayQuotas) -> Self {
        self.days = days;
        self
    }

    async fn version(&self, integration: IntegrationId, vendor: Vendor) -> Result<Version, VendorsError> {
        let tx = self.pg.work_for_provider(WorkReason::Sync).await?;
        let sql = include_str!("../../../db/queries/integrations/client.sql");
        let row =
            tx.query_opt(sql, &[&integration.0, &vendor.as_str()]).await?.ok_or(VendorsError::Unknown)?;
        tx.rollback().await?;
        if !row.get::<_, bool>("enabled") {
            return Err(VendorsError::SwitchedOff);
        }
        let (credential, sealed_at) =
            (row.get::<_, Option<_>>("credential_id"), row.get::<_, Option<_>>("sealed_at"));
        match (credential, sealed_at) {
            (Some(credential), Some(sealed_at)) => {
                let person = row.get::<_, Option<_>>("sign_in_id").zip(row.get("sign_in_credential_id"));
                Ok(Version {
                    base_url: row.get("base_url"),
                    credential: CredentialId(credential),
                    sealed_at,
                    person: person.map(|(id, credential)| (id, CredentialId(credential))),
                })
            }
            _ => Err(VendorsError::NotConfigured),
        }
    }
}

impl Vendors for SealedVendors {
    fn ninjaone(&self, integration: IntegrationId) -> BoxFuture<'_, Result<NinjaOne, VendorsError>> {
        Box::pin(async move {
            let make = |version: &Version, secret: &str, counts: Arc<CallCounts>, watch: Arc<Watch>| {
                let sealed: NinjaOneCredentials =
                    serde_json::from_str(secret).map_err(|_| VendorsError::Form)?;
                let client = self.make_ninjaone(&version.base_url, &sealed, counts)?.watched_by(watch);
                self.acting(client, integration, version, sealed.people)
            };
            let outcome = self.client(integration, Vendor::NinjaOne, &self.ninjaone, make).await;
            self.told(integration, outcome).await
        })
    }

    fn revio(&self, integration: IntegrationId) -> BoxFuture<'_, Result<RevIo, VendorsError>> {
        Box::pin(async move {
            let make = |version: &Version, secret: &str, counts: Arc<CallCounts>, watch: Arc<Watch>| {
                let sealed = serde_json::from_str(secret).map_err(|_| VendorsError::Form)?;
                Ok(self.make_revio(&version.base_url, &sealed, counts)?.watched_by(watch))
            };
            let outcome = self.client(integration, Vendor::RevIo, &self.revio, make).await;
            self.told(integration, outcome).await
        })
    }

    fn microsoft(&self, integration: IntegrationId) -> BoxFuture<'_, Result<Graph, VendorsError>> {
        Box::pin(async move {
            let make = |version: &Version, secret: &str, counts: Arc<CallCounts>, watch: Arc<Watch>| {
                let sealed = serde_json::from_str(secret).map_err(|_| VendorsError::Form)?;
                Ok(self.make_microsoft(&version.base_url, &sealed, counts)?.watched_by(watch))
            };
            let outcome = self.client(integration, Vendor::Microsoft, &self.microsoft, make).await;
            self.told(integration, outcome).await
        })
    }

    fn cipp(&self, integration: IntegrationId) -> BoxFuture<'_, Result<Cipp, VendorsError>> {
        Box::pin(async move {
            let make = |version: &Version, secret: &str, counts: Arc<CallCounts>, watch: Arc<Watch>| {
                let sealed = serde_json::from_str(secret).map_err(|_| VendorsError::Form)?;
                Ok(self.make_cipp(&version.base_url, &sealed, counts)?.watched_by(watch))
            };
            let outcome = self.client(integration, Vendor::Cipp, &self.cipp, make).await;
            self.told(integration, outcome).await
        })
    }

    fn sharepoint(&self, integration: IntegrationId) -> BoxFuture<'_, Result<Graph, VendorsError>> {
        Box::pin(async move {
            let make = |version: &Version, secret: &str, counts: Arc<CallCounts>, watch: Arc<Watch>| {
                let sealed = serde_json::from_str(secret).map_err(|_| VendorsError::Form)?;
                Ok(self.make_microsoft(&version.base_url, &sealed, counts)?.watched_by(watch))
            };
            let outcome = self.client(integration, Vendor::SharePoint, &self.sharepoint, make).await;
            self.told(integration, outcome).await
        })
    }

    fn try_out<'a>(
        &'a self,
        base_url: &'a str,
        credentials: &'a Credentials,
    ) -> BoxFuture<'a, Result<Health, VendorsError>> {
        Box::pin(async move {
            Ok(match credentials {
                Credentials::NinjaOne(credentials) => {
                    self.make_ninjaone(base_url, credentials, Arc::default())?.health_check().await
                }
                Credentials::RevIo(credentials) => {
                    self.make_revio(base_url, credentials, Arc::default())?.health_check().await
                }
                Credentials::Microsoft(credentials) => {
                    self.make_microsoft(base_url, credentials, Arc::default())?.health_check().await
                }
                Credentials::Cipp(credentials) => {
                    self.make_cipp(base_url, credentials, Arc::default())?.health_check().await
                }
                Credentials::SharePoint(credentials) => {
                    self.make_microsoft(base_url, credentials, Arc::default())?
                        .sharepoint_health_check()
                        .await
                }
            })
        })
    }

    fn sign_in_page(&self, integration: IntegrationId) -> BoxFuture<'_, Result<SignIn, VendorsError>> {
        Box::pin(async move {
            let version = self.version(integration, Vendor::NinjaOne).await?;
            let app = self.people_app(version.credential).await?.ok_or(VendorsError::NobodySignsIn)?;
            let config = ninjaone::Config::new(version.base_url, app.client_id, app.client_secret.into());
            Ok(SignIn::new(&config.with_retry(self.retry), self.clock.clone())?)
        })
    }

    fn seal_text<'a>(
        &'a self,
        known: Option<CredentialId>,
        purpose: &'a str,
        secret: &'a SecretString,
    ) -> BoxFuture<'a, Result<CredentialId, VendorsError>> {
        Box::pin(async move {
            match known {
                Some(id) => {
                    self.vault.rotate_credential(id, secret).await?;
                    Ok(id)
                }
                None => Ok(self.vault.put_credential(purpose, secret).await?),
            }
        })
    }

    fn open(&self, credential: CredentialId) -> BoxFuture<'_, Result<SecretString, VendorsError>> {
        Box::pin(async move { Ok(self.vault.open_credential(credential).await?) })
    }

    fn keep_counts(&self) -> BoxFuture<'_, Result<(), PgError>> {
        Box::pin(self.counts.keep(&self.pg, self.clock.now()))
    }

    fn seal<'a>(
        &'a self,
        known: Option<CredentialId>,
        credentials: &'a Credentials,
    ) -> BoxFuture<'a, Result<CredentialId, VendorsError>> {
        Box::pin(async move {
            let mut secret = credentials.to_secret()?;
            // New credentials of a machine leave those of people as they are.
            if let (Some(known), Credentials::NinjaOne(new)) = (known, credentials)
                && new.people.is_none()
                && let Some(people) = self.people_app(known).await?
            {
                let (client_id, client_secret) = (new.client_id.clone(), new.client_secret.clone());
                let kept = NinjaOneCredentials { client_id, client_secret, people: Some(people) };
                secret = Credentials::NinjaOne(kept).to_secret()?;
            }
            self.seal_text(known, credentials.vendor().as_str(), &secret).await
        })
    }
}

impl SealedVendors {
    /// Credentials that make no client are said to whoever can mend them.
    async fn told<C>(
        &self,
        integration: IntegrationId,
        outcome: Result<C, VendorsError>,
    ) -> Result<C, VendorsError> {
        if let Err(error) = &outcome
            && let Some(problem) = credentials::problem_of(error)
        {
            Watch::new(self, integration).failed(&problem).await;
        }
        outcome
    }

    async fn client<C: Clone>(
        &self,
        integration: IntegrationId,
        vendor: Vendor,
        made: &Made<C>,
        make: impl Fn(&Version, &str, Arc<CallCounts>, Arc<Watch>) -> Result<C, VendorsError>,
    ) -> Result<C, VendorsError> {
        let version = self.version(integration, vendor).await?;
        let mut made = made.lock().await;
        if let Some((known, client)) = made.get(&integration)
            && *known == version
        {
            return Ok(client.clone());
        }
        let secret = self.vault.open_credential(version.credential).await?;
        let counts = self.counts.of(&self.pg, integration, self.days.of(vendor), self.clock.now()).await?;
        let client = make(&version, secret.expose_secret(), counts, Arc::new(Watch::new(self, integration)))?;
        made.insert(integration, (version, client.clone()));
        Ok(client)
    }

    /// As whom the client acts.
    fn acting(
        &self,
        client: NinjaOne,
        integration: IntegrationId,
        version: &Version,
        app: Option<PeopleApp>,
    ) -> Result<NinjaOne, VendorsError> {
        let Some((sign_in, credential)) = version.person else { return Ok(client) };
        let app = app.ok_or(VendorsError::NobodySignsIn)?;
        let (pg, vault, clock) = (self.pg.clone(), self.vault.clone(), self.clock.clone());
        let person = Person { pg, vault, clock, integration, sign_in, credential };
        Ok(client.acting_as(app.client_id, app.client_secret.into(), Arc::new(person)))
    }

    /// Credentials that cannot be opened or read any more have none to keep.
    async fn people_app(&self, credential: CredentialId) -> Result<Option<PeopleApp>, VendorsError> {
        let secret = match self.vault.open_credential(credential).await {
            Ok(secret) => secret,
            Err(VaultError::Database(error)) => return Err(VendorsError::Vault(VaultError::Database(error))),
            Err(_) => return Ok(None),
        };
        let sealed = serde_json::from_str::<NinjaOneCredentials>(secret.expose_secret());
        Ok(sealed.ok().and_then(|sealed| sealed.people))
    }

    fn make_ninjaone(
        &self,
        base_url: &str,
        sealed: &NinjaOneCredentials,
        counts: Arc<CallCounts>,
    ) -> Result<NinjaOne, VendorsError> {
        let secret = sealed.client_secret.clone().into();
        let config = ninjaone::Config::new(base_url, sealed.client_id.clone(), secret)
            .with_retry(self.retry)
            .with_counts(counts);
        Ok(NinjaOne::new(config, self.clock.clone())?)
    }

    fn make_microsoft(
        &self,
        base_url: &str,
        sealed: &MicrosoftCredentials,
        counts: Arc<CallCounts>,
    ) -> Result<Graph, VendorsError> {
        let (client_id, home) = (sealed.client_id.clone(), sealed.home_tenant_id.clone());
        let secret = sealed.client_secret.clone().into();
        let config = graph::Config::new(sealed.login_url.clone(), base_url, client_id, secret, home)?
            .with_retry(self.retry)
            .with_counts(counts);
        Ok(Graph::new(config, self.clock.clone())?)
    }

    fn make_cipp(
        &self,
        base_url: &str,
        sealed: &CippCredentials,
        counts: Arc<CallCounts>,
    ) -> Result<Cipp, VendorsError> {
        let (tenant, client_id) = (sealed.tenant_id.clone(), sealed.client_id.clone());
        let secret = sealed.client_secret.clone().into();
        let config = cipp::Config::new(sealed.login_url.clone(), base_url, tenant, client_id, secret)?
            .with_retry(self.retry)
            .with_counts(counts);
        Ok(Cipp::new(config, self.clock.clone())?)
    }

    fn make_revio(
        &self,
        base_url: &str,
        sealed: &RevIoCredentials,
        counts: Arc<CallCounts>,
    ) -> Result<RevIo, VendorsError> {
        let (user, client_code) = (sealed.user.clone(), sealed.client_code.clone());
        let config = revio::Config::new(base_url, user, client_code, sealed.password.clone().into())?
            .with_retry(self.retry)
            .with_counts(counts);
        let config = match &sealed.subscription_key {
            Some(key) => config.with_subscription_key(key.clone().into()),
            None => config,
        };
        Ok(RevIo::new(config, self.clock.clone())?)
    }
}
