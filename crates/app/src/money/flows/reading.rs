//! What Rev.io says of a line, read anew.
use ::revio::{LineStatus, RevIo, ServiceProduct};
use connector_api::{Completeness, VendorError};
use flow::{Reading, StepError, Subject};
use kernel::{Decimal, ErrorCode};
use serde::{Deserialize, Serialize};
use store::money::ChangeLine;

use super::TARGET;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The billing system's id of the line.
    pub line: String,
    pub account: String,
    pub status: String,
    pub is_active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
    /// Highest number of a bill of the account at this time: a bill with a higher one was made later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bill_mark: Option<i64>,
}

impl Facts {
    fn of(line: &ServiceProduct) -> Self {
        Self {
            line: line.id.to_string(),
            account: line.customer_id.to_string(),
            status: line.status.as_str().to_lowercase(),
            is_active: line.status == LineStatus::Active,
            quantity: line.quantity,
            rate: line.rate,
            bill_mark: None,
        }
    }

    pub fn describe(&self) -> String {
        match self.quantity {
            Some(quantity) => format!("line {} is {} with the quantity {quantity}", self.line, self.status),
            None => format!("line {} is {} without a quantity", self.line, self.status),
        }
    }
}

/// The line by its own path, and the account's bills.
pub async fn read_line(client: &RevIo, line: &ChangeLine) -> Result<(Reading, Facts), StepError> {
    let found = client.service_product(number(&line.external_id)?).await.map_err(step_error)?;
    let mut facts = Facts::of(&found.value);
    let mut completeness = found.completeness.clone();
    let bills = client.customer_bills(number(&line.account_ref)?).await;
    completeness = completeness.and(bills.completeness.clone());
    facts.bill_mark = Some(bills.items.iter().map(|bill| bill.id).max().unwrap_or(0));
    Ok((reading(line, &facts, found.observed_at, &completeness, found.request_id)?, facts))
}

/// The line among all of its account's: another path than the one that was written to. `None`: it is not among them.
pub async fn reread_line(
    client: &RevIo,
    line: &ChangeLine,
) -> Result<(Option<Reading>, Option<Facts>), StepError> {
    let walk = client.customer_service_products(number(&line.account_ref)?).await;
    if let Completeness::Partial { reason: connector_api::PartialReason::Stopped(error) } = &walk.completeness
        && walk.items.is_empty()
    {
        return Err(step_error(error.clone()));
    }
    let id = number(&line.external_id)?;
    let facts = walk.items.iter().find(|it| it.id == id).map(Facts::of);
    let Some(observed_at) = walk.observed_at else { return Ok((None, facts)) };
    let reading = match &facts {
        Some(facts) => Some(reading(line, facts, observed_at, &walk.completeness, walk.request_id)?),
        None => None,
    };
    Ok((reading, facts))
}

fn reading(
    line: &ChangeLine,
    facts: &Facts,
    observed_at: kernel::Timestamp,
    completeness: &Completeness,
    request_id: Option<String>,
) -> Result<Reading, StepError> {
    let facts = serde_json::to_value(facts)
        .map_err(|error| StepError::permanent(ErrorCode::Internal, error.to_string()))?;
    Ok(Reading {
        target: Some(Subject { kind: TARGET.into(), id: line.id }),
        facts,
        observed_at,
        completeness: match completeness {
            Completeness::Complete => flow::Completeness::Complete,
            Completeness::Partial { .. } => flow::Completeness::Partial,
        },
        request_id,
    })
}

pub fn facts(reading: &Reading) -> Result<Facts, StepError> {
    Facts::deserialize(&reading.facts)
        .map_err(|error| StepError::permanent(ErrorCode::Internal, format!("a stored reading: {error}")))
}

pub fn number(id: &str) -> Result<i64, StepError> {
    id.parse().map_err(|_| StepError::permanent(ErrorCode::Internal, "The line's Rev.io id is not a number."))
}

/// A vendor's error as a step's: retried when it may pass.
pub fn step_error(error: VendorError) -> StepError {
    let message = format!("Rev.io: {error}");
    if error.is_transient() {
        StepError::transient(ErrorCode::VendorFailed, message)
    } else {
        StepError::permanent(ErrorCode::VendorFailed, message)
    }
}
