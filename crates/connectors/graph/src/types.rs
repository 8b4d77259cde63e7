//! Records of Graph: what the product reads, beside the record as it was sent. Unknown members and words never fail.
use connector_api::VendorError;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::fields::Fields;

/// A record as it was sent.
pub type Raw = Box<RawValue>;

/// Service plans that stand for Entra ID P1 or P2.
const PREMIUM_PLANS: [&str; 2] = ["AAD_PREMIUM", "AAD_PREMIUM_P2"];

/// A tenant that the application may be in: of the partner itself, or of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerCustomer {
    pub tenant_id: String,
    pub name: String,
    pub default_domain: Option<String>,
    pub is_home: bool,
}

#[derive(Clone, Debug)]
pub struct Organization {
    /// The tenant's id.
    pub id: String,
    pub name: String,
    pub domains: Vec<VerifiedDomain>,
    /// Two letters.
    pub country: Option<String>,
    pub tenant_type: Option<String>,
    pub created_at: Option<Timestamp>,
    pub raw: Raw,
}

impl Organization {
    pub fn default_domain(&self) -> Option<&str> {
        self.domains.iter().find(|domain| domain.is_default).map(|domain| domain.name.as_str())
    }

    /// The one that ends in `.onmicrosoft.com`.
    pub fn initial_domain(&self) -> Option<&str> {
        self.domains.iter().find(|domain| domain.is_initial).map(|domain| domain.name.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedDomain {
    pub name: String,
    pub is_default: bool,
    pub is_initial: bool,
}

#[derive(Clone, Debug)]
pub struct Domain {
    /// The name, such as `contoso.example`.
    pub id: String,
    pub is_default: bool,
    pub is_initial: bool,
    pub is_verified: bool,
    /// `Managed` or `Federated`.
    pub authentication_type: Option<String>,
    pub raw: Raw,
}

#[derive(Clone, Debug)]
pub struct SecurityDefaults {
    pub is_enabled: bool,
    pub raw: Raw,
}

#[derive(Clone, Debug)]
pub struct SubscribedSku {
    /// `<tenant>_<sku>`.
    pub id: String,
    pub sku_id: Uuid,
    /// `SPE_E3`.
    pub part_number: String,
    /// Seats in use.
    pub consumed: i64,
    pub prepaid: Prepaid,
    /// `Enabled`, `Warning`, `Suspended`, `Deleted`, `LockedOut`.
    pub capability_status: Option<String>,
    /// `User` or `Company`.
    pub applies_to: Option<String>,
    pub service_plans: Vec<ServicePlan>,
    pub raw: Raw,
}

impl SubscribedSku {
    /// Whether it brings Entra ID P1 or P2 to the tenant.
    pub fn grants_premium(&self) -> bool {
        let grants =
            |plan: &ServicePlan| PREMIUM_PLANS.contains(&plan.name.as_str()) && plan.is_provisioned();
        self.capability_status.as_deref().is_none_or(|status| status == "Enabled" || status == "Warning")
            && self.service_plans.iter().any(grants)
    }
}

/// One purchase of a license: how many seats, and until when they are bought.
#[derive(Clone, Debug)]
pub struct CommercialSubscription {
    pub id: String,
    pub sku_id: Uuid,
    pub seats: i64,
    /// `Enabled`, `Warning`, `Suspended`, `Deleted`, `LockedOut`.
    pub status: Option<String>,
    pub is_trial: bool,
    /// The end of the term: then it is renewed, or moves on to the next status. What is free has none.
    pub next_lifecycle_at: Option<Timestamp>,
}

impl CommercialSubscription {
    /// The end of a term that is paid for until then.
    pub fn term(&self) -> Option<Timestamp> {
        let is_on = self.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("enabled"));
        self.next_lifecycle_at.filter(|_| is_on && !self.is_trial && self.seats > 0)
    }

    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        Ok(Self {
            id: at.id("id")?,
            sku_id: at.uuid("skuId").ok_or_else(|| VendorError::shape("$.skuId", "not an id"))?,
            seats: at.int("totalLicenses").ok_or_else(|| VendorError::shape("$.totalLicenses", "missing"))?,
            status: at.text("status"),
            is_trial: at.flag("isTrial").unwrap_or(false),
            next_lifecycle_at: at.time("nextLifecycleDateTime"),
        })
    }
}

/// Seats bought, by what became of the subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prepaid {
    pub enabled: i64,
    pub suspended: i64,
    pub warning: i64,
    pub locked_out: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePlan {
    pub name: String,
    /// `Success`, `Disabled`, `PendingInput`, `PendingActivation`, `PendingProvisioning`.
    pub provisioning_status: Option<String>,
}

impl ServicePlan {
    fn is_provisioned(&self) -> bool {
        self.provisioning_status.as_deref() != Some("Disabled")
    }
}

/// Of a list of changes, members that did not change may be absent.
#[derive(Clone, Debug)]
pub struct User {
    pub id: String,
    pub user_principal_name: Option<String>,
    pub display_name: Option<String>,
    pub mail: Option<String>,
    /// `Member` or `Guest`.
    pub user_type: Option<String>,
    pub account_enabled: Option<bool>,
    pub created_at: Option<Timestamp>,
    pub department: Option<String>,
    pub job_title: Option<String>,
    /// From an on-premises directory; the vendor sends `null` for no.
    pub is_synced: bool,
    /// `None` when the record does not have the member.
    pub licenses: Option<Vec<AssignedLicense>>,
    pub license_states: Option<Vec<LicenseState>>,
    /// `None` when not asked for, or when nobody ever signed in.
    pub sign_ins: Option<SignIns>,
    pub raw: Raw,
}

impl User {
    pub fn is_guest(&self) -> bool {
        self.user_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("guest"))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignedLicense {
    pub sku_id: Uuid,
    /// Service plans that are switched off.
    pub disabled_plans: Vec<Uuid>,
}

/// How a license came to a user; one license may have come in several ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenseState {
    pub sku_id: Uuid,
    /// The group that assigns it; `None` when it was assigned to the user.
    pub by_group: Option<String>,
    /// `Active`, `ActiveWithError`, `Disabled`, `Error`.
    pub state: Option<String>,
    /// `None` when there is none.
    pub error: Option<String>,
    pub updated_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignIns {
    pub interactive_at: Option<Timestamp>,
    pub non_interactive_at: Option<Timestamp>,
    pub successful_at: Option<Timestamp>,
}

impl SignIns {
    pub fn last(&self) -> Option<Timestamp> {
        [self.interactive_at, self.non_interactive_at, self.successful_at].into_iter().flatten().max()
    }
}

#[derive(Clone, Debug)]
pub struct Registration {
    pub user_id: String,
    pub user_principal_name: Option<String>,
    pub is_admin: Option<bool>,
    pub is_mfa_registered: Option<bool>,
    pub is_mfa_capable: Option<bool>,
    /// `microsoftAuthenticatorPush`, `mobilePhone`, `softwareOneTimePasscode`, …
    pub methods: Vec<String>,
    pub raw: Raw,
}

#[derive(Clone, Debug)]
pub struct AuthenticationMethod {
    pub id: String,
    /// The word of its type: `password`, `microsoftAuthenticator`, `phone`, `fido2`, …
    pub kind: String,
    pub raw: Raw,
}

impl AuthenticationMethod {
    /// Whether it can answer a demand for MFA. A password is the first factor; an e-mail address resets one and no more.
    pub fn is_second_factor(&self) -> bool {
        !matches!(self.kind.as_str(), "password" | "email" | "")
    }
}

/// Per-user MFA, the old way. Beta only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PerUserMfa {
    Disabled,
    /// Asked to register at the next sign-in.
    Enabled,
    Enforced,
    /// A word that this version does not know.
    Unknown(String),
}

impl PerUserMfa {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Enforced => "enforced",
            Self::Unknown(word) => word,
        }
    }

    pub(crate) fn of(word: &str) -> Self {
        match word {
            "disabled" => Self::Disabled,
            "enabled" => Self::Enabled,
            "enforced" => Self::Enforced,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

/// A conditional-access policy. What it demands of whom is in the record.
#[derive(Clone, Debug)]
pub struct AccessPolicy {
    pub id: String,
    pub name: String,
    /// `enabled`, `disabled`, `enabledForReportingButNotEnforced`.
    pub state: String,
    pub created_at: Option<Timestamp>,
    pub modified_at: Option<Timestamp>,
    pub raw: Raw,
}

#[derive(Clone, Debug)]
pub struct NamedLocation {
    pub id: String,
    pub name: String,
    /// Of ranges of addresses only.
    pub is_trusted: Option<bool>,
    pub raw: Raw,
}

#[derive(Clone, Debug)]
pub struct RoleAssignment {
    pub id: String,
    /// A user, a group or an application.
    pub principal_id: String,
    pub role_definition_id: String,
    /// `/` is the whole tenant.
    pub directory_scope_id: Option<String>,
    pub raw: Raw,
}

#[derive(Clone, Debug)]
pub struct RoleDefinition {
    pub id: String,
    pub name: String,
    /// The same in every tenant for a built-in role; policies name it.
    pub template_id: Option<String>,
    pub is_built_in: bool,
    pub raw: Raw,
}

/// A record and its members.
pub(crate) fn members(raw: &RawValue) -> Result<Value, VendorError> {
    serde_json::from_str(raw.get()).map_err(|error| VendorError::shape("$", error.to_string()))
}

fn named(at: Fields<'_>) -> String {
    at.text("displayName").unwrap_or_default()
}

impl Organization {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let domain = |at: Fields<'_>| {
            Some(VerifiedDomain {
                name: at.text("name")?,
                is_default: at.flag("isDefault") == Some(true),
                is_initial: at.flag("isInitial") == Some(true),
            })
        };
        Ok(Self {
            id: at.id("id")?,
            name: named(at),
            domains: at.objects("verifiedDomains").into_iter().flatten().filter_map(domain).collect(),
            country: at.text("countryLetterCode"),
            tenant_type: at.text("tenantType"),
            created_at: at.time("createdDateTime"),
            raw,
        })
    }
}

impl Domain {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let is = |name: &str| at.flag(name) == Some(true);
        Ok(Self {
            id: at.id("id")?,
            is_default: is("isDefault"),
            is_initial: is("isInitial"),
            is_verified: is("isVerified"),
            authentication_type: at.text("authenticationType"),
            raw,
        })
    }
}

impl SecurityDefaults {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let is_enabled =
            Fields(&row).flag("isEnabled").ok_or_else(|| VendorError::shape("$.isEnabled", "missing"))?;
        Ok(Self { is_enabled, raw })
    }
}

impl SubscribedSku {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let counted = |name: &str| at.at("prepaidUnits").and_then(|units| units.int(name)).unwrap_or(0);
        let plan = |at: Fields<'_>| {
            let provisioning_status = at.text("provisioningStatus");
            Some(ServicePlan { name: at.text("servicePlanName")?, provisioning_status })
        };
        Ok(Self {
            id: at.id("id")?,
            sku_id: at.uuid("skuId").ok_or_else(|| VendorError::shape("$.skuId", "not an id"))?,
            part_number: at.text("skuPartNumber").unwrap_or_default(),
            // A count that is missing is not a count of zero.
            consumed: at
                .int("consumedUnits")
                .ok_or_else(|| VendorError::shape("$.consumedUnits", "missing"))?,
            prepaid: Prepaid {
                enabled: counted("enabled"),
                suspended: counted("suspended"),
                warning: counted("warning"),
                locked_out: counted("lockedOut"),
            },
            capability_status: at.text("capabilityStatus"),
            applies_to: at.text("appliesTo"),
            service_plans: at.objects("servicePlans").into_iter().flatten().filter_map(plan).collect(),
            raw,
        })
    }
}

impl User {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let license = |at: Fields<'_>| {
            let disabled = at.list("disabledPlans").unwrap_or_default();
            let disabled_plans = disabled.iter().filter_map(|id| id.as_str()?.parse().ok()).collect();
            Some(AssignedLicense { sku_id: at.uuid("skuId")?, disabled_plans })
        };
        let state = |at: Fields<'_>| {
            Some(LicenseState {
                sku_id: at.uuid("skuId")?,
                by_group: at.text("assignedByGroup"),
                state: at.text("state"),
                error: at.text("error").filter(|word| !word.eq_ignore_ascii_case("none")),
                updated_at: at.time("lastUpdatedDateTime"),
            })
        };
        let sign_ins = |at: Fields<'_>| SignIns {
            interactive_at: at.time("lastSignInDateTime"),
            non_interactive_at: at.time("lastNonInteractiveSignInDateTime"),
            successful_at: at.time("lastSuccessfulSignInDateTime"),
        };
        Ok(Self {
            id: at.id("id")?,
            user_principal_name: at.text("userPrincipalName"),
            display_name: at.text("displayName"),
            mail: at.text("mail"),
            user_type: at.text("userType"),
            account_enabled: at.flag("accountEnabled"),
            created_at: at.time("createdDateTime"),
            department: at.text("department"),
            job_title: at.text("jobTitle"),
            is_synced: at.flag("onPremisesSyncEnabled") == Some(true),
            licenses: at.objects("assignedLicenses").map(|rows| rows.filter_map(license).collect()),
            license_states: at
                .objects("licenseAssignmentStates")
                .map(|rows| rows.filter_map(state).collect()),
            sign_ins: at.at("signInActivity").map(sign_ins),
            raw,
        })
    }
}

impl Registration {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        Ok(Self {
            user_id: at.id("id")?,
            user_principal_name: at.text("userPrincipalName"),
            is_admin: at.flag("isAdmin"),
            is_mfa_registered: at.flag("isMfaRegistered"),
            is_mfa_capable: at.flag("isMfaCapable"),
            methods: at.texts("methodsRegistered"),
            raw,
        })
    }
}

impl AuthenticationMethod {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let kind = at.text("@odata.type").unwrap_or_default();
        let kind = kind.rsplit('.').next().unwrap_or_default();
        let kind = kind.strip_suffix("AuthenticationMethod").unwrap_or(kind).to_owned();
        Ok(Self { id: at.id("id")?, kind, raw })
    }
}

impl AccessPolicy {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        Ok(Self {
            id: at.id("id")?,
            name: named(at),
            state: at.text("state").ok_or_else(|| VendorError::shape("$.state", "missing"))?,
            created_at: at.time("createdDateTime"),
            modified_at: at.time("modifiedDateTime"),
            raw,
        })
    }
}

impl NamedLocation {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        Ok(Self { id: at.id("id")?, name: named(at), is_trusted: at.flag("isTrusted"), raw })
    }
}

impl RoleAssignment {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        Ok(Self {
            id: at.id("id")?,
            principal_id: at.id("principalId")?,
            role_definition_id: at.id("roleDefinitionId")?,
            directory_scope_id: at.text("directoryScopeId"),
            raw,
        })
    }
}

impl RoleDefinition {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        Ok(Self {
            id: at.id("id")?,
            name: named(at),
            template_id: at.text("templateId"),
            is_built_in: at.flag("isBuiltIn") == Some(true),
            raw,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Raw {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn a_user_is_read_with_what_there_is() {
        let whole = User::read(raw(
            r##"{"id":"u1","userPrincipalName":"kim_x.example#EXT#@c.onmicrosoft.example","userType":"Guest","accountEnabled":false,
            "onPremisesSyncEnabled":null,"assignedLicenses":[{"skuId":"05e9a617-0261-4cee-bb44-138d3ef5d965","disabledPlans":["x"]}],
            "licenseAssignmentStates":[{"skuId":"05e9a617-0261-4cee-bb44-138d3ef5d965","assignedByGroup":"g","state":"Active","error":"None"}],
            "signInActivity":{"lastSignInDateTime":"2026-01-01T00:00:00Z","lastNonInteractiveSignInDateTime":"2026-02-01T00:00:00Z"}}"##,
        ))
        .unwrap();
        assert!(whole.is_guest() && !whole.is_synced && whole.account_enabled == Some(false));
        assert_eq!(whole.licenses.unwrap().len(), 1);
        let state = &whole.license_states.unwrap()[0];
        assert_eq!((state.by_group.as_deref(), state.error.as_deref()), (Some("g"), None));
        assert_eq!(whole.sign_ins.unwrap().last().unwrap().to_string(), "2026-02-01T00:00:00Z");
        let bare = User::read(raw(r#"{"id":"u1","accountEnabled":"yes"}"#)).unwrap();
        assert!(bare.account_enabled.is_none() && bare.licenses.is_none() && bare.sign_ins.is_none());
        assert!(User::read(raw(r#"{"id":7}"#)).is_err() && User::read(raw("[]")).is_err());
    }

    #[test]
    fn premium_comes_with_a_plan_that_is_on() {
        let sku = |plan: &str, provisioning: &str, status: &str| {
            let text = format!(
                r#"{{"id":"t_s","skuId":"05e9a617-0261-4cee-bb44-138d3ef5d965","consumedUnits":1,"capabilityStatus":"{status}",
                "servicePlans":[{{"servicePlanName":"{plan}","provisioningStatus":"{provisioning}"}}]}}"#
            );
            SubscribedSku::read(raw(&text)).unwrap().grants_premium()
        };
        assert!(sku("AAD_PREMIUM", "Success", "Enabled") && sku("AAD_PREMIUM_P2", "PendingInput", "Warning"));
        assert!(!sku("AAD_BASIC", "Success", "Enabled"));
        assert!(!sku("AAD_PREMIUM", "Disabled", "Enabled") && !sku("AAD_PREMIUM", "Success", "Suspended"));
        assert!(
            SubscribedSku::read(raw(r#"{"id":"a","skuId":"05e9a617-0261-4cee-bb44-138d3ef5d965"}"#)).is_err()
        );
    }

    #[test]
    fn a_password_is_no_second_factor() {
        let is = |kind: &str| {
            let text =
                format!(r##"{{"id":"1","@odata.type":"#microsoft.graph.{kind}AuthenticationMethod"}}"##);
            AuthenticationMethod::read(raw(&text)).unwrap().is_second_factor()
        };
        assert!(is("phone") && is("fido2") && is("microsoftAuthenticator") && is("somethingNew"));
        assert!(!is("password") && !is("email"));
        assert!(!AuthenticationMethod::read(raw(r#"{"id":"1"}"#)).unwrap().is_second_factor());
    }
}
