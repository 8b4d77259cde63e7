//! What each tenant demands of a sign-in. Every tenant has one profile; what it means for a person is written down here
//! by hand, profile by profile, and never worked out from the policies that Graph shows.
use super::people::{Basics, Kind};
use super::tenants::Tenant;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Profile {
    /// One policy for all people and apps; the break-glass group is excluded.
    AllUsers,
    SecurityDefaults,
    ReportOnly,
    AdminsOnly,
    /// One policy for a group.
    GroupOnly,
    /// One policy for all, save from trusted locations.
    TrustedLocation,
    Office365Only,
    /// No policies: the old per-user states.
    PerUser,
    /// Neither Entra ID P1 nor security defaults.
    NoPremium,
    /// The application may not read policies here.
    PoliciesDenied,
    /// One policy for all, which leaves old clients open.
    LegacyOpen,
    /// As `AllUsers`, and some people have no second factor.
    NotRegistered,
    GuestsExcluded,
    /// MFA or a compliant device: one of them is enough.
    OtherGrant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PerUser {
    Disabled,
    Enabled,
    Enforced,
}

impl PerUser {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Enforced => "enforced",
        }
    }
}

/// Whether a password alone lets somebody in, and the word for why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judgment {
    pub outcome: &'static str,
    pub reason: &'static str,
}

impl Profile {
    /// In the order in which tenants get them.
    pub const ALL: [Self; 14] = [
        Self::AllUsers,
        Self::SecurityDefaults,
        Self::ReportOnly,
        Self::AdminsOnly,
        Self::PerUser,
        Self::PoliciesDenied,
        Self::TrustedLocation,
        Self::Office365Only,
        Self::NotRegistered,
        Self::GroupOnly,
        Self::LegacyOpen,
        Self::GuestsExcluded,
        Self::OtherGrant,
        Self::NoPremium,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllUsers => "all_users",
            Self::SecurityDefaults => "security_defaults",
            Self::ReportOnly => "report_only",
            Self::AdminsOnly => "admins_only",
            Self::GroupOnly => "group_only",
            Self::TrustedLocation => "trusted_location",
            Self::Office365Only => "office_365_only",
            Self::PerUser => "per_user",
            Self::NoPremium => "no_premium",
            Self::PoliciesDenied => "policies_denied",
            Self::LegacyOpen => "legacy_open",
            Self::NotRegistered => "not_registered",
            Self::GuestsExcluded => "guests_excluded",
            Self::OtherGrant => "other_grant",
        }
    }

    /// Of everybody who is not excluded, for every app.
    pub fn demands_of_all(self) -> bool {
        matches!(self, Self::AllUsers | Self::LegacyOpen | Self::NotRegistered | Self::GuestsExcluded)
    }

    /// The break-glass account is taken out of the policy.
    pub fn excludes_break_glass(self) -> bool {
        self.demands_of_all() || matches!(self, Self::AdminsOnly | Self::GroupOnly | Self::TrustedLocation)
    }
}

impl Tenant {
    pub fn per_user(&self, basics: &Basics) -> PerUser {
        match (self.profile, basics.kind, basics.index % 5) {
            (Profile::PerUser, Kind::Employee, 0..3) => PerUser::Enforced,
            // Asked to register at the next sign-in, and nobody has.
            (Profile::PerUser, Kind::Employee, 3) => PerUser::Enabled,
            _ => PerUser::Disabled,
        }
    }

    pub fn is_in_mfa_group(&self, basics: &Basics) -> bool {
        basics.kind == Kind::Employee && basics.index % 5 < 3
    }

    pub fn is_unregistered(&self, index: u32) -> bool {
        index % 5 == 1
    }

    pub fn judge(&self, basics: &Basics) -> Judgment {
        let said = |outcome, reason| Judgment { outcome, reason };
        let (protected, gap) = (|reason| said("protected", reason), |reason| said("gap", reason));
        if !basics.is_enabled {
            return said("exempt", "sign_in_blocked");
        }
        let kind = basics.kind;
        // Who is not in the group is not asked, excluded or not: to include them again would change nothing.
        let is_included = self.profile != Profile::GroupOnly;
        if kind == Kind::BreakGlass && self.profile.excludes_break_glass() && is_included {
            return gap("excluded");
        }
        match self.profile {
            Profile::SecurityDefaults => protected("security_defaults"),
            Profile::ReportOnly => gap("report_only"),
            Profile::AdminsOnly if self.role(basics).is_some() => protected("policy"),
            Profile::AdminsOnly => gap("not_included"),
            Profile::GroupOnly if self.is_in_mfa_group(basics) => protected("policy"),
            Profile::GroupOnly => gap("not_included"),
            Profile::TrustedLocation => said("exempt", "trusted_location"),
            Profile::Office365Only => gap("some_apps"),
            Profile::PerUser => match self.per_user(basics) {
                PerUser::Enforced => protected("per_user"),
                PerUser::Enabled => gap("not_registered"),
                PerUser::Disabled => gap("no_policy"),
            },
            Profile::NoPremium => gap("no_policy"),
            Profile::PoliciesDenied => said("unknown", "missing_data"),
            Profile::OtherGrant => gap("other_grant"),
            Profile::GuestsExcluded if kind == Kind::Guest => gap("excluded"),
            Profile::NotRegistered if kind == Kind::Employee && self.is_unregistered(basics.index) => {
                gap("not_registered")
            }
            // Nobody registers a second factor for a machine.
            Profile::AllUsers | Profile::LegacyOpen | Profile::NotRegistered | Profile::GuestsExcluded
                if kind == Kind::Service =>
            {
                gap("not_registered")
            }
            Profile::AllUsers | Profile::LegacyOpen | Profile::NotRegistered | Profile::GuestsExcluded => {
                protected("policy")
            }
        }
    }
}
