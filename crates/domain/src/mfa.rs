//! Effective MFA: whether a sign-in with this person's password alone would be stopped, and by what.
//!
//! Facts come in as they were read from Microsoft Graph; what was not read is [`Known::Missing`] and makes the answer
//! `unknown` only where it could change it. The rules follow Microsoft's public documentation of Conditional Access,
//! security defaults and per-user MFA. No I/O; time is an argument.
mod cover;
mod gap;
mod grant;
mod links;
mod policy;
mod reach;
mod tenant;
mod verdict;
mod words;

use kernel::Timestamp;
use serde::Serialize;

pub use policy::Policy;
pub use tenant::Tenant;
pub use verdict::verdict;

use std::collections::{HashMap, HashSet};

/// What one read said, or that it was not read and why.
#[derive(Clone, Debug, PartialEq)]
pub enum Known<T> {
    Read(T),
    /// Why, in words that a technician understands: `the right Policy.Read.All is missing`.
    Missing(String),
}

impl<T> Known<T> {
    pub const fn read(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Missing(_) => None,
        }
    }
}

/// The reads that an answer rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Read {
    SecurityDefaults,
    Policies,
    NamedLocations,
    Roles,
    GroupMembers,
    PerUserMfa,
    Registrations,
    /// From which organization a guest comes; Graph does not say it in its lists.
    GuestHome,
}

impl Read {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecurityDefaults => "security_defaults",
            Self::Policies => "policies",
            Self::NamedLocations => "named_locations",
            Self::Roles => "roles",
            Self::GroupMembers => "group_members",
            Self::PerUserMfa => "per_user_mfa",
            Self::Registrations => "registrations",
            Self::GuestHome => "guest_home",
        }
    }
}

/// What was read of one tenant. [`Tenant::new`] indexes it once for all its people.
#[derive(Clone, Debug)]
pub struct TenantFacts {
    /// `isEnabled` of the security defaults.
    pub security_defaults: Known<bool>,
    /// Whether a service plan Entra ID P1 or P2 is there and enabled.
    pub has_premium: Known<bool>,
    pub policies: Known<Vec<Policy>>,
    pub named_locations: Known<Vec<NamedLocation>>,
    /// User id to the TEMPLATE ids of the directory roles that the user holds actively and tenant-wide, also through
    /// role-assignable groups. Roles scoped to an administrative unit do not count in Conditional Access and must not be here.
    pub roles: Known<HashMap<String, Vec<String>>>,
    /// Role template id to its name, as far as known.
    pub role_names: HashMap<String, String>,
    /// Group id to its transitive members. A group that is not in here was not read. A group that no longer exists is an
    /// empty one.
    pub groups: HashMap<String, Group>,
    /// Application id to its name, as far as known; Microsoft's own well-known ones need not be here.
    pub app_names: HashMap<String, String>,
}

#[derive(Clone, Debug)]
pub struct Group {
    /// `None`: its id is shown.
    pub name: Option<String>,
    /// User ids.
    pub members: Known<HashSet<String>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NamedLocation {
    pub id: String,
    pub name: String,
    pub kind: LocationKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocationKind {
    /// Address ranges that are marked as trusted.
    TrustedIp,
    Ip,
    Country,
    /// Devices that come through Global Secure Access.
    CompliantNetwork,
    /// A kind that this version does not know.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UserKind {
    Member,
    Guest,
}

#[derive(Clone, Debug)]
pub struct User {
    pub id: String,
    /// As people call this person; used in sentences.
    pub name: String,
    /// An external account is known by `#EXT#` in it.
    pub upn: String,
    pub kind: UserKind,
    /// Whether sign-in is allowed at all.
    pub enabled: bool,
    pub per_user: Known<PerUser>,
    pub registered: Known<Methods>,
    pub created_at: Option<Timestamp>,
}

/// State of the older per-user MFA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PerUser {
    Disabled,
    Enabled,
    Enforced,
}

impl PerUser {
    /// Graph's word; `None` for one that is not known (store it as missing).
    pub fn from_graph(word: &str) -> Option<Self> {
        match word {
            "disabled" => Some(Self::Disabled),
            "enabled" => Some(Self::Enabled),
            "enforced" => Some(Self::Enforced),
            _ => None,
        }
    }
}

/// What a person can prove to be themself with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Methods {
    /// A method that counts as a second factor is there (`isMfaRegistered`).
    pub mfa: bool,
    /// Graph's words, for the sentence only.
    pub names: Vec<String>,
}

/// A gap that somebody accepts, until then.
#[derive(Clone, Debug)]
pub struct Exception {
    pub reason: String,
    pub until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nobody gets in with the password alone.
    Protected,
    /// Not asked, for a reason that stands.
    Exempt,
    /// The password alone is enough, at least somewhere.
    Gap,
    /// A missing read could change the answer.
    Unknown,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Protected => "protected",
            Self::Exempt => "exempt",
            Self::Gap => "gap",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    // protected
    SecurityDefaults,
    /// One policy protects everywhere.
    Policy,
    /// Several policies do together.
    Policies,
    PerUser,
    // exempt
    /// The account may not sign in.
    SignInBlocked,
    /// Policies block every sign-in.
    Blocked,
    /// Not asked from trusted places only.
    TrustedLocation,
    /// The account of directory synchronization, which security defaults leave out.
    SyncAccount,
    /// An exception is in force.
    Accepted,
    // gap
    /// Nothing in the tenant demands MFA of anybody.
    NoPolicy,
    /// Policies are for others.
    NotIncluded,
    /// A policy would protect, but this person is excluded.
    Excluded,
    /// A policy would protect, but only reports.
    ReportOnly,
    /// A policy would protect, but is off.
    PolicyOff,
    SomeApps,
    SomeClients,
    SomeLocations,
    SomePlatforms,
    /// Only when Microsoft sees a risk.
    SomeRisks,
    /// A filter for devices.
    SomeDevices,
    /// Another condition, also one that this version does not know.
    SomeConditions,
    /// Something else than MFA is enough.
    OtherGrant,
    /// MFA is demanded, but no method is registered: who has the password registers one.
    NotRegistered,
    // unknown
    MissingData,
}

impl ReasonKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecurityDefaults => "security_defaults",
            Self::Policy => "policy",
            Self::Policies => "policies",
            Self::PerUser => "per_user",
            Self::SignInBlocked => "sign_in_blocked",
            Self::Blocked => "blocked",
            Self::TrustedLocation => "trusted_location",
            Self::SyncAccount => "sync_account",
            Self::Accepted => "accepted",
            Self::NoPolicy => "no_policy",
            Self::NotIncluded => "not_included",
            Self::Excluded => "excluded",
            Self::ReportOnly => "report_only",
            Self::PolicyOff => "policy_off",
            Self::SomeApps => "some_apps",
            Self::SomeClients => "some_clients",
            Self::SomeLocations => "some_locations",
            Self::SomePlatforms => "some_platforms",
            Self::SomeRisks => "some_risks",
            Self::SomeDevices => "some_devices",
            Self::SomeConditions => "some_conditions",
            Self::OtherGrant => "other_grant",
            Self::NotRegistered => "not_registered",
            Self::MissingData => "missing_data",
        }
    }
}

/// What was considered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    Account,
    SecurityDefaults,
    License,
    Policies,
    Policy { id: String, name: String },
    LegacyClients,
    PerUser,
    Registration,
    Exception,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Demands MFA of this person everywhere.
    Protects,
    /// Demands MFA, but not everywhere.
    Partial,
    /// Blocks sign-ins, everywhere or in part.
    Blocks,
    /// Takes this person out.
    Excludes,
    /// Is for others.
    DoesNotApply,
    /// Off or only reporting.
    NotEnforced,
    /// Demands something that is not MFA.
    OtherGrant,
    /// A reason that stands for not asking.
    Exempts,
    /// Leaves something open.
    Opens,
    /// Nothing either way.
    Neutral,
    /// Could not be decided: a read is missing.
    Unknown,
}

/// One thing that was considered, and why it does or does not protect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    pub source: Source,
    pub effect: Effect,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub outcome: Outcome,
    pub kind: ReasonKind,
    /// One sentence.
    pub text: String,
    /// The smallest change that closes a gap; only for a gap.
    pub fix: Option<String>,
    /// The answer stands for modern clients, and nothing in the tenant closes older ones (basic authentication) for this
    /// person. Exchange Online has them off since 2022, so this is a note and not a gap.
    pub legacy_open: bool,
    pub chain: Vec<Link>,
    /// Reads that are missing and could change the answer (`unknown`) or part of it (`registrations`); each once.
    pub missing: Vec<Read>,
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod laws;
