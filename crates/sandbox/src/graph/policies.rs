//! What a tenant demands of sign-ins, as Graph shows it: made from the tenant's profile.
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::Refusal;
use super::paging;
use super::people::{Basics, Kind, LICENSED_GROUP};
use super::posture::Profile;
use super::render::time;
use super::tenants::{ROLES, Tenant};
use super::{Ask, Outcome, Reply};
use crate::rng::Rng;

const BREAK_GLASS: &str = "Break glass accounts";
const MFA_PEOPLE: &str = "MFA people";
const HELP_DESK: &str = "Help desk";
const DAY_S: i64 = 86_400;
const OFFICE_LOCATION: &str = "Head office";
/// Microsoft's own: any second factor.
const ANY_MFA_STRENGTH: &str = "00000000-0000-0000-0000-000000000002";

/// An id of a thing of this tenant that has a name.
pub(crate) fn group_id(tenant: &Tenant, name: &str) -> Uuid {
    let name = name.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(131).wrapping_add(u64::from(byte)));
    Rng::of(tenant.salt, name ^ 0x6e61_6d65).uuid()
}

fn group_names(tenant: &Tenant) -> Vec<&'static str> {
    let mut names = vec![BREAK_GLASS, MFA_PEOPLE];
    names.extend(tenant.is_synced.then_some(LICENSED_GROUP));
    names.extend(tenant.has_help_desk().then_some(HELP_DESK));
    names
}

fn group_row(tenant: &Tenant, name: &str) -> Value {
    json!({"id": group_id(tenant, name), "displayName": name, "securityEnabled": true, "groupTypes": [],
        "isAssignableToRole": name == HELP_DESK})
}

pub(crate) fn groups(tenant: &Tenant) -> Vec<Value> {
    group_names(tenant).into_iter().map(|name| group_row(tenant, name)).collect()
}

fn group_of(tenant: &Tenant, id: &str) -> Result<&'static str, Refusal> {
    let mut names = group_names(tenant).into_iter();
    names
        .find(|name| group_id(tenant, name).to_string().eq_ignore_ascii_case(id))
        .ok_or_else(|| Refusal::not_found(id))
}

pub(crate) fn group(tenant: &Tenant, id: &str) -> Result<Value, Refusal> {
    Ok(group_row(tenant, group_of(tenant, id)?))
}

pub(crate) fn members(tenant: &Tenant, id: &str, ask: &Ask<'_>) -> Outcome {
    let name = group_of(tenant, id)?;
    let is_in = |basics: &Basics| match name {
        BREAK_GLASS => basics.kind == Kind::BreakGlass,
        MFA_PEOPLE => tenant.is_in_mfa_group(basics),
        HELP_DESK => tenant.is_of_help_desk(basics),
        _ => basics.kind == Kind::Employee && !basics.licenses.is_empty(),
    };
    let all: Vec<u32> = tenant.indices().filter(|index| is_in(&tenant.basics(*index))).collect();
    paging::page(ask, tenant, all.len(), 100, |range| {
        let row = |index: &u32| json!({"@odata.type": "#microsoft.graph.user", "id": tenant.user_id(*index)});
        all[range].iter().map(row).collect()
    })
}

pub(crate) fn security_defaults(tenant: &Tenant) -> Value {
    json!({
        "id": "00000000-0000-0000-0000-000000000005",
        "displayName": "Security Defaults",
        "description": "Basic security defaults.",
        "isEnabled": tenant.profile == Profile::SecurityDefaults,
    })
}

pub(crate) fn locations(tenant: &Tenant) -> Vec<Value> {
    if tenant.profile != Profile::TrustedLocation {
        return Vec::new();
    }
    let range = json!({"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "198.51.100.0/24"});
    vec![
        json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": group_id(tenant, OFFICE_LOCATION),
            "displayName": OFFICE_LOCATION, "isTrusted": true, "ipRanges": [range], "createdDateTime": time(tenant.epoch_s - 86_400 * 300)}),
        json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "id": group_id(tenant, "Countries"),
            "displayName": "Countries we work in", "countriesAndRegions": ["US", "CA"], "includeUnknownCountriesAndRegions": false}),
    ]
}

/// Without Entra ID P1 there are none. A second one, which is off, stands beside the one of the profile.
pub(crate) fn policies(tenant: &Tenant) -> Vec<Value> {
    if !tenant.has_premium() {
        return Vec::new();
    }
    let off = policy(tenant, "Block legacy authentication (draft)", "disabled", &Shape::legacy_block());
    let break_glass = group_id(tenant, BREAK_GLASS);
    let mut shape = Shape::all();
    if tenant.profile.excludes_break_glass() {
        // One tenant in two names the account itself.
        if tenant.salt.is_multiple_of(2) {
            shape.users["excludeGroups"] = json!([break_glass]);
        } else {
            shape.users["excludeUsers"] = json!([tenant.user_id(0)]);
        }
    }
    let (name, state) = match tenant.profile {
        Profile::SecurityDefaults | Profile::PerUser | Profile::NoPremium => return Vec::new(),
        Profile::ReportOnly => ("Require MFA (pilot)", "enabledForReportingButNotEnforced"),
        Profile::AdminsOnly => {
            shape.users["includeUsers"] = json!([]);
            shape.users["includeRoles"] = json!([ROLES[0].1, ROLES[1].1, ROLES[2].1, ROLES[3].1]);
            ("Require MFA for administrators", "enabled")
        }
        Profile::GroupOnly => {
            shape.users["includeUsers"] = json!([]);
            shape.users["includeGroups"] = json!([group_id(tenant, MFA_PEOPLE)]);
            ("Require MFA for a group", "enabled")
        }
        Profile::TrustedLocation => {
            shape.locations = json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]});
            ("Require MFA outside the office", "enabled")
        }
        Profile::Office365Only => {
            shape.apps = json!(["Office365"]);
            ("Require MFA for Office 365", "enabled")
        }
        Profile::LegacyOpen => {
            shape.clients = json!(["browser", "mobileAppsAndDesktopClients"]);
            ("Require MFA for modern clients", "enabled")
        }
        Profile::GuestsExcluded => {
            let excluded = shape.users["excludeUsers"].as_array().cloned().unwrap_or_default();
            let guests = std::iter::once(json!("GuestsOrExternalUsers"));
            shape.users["excludeUsers"] = excluded.into_iter().chain(guests).collect();
            ("Require MFA for members", "enabled")
        }
        Profile::OtherGrant => {
            shape.grant = json!({"operator": "OR", "builtInControls": ["mfa", "compliantDevice"],
                "customAuthenticationFactors": [], "termsOfUse": [], "authenticationStrength": null});
            ("Require MFA or a managed device", "enabled")
        }
        Profile::AllUsers if tenant.salt.is_multiple_of(3) => {
            shape.grant = json!({"operator": "AND", "builtInControls": [], "customAuthenticationFactors": [], "termsOfUse": [],
                "authenticationStrength": {"id": ANY_MFA_STRENGTH, "displayName": "Multifactor authentication", "requirementsSatisfied": "mfa"}});
            ("Require MFA for everybody", "enabled")
        }
        Profile::AllUsers | Profile::NotRegistered | Profile::PoliciesDenied => {
            ("Require MFA for everybody", "enabled")
        }
    };
    vec![policy(tenant, name, state, &shape), off]
}

struct Shape {
    users: Value,
    apps: Value,
    clients: Value,
    locations: Value,
    grant: Value,
}

impl Shape {
    fn all() -> Self {
        Self {
            users: json!({"includeUsers": ["All"], "excludeUsers": [], "includeGroups": [], "excludeGroups": [],
                "includeRoles": [], "excludeRoles": [], "includeGuestsOrExternalUsers": null, "excludeGuestsOrExternalUsers": null}),
            apps: json!(["All"]),
            clients: json!(["all"]),
            locations: Value::Null,
            grant: json!({"operator": "OR", "builtInControls": ["mfa"], "customAuthenticationFactors": [],
                "termsOfUse": [], "authenticationStrength": null}),
        }
    }

    fn legacy_block() -> Self {
        let mut shape = Self::all();
        shape.clients = json!(["exchangeActiveSync", "other"]);
        shape.grant["builtInControls"] = json!(["block"]);
        shape
    }
}

fn policy(tenant: &Tenant, name: &str, state: &str, shape: &Shape) -> Value {
    json!({
        "id": group_id(tenant, name),
        "displayName": name,
        "createdDateTime": time(tenant.epoch_s - 86_400 * 200),
        "modifiedDateTime": time(tenant.epoch_s - 86_400 * 20),
        "state": state,
        "templateId": null,
        "conditions": {
            "userRiskLevels": [], "signInRiskLevels": [], "servicePrincipalRiskLevels": [],
            "clientAppTypes": shape.clients,
            "platforms": null,
            "locations": shape.locations,
            "devices": null,
            "clientApplications": null,
            "applications": {"includeApplications": shape.apps, "excludeApplications": [], "includeUserActions": [],
                "includeAuthenticationContextClassReferences": [], "applicationFilter": null},
            "users": shape.users,
        },
        "grantControls": shape.grant,
        "sessionControls": null,
    })
}

pub(crate) fn role_definitions() -> Vec<Value> {
    let row = |(name, id): &(&str, &str)| json!({"id": id, "displayName": name, "templateId": id, "isBuiltIn": true, "isEnabled": true});
    ROLES.iter().map(row).collect()
}

pub(crate) fn role_assignments(tenant: &Tenant) -> Vec<Value> {
    let row = |principal: Uuid, role: &str| {
        let id = Uuid::from_u128(principal.as_u128() ^ 0x726f_6c65);
        json!({"id": id.simple().to_string(), "principalId": principal, "roleDefinitionId": role, "directoryScopeId": "/"})
    };
    let first = tenant.layout.first_employee();
    let mut rows = vec![row(tenant.user_id(0), ROLES[0].1)];
    for index in
        tenant.guest_admin().into_iter().chain(first..first + 3).filter(|index| tenant.is_there(*index))
    {
        rows.extend(tenant.role(&tenant.basics(index)).map(|role| row(tenant.user_id(index), role.1)));
    }
    rows.extend(tenant.has_help_desk().then(|| row(group_id(tenant, HELP_DESK), ROLES[3].1)));
    rows
}

pub(crate) fn registrations(tenant: &Tenant, ask: &Ask<'_>) -> Outcome {
    if !tenant.has_premium() {
        return Err(Refusal::non_premium());
    }
    // Accounts that cannot sign in are not in the report.
    let all: Vec<u32> = tenant.indices().filter(|index| tenant.basics(*index).is_enabled).collect();
    paging::page(ask, tenant, all.len(), 500, |range| {
        all[range].iter().map(|index| registration(tenant, *index, ask.now)).collect()
    })
}

fn registration(tenant: &Tenant, index: u32, now: Timestamp) -> Value {
    let person = tenant.person(index);
    let methods = tenant.methods(&person.basics);
    let is_registered = !methods.is_empty();
    json!({
        "id": person.id,
        "userPrincipalName": person.user_principal_name,
        "userDisplayName": person.display_name,
        "userType": if person.basics.kind == Kind::Guest { "guest" } else { "member" },
        "isAdmin": tenant.role(&person.basics).is_some(),
        "isSsprRegistered": is_registered, "isSsprEnabled": false, "isSsprCapable": false,
        "isMfaRegistered": is_registered, "isMfaCapable": is_registered, "isPasswordlessCapable": false,
        "methodsRegistered": methods,
        "isSystemPreferredAuthenticationMethodEnabled": false,
        "systemPreferredAuthenticationMethods": [],
        "userPreferredMethodForSecondaryAuthentication": "none",
        "lastUpdatedDateTime": now.to_string(),
    })
}

pub(crate) fn methods(tenant: &Tenant, key: &str) -> Outcome {
    let index = tenant.find(key).ok_or_else(|| Refusal::not_found(key))?;
    let word = |method: &str| match method {
        "mobilePhone" => "phone",
        "microsoftAuthenticatorPush" => "microsoftAuthenticator",
        "softwareOneTimePasscode" => "softwareOath",
        _ => "fido2",
    };
    let mut rows = vec![json!({
        "@odata.type": "#microsoft.graph.passwordAuthenticationMethod", "id": "28c10230-6103-485e-b985-444c60001490", "password": null,
    })];
    for method in tenant.methods(&tenant.basics(index)) {
        let kind = word(method);
        rows.push(json!({"@odata.type": format!("#microsoft.graph.{kind}AuthenticationMethod"), "id": group_id(tenant, method)}));
    }
    Ok(Reply::Json(json!({"value": rows})))
}

/// Beta only.
pub(crate) fn requirements(tenant: &Tenant, key: &str) -> Outcome {
    let index = tenant.find(key).ok_or_else(|| Refusal::not_found(key))?;
    let state = tenant.per_user(&tenant.basics(index));
    Ok(Reply::Json(json!({"perUserMfaState": state.as_str()})))
}

/// Days that the vendor keeps.
const SCORES_MAX: i64 = 90;

/// One a day, newest first. Some tenants gain some points over the days.
pub(crate) fn secure_scores(tenant: &Tenant, now: Timestamp) -> Vec<Value> {
    let midnight_s = now.as_second() - now.as_second().rem_euclid(DAY_S);
    let row = |ago: i64| {
        let day = time(midnight_s - ago * DAY_S);
        let score = secure_score(tenant, ago);
        let control = |name: &str, category: &str, score: i64| json!({"controlName": name, "controlCategory": category, "description": null, "score": score});
        json!({"id": format!("{}_{}", tenant.id, &day[..10]), "azureTenantId": tenant.id, "createdDateTime": day, "currentScore": score,
            "maxScore": 100.0, "activeUserCount": tenant.head_count(), "averageComparativeScores": [],
            "controlScores": [control("MFARegistrationV2", "Identity", score / 2), control("AdminMFAV2", "Identity", score - score / 2)]})
    };
    (0..SCORES_MAX).map(row).collect()
}

/// Points of 100, so many days ago.
pub(crate) fn secure_score(tenant: &Tenant, days_ago: i64) -> i64 {
    let today = 30 + i64::try_from(tenant.salt % 50).unwrap_or(0);
    today - (days_ago / 30).min(5)
}
