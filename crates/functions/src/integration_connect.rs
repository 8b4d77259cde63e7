use app::{
    connect::{self, Health, New, SYNC_INTERVAL_S, Tried},
    vendors::{self, CippCredentials, MicrosoftCredentials, NinjaOneCredentials, RevIoCredentials},
};
use garde::Validate;
use kernel::{ApiError, Timestamp, id::IntegrationId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Call, Function, RateClass};

/// Mapping organizations to customers and everything else of an integration that is no secret goes through the data API.
#[derive(Debug)]
pub struct IntegrationConnect;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Try credentials out; when the vendor takes them, seal them and add the integration.
    Connect {
        /// How it is called in the console.
        #[garde(length(chars, min = 1, max = 100))]
        name: String,
        /// The vendor's API, such as `https://eu.ninjarmm.com`.
        #[garde(length(chars, min = 1, max = 500))]
        base_url: String,
        #[garde(dive)]
        credentials: Credentials,
    },
    /// Try other credentials out; when the vendor takes them, they replace those that are kept.
    Renew {
        #[garde(skip)]
        integration_id: IntegrationId,
        #[garde(dive)]
        credentials: Credentials,
    },
    /// What the kept credentials may do now.
    Check {
        #[garde(skip)]
        integration_id: IntegrationId,
    },
}

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(tag = "vendor", rename_all = "lowercase", deny_unknown_fields)]
pub enum Credentials {
    /// Of an API Services app with the scopes monitoring and management.
    NinjaOne {
        #[garde(length(chars, min = 1, max = 500))]
        client_id: String,
        #[garde(length(chars, min = 1, max = 500))]
        client_secret: String,
        /// Of a Web app through which people sign in, where NinjaOne lets only people run scripts; without it, that which is kept stays.
        #[serde(default)]
        #[garde(dive)]
        people: Option<PeopleApp>,
    },
    /// Of an API user.
    RevIo {
        /// The plain user name, not an e-mail address.
        #[garde(length(chars, min = 1, max = 200))]
        user: String,
        /// The part behind the at sign of a sign-in.
        #[garde(length(chars, min = 1, max = 200))]
        client_code: String,
        #[garde(length(chars, min = 1, max = 500))]
        password: String,
        /// Where API management is switched on.
        #[serde(default)]
        #[garde(inner(length(chars, min = 1, max = 500)))]
        subscription_key: Option<String>,
    },
    /// Of an app registration in the provider's own tenant.
    Microsoft {
        /// Application (client) id.
        #[garde(length(chars, min = 1, max = 100))]
        client_id: String,
        #[garde(length(chars, min = 1, max = 500))]
        client_secret: String,
        /// Directory (tenant) id of the provider.
        #[garde(length(chars, min = 1, max = 100))]
        home_tenant_id: String,
        /// Where tokens come from; that of the address's cloud unless said.
        #[serde(default)]
        #[garde(inner(length(chars, min = 1, max = 500)))]
        login_url: Option<String>,
    },
    /// Of an API client of the provider's CIPP deployment.
    Cipp {
        /// Application (client) id, as CIPP shows it.
        #[garde(length(chars, min = 1, max = 100))]
        client_id: String,
        #[garde(length(chars, min = 1, max = 500))]
        client_secret: String,
        /// The tenant that the deployment belongs to.
        #[garde(length(chars, min = 1, max = 100))]
        tenant_id: String,
    },
    /// Of an app registration of its own in the provider's tenant, with the rights to read sites and files.
    SharePoint {
        /// Application (client) id.
        #[garde(length(chars, min = 1, max = 100))]
        client_id: String,
        #[garde(length(chars, min = 1, max = 500))]
        client_secret: String,
        /// Directory (tenant) id of the provider.
        #[garde(length(chars, min = 1, max = 100))]
        home_tenant_id: String,
        /// Where tokens come from; that of the address's cloud unless said.
        #[serde(default)]
        #[garde(inner(length(chars, min = 1, max = 500)))]
        login_url: Option<String>,
    },
}

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PeopleApp {
    #[garde(length(chars, min = 1, max = 500))]
    client_id: String,
    #[garde(length(chars, min = 1, max = 500))]
    client_secret: String,
}

/// Never the values.
impl std::fmt::Debug for PeopleApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PeopleApp")
    }
}

/// Never the values.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NinjaOne { .. } => "NinjaOne",
            Self::RevIo { .. } => "RevIo",
            Self::Microsoft { .. } => "Microsoft",
            Self::Cipp { .. } => "Cipp",
            Self::SharePoint { .. } => "SharePoint",
        })
    }
}

impl From<Credentials> for vendors::Credentials {
    fn from(credentials: Credentials) -> Self {
        match credentials {
            Credentials::NinjaOne { client_id, client_secret, people } => {
                let people = people.map(|PeopleApp { client_id, client_secret }| vendors::PeopleApp {
                    client_id,
                    client_secret,
                });
                Self::NinjaOne(NinjaOneCredentials { client_id, client_secret, people })
            }
            Credentials::RevIo { user, client_code, password, subscription_key } => {
                Self::RevIo(RevIoCredentials { user, client_code, password, subscription_key })
            }
            Credentials::Microsoft { client_id, client_secret, home_tenant_id, login_url } => {
                // Empty: `connect` puts in that of the address's cloud.
                let login_url = login_url.unwrap_or_default();
                Self::Microsoft(MicrosoftCredentials { client_id, client_secret, home_tenant_id, login_url })
            }
            Credentials::Cipp { client_id, client_secret, tenant_id } => {
                let login_url = String::new();
                Self::Cipp(CippCredentials { client_id, client_secret, tenant_id, login_url })
            }
            Credentials::SharePoint { client_id, client_secret, home_tenant_id, login_url } => {
                let login_url = login_url.unwrap_or_default();
                Self::SharePoint(MicrosoftCredentials { client_id, client_secret, home_tenant_id, login_url })
            }
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// `null`: the vendor does not take the credentials, and nothing was kept.
    pub integration_id: Option<IntegrationId>,
    /// All that a complete synchronization needs is there.
    pub can_read: bool,
    /// When the vendor first answered.
    pub checked_at: Option<Timestamp>,
    pub checks: Vec<Check>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Check {
    /// What the product needs this for.
    pub name: String,
    /// `reading`: no complete synchronization without it. `more`: one ability goes without it.
    pub need: &'static str,
    /// `ok`, `missing_right`, `missing_capability`, `failed` or `skipped`.
    pub finding: &'static str,
    /// What is wrong, in one sentence.
    pub problem: Option<String>,
}

impl Output {
    pub(crate) fn of(integration_id: Option<IntegrationId>, health: &Health) -> Self {
        let check = |check: &connect::Check| Check {
            name: check.name.to_owned(),
            need: check.need.as_str(),
            finding: check.finding.as_str(),
            problem: check.problem(),
        };
        let checks = health.checks.iter().map(check).collect();
        Self { integration_id, can_read: health.can_read(), checked_at: health.checked_at, checks }
    }
}

impl Function for IntegrationConnect {
    const NAME: &'static str = "integration-connect";
    const SUMMARY: &'static str =
        "Connect a vendor, renew its credentials, or check which rights are missing.";
    const PERMISSION: &'static str = "integrations:write to connect and renew, integrations:sync to check.";
    const PERMISSIONS: &'static [&'static str] = &["integrations:write", "integrations:sync"];
    const RATE: RateClass = RateClass::Sync;
    const TIMEOUT_MS: u64 = 30_000;
    const KEPT: &'static str = "An integration that appears in `source_list` is kept with its sealed credentials; otherwise nothing is.";
    type Input = Input;
    type Output = Output;

    fn example() -> Value {
        json!({ "action": "check", "integration_id": "00000000-0000-7000-8000-000000000001" })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let services = &call.services;
        let (pg, vendors, actor, clock) = (&services.pg, &*services.vendors, &call.actor, &services.clock);
        let Tried { kept, health } = match input {
            Input::Connect { name, base_url, credentials } => {
                let (name, base_url) =
                    (name.trim().to_owned(), base_url.trim().trim_end_matches('/').to_owned());
                let new =
                    New { name, base_url, credentials: credentials.into(), sync_interval_s: SYNC_INTERVAL_S };
                connect::connect(pg, vendors, actor, new, services.public_url.as_deref(), clock).await?
            }
            Input::Renew { integration_id, credentials } => {
                connect::renew(pg, vendors, actor, integration_id, credentials.into(), clock).await?
            }
            Input::Check { integration_id } => {
                let health = connect::check(pg, vendors, actor, integration_id).await?;
                Tried { kept: Some(integration_id), health }
            }
        };
        Ok(Output::of(kept, &health))
    }
}
