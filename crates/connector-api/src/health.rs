//! What a connection may do at its vendor: one cheap read per thing that the product needs.
use jiff::Timestamp;

use crate::VendorError;

/// Name of the first check of every vendor: without it nothing else can be asked.
pub const SIGN_IN: &str = "sign in";

#[derive(Clone, Debug, Default)]
pub struct Health {
    /// When the vendor first answered.
    pub checked_at: Option<Timestamp>,
    pub checks: Vec<Check>,
}

#[derive(Clone, Debug)]
pub struct Check {
    /// What the product needs this for.
    pub name: &'static str,
    pub need: Need,
    pub finding: Finding,
}

/// What goes without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// No complete synchronization.
    Reading,
    /// One ability of the product; facts arrive all the same.
    More,
}

impl Need {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::More => "more",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Ok,
    /// A person has to grant it at the vendor; as the vendor names it.
    MissingRight(String),
    /// The vendor does not offer it here.
    MissingCapability,
    /// Could not be asked now.
    Failed(VendorError),
    /// Could not be asked because something before it is missing.
    Skipped,
}

impl Health {
    pub fn add(&mut self, name: &'static str, need: Need, outcome: Result<(), VendorError>) {
        let finding = match outcome {
            Ok(()) => Finding::Ok,
            Err(VendorError::Forbidden { reason }) => Finding::MissingRight(reason),
            Err(VendorError::MissingCapability { .. }) => Finding::MissingCapability,
            Err(error) => Finding::Failed(error),
        };
        self.checks.push(Check { name, need, finding });
    }

    /// The vendor takes the credentials.
    pub fn is_signed_in(&self) -> bool {
        self.is_ok(SIGN_IN)
    }

    pub fn is_ok(&self, name: &str) -> bool {
        self.checks.iter().any(|check| check.name == name && check.finding == Finding::Ok)
    }

    /// All that a synchronization needs is there.
    pub fn can_read(&self) -> bool {
        self.checks.iter().all(|check| check.need == Need::More || check.finding == Finding::Ok)
    }

    /// One sentence for each check that is not well.
    pub fn problems(&self) -> Vec<String> {
        self.checks.iter().filter_map(Check::problem).collect()
    }
}

impl Check {
    /// `None`: it is well, or could not be asked.
    pub fn problem(&self) -> Option<String> {
        let name = self.name;
        Some(match &self.finding {
            Finding::Ok | Finding::Skipped => return None,
            Finding::MissingRight(reason) => format!("{name}: a right is missing ({reason})"),
            Finding::MissingCapability => format!("{name}: the vendor does not offer it here"),
            Finding::Failed(error) => format!("{name}: {error}"),
        })
    }
}

impl Finding {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::MissingRight(_) => "missing_right",
            Self::MissingCapability => "missing_capability",
            Self::Failed(_) => "failed",
            Self::Skipped => "skipped",
        }
    }
}
