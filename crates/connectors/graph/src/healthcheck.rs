//! Asks for one thing of each permission, and names every right that is missing.
use connector_api::{
    Call, Health, VendorError,
    health::{Check, Finding, Need, SIGN_IN},
};

use crate::activity;
use crate::applications;
use crate::client::{Graph, TenantClient};
use crate::devices::{INTUNE, MANAGED_DEVICES, without_intune};
use crate::errors::About;
use crate::permissions::{self, missing_permission};
use crate::policies;
use crate::scores;
use crate::security_alerts;

/// A tenant without Entra ID P1 has no list of registrations; the methods of each person are read instead.
const REGISTRATIONS: &str = "registrations";
const APPLICATIONS: &str = "applications";
const SECURE_SCORE: &str = "secure score";
const DIRECTORY_CHANGES: &str = "changes of the directory";
const SIGN_IN_LOG: &str = "sign-ins";
const SECURITY_ALERTS: &str = "security alerts";
/// What a tenant may do without.
const MORE: [&str; 7] =
    [REGISTRATIONS, INTUNE, APPLICATIONS, SECURE_SCORE, DIRECTORY_CHANGES, SIGN_IN_LOG, SECURITY_ALERTS];
/// Rights that came later stop nothing but what needs them.
const LATER: [&str; 5] = [APPLICATIONS, SECURE_SCORE, DIRECTORY_CHANGES, SIGN_IN_LOG, SECURITY_ALERTS];

/// A missing right is named as Microsoft names the permission.
pub(crate) fn add(health: &mut Health, name: &'static str, outcome: Result<(), VendorError>) {
    let missing = outcome.as_ref().err().and_then(missing_permission).map(str::to_owned);
    match missing {
        Some(permission) => {
            let finding = Finding::MissingRight(permission);
            let need = if LATER.contains(&name) { Need::More } else { Need::Reading };
            health.checks.push(Check { name, need, finding });
        }
        None => {
            let need = if MORE.contains(&name) { Need::More } else { Need::Reading };
            health.add(name, need, outcome);
        }
    }
}

/// Name, permission, address: one cheap read each.
const READS: [(&str, &str, &str); 14] = [
    ("the tenant", permissions::ORGANIZATION, "/v1.0/organization"),
    ("domains", permissions::DOMAINS, "/v1.0/domains"),
    ("people", permissions::USERS, "/v1.0/users"),
    ("seats", permissions::SEATS, "/v1.0/subscribedSkus"),
    ("policies", permissions::POLICIES, policies::SECURITY_DEFAULTS),
    (REGISTRATIONS, permissions::SIGN_INS, "/v1.0/reports/authenticationMethods/userRegistrationDetails"),
    ("roles", permissions::ROLES, "/v1.0/roleManagement/directory/roleDefinitions"),
    ("groups", permissions::GROUPS, "/v1.0/groups"),
    (INTUNE, permissions::MANAGED_DEVICES, MANAGED_DEVICES),
    (APPLICATIONS, permissions::APPLICATIONS, applications::APPLICATIONS),
    (SECURE_SCORE, permissions::SECURE_SCORE, scores::SECURE_SCORES),
    (DIRECTORY_CHANGES, permissions::SIGN_INS, activity::DIRECTORY_AUDITS),
    (SIGN_IN_LOG, permissions::SIGN_INS, activity::SIGN_IN_LOG),
    (SECURITY_ALERTS, permissions::SECURITY_ALERTS, security_alerts::SECURITY_ALERTS),
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
                add(&mut health, name, home.probe(name, permission, path).await);
            }
        }
        health
    }
}

/// One cheap read for each class of permissions that every tenant has: what it proves, permission, address.
const CANARIES: [(&str, &str, &str); 4] = [
    ("access", permissions::ORGANIZATION, "/v1.0/organization"),
    ("seats", permissions::SEATS, "/v1.0/subscribedSkus"),
    ("people", permissions::USERS, "/v1.0/users"),
    ("policies", permissions::POLICIES, policies::SECURITY_DEFAULTS),
];

/// Whether a class of permissions still works in a tenant.
#[derive(Clone, Debug)]
pub struct Canary {
    pub class: &'static str,
    pub outcome: Result<(), VendorError>,
}

impl TenantClient {
    /// With a new token: one that was given before may outlive the consent by an hour. Ends with the first class when that fails.
    pub async fn canaries(&self) -> Vec<Canary> {
        self.canaries_of(&CANARIES).await
    }

    /// The same of the application for SharePoint.
    pub async fn sharepoint_canaries(&self) -> Vec<Canary> {
        self.canaries_of(&[("access", crate::sharepoint::SITES, "/v1.0/sites/getAllSites")]).await
    }

    async fn canaries_of(&self, reads: &[(&'static str, &'static str, &'static str)]) -> Vec<Canary> {
        let mut seen = Vec::with_capacity(reads.len());
        let mut signed_in = self.sign_in_anew().await;
        for &(class, permission, path) in reads {
            let outcome = match std::mem::replace(&mut signed_in, Ok(())) {
                Ok(()) => self.probe(class, permission, path).await,
                Err(error) => Err(error),
            };
            let ends = class == "access" && outcome.is_err();
            seen.push(Canary { class, outcome });
            if ends {
                break;
            }
        }
        seen
    }

    /// Reads only: a token, fourteen lists, and the methods of one user.
    pub async fn health_check(&self) -> Health {
        let mut health = Health::default();
        health.add(SIGN_IN, Need::Reading, self.sign_in().await);
        if !health.is_signed_in() {
            return health;
        }
        health.checked_at = Some(self.now());
        for (name, permission, path) in READS {
            add(&mut health, name, self.probe(name, permission, path).await);
        }
        let methods = self.probe_methods().await;
        add(&mut health, "MFA methods", methods);
        health
    }

    pub(crate) async fn probe(
        &self,
        name: &'static str,
        permission: &'static str,
        path: &str,
    ) -> Result<(), VendorError> {
        let call = Call::get(path);
        // The others take no size, and are short.
        let sized =
            ["/v1.0/users", "/v1.0/groups", MANAGED_DEVICES, applications::APPLICATIONS].contains(&path);
        let call = if sized { call.query("$top", 1).query("$select", "id") } else { call };
        let is_short = [
            scores::SECURE_SCORES,
            activity::DIRECTORY_AUDITS,
            activity::SIGN_IN_LOG,
            security_alerts::SECURITY_ALERTS,
        ]
        .contains(&path);
        let call = if is_short { call.query("$top", 1) } else { call };
        self.call(call, About::list(permission, name)).await.map(drop).map_err(without_intune)
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
