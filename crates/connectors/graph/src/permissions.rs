//! The application permissions that the product uses, and what for. All of them read.
use connector_api::VendorError;

pub const PARTNERS: &str = "DelegatedAdminRelationship.Read.All";
pub const CONTRACTS: &str = "Directory.Read.All";
pub const ORGANIZATION: &str = "Organization.Read.All";
pub const DOMAINS: &str = "Domain.Read.All";
pub const USERS: &str = "User.Read.All";
pub const SEATS: &str = "LicenseAssignment.Read.All";
/// The directory's changes; sign-ins and registrations, which also need Entra ID P1 in the tenant.
pub const SIGN_INS: &str = "AuditLog.Read.All";
/// Conditional access, named locations, security defaults, and the per-user state of MFA.
pub const POLICIES: &str = "Policy.Read.All";
pub const METHODS: &str = "UserAuthenticationMethod.Read.All";
pub const ROLES: &str = "RoleManagement.Read.Directory";
pub const GROUPS: &str = "GroupMember.Read.All";
/// Devices that are enrolled in Intune; also needs Intune in the tenant.
pub const MANAGED_DEVICES: &str = "DeviceManagementManagedDevices.Read.All";
/// Applications that a tenant registered, and when their secrets end.
pub const APPLICATIONS: &str = "Application.Read.All";
pub const SECURE_SCORE: &str = "SecurityEvents.Read.All";
pub const SECURITY_ALERTS: &str = "SecurityAlert.Read.All";

/// Each permission, and what it is asked for.
pub const PERMISSIONS: &[(&str, &str)] = &[
    (PARTNERS, "list the customers that the partner tenant administers"),
    (CONTRACTS, "default domains of those customers"),
    (ORGANIZATION, "name, country and domains of a tenant"),
    (DOMAINS, "verified domains of a tenant"),
    (USERS, "people and their licenses"),
    (SEATS, "seats bought and assigned"),
    (SIGN_INS, "sign-ins, changes of the directory and registered MFA methods"),
    (POLICIES, "conditional access, security defaults and per-user MFA"),
    (METHODS, "registered MFA methods in tenants without Entra ID P1"),
    (ROLES, "who holds an administrator role"),
    (GROUPS, "whom a policy for a group reaches"),
    (MANAGED_DEVICES, "devices enrolled in Intune"),
    (APPLICATIONS, "when secrets and certificates of applications end"),
    (SECURE_SCORE, "secure score"),
    (SECURITY_ALERTS, "alerts of Defender and Entra"),
];

/// Begins the reason of every refusal that comes from a missing right.
pub(crate) const MISSING: &str = "the application lacks the permission ";

/// The right whose lack this error tells of.
pub fn missing_permission(error: &VendorError) -> Option<&'static str> {
    let VendorError::Forbidden { reason } = error else { return None };
    let named = reason.strip_prefix(MISSING)?;
    let name = named.split([' ', ':']).next()?;
    let all = PERMISSIONS.iter().chain(crate::sharepoint::PERMISSIONS);
    all.map(|(permission, _)| *permission).find(|permission| *permission == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_right() {
        let forbidden = |reason: String| VendorError::Forbidden { reason };
        assert_eq!(missing_permission(&forbidden(format!("{MISSING}{POLICIES}: no"))), Some(POLICIES));
        assert_eq!(missing_permission(&forbidden("Policy.Read.All".into())), None);
        assert_eq!(missing_permission(&VendorError::NotFound), None);
    }
}
