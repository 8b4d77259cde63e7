//! What demands MFA: security defaults, conditional access, and whom its roles and groups reach.
use connector_api::{Call, Fact, VendorError, Walk};

use crate::client::{TenantClient, segment};
use crate::config::PAGE_ROWS_MAX;
use crate::errors::About;
use crate::fields::Fields;
use crate::permissions;
use crate::types::{
    AccessPolicy, NamedLocation, Raw, RoleAssignment, RoleDefinition, SecurityDefaults, members,
};

pub(crate) const ACCESS_POLICIES: &str = "/v1.0/identity/conditionalAccess/policies";
pub(crate) const NAMED_LOCATIONS: &str = "/v1.0/identity/conditionalAccess/namedLocations";
pub(crate) const SECURITY_DEFAULTS: &str = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy";
const ROLE_ASSIGNMENTS: &str = "/v1.0/roleManagement/directory/roleAssignments";
const ROLE_DEFINITIONS: &str = "/v1.0/roleManagement/directory/roleDefinitions";

impl TenantClient {
    pub async fn security_defaults(&self) -> Result<Fact<SecurityDefaults>, VendorError> {
        let about = About::list(permissions::POLICIES, "security defaults");
        self.one(Call::get(SECURITY_DEFAULTS), about, SecurityDefaults::read).await
    }

    pub async fn access_policies(&self) -> Walk<AccessPolicy> {
        let about = About::list(permissions::POLICIES, "conditional access");
        self.list(Call::get(ACCESS_POLICIES), about, AccessPolicy::read, |it| it.id.clone()).await
    }

    pub async fn named_locations(&self) -> Walk<NamedLocation> {
        let about = About::list(permissions::POLICIES, "named locations");
        self.list(Call::get(NAMED_LOCATIONS), about, NamedLocation::read, |it| it.id.clone()).await
    }

    /// Permanent and active assignments; principals may be groups.
    pub async fn role_assignments(&self) -> Walk<RoleAssignment> {
        let about = About::list(permissions::ROLES, "roles");
        self.list(Call::get(ROLE_ASSIGNMENTS), about, RoleAssignment::read, |it| it.id.clone()).await
    }

    pub async fn role_definitions(&self) -> Walk<RoleDefinition> {
        let call = Call::get(ROLE_DEFINITIONS).query("$select", "id,displayName,templateId,isBuiltIn");
        let about = About::list(permissions::ROLES, "roles");
        self.list(call, about, RoleDefinition::read, |it| it.id.clone()).await
    }

    /// What people call a group.
    pub async fn group_name(&self, group_id: &str) -> Result<Fact<String>, VendorError> {
        let call =
            Call::get(format!("/v1.0/groups/{}", segment(group_id))).query("$select", "id,displayName");
        self.one(call, About::record(permissions::GROUPS), name).await
    }

    /// Ids of the users in a group and in the groups inside it. A group that does not exist ends the walk with
    /// [`VendorError::NotFound`].
    pub async fn group_members(&self, group_id: &str) -> Walk<String> {
        let path = format!("/v1.0/groups/{}/transitiveMembers/microsoft.graph.user", segment(group_id));
        let call = Call::get(path).query("$select", "id").query("$top", PAGE_ROWS_MAX);
        self.list(call, About::record(permissions::GROUPS), member, String::clone).await
    }
}

fn name(raw: Raw) -> Result<String, VendorError> {
    let name = Fields(&members(&raw)?).text("displayName");
    name.ok_or_else(|| VendorError::shape("$.displayName", "not a text"))
}

fn member(raw: Raw) -> Result<String, VendorError> {
    Fields(&members(&raw)?).id("id")
}
