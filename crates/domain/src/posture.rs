//! Posture of Microsoft 365 tenants: checks over what was read of one, each passed, failed with its findings, or unknown.
//!
//! A check stands on complete and fresh readings only. Where one of them is lacking it is unknown and names the reading: never
//! passed, and no findings are taken back.
mod catalog;
mod checks;
mod mail;
#[cfg(test)]
mod tests;

use kernel::Timestamp;
use serde::Deserialize;

pub use catalog::{Check, CheckId};
pub use checks::judge;
pub use mail::{Policy, Reach, reach};

/// A guest who did not sign in for so long is a finding.
pub const GUEST_IDLE_DAYS: i64 = 90;
/// A secret or certificate that ends within so many days is a finding.
pub const CREDENTIAL_DAYS: i64 = 30;
/// An analysis of a domain that is older says nothing of today.
pub const ANALYSIS_DAYS_MAX: i64 = 7;
/// Below this share of the points that can be had the secure score is a finding.
pub const SECURE_SCORE_PERCENT_LEAST: f64 = 50.0;
/// Microsoft works a secure score out once a day; an older one says nothing of today.
pub const SECURE_SCORE_DAYS_MAX: i64 = 4;

/// A reading that checks stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Read {
    People,
    Roles,
    SignIns,
    Policies,
    Applications,
    SecureScore,
    MailDomains,
    Forwardings,
    Sharing,
}

impl Read {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Roles => "roles",
            Self::SignIns => "sign_ins",
            Self::Policies => "policies",
            Self::Applications => "applications",
            Self::SecureScore => "secure_score",
            Self::MailDomains => "mail_domains",
            Self::Forwardings => "forwardings",
            Self::Sharing => "sharing",
        }
    }

    /// What no connection reads it says where it would come from.
    pub const fn nobody_reads(self) -> &'static str {
        match self {
            Self::MailDomains | Self::Forwardings => "no connection to CIPP has this tenant",
            Self::Sharing => "no connection to SharePoint has this tenant",
            _ => "no connection to Microsoft 365 has this tenant",
        }
    }
}

/// How a reading came out last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    Whole { observed_at: Timestamp },
    Lacking { reason: String, permission: Option<String> },
}

impl Reading {
    pub fn lacking(reason: impl Into<String>) -> Self {
        Self::Lacking { reason: reason.into(), permission: None }
    }
}

/// An account that holds a role.
#[derive(Clone, Debug, Deserialize)]
pub struct Admin {
    pub id: String,
    pub name: String,
    pub upn: String,
    pub roles: Vec<String>,
    /// The outcome of the MFA engine; `None`: it did not judge the account yet.
    pub outcome: Option<String>,
    pub reason: Option<String>,
}

/// A guest who may sign in.
#[derive(Clone, Debug, Deserialize)]
pub struct Guest {
    pub id: String,
    pub name: String,
    pub upn: String,
    pub roles: Vec<String>,
    pub created_at: Option<Timestamp>,
    pub last_sign_in_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Credential {
    pub id: String,
    /// The application's object.
    pub app: String,
    pub app_name: String,
    pub kind: String,
    pub name: Option<String>,
    pub hint: Option<String>,
    pub ends_at: Option<Timestamp>,
}

impl Credential {
    /// As people find it in the application.
    pub fn words(&self) -> String {
        let what = if self.kind == "certificate" { "Certificate" } else { "Secret" };
        match (&self.name, &self.hint) {
            (Some(name), _) => format!("{what} “{name}” of {}", self.app_name),
            (None, Some(hint)) => format!("{what} {hint}… of {}", self.app_name),
            (None, None) => format!("{what} of {}", self.app_name),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct Domain {
    pub domain: String,
    pub spf: Option<bool>,
    pub spf_record: Option<String>,
    pub dkim: Option<bool>,
    pub dmarc: Option<bool>,
    pub policy: Option<Policy>,
    /// `Some(false)`: the policy holds for a share of the mail only.
    pub covers_all: Option<bool>,
    pub analysed_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Forwarding {
    pub id: String,
    pub mailbox: String,
    pub name: Option<String>,
    pub target: String,
    pub reach: Reach,
    pub keeps_copy: Option<bool>,
}

/// A site of SharePoint.
#[derive(Clone, Debug)]
pub struct Site {
    pub name: String,
    /// `None`: nobody chose that its sharing is read.
    pub sharing: Option<Reading>,
}

/// A link that opens a document to whoever has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Link {
    pub id: String,
    pub document: String,
    pub path: String,
    pub site: String,
    pub kind: String,
    pub expires_at: Option<Timestamp>,
    pub has_password: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Score {
    pub day: jiff::civil::Date,
    pub current: f64,
    pub max: f64,
}

/// What is known of one tenant. Rows count only where their reading is whole.
#[derive(Clone, Debug)]
pub struct Facts {
    pub people: Reading,
    pub roles: Reading,
    pub sign_ins: Reading,
    pub policies: Reading,
    pub applications: Reading,
    pub secure_score: Reading,
    pub mail_domains: Reading,
    pub forwardings: Reading,
    /// The list of sites.
    pub sharing: Reading,
    pub sites: Vec<Site>,
    pub admins: Vec<Admin>,
    pub guests: Vec<Guest>,
    pub credentials: Vec<Credential>,
    pub domains: Vec<Domain>,
    pub forwarded: Vec<Forwarding>,
    pub links: Vec<Link>,
    pub score: Option<Score>,
    /// The vendor's own domain of the tenant: nobody sets its mail up.
    pub initial_domain: Option<String>,
}

impl Facts {
    fn reading(&self, read: Read) -> &Reading {
        match read {
            Read::People => &self.people,
            Read::Roles => &self.roles,
            Read::SignIns => &self.sign_ins,
            Read::Policies => &self.policies,
            Read::Applications => &self.applications,
            Read::SecureScore => &self.secure_score,
            Read::MailDomains => &self.mail_domains,
            Read::Forwardings => &self.forwardings,
            Read::Sharing => &self.sharing,
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The same at every look, unlike every other one of the check.
    pub key: String,
    pub subject: String,
    pub detail: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// At least one finding.
    Failed(Vec<Finding>),
    Unknown {
        missing: Read,
        reason: String,
        permission: Option<String>,
    },
}

/// What a check comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: Outcome,
    /// Accounts, secrets, domains, … that were looked at.
    pub looked_at: usize,
    /// Of the oldest reading; `None` where one is lacking.
    pub observed_at: Option<Timestamp>,
}
