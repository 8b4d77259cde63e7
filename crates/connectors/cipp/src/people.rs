//! Accounts, second factors, licenses, groups and policies of one tenant, always named by its default domain.
use connector_api::{Call, Fact, VendorError, Walk};
use serde_json::Value;

use crate::client::{Ask, Cipp};
use crate::fields::Fields;
use crate::rights;
use crate::types::{License, MfaUser, Record, User};

const USERS: Ask = Ask::of("ListUsers", rights::PEOPLE);
const MFA: Ask = Ask::of("ListMFAUsers", rights::PEOPLE);
const LICENSES: Ask = Ask::of("ListLicenses", "Tenant.Directory.Read");
const GROUPS: Ask = Ask::of("ListGroups", "Identity.Group.Read");
const POLICIES: Ask = Ask::of("ListConditionalAccessPolicies", "Tenant.ConditionalAccess.Read");
const RULES: Ask = Ask::of("ListMailboxRules", rights::MAILBOXES);
const PERMISSIONS: Ask = Ask::of("ListmailboxPermissions", rights::MAILBOXES);
const GRAPH: Ask = Ask::of("ListGraphRequest", rights::TENANTS);
const QUEUE: Ask = Ask::of("ListCippQueue", rights::TENANTS);

impl Cipp {
    pub async fn users(&self, domain: &str) -> Walk<User> {
        self.list(USERS.about(domain), USERS, User::read, |it| it.id.clone()).await
    }

    /// While the vendor fills its cache, the reason of the partial walk is [`VendorError::NotReady`].
    pub async fn mfa_users(&self, domain: &str) -> Walk<MfaUser> {
        self.list(MFA.about(domain), MFA, MfaUser::read, |it| it.id.clone()).await
    }

    pub async fn licenses(&self, domain: &str) -> Walk<License> {
        self.list(LICENSES.about(domain), LICENSES, License::read, |it| it.sku_id.to_string()).await
    }

    pub async fn groups(&self, domain: &str) -> Walk<Record> {
        self.records(GROUPS.about(domain), GROUPS, &["id"]).await
    }

    pub async fn conditional_access(&self, domain: &str) -> Walk<Record> {
        self.records(POLICIES.about(domain), POLICIES, &["id"]).await
    }

    pub async fn mailbox_rules(&self, domain: &str) -> Walk<Record> {
        self.records(RULES.about(domain), RULES, &["Identity", "RuleIdentity"]).await
    }

    /// Who may open, or send as, the mailbox of one account.
    pub async fn mailbox_permissions(&self, domain: &str, user_id: &str) -> Walk<Record> {
        self.records(PERMISSIONS.about(domain).query("userId", user_id), PERMISSIONS, &[]).await
    }

    /// A read of Graph in one tenant, all pages of it. `path` is without version: `users`, `organization`.
    pub async fn graph_request(&self, domain: &str, path: &str) -> Result<Fact<Vec<Value>>, VendorError> {
        self.rows(GRAPH.about(domain).query("Endpoint", path), GRAPH).await
    }

    /// Work that the deployment has queued, and how far it is.
    pub async fn queue(&self) -> Walk<Record> {
        self.records(QUEUE.call(), QUEUE, &["RowKey"]).await
    }

    /// Rows as they were sent, told apart by the first of these members that they have, or else by all of what they say.
    pub(crate) async fn records(&self, call: Call, ask: Ask, keys: &'static [&'static str]) -> Walk<Record> {
        let read = |raw: Value| {
            if !raw.is_object() {
                return Err(VendorError::shape("$[*]", "not a record"));
            }
            let key = keys.iter().find_map(|name| Fields(&raw).text(name)).unwrap_or_else(|| raw.to_string());
            Ok(Record { key, raw })
        };
        self.list(call, ask, read, |it| it.key.clone()).await
    }
}
