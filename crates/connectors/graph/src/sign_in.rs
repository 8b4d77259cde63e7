//! What is known of a user's second factor: registered methods, and the old per-user state.
use connector_api::{Call, Fact, VendorError, Walk};
use serde_json::value::RawValue;

use crate::client::{TenantClient, segment};
use crate::errors::About;
use crate::fields::Fields;
use crate::permissions;
use crate::types::{AuthenticationMethod, PerUserMfa, Raw, Registration, members};

/// The outcome of one id of a batch.
#[derive(Clone, Debug)]
pub struct PerId<T> {
    pub id: String,
    pub outcome: Result<Fact<T>, VendorError>,
}

impl TenantClient {
    /// Who has registered for MFA. Needs Entra ID P1 in the tenant: without it the reason of the partial walk is
    /// [`VendorError::MissingCapability`].
    pub async fn registrations(&self) -> Walk<Registration> {
        let call = Call::get("/v1.0/reports/authenticationMethods/userRegistrationDetails");
        let about = About::list(permissions::SIGN_INS, "registrations");
        self.list(call, about, Registration::read, |it| it.user_id.clone()).await
    }

    /// The registered methods of each user, in the order of `ids`: the way without Entra ID P1.
    pub async fn authentication_methods(&self, ids: &[String]) -> Vec<PerId<Vec<AuthenticationMethod>>> {
        let path = |id: &str| format!("/users/{}/authentication/methods", segment(id));
        self.batch("/v1.0/$batch", ids, path, About::record(permissions::METHODS), |raw| methods(&raw)).await
    }

    /// The per-user state of MFA, in the order of `ids`. Beta.
    pub async fn mfa_states(&self, ids: &[String]) -> Vec<PerId<PerUserMfa>> {
        let path = |id: &str| format!("/users/{}/authentication/requirements", segment(id));
        self.batch("/beta/$batch", ids, path, About::record(permissions::POLICIES), |raw| state(&raw)).await
    }
}

fn methods(raw: &RawValue) -> Result<Vec<AuthenticationMethod>, VendorError> {
    #[derive(serde::Deserialize)]
    struct Body {
        value: Vec<Raw>,
    }
    let body: Body =
        serde_json::from_str(raw.get()).map_err(|error| VendorError::shape("$", error.to_string()))?;
    body.value.into_iter().map(AuthenticationMethod::read).collect()
}

fn state(raw: &RawValue) -> Result<PerUserMfa, VendorError> {
    let row = members(raw)?;
    let word = Fields(&row).text("perUserMfaState");
    word.map(|word| PerUserMfa::of(&word)).ok_or_else(|| VendorError::shape("$.perUserMfaState", "missing"))
}
