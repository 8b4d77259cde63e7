//! Asks for one thing of each permission, and names every right that is missing.
use connector_api::{Call, VendorError};
use jiff::Timestamp;

use crate::client::{Graph, TenantClient};
use crate::errors::About;
use crate::permissions::{self, missing_permission};
use crate::policies;

#[derive(Clone, Debug)]
pub struct Health {
    /// When the sign-in succeeded.
    pub checked_at: Option<Timestamp>,
    pub checks: Vec<Check>,
}

#[derive(Clone, Debug)]
pub struct Check {
    /// What the product needs this for.
    pub name: &'static str,
    /// `None` for the sign-in itself.
    pub permission: Option<&'static str>,
    pub finding: Finding,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Ok,
    /// The application lacks it in this tenant: a person has to grant it and to consent.
    MissingRight(String),
    /// The tenant does not have it, such as Entra ID P1.
    MissingCapability,
    /// Could not be asked now.
    Failed(VendorError),
}

impl Health {
    pub fn can_read(&self) -> bool {
        self.checks.iter().all(|check| matches!(check.finding, Finding::Ok | Finding::MissingCapability))
    }

    /// One sentence for each check that is not well.
    pub fn problems(&self) -> Vec<String> {
        let problem = |check: &Check| {
            let name = check.name;
            Some(match &check.finding {
                Finding::Ok => return None,
                Finding::MissingRight(permission) => {
                    format!("{name}: the application lacks the permission {permission}")
                }
                Finding::MissingCapability => format!("{name}: this tenant does not offer it"),
                Finding::Failed(error) => format!("{name}: {error}"),
            })
        };
        self.checks.iter().filter_map(problem).collect()
    }

    fn add(
        &mut self,
        name: &'static str,
        permission: Option<&'static str>,
        outcome: Result<(), VendorError>,
    ) {
        let finding = match outcome {
            Ok(()) => Finding::Ok,
            Err(error) => match (missing_permission(&error), error) {
                (Some(missing), _) => Finding::MissingRight(missing.to_owned()),
                (None, VendorError::MissingCapability { .. }) => Finding::MissingCapability,
                (None, error) => Finding::Failed(error),
            },
        };
        self.checks.push(Check { name, permission, finding });
    }
}

/// Name, permission, address: one cheap read each.
const READS: [(&str, &str, &str); 8] = [
    ("the tenant", permissions::ORGANIZATION, "/v1.0/organization"),
    ("domains", permissions::DOMAINS, "/v1.0/domains"),
    ("people", permissions::USERS, "/v1.0/users"),
    ("seats", permissions::SEATS, "/v1.0/subscribedSkus"),
    ("policies", permissions::POLICIES, policies::SECURITY_DEFAULTS),
    ("registrations", permissions::SIGN_INS, "/v1.0/reports/authenticationMethods/userRegistrationDetails"),
    ("roles", permissions::ROLES, "/v1.0/roleManagement/directory/roleDefinitions"),
    ("groups", permissions::GROUPS, "/v1.0/groups"),
];

impl Graph {
    /// Of the home tenant, with the rights of a partner.
    pub async fn health_check(&self) -> Health {
        let home = self.home();
        let mut health = home.health_check().await;
        if health.checked_at.is_some() {
            for (name, permission, path) in [
                ("customers", permissions::PARTNERS, "/v1.0/tenantRelationships/delegatedAdminCustomers"),
                ("default domains of customers", permissions::CONTRACTS, "/v1.0/contracts"),
            ] {
                health.add(name, Some(permission), home.probe(name, permission, path).await);
            }
        }
        health
    }
}

impl TenantClient {
    /// Reads only: a token, eight lists, and the methods of one user.
    pub async fn health_check(&self) -> Health {
        let mut health = Health { checked_at: None, checks: Vec::new() };
        let signed_in = self.sign_in().await;
        let refused = signed_in.is_err();
        health.add("sign in", None, signed_in);
        if refused {
            return health;
        }
        health.checked_at = Some(self.now());
        for (name, permission, path) in READS {
            health.add(name, Some(permission), self.probe(name, permission, path).await);
        }
        let methods = self.probe_methods().await;
        health.add("MFA methods", Some(permissions::METHODS), methods);
        health
    }

    async fn probe(
        &self,
        name: &'static str,
        permission: &'static str,
        path: &str,
    ) -> Result<(), VendorError> {
        let call = Call::get(path);
        // The others take no size, and are short.
        let sized = ["/v1.0/users", "/v1.0/groups"].contains(&path);
        let call = if sized { call.query("$top", 1).query("$select", "id") } else { call };
        self.call(call, About::list(permission, name)).await.map(drop)
    }

    /// Methods have no list: those of any one user are asked for.
    async fn probe_methods(&self) -> Result<(), VendorError> {
        let about = About::list(permissions::USERS, "users");
        let call = Call::get("/v1.0/users").query("$top", 1).query("$select", "id");
        let answer = self.call(call, about).await?.json()?;
        let Some(id) = answer["value"][0]["id"].as_str() else { return Ok(()) };
        let one = self.authentication_methods(&[id.to_owned()]).await;
        one.into_iter().try_for_each(|one| one.outcome.map(drop))
    }
}
