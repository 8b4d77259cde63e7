//! What Microsoft says of one tenant of a customer right now. Reads of a closed list only, by the provider's people.
use connector_api::VendorError;
use graph::{NamedCall, missing_permission};
use kernel::{ApiError, ErrorCode, Timestamp, id::CustomerId};
use pg::{Actor, Pg};
use serde_json::Value;
use store::tenants;
use uuid::Uuid;

use crate::{access, vendors::Vendors};

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Organization,
    Domains,
    Users {
        top: u32,
    },
    /// By id or user principal name.
    User {
        id: Option<String>,
    },
    SubscribedSkus,
    SecurityDefaults,
    AccessPolicies,
    NamedLocations,
    SecureScores {
        top: u32,
    },
    DirectoryAudits {
        top: u32,
    },
    SignIns {
        top: u32,
    },
}

#[derive(Debug)]
pub struct Answered {
    pub tenant: Uuid,
    pub observed_at: Timestamp,
    pub answer: Value,
}

/// Needs `people:read` at the customer, as one of the provider's people. `tenant` names one of the customer's, where there are
/// several; any other does not exist.
pub async fn ask(
    pg: &Pg,
    vendors: &dyn Vendors,
    actor: &Actor,
    (customer, tenant): (CustomerId, Option<Uuid>),
    asked: Asked,
) -> Result<Answered, ApiError> {
    access::require(pg, actor, customer, "people:read").await?;
    access::require_for_provider(pg, actor, "people:read").await?;
    let call = named(asked)?;
    let tx = pg.act_as(actor).await?;
    let mut known = tenants::of_customer(&tx, customer).await?;
    tx.rollback().await?;
    known.retain(|(filed, _)| tenant.is_none_or(|wanted| filed.id == wanted));
    let (filed, integration) = match (known.pop(), known.is_empty()) {
        (Some(found), true) => found,
        (None, _) => return Err(access::not_found()),
        (Some(_), false) => {
            return Err(ApiError::new(ErrorCode::ValueRefused, "This customer has several tenants.")
                .details("`tenant_id` is missing."));
        }
    };
    let client = vendors.microsoft(integration).await?.tenant(&filed.external_id);
    let fact = client.get(&call).await.map_err(|error| refused(&error))?;
    Ok(Answered { tenant: filed.id, observed_at: fact.observed_at, answer: fact.value })
}

fn named(asked: Asked) -> Result<NamedCall, ApiError> {
    Ok(match asked {
        Asked::Organization => NamedCall::Organization,
        Asked::Domains => NamedCall::Domains,
        Asked::Users { top } => NamedCall::Users { top },
        Asked::User { id: Some(id) } => NamedCall::User { id },
        Asked::User { id: None } => {
            return Err(ApiError::new(ErrorCode::ValueRefused, "Say which user.").details("`id` is missing."));
        }
        Asked::SubscribedSkus => NamedCall::SubscribedSkus,
        Asked::SecurityDefaults => NamedCall::SecurityDefaults,
        Asked::AccessPolicies => NamedCall::AccessPolicies,
        Asked::NamedLocations => NamedCall::NamedLocations,
        Asked::SecureScores { top } => NamedCall::SecureScores { top },
        Asked::DirectoryAudits { top } => NamedCall::DirectoryAudits { top },
        Asked::SignIns { top } => NamedCall::SignIns { top },
    })
}

/// In words for whoever can mend it.
fn refused(error: &VendorError) -> ApiError {
    match error {
        VendorError::NotFound => access::not_found(),
        VendorError::NotConsented { .. } => {
            ApiError::new(ErrorCode::VendorDenies, "This tenant does not let the application in.")
                .details(error.to_string())
                .hint("Consent to the application in this tenant, or renew the delegated relationship.")
        }
        VendorError::Forbidden { .. } => {
            let refused =
                ApiError::new(ErrorCode::VendorDenies, "The application lacks a permission in this tenant.")
                    .details(error.to_string());
            match missing_permission(error) {
                Some(permission) => {
                    refused.hint(format!("Add the application permission {permission} and consent to it."))
                }
                None => refused,
            }
        }
        VendorError::MissingCapability { .. } => {
            ApiError::new(ErrorCode::VendorDenies, "This tenant does not have that.")
                .details(error.to_string())
        }
        VendorError::Throttled { retry_after } => {
            let wait_s = retry_after.map_or(60, |wait| wait.as_secs().max(1));
            ApiError::new(ErrorCode::VendorBusy, "Microsoft asks to slow down; nothing was read.")
                .details(format!("Retry after {wait_s} s."))
                .hint("Come back then; synchronizations wait by themselves.")
        }
        VendorError::QuotaUsed { until } => {
            ApiError::new(ErrorCode::VendorBusy, "What Microsoft takes in a day is used; nothing was read.")
                .details(format!("Until {until}."))
                .hint("Come back then.")
        }
        other => ApiError::new(ErrorCode::VendorFailed, format!("Microsoft 365: {other}")),
    }
}
