//! What went wrong in one tenant, in words for whoever can mend it; and what a part as a whole comes to.
use connector_api::{Completeness, PartialReason, VendorError, error::vendor_text};
use graph::missing_permission;
use store::tenants::{PartOf, PartRead, PartState};

use crate::sync::error::PartEnd;

/// Tenants that the error of a part names.
const TENANTS_NAMED_MAX: usize = 3;

/// Of a reading that brought nothing.
pub(super) fn refused(part: PartOf, error: &VendorError) -> PartRead {
    let permission = missing_permission(error);
    let (state, reason) = match error {
        VendorError::NotConsented { reason } => {
            (PartState::Denied, format!("the tenant does not let the application in: {reason}"))
        }
        VendorError::Forbidden { reason } => (PartState::Denied, reason.clone()),
        VendorError::MissingCapability { capability } => {
            (PartState::Denied, format!("the tenant does not have {capability}"))
        }
        other => (PartState::Failed, other.to_string()),
    };
    let reason = Some(vendor_text(&reason));
    PartRead { part, state, reason, permission, observed_at: None, rows: 0 }
}

/// Of a list that did not come whole.
pub(super) fn of_walk(part: PartOf, completeness: &Completeness, rows: usize) -> PartRead {
    match completeness {
        Completeness::Partial { reason: PartialReason::Stopped(error) } if rows == 0 => refused(part, error),
        Completeness::Partial { reason } => partial(part, reason.to_string()),
        Completeness::Complete => partial(part, "the list was not believed".to_owned()),
    }
}

pub(super) fn partial(part: PartOf, reason: String) -> PartRead {
    let reason = Some(vendor_text(&reason));
    PartRead { part, state: PartState::Partial, reason, permission: None, observed_at: None, rows: 0 }
}

/// How one tenant came out of a part.
#[derive(Clone, Debug)]
pub(in crate::sync) struct Outcome {
    pub tenant: String,
    pub state: PartState,
    pub reason: Option<String>,
    /// Accounts whose absence is held back until a person accepts it.
    pub held: usize,
}

/// Complete only when every tenant is.
pub(in crate::sync) fn sum(mut outcomes: Vec<Outcome>) -> PartEnd {
    outcomes.retain(|it| it.state != PartState::Complete);
    if outcomes.is_empty() {
        return PartEnd::complete();
    }
    outcomes.sort_by(|one, other| one.tenant.cmp(&other.tenant));
    let named = outcomes
        .iter()
        .take(TENANTS_NAMED_MAX)
        .map(|it| format!("{} ({})", it.tenant, it.reason.as_deref().unwrap_or("without a reason")));
    let named = named.collect::<Vec<_>>().join("; ");
    let count = match outcomes.len() {
        1 => "1 tenant was".to_owned(),
        many => format!("{many} tenants were"),
    };
    let text = format!("{count} not read completely: {named}");
    if outcomes.iter().any(|it| it.held > 0) {
        PartEnd::suspect(&text)
    } else {
        PartEnd::partial("tenants", &text)
    }
}
