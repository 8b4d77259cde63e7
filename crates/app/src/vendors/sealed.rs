//! The credentials of each vendor, as they are sealed. `Debug` shows no secret.
use kernel::secret::SecretString;
use serde::{Deserialize, Serialize};
use store::integrations::Vendor;

use super::VendorsError;

/// What a vendor's client is made from.
#[derive(Debug)]
pub enum Credentials {
    NinjaOne(NinjaOneCredentials),
    RevIo(RevIoCredentials),
    Microsoft(MicrosoftCredentials),
    Cipp(CippCredentials),
    SharePoint(MicrosoftCredentials),
}

impl Credentials {
    pub const fn vendor(&self) -> Vendor {
        match self {
            Self::NinjaOne(_) => Vendor::NinjaOne,
            Self::RevIo(_) => Vendor::RevIo,
            Self::Microsoft(_) => Vendor::Microsoft,
            Self::Cipp(_) => Vendor::Cipp,
            Self::SharePoint(_) => Vendor::SharePoint,
        }
    }

    /// The text to seal.
    pub fn to_secret(&self) -> Result<SecretString, VendorsError> {
        match self {
            Self::NinjaOne(credentials) => serde_json::to_string(credentials),
            Self::RevIo(credentials) => serde_json::to_string(credentials),
            Self::Microsoft(credentials) | Self::SharePoint(credentials) => {
                serde_json::to_string(credentials)
            }
            Self::Cipp(credentials) => serde_json::to_string(credentials),
        }
        .map(SecretString::from)
        .map_err(|_| VendorsError::Form)
    }
}

/// What is sealed for a NinjaOne integration.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NinjaOneCredentials {
    pub client_id: String,
    pub client_secret: String,
    /// Of the application through which people sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<PeopleApp>,
}

/// An application of the kind Web: machine tokens come from another one.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeopleApp {
    pub client_id: String,
    pub client_secret: String,
}

impl std::fmt::Debug for PeopleApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PeopleApp").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for NinjaOneCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NinjaOneCredentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// What is sealed for a Rev.io integration.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevIoCredentials {
    /// Not an e-mail address.
    pub user: String,
    pub client_code: String,
    pub password: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_key: Option<String>,
}

impl std::fmt::Debug for RevIoCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RevIoCredentials")
            .field("user", &self.user)
            .field("client_code", &self.client_code)
            .finish_non_exhaustive()
    }
}

/// What is sealed for an integration with Microsoft 365 or with SharePoint: each has an application of its own. The
/// address of Graph is the integration's.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MicrosoftCredentials {
    pub client_id: String,
    pub client_secret: String,
    /// The provider's own tenant.
    pub home_tenant_id: String,
    /// Where tokens come from; it goes with the address of Graph.
    pub login_url: String,
}

impl std::fmt::Debug for MicrosoftCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MicrosoftCredentials")
            .field("client_id", &self.client_id)
            .field("home_tenant_id", &self.home_tenant_id)
            .field("login_url", &self.login_url)
            .finish_non_exhaustive()
    }
}

/// What is sealed for a CIPP integration. The address of the deployment is the integration's.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CippCredentials {
    pub client_id: String,
    pub client_secret: String,
    /// The tenant that the deployment's API client is registered in.
    pub tenant_id: String,
    /// Where tokens come from.
    pub login_url: String,
}

impl std::fmt::Debug for CippCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CippCredentials")
            .field("client_id", &self.client_id)
            .field("tenant_id", &self.tenant_id)
            .field("login_url", &self.login_url)
            .finish_non_exhaustive()
    }
}
