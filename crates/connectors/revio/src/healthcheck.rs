//! Asks for one thing of each kind that the product needs, and names every right that is missing.
use connector_api::{Call, VendorError};
use jiff::Timestamp;

use crate::client::{List, RevIo};
use crate::errors::NotFoundMeans;
use crate::{bills, customers, lines, products};

#[derive(Clone, Debug)]
pub struct Health {
    pub checked_at: Option<Timestamp>,
    pub checks: Vec<Check>,
}

#[derive(Clone, Debug)]
pub struct Check {
    /// What the product needs this for.
    pub name: &'static str,
    pub finding: Finding,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Ok,
    /// The role of the API user lacks it: a person has to grant it.
    MissingRight(String),
    /// This client of the vendor does not offer it.
    MissingCapability,
    /// Could not be asked now.
    Failed(VendorError),
}

impl Health {
    /// All that a sync needs is there. Whether the role may change lines cannot be asked without changing one.
    pub fn can_read(&self) -> bool {
        self.checks.iter().all(|check| check.finding == Finding::Ok)
    }

    /// One sentence for each check that is not well.
    pub fn problems(&self) -> Vec<String> {
        let problem = |check: &Check| {
            let name = check.name;
            Some(match &check.finding {
                Finding::Ok => return None,
                Finding::MissingRight(reason) => {
                    format!("{name}: the role of the API user lacks the right ({reason})")
                }
                Finding::MissingCapability => format!("{name}: this Rev.io client does not offer it"),
                Finding::Failed(error) => format!("{name}: {error}"),
            })
        };
        self.checks.iter().filter_map(problem).collect()
    }

    fn add(&mut self, name: &'static str, outcome: Result<(), VendorError>) {
        let finding = match outcome {
            Ok(()) => Finding::Ok,
            Err(VendorError::Forbidden { reason }) => Finding::MissingRight(reason),
            Err(VendorError::MissingCapability { .. }) => Finding::MissingCapability,
            Err(error) => Finding::Failed(error),
        };
        self.checks.push(Check { name, finding });
    }
}

impl RevIo {
    /// Reads only: six calls.
    pub async fn health_check(&self) -> Health {
        let mut health = Health { checked_at: None, checks: Vec::new() };
        let signed_in = self.call(Call::get("/v1/SystemStatus"), NotFoundMeans::Capability("sign in")).await;
        let refused = signed_in.is_err();
        health.checked_at = signed_in.as_ref().ok().map(|answer| answer.observed_at);
        health.add("sign in", signed_in.map(drop));
        if refused {
            return health;
        }
        let lists: [(&'static str, List); 5] = [
            ("customers", customers::LIST),
            ("products", products::LIST),
            ("lines", lines::LIST),
            ("bills", bills::BILLS),
            ("charges", bills::CHARGES),
        ];
        for (name, list) in lists {
            let call = Call::get(list.path).query("search.page_size", 1);
            let outcome = self.call(call, NotFoundMeans::Capability(name)).await;
            health.add(name, outcome.map(drop));
        }
        health
    }
}
