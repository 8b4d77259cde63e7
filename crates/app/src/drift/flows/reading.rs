//! What CIPP says of one setting of one tenant, read anew.
use ::cipp::{Cipp, SettingRead};
use connector_api::{Completeness, PartialReason, VendorError, Walk};
use domain::drift::text;
use flow::{Reading, StepError, Subject};
use kernel::ErrorCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::drift::Drift;

use super::TARGET;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The domain that CIPP names the tenant by.
    pub tenant: String,
    pub setting: String,
    /// `None`: CIPP says nothing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    pub is_licensed: Option<bool>,
}

impl Facts {
    pub fn describe(&self) -> String {
        match &self.value {
            Some(value) => format!("{} has {} at {}", self.tenant, text(value), self.setting),
            None => format!("CIPP says nothing of {} at {}", self.setting, self.tenant),
        }
    }
}

/// The comparison of the tenant's settings: what is written goes through other end points.
pub async fn read(client: &Cipp, drift: &Drift) -> Result<(Reading, Facts), StepError> {
    let domain = domain(drift)?;
    let walk = client.standards_compare(domain).await;
    if let Completeness::Partial { reason: PartialReason::Stopped(error) } = &walk.completeness {
        return Err(step_error(error.clone()));
    }
    let Some(observed_at) = walk.observed_at else {
        return Err(StepError::transient(ErrorCode::VendorFailed, "CIPP did not answer."));
    };
    let facts = of(&walk, drift, domain);
    let value = serde_json::to_value(&facts)
        .map_err(|error| StepError::permanent(ErrorCode::Internal, error.to_string()))?;
    let reading = Reading {
        target: Some(Subject { kind: TARGET.into(), id: drift.tenant }),
        facts: value,
        observed_at,
        completeness: match walk.completeness {
            Completeness::Complete => flow::Completeness::Complete,
            Completeness::Partial { .. } => flow::Completeness::Partial,
        },
        request_id: walk.request_id,
    };
    Ok((reading, facts))
}

fn of(walk: &Walk<SettingRead>, drift: &Drift, domain: &str) -> Facts {
    let found = walk.items.iter().find(|it| it.name.eq_ignore_ascii_case(&drift.setting));
    Facts {
        tenant: domain.to_owned(),
        setting: drift.setting.clone(),
        value: found.map(|it| it.value.clone()),
        is_licensed: found.and_then(|it| it.is_licensed),
    }
}

pub fn domain(drift: &Drift) -> Result<&str, StepError> {
    drift.default_domain.as_deref().ok_or_else(|| {
        StepError::permanent(ErrorCode::Conflict, "CIPP no longer names a domain for this tenant.")
    })
}

pub fn facts(reading: &Reading) -> Result<Facts, StepError> {
    Facts::deserialize(&reading.facts)
        .map_err(|error| StepError::permanent(ErrorCode::Internal, format!("a stored reading: {error}")))
}

/// A vendor's error as a step's: retried when it may pass.
pub fn step_error(error: VendorError) -> StepError {
    let message = format!("CIPP: {error}");
    if error.is_transient() {
        StepError::transient(ErrorCode::VendorFailed, message)
    } else {
        StepError::permanent(ErrorCode::VendorFailed, message)
    }
}
