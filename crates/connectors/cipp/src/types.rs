//! Records of CIPP: what the product reads, beside the record as it was sent. Unknown members and words never fail.
use connector_api::VendorError;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::fields::{Fields, normalized};

/// What the names of settings begin with.
pub const SETTING_PREFIX: &str = "standards.";
/// The name of the provider's own tenant.
pub(crate) const PARTNER_NAME: &str = "*Partner Tenant";

#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    /// The Entra tenant's id, in lower case.
    pub id: String,
    pub name: String,
    /// What other calls name the tenant by. It changes when the customer makes another domain its default.
    pub default_domain: Option<String>,
    /// The one that ends in `.onmicrosoft.com`.
    pub initial_domain: Option<String>,
    /// The provider itself.
    pub is_partner: bool,
    /// Somebody told CIPP to leave it alone.
    pub is_excluded: bool,
    /// Reads of this tenant that failed.
    pub graph_error_count: u32,
    pub last_graph_error: Option<String>,
    pub requires_refresh: bool,
    /// `granularDelegatedAdminPrivileges`, `directTenant`, …
    pub access_kind: Option<String>,
    /// When the delegated relationship ends.
    pub access_ends_at: Option<Timestamp>,
    /// Whether the relationship renews itself.
    pub access_renews: Option<bool>,
    pub raw: Value,
}

impl Tenant {
    /// A row without a tenant's id is none: the selector, or a failure in the guise of a row.
    pub(crate) fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        let id = at
            .uuid("customerId")
            .ok_or_else(|| VendorError::shape("$.customerId", "not the id of a tenant"))?;
        let name = at.text("displayName").unwrap_or_default();
        let domain = |name: &str| at.text(name).map(|domain| domain.to_lowercase());
        Ok(Self {
            id: id.to_string(),
            is_partner: name == PARTNER_NAME || at.text("domains").is_some_and(|it| it == "PartnerTenant"),
            name,
            default_domain: domain("defaultDomainName"),
            initial_domain: domain("initialDomainName"),
            is_excluded: at.flag("Excluded").unwrap_or(false),
            graph_error_count: at.int("GraphErrorCount").and_then(|it| u32::try_from(it).ok()).unwrap_or(0),
            last_graph_error: at.text("LastGraphError"),
            requires_refresh: at.flag("RequiresRefresh").unwrap_or(false),
            access_kind: at.text("delegatedPrivilegeStatus"),
            access_ends_at: at.time("relationshipEnd"),
            access_renews: at.flag("hasAutoExtend"),
            raw,
        })
    }
}

/// Whom CIPP takes the API client for.
#[derive(Clone, Debug, PartialEq)]
pub struct Me {
    pub app_id: Option<String>,
    /// `readonly`, `editor`, `admin`, `superadmin`, or names of the deployment's own.
    pub roles: Vec<String>,
    /// `Tenant.Standards.Read`, …; a star stands for anything.
    pub permissions: Vec<String>,
    pub raw: Value,
}

impl Me {
    pub(crate) fn read(raw: Value) -> Self {
        let top = Fields(&raw);
        let nothing = Value::Null;
        let who = Fields(top.get("clientPrincipal").unwrap_or(&nothing));
        let mut roles = who.texts("appRole");
        if roles.is_empty() {
            roles = who.texts("userRoles");
        }
        Self { app_id: who.text("appId"), roles, permissions: top.texts("permissions"), raw }
    }

    /// Whether the role has this right ([`crate::rights`]).
    pub fn holds(&self, right: &str) -> bool {
        crate::rights::holds(&self.permissions, right)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct License {
    pub sku_id: Uuid,
    /// The friendly name: CIPP sends it as `skuPartNumber`, too.
    pub name: String,
    pub used: Option<i64>,
    pub total: Option<i64>,
    pub available: Option<i64>,
    pub raw: Value,
}

impl License {
    pub(crate) fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        let sku_id = at.uuid("skuId").ok_or_else(|| VendorError::shape("$.skuId", "an id is missing"))?;
        let name = at.text("License").or_else(|| at.text("skuPartNumber")).unwrap_or_default();
        let (used, total, available) =
            (at.int("CountUsed"), at.int("TotalLicenses"), at.int("CountAvailable"));
        Ok(Self { sku_id, name, used, total, available, raw })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct MfaUser {
    pub id: String,
    pub user_principal_name: String,
    pub display_name: Option<String>,
    pub account_enabled: Option<bool>,
    pub is_licensed: Option<bool>,
    /// `disabled`, `enabled`, `enforced`, or a sentence about what went wrong.
    pub per_user: Option<String>,
    pub is_registered: Option<bool>,
    pub methods: Vec<String>,
    /// `Enforced - All Apps`, `Enforced - Specific Apps`, `Not Enforced`, or a sentence about what went wrong.
    pub covered_by_access: Option<String>,
    pub covered_by_defaults: Option<bool>,
    pub is_admin: Option<bool>,
    pub raw: Value,
}

impl MfaUser {
    pub(crate) fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        let missing = |name: &str| VendorError::shape(format!("$.{name}"), "missing");
        Ok(Self {
            id: at.text("ID").ok_or_else(|| missing("ID"))?,
            user_principal_name: at.text("UPN").ok_or_else(|| missing("UPN"))?,
            display_name: at.text("DisplayName"),
            account_enabled: at.flag("AccountEnabled"),
            is_licensed: at.flag("isLicensed"),
            per_user: at.text("PerUser"),
            is_registered: at.flag("MFARegistration"),
            methods: at.texts("MFAMethods"),
            covered_by_access: at.text("CoveredByCA"),
            covered_by_defaults: at.flag("CoveredBySD"),
            is_admin: at.flag("IsAdmin"),
            raw,
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: String,
    pub user_principal_name: String,
    pub display_name: Option<String>,
    pub account_enabled: Option<bool>,
    pub sku_ids: Vec<Uuid>,
    pub raw: Value,
}

impl User {
    pub(crate) fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        let missing = |name: &str| VendorError::shape(format!("$.{name}"), "missing");
        let licenses = at.list("assignedLicenses").unwrap_or_default();
        Ok(Self {
            id: at.text("id").ok_or_else(|| missing("id"))?,
            user_principal_name: at.text("userPrincipalName").ok_or_else(|| missing("userPrincipalName"))?,
            display_name: at.text("displayName"),
            account_enabled: at.flag("accountEnabled"),
            sku_ids: licenses.iter().filter_map(|it| Fields(it).uuid("skuId")).collect(),
            raw,
        })
    }
}

/// What a tenant has set for one standard.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingRead {
    /// `standards.AuditLog`.
    pub name: String,
    /// The value in force, in one form: JSON in a text is read.
    pub value: Value,
    /// What the template of CIPP that watches the setting wants.
    pub expected: Option<Value>,
    pub template_id: Option<String>,
    /// `Some(false)`: the tenant lacks the license that the standard needs.
    pub is_licensed: Option<bool>,
    /// When CIPP itself last looked at the tenant.
    pub refreshed_at: Option<Timestamp>,
    pub raw: Value,
}

impl SettingRead {
    /// `None`: nobody knows the value. `CurrentValue` is what is there; older standards have a `Value` only.
    pub(crate) fn read(name: &str, raw: &Value) -> Option<Self> {
        let at = Fields(raw);
        let given = |name: &str| at.get(name).map(normalized).filter(|value| !value.is_null());
        let value = given("CurrentValue").or_else(|| given("Value"))?;
        let template_id = at.text("TemplateId");
        // An older standard says whether the tenant is as its template wants, and nothing else.
        let only_whether = template_id.is_some() && given("CurrentValue").is_none() && value.is_boolean();
        let expected = given("ExpectedValue").or_else(|| only_whether.then_some(Value::Bool(true)));
        Some(Self {
            name: name.to_owned(),
            value,
            expected,
            template_id,
            is_licensed: at.flag("LicenseAvailable"),
            refreshed_at: at.time("LastRefresh"),
            raw: raw.clone(),
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct StandardsTemplate {
    pub id: String,
    pub name: String,
    pub runs_manually: bool,
    /// `standards.AuditLog`, …
    pub settings: Vec<String>,
    /// Default domains that it is for.
    pub tenants: Vec<String>,
    pub updated_at: Option<Timestamp>,
    pub raw: Value,
}

impl StandardsTemplate {
    pub(crate) fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        let id = at.text("GUID").ok_or_else(|| VendorError::shape("$.GUID", "an id is missing"))?;
        let settings = at.get("standards").and_then(Value::as_object);
        let tenants = at.list("tenantFilter").unwrap_or_default();
        Ok(Self {
            name: at.text("templateName").unwrap_or_else(|| id.clone()),
            id,
            runs_manually: at.flag("runManually").unwrap_or(false),
            settings: settings
                .into_iter()
                .flat_map(|it| it.keys())
                .map(|key| format!("{SETTING_PREFIX}{key}"))
                .collect(),
            tenants: tenants.iter().filter_map(|it| Fields(it).text("value")).collect(),
            updated_at: at.time("updatedAt"),
            raw,
        })
    }
}

/// How far a tenant is in line with one template, by CIPP's own account.
#[derive(Clone, Debug, PartialEq)]
pub struct Alignment {
    /// Default domain of the tenant.
    pub tenant: String,
    pub template_id: String,
    pub template_name: Option<String>,
    /// 0 to 100.
    pub score: Option<i64>,
    pub collected_at: Option<Timestamp>,
    pub raw: Value,
}

impl Alignment {
    pub(crate) fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        let missing = |name: &str| VendorError::shape(format!("$.{name}"), "missing");
        let score = at.get("alignmentScore").and_then(|it| it.as_f64().or_else(|| it.as_str()?.parse().ok()));
        Ok(Self {
            tenant: at.text("tenantFilter").ok_or_else(|| missing("tenantFilter"))?.to_lowercase(),
            template_id: at
                .text("standardId")
                .or_else(|| at.text("templateId"))
                .ok_or_else(|| missing("standardId"))?,
            template_name: at.text("standardName").or_else(|| at.text("templateName")),
            #[expect(clippy::cast_possible_truncation, reason = "a share in percent")]
            score: score.filter(|it| (0.0..=100.0).contains(it)).map(|it| it.round() as i64),
            collected_at: at.time("latestDataCollection"),
            raw,
        })
    }
}

/// A row of a list whose members the product hands on as they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Unlike every other one of its list.
    pub key: String,
    pub raw: Value,
}

/// A template to be made: for these tenants, with these wanted values.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTemplate {
    /// Of an existing template: replaces it.
    pub id: Option<String>,
    pub name: String,
    /// Default domains.
    pub tenants: Vec<String>,
    pub wanted: Vec<Wanted>,
}

/// One setting of a template.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// `standards.AuditLog`.
    pub setting: String,
    /// `true` for a standard without options, text for one with a choice, an object of options for others.
    pub value: Value,
}
