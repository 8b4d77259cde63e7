//! Records of the directory as the vendor writes them.
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::errors::Refusal;
use super::paging;
use super::people::{Kind, LICENSED_GROUP, Person};
use super::policies::group_id;
use super::tenants::{Directory, Tenant};
use super::{Ask, Outcome, Reply};

const DAY_S: i64 = 86_400;
/// What comes without a choice.
const USUAL: [&str; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
];
const ON_DEMAND: [&str; 14] = [
    "accountEnabled",
    "assignedLicenses",
    "assignedPlans",
    "createdDateTime",
    "department",
    "licenseAssignmentStates",
    "onPremisesSyncEnabled",
    "onPremisesSamAccountName",
    "proxyAddresses",
    "signInActivity",
    "usageLocation",
    "userType",
    "companyName",
    "lastPasswordChangeDateTime",
];
/// Members that a list cannot give.
const OF_ONE_USER_ONLY: [&str; 10] = [
    "aboutMe",
    "birthday",
    "hireDate",
    "interests",
    "mySite",
    "pastProjects",
    "preferredName",
    "responsibilities",
    "schools",
    "skills",
];
const SIGN_IN_ROWS_MAX: usize = 500;

pub(crate) fn time(second: i64) -> String {
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

pub(crate) fn organization(tenant: &Tenant) -> Value {
    let domain = |name: &str, is_default: bool| {
        json!({"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": is_default, "isInitial": !is_default,
            "name": name, "type": "Managed"})
    };
    json!({
        "id": tenant.id,
        "displayName": tenant.name,
        "countryLetterCode": "US",
        "tenantType": "AAD",
        "createdDateTime": time(tenant.epoch_s - 2_000 * DAY_S),
        "onPremisesSyncEnabled": tenant.is_synced.then_some(true),
        "verifiedDomains": [domain(&tenant.initial_domain, false), domain(&tenant.domain, true)],
    })
}

pub(crate) fn domains(tenant: &Tenant) -> Vec<Value> {
    let row = |name: &str, is_default: bool| {
        json!({"id": name, "authenticationType": "Managed", "isAdminManaged": true, "isDefault": is_default,
            "isInitial": !is_default, "isRoot": true, "isVerified": true, "supportedServices": ["Email"]})
    };
    vec![row(&tenant.initial_domain, false), row(&tenant.domain, true)]
}

pub(crate) fn delegated_customers(directory: &Directory) -> Vec<Value> {
    let customers = directory.tenants.values().filter(|it| it.organization_id.is_some() && it.has_delegation);
    customers.map(|it| json!({"id": it.id, "tenantId": it.id, "displayName": it.name})).collect()
}

pub(crate) fn contracts(directory: &Directory) -> Vec<Value> {
    let customers = directory.tenants.values().filter(|it| it.organization_id.is_some() && it.has_contract);
    customers
        .map(|it| {
            let id = uuid::Uuid::from_u128(it.id.as_u128() ^ 1);
            json!({"id": id, "contractType": "SyndicationPartner", "customerId": it.id, "displayName": it.name,
                "defaultDomainName": it.domain})
        })
        .collect()
}

fn check_select(names: &[&str], of_list: &[&str]) -> Result<(), Refusal> {
    for name in names {
        if of_list.contains(name) {
            let message = format!("The property '{name}' can only be retrieved for a single user.");
            return Err(Refusal::new(axum::http::StatusCode::NOT_IMPLEMENTED, "NotImplemented", &message));
        }
        if !USUAL.contains(name) && !ON_DEMAND.contains(name) && !OF_ONE_USER_ONLY.contains(name) {
            let message = format!("Could not find a property named '{name}' on type 'microsoft.graph.user'.");
            return Err(Refusal::bad(&message));
        }
    }
    Ok(())
}

pub(crate) fn users(tenant: &Tenant, ask: &Ask<'_>) -> Outcome {
    let select = ask.select();
    check_select(&select, &OF_ONE_USER_ONLY)?;
    if ask.param("$skip").is_some() {
        return Err(Refusal::bad("'$skip' is not supported by the service."));
    }
    for name in ["$filter", "$search", "$expand", "$orderby"] {
        if ask.param(name).is_some() {
            return Err(Refusal::bad(&format!("The sandbox does not know '{name}' of users.")));
        }
    }
    if ask.param("$count").is_some() && !ask.is_eventual {
        return Err(Refusal::bad("$count is not currently supported without the ConsistencyLevel header."));
    }
    let with_sign_ins = select.contains(&"signInActivity");
    if with_sign_ins {
        if tenant.lacks("AuditLog.Read.All") {
            return Err(Refusal::denied());
        }
        if !tenant.has_premium() {
            return Err(Refusal::non_premium());
        }
    }
    let rows_max = paging::size(ask, 100, if with_sign_ins { SIGN_IN_ROWS_MAX } else { 999 })?;
    let indices: Vec<u32> = tenant.indices().collect();
    paging::page_of(ask, tenant, indices.len(), rows_max, |range| {
        indices[range].iter().map(|index| user(tenant, &tenant.person(*index), &select, ask.now)).collect()
    })
}

pub(crate) fn users_count(tenant: &Tenant, ask: &Ask<'_>) -> Outcome {
    if !ask.is_eventual {
        return Err(Refusal::bad("$count needs the header ConsistencyLevel: eventual."));
    }
    Ok(Reply::Text(tenant.head_count().to_string()))
}

pub(crate) fn one_user(tenant: &Tenant, key: &str, ask: &Ask<'_>) -> Outcome {
    let select = ask.select();
    check_select(&select, &[])?;
    let index = tenant.find(key).ok_or_else(|| Refusal::not_found(key))?;
    let mut body = user(tenant, &tenant.person(index), &select, ask.now);
    body["@odata.context"] = paging::context(ask, "users/$entity").into();
    Ok(Reply::Json(body))
}

/// With the members that were chosen, or the usual ones.
pub(crate) fn user(tenant: &Tenant, person: &Person, select: &[&str], now: Timestamp) -> Value {
    let chosen = if select.is_empty() { &USUAL[..] } else { select };
    let mut row = Map::new();
    // The id comes in any case.
    row.insert("id".into(), json!(person.id));
    for name in chosen {
        row.insert((*name).to_owned(), member(tenant, person, name, now));
    }
    if select.contains(&"signInActivity") && person.signed_in.is_none() {
        row.remove("signInActivity");
    }
    Value::Object(row)
}

fn member(tenant: &Tenant, person: &Person, name: &str, now: Timestamp) -> Value {
    let basics = &person.basics;
    match name {
        "id" => json!(person.id),
        "displayName" => json!(person.display_name),
        "userPrincipalName" => json!(person.user_principal_name),
        "mail" => json!(person.mail),
        "givenName" => json!(person.given_name),
        "surname" => json!(person.surname),
        "jobTitle" => json!(person.job_title),
        "department" => json!(person.department),
        "businessPhones" | "proxyAddresses" | "assignedPlans" => json!([]),
        "accountEnabled" => json!(basics.is_enabled),
        "userType" => json!(if basics.kind == Kind::Guest { "Guest" } else { "Member" }),
        "createdDateTime" => json!(time(basics.created_s)),
        "usageLocation" => json!("US"),
        "companyName" => json!(tenant.name),
        "onPremisesSyncEnabled" => json!(person.is_synced.then_some(true)),
        "onPremisesSamAccountName" => {
            let name = person.given_name.as_deref().filter(|_| person.is_synced);
            json!(name.map(str::to_ascii_lowercase))
        }
        "assignedLicenses" => {
            let row = |held: &super::people::Held| json!({"skuId": held.sku.id(), "disabledPlans": []});
            json!(basics.licenses.iter().map(row).collect::<Vec<_>>())
        }
        "licenseAssignmentStates" => {
            let group = person.is_synced.then(|| group_id(tenant, LICENSED_GROUP));
            let row = |held: &super::people::Held| {
                json!({"skuId": held.sku.id(), "disabledPlans": [], "assignedByGroup": group, "state": "Active",
                    "error": "None", "lastUpdatedDateTime": time(held.assigned_s)})
            };
            json!(basics.licenses.iter().map(row).collect::<Vec<_>>())
        }
        "signInActivity" => sign_ins(person, now),
        _ => Value::Null,
    }
}

/// Of people who work, the last sign-in follows the clock; it is the one that the log of sign-ins has.
fn sign_ins(person: &Person, now: Timestamp) -> Value {
    let Some((days, silent_days)) = person.signed_in else { return Value::Null };
    let at = |days: i64| time(person.basics.last_sign_in_s(days, now).max(person.basics.created_s));
    json!({
        "lastSignInDateTime": at(days),
        "lastSignInRequestId": person.id,
        "lastNonInteractiveSignInDateTime": at(silent_days),
        "lastNonInteractiveSignInRequestId": person.id,
        "lastSuccessfulSignInDateTime": at(days.min(silent_days)),
    })
}
