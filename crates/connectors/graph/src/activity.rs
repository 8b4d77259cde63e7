//! What happens in a tenant: changes of its directory, and sign-ins. Both lists are asked for between two times; a list that is longer
//! than a reading may be ends as [`connector_api::PartialReason::PageLimit`], and a shorter time is to be asked for.
use connector_api::{Call, Repeats, VendorError, Walk};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::TenantClient;
use crate::errors::About;
use crate::fields::Fields;
use crate::permissions;
use crate::types::{Raw, members};

pub(crate) const DIRECTORY_AUDITS: &str = "/v1.0/auditLogs/directoryAudits";
pub(crate) const SIGN_IN_LOG: &str = "/v1.0/auditLogs/signIns";
/// The vendor allows 1,000 sign-ins, and 999 of the other.
const PAGE_ROWS: usize = 999;
/// Pages of one reading. Five calls in ten seconds are allowed in a tenant.
pub const ACTIVITY_PAGES_MAX: u32 = 20;
/// Changed properties that are kept of one change.
const PROPERTIES_MAX: usize = 30;
/// Characters of an old or a new value that are kept.
const VALUE_CHARS_MAX: usize = 400;
const LICENSES: &str = "AssignedLicense";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    Person,
    Application,
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    pub id: Option<String>,
    pub name: String,
    pub ip_address: Option<String>,
}

/// The first of what a change was made to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub kind: Option<String>,
    pub id: Option<String>,
    pub name: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DirectoryChange {
    pub id: String,
    pub at: Timestamp,
    pub activity: String,
    pub category: String,
    pub service: Option<String>,
    /// The vendor's word: `success`, `failure`, `timeout`.
    pub outcome: String,
    pub outcome_reason: Option<String>,
    pub actor: Actor,
    pub target: Target,
    pub further_targets: usize,
    pub skus_added: Vec<Uuid>,
    pub skus_removed: Vec<Uuid>,
    /// `[{name, old, new}]`, bounded.
    pub properties: Vec<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInOutcome {
    Success,
    /// Something more was asked for, such as a second factor.
    Interrupted,
    Failure,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SignIn {
    pub id: String,
    pub at: Timestamp,
    pub user_id: Option<String>,
    pub user_name: String,
    pub user_principal_name: Option<String>,
    pub app: Option<String>,
    pub client: Option<String>,
    pub ip_address: Option<String>,
    pub city: Option<String>,
    pub country: Option<String>,
    pub device: Option<String>,
    pub operating_system: Option<String>,
    pub outcome: SignInOutcome,
    pub error_code: i32,
    pub reason: Option<String>,
    pub conditional_access: Option<String>,
    pub risk: Option<String>,
}

/// Codes that ask for one thing more and are no failure: a second factor to be registered or given, a changed password, consent, a
/// choice of account, "stay signed in?".
const INTERRUPTIONS: [i64; 11] =
    [50_055, 50_058, 50_072, 50_074, 50_076, 50_079, 50_125, 50_127, 50_140, 51_006, 65_001];

fn at_of(at: Fields<'_>, name: &'static str) -> Result<Timestamp, VendorError> {
    at.time(name).ok_or_else(|| VendorError::shape(format!("$.{name}"), "not a time"))
}

impl DirectoryChange {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let targets: Vec<Fields<'_>> = at.objects("targetResources").into_iter().flatten().collect();
        let changed = || targets.iter().flat_map(|it| it.objects("modifiedProperties").into_iter().flatten());
        let (mut skus_added, mut skus_removed) = (Vec::new(), Vec::new());
        for property in changed().filter(|it| it.text("displayName").as_deref() == Some(LICENSES)) {
            let skus = |name: &str| sku_ids(&property.text(name).unwrap_or_default());
            let (before, after) = (skus("oldValue"), skus("newValue"));
            skus_added.extend(after.iter().filter(|id| !before.contains(id)));
            skus_removed.extend(before.iter().filter(|id| !after.contains(id)));
        }
        let property = |it: Fields<'_>| {
            let value =
                |name: &str| it.text(name).map(|text| text.chars().take(VALUE_CHARS_MAX).collect::<String>());
            Some(json!({"name": it.text("displayName")?, "old": value("oldValue"), "new": value("newValue")}))
        };
        let target = targets.first().map(|it| Target {
            kind: it.text("type"),
            id: it.text("id"),
            name: it.text("userPrincipalName").or_else(|| it.text("displayName")),
        });
        Ok(Self {
            id: at.id("id")?,
            at: at_of(at, "activityDateTime")?,
            activity: at.text("activityDisplayName").unwrap_or_else(|| "Unnamed activity".to_owned()),
            category: at.text("category").unwrap_or_else(|| "Unknown".to_owned()),
            service: at.text("loggedByService"),
            outcome: at.text("result").unwrap_or_default(),
            outcome_reason: at.text("resultReason"),
            actor: actor(at.at("initiatedBy")),
            target: target.unwrap_or_default(),
            further_targets: targets.len().saturating_sub(1),
            properties: changed().filter_map(property).take(PROPERTIES_MAX).collect(),
            skus_added,
            skus_removed,
        })
    }
}

fn actor(by: Option<Fields<'_>>) -> Actor {
    let person = by.and_then(|it| it.at("user"));
    let app = by.and_then(|it| it.at("app"));
    if let Some(it) = person
        && let Some(name) =
            it.text("userPrincipalName").or_else(|| it.text("displayName")).or_else(|| it.text("id"))
    {
        return Actor { kind: ActorKind::Person, id: it.text("id"), name, ip_address: it.text("ipAddress") };
    }
    let named = app.and_then(|it| {
        let name = it
            .text("displayName")
            .or_else(|| it.text("servicePrincipalName"))
            .or_else(|| it.text("appId"))?;
        let id = it.text("servicePrincipalId").or_else(|| it.text("appId"));
        Some(Actor { kind: ActorKind::Application, id, name, ip_address: None })
    });
    let nobody = || Actor {
        kind: ActorKind::Unknown,
        id: None,
        name: "Microsoft did not say".to_owned(),
        ip_address: None,
    };
    named.unwrap_or_else(nobody)
}

/// A list of licenses inside a text: `["[SkuName=…, AccountId=…, SkuId=…, DisabledPlans=[]]"]`. Cut texts give what they hold.
fn sku_ids(text: &str) -> Vec<Uuid> {
    const NAME: &str = "SkuId=";
    const UUID_CHARS: usize = 36;
    let mut ids: Vec<Uuid> = text
        .match_indices(NAME)
        .filter_map(|(at, _)| text.get(at + NAME.len()..at + NAME.len() + UUID_CHARS)?.parse().ok())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

impl SignIn {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let status = at.at("status");
        let code = status.and_then(|it| it.int("errorCode"));
        let code = code.ok_or_else(|| VendorError::shape("$.status.errorCode", "not a number"))?;
        let outcome = match code {
            0 => SignInOutcome::Success,
            code if INTERRUPTIONS.contains(&code) => SignInOutcome::Interrupted,
            _ => SignInOutcome::Failure,
        };
        let (place, device) = (at.at("location"), at.at("deviceDetail"));
        let of = |it: Option<Fields<'_>>, name: &str| it.and_then(|it| it.text(name));
        let (name, principal) = (at.text("userDisplayName"), at.text("userPrincipalName"));
        let said = |word: Option<String>, nothing: &str| word.filter(|it| it != nothing);
        Ok(Self {
            id: at.id("id")?,
            at: at_of(at, "createdDateTime")?,
            user_id: at.text("userId"),
            user_name: name.or_else(|| principal.clone()).unwrap_or_else(|| "Unknown account".to_owned()),
            user_principal_name: principal,
            app: at.text("appDisplayName"),
            client: at.text("clientAppUsed"),
            ip_address: at.text("ipAddress"),
            city: of(place, "city"),
            country: of(place, "countryOrRegion"),
            device: of(device, "displayName"),
            operating_system: of(device, "operatingSystem"),
            outcome,
            error_code: i32::try_from(code).unwrap_or(i32::MAX),
            reason: if code == 0 { None } else { of(status, "failureReason") },
            conditional_access: said(at.text("conditionalAccessStatus"), "notApplied"),
            risk: said(at.text("riskLevelDuringSignIn"), "none"),
        })
    }
}

impl TenantClient {
    /// All changes of the directory from one time to another, both included.
    pub async fn directory_changes(&self, from: Timestamp, to: Timestamp) -> Walk<DirectoryChange> {
        let about = About::list(permissions::SIGN_INS, "an audit log");
        let call = between(DIRECTORY_AUDITS, "activityDateTime", from, to);
        self.bounded(call, (ACTIVITY_PAGES_MAX, Repeats::Natural), about, DirectoryChange::read, |it| {
            it.id.clone()
        })
        .await
    }

    /// All interactive sign-ins from one time to another, both included. Needs Entra ID P1 in the tenant.
    pub async fn sign_in_log(&self, from: Timestamp, to: Timestamp) -> Walk<SignIn> {
        let about = About::list(permissions::SIGN_INS, "a log of sign-ins");
        let call = between(SIGN_IN_LOG, "createdDateTime", from, to);
        self.bounded(call, (ACTIVITY_PAGES_MAX, Repeats::Natural), about, SignIn::read, |it| it.id.clone())
            .await
    }
}

/// The vendor compares these times with `ge` and `le` only.
fn between(path: &str, member: &str, from: Timestamp, to: Timestamp) -> Call {
    Call::get(path)
        .query("$filter", format!("{member} ge {from} and {member} le {to}"))
        .query("$top", PAGE_ROWS)
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn raw(value: &Value) -> Raw {
        RawValue::from_string(value.to_string()).unwrap()
    }

    #[test]
    fn a_change_of_licenses_names_what_came_and_what_went() {
        let (e3, premium) = ("05e9a617-0261-4cee-bb44-138d3ef5d965", "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46");
        let list = |id: &str| {
            format!(
                "[\r\n  \"[SkuName=X, AccountId=1f3c0b9e-0000-4000-8000-000000000000, SkuId={id}, DisabledPlans=[]]\"\r\n]"
            )
        };
        let change = DirectoryChange::read(raw(&json!({
            "id": "d1", "activityDateTime": "2026-03-01T10:00:00.1234567Z", "activityDisplayName": "Change user license", "category": "UserManagement",
            "result": "success", "initiatedBy": {"user": {"id": "u9", "userPrincipalName": "admin@a.example", "ipAddress": ""}, "app": null},
            "targetResources": [{"id": "u1", "type": "User", "userPrincipalName": "ada@a.example", "modifiedProperties": [
                {"displayName": "AssignedLicense", "oldValue": list(e3), "newValue": list(premium)},
                {"displayName": "Long", "oldValue": null, "newValue": "x".repeat(1_000)}]}]
        })))
        .unwrap();
        assert_eq!(change.skus_added, [premium.parse::<Uuid>().unwrap()]);
        assert_eq!(change.skus_removed, [e3.parse::<Uuid>().unwrap()]);
        assert_eq!((change.actor.kind, change.actor.name.as_str()), (ActorKind::Person, "admin@a.example"));
        assert_eq!(change.properties[1]["new"].as_str().unwrap().len(), VALUE_CHARS_MAX);
        assert_eq!(sku_ids("[SkuName=X, SkuId=05e9a617-0261-4cee-bb44-1"), Vec::<Uuid>::new());
        let app = json!({"id": "d2", "activityDateTime": "2026-03-01T10:00:00Z", "initiatedBy": {"user": {}, "app": {"displayName": "Sync"}}});
        let read = DirectoryChange::read(raw(&app)).unwrap();
        assert_eq!((read.actor.kind, read.actor.name.as_str()), (ActorKind::Application, "Sync"));
        assert!(DirectoryChange::read(raw(&json!({"id": "d3"}))).is_err());
    }

    #[test]
    fn being_asked_for_a_second_factor_is_no_failure() {
        let read = |code: i64| {
            SignIn::read(raw(&json!({"id": "s", "createdDateTime": "2026-03-01T10:00:00Z", "userPrincipalName": "ada@a.example",
                "status": {"errorCode": code, "failureReason": "words"}, "riskLevelDuringSignIn": "none"})))
            .unwrap()
        };
        assert_eq!((read(0).outcome, read(0).reason), (SignInOutcome::Success, None));
        assert_eq!(read(50_074).outcome, SignInOutcome::Interrupted);
        assert_eq!((read(50_126).outcome, read(50_126).risk), (SignInOutcome::Failure, None));
        assert!(SignIn::read(raw(&json!({"id": "s", "createdDateTime": "2026-03-01T10:00:00Z"}))).is_err());
    }
}
