//! Reads that a person may ask for by name. There is no free path: what is not named here cannot be sent.
use connector_api::{Call, Fact, VendorError};
use serde_json::Value;

use crate::activity::{DIRECTORY_AUDITS, SIGN_IN_LOG};
use crate::client::{TenantClient, fact, segment};
use crate::errors::About;
use crate::permissions;
use crate::policies::{ACCESS_POLICIES, NAMED_LOCATIONS, SECURITY_DEFAULTS};

/// Rows that one such read may ask for.
pub const TOP_MAX: u32 = 100;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedCall {
    Organization,
    Domains,
    Users { top: u32 },
    User { id: String },
    SubscribedSkus,
    SecurityDefaults,
    AccessPolicies,
    NamedLocations,
    SecureScores { top: u32 },
    DirectoryAudits { top: u32 },
    SignIns { top: u32 },
}

impl NamedCall {
    /// The right that the call needs.
    pub fn permission(&self) -> &'static str {
        match self {
            Self::Organization => permissions::ORGANIZATION,
            Self::Domains => permissions::DOMAINS,
            Self::Users { .. } | Self::User { .. } => permissions::USERS,
            Self::SubscribedSkus => permissions::SEATS,
            Self::SecurityDefaults | Self::AccessPolicies | Self::NamedLocations => permissions::POLICIES,
            Self::SecureScores { .. } => permissions::SECURE_SCORE,
            Self::DirectoryAudits { .. } | Self::SignIns { .. } => permissions::SIGN_INS,
        }
    }

    fn call(&self) -> Call {
        let top = |path: &str, top: u32| Call::get(path).query("$top", top.clamp(1, TOP_MAX));
        match self {
            Self::Organization => Call::get("/v1.0/organization"),
            Self::Domains => Call::get("/v1.0/domains"),
            Self::Users { top: rows } => top("/v1.0/users", *rows),
            Self::User { id } => Call::get(format!("/v1.0/users/{}", segment(id))),
            Self::SubscribedSkus => Call::get("/v1.0/subscribedSkus"),
            Self::SecurityDefaults => Call::get(SECURITY_DEFAULTS),
            Self::AccessPolicies => Call::get(ACCESS_POLICIES),
            Self::NamedLocations => Call::get(NAMED_LOCATIONS),
            Self::SecureScores { top: rows } => top("/v1.0/security/secureScores", *rows),
            Self::DirectoryAudits { top: rows } => top(DIRECTORY_AUDITS, *rows),
            Self::SignIns { top: rows } => top(SIGN_IN_LOG, *rows),
        }
    }
}

impl TenantClient {
    /// The answer as it came. Of a list only its first page: `@odata.nextLink` says whether there is more.
    pub async fn get(&self, named: &NamedCall) -> Result<Fact<Value>, VendorError> {
        let about = match named {
            NamedCall::User { .. } => About::record(named.permission()),
            _ => About::list(named.permission(), "this read"),
        };
        let answer = self.call(named.call(), about).await?;
        Ok(fact(&answer, answer.json()?))
    }
}
