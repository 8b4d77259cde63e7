//! Records as the deployment writes them: a mix of numbers and text, with flags where others have words.
use jiff::Timestamp;
use serde_json::{Value, json};

use super::standards::Standard;
use super::state::{Deployment, Mailbox, Member, RunState, Trouble};
use crate::graph::people::{Kind, Person};
use crate::graph::skus::Sku;
use crate::graph::tenants::Tenant;

pub(crate) fn selector() -> Value {
    json!({"customerId": "AllTenants", "defaultDomainName": "AllTenants", "displayName": "*All Tenants", "domains": "AllTenants", "GraphErrorCount": 0})
}

pub(crate) fn false_row() -> Value {
    json!({"Results": "Failed to retrieve tenants: The remote server returned an error: (401) Unauthorized.", "defaultDomainName": "",
        "displayName": "Failed to retrieve tenants. Perform a permission check.", "customerId": ""})
}

pub(crate) fn tenant(tenant: &Tenant, member: &Member, now: Timestamp) -> Value {
    let is_partner = tenant.organization_id.is_none();
    let has_errors = member.trouble == Trouble::GraphErrors;
    let error = if has_errors { "AADSTS65001: The application has no consent in this tenant." } else { "" };
    json!({
        "customerId": tenant.id,
        "displayName": if is_partner { "*Partner Tenant" } else { tenant.name.as_str() },
        "defaultDomainName": tenant.domain,
        "initialDomainName": tenant.initial_domain,
        "domains": if is_partner { "PartnerTenant" } else { "" },
        "delegatedPrivilegeStatus": if is_partner { "directTenant" } else { "granularDelegatedAdminPrivileges" },
        "relationshipEnd": member.access_ends.map(|at| at.to_string()).unwrap_or_default(),
        "relationshipCount": i32::from(!is_partner),
        "hasAutoExtend": member.renews,
        "Excluded": member.trouble == Trouble::Excluded,
        "ExcludeUser": if member.trouble == Trouble::Excluded { "owner@msp.example" } else { "" },
        "GraphErrorCount": if has_errors { 14 } else { 0 },
        "LastGraphError": error,
        "RequiresRefresh": has_errors,
        "LastRefresh": now.to_string(),
        "PartitionKey": "Tenants",
        "RowKey": tenant.id,
    })
}

pub(crate) fn compared(tenant: &Tenant, member: &Member, now: Timestamp) -> Value {
    let mut row = serde_json::Map::from_iter([("tenantFilter".to_owned(), json!(tenant.domain))]);
    for (name, value) in &member.settings {
        let Some(standard) = Standard::of(name) else { continue };
        let wanted = member.expected.get(name);
        let template = wanted.map(|(_, template)| template.as_str());
        row.insert(
            name.clone(),
            standard.compared(value, wanted.map(|(value, _)| value), template, &now.to_string()),
        );
    }
    Value::Object(row)
}

/// By templates of the deployment.
pub(crate) fn alignment(
    deployment: &Deployment,
    tenant: &Tenant,
    member: &Member,
    now: Timestamp,
) -> Vec<Value> {
    let mut rows = Vec::new();
    for (id, template) in &deployment.templates {
        let of = |(name, (value, by)): (&String, &(Value, String))| {
            (by == id).then(|| member.settings.get(name) == Some(value))
        };
        let all: Vec<bool> = member.expected.iter().filter_map(of).collect();
        if !all.is_empty() {
            let good = all.iter().filter(|it| **it).count();
            rows.push(json!({"tenantFilter": tenant.domain, "standardId": id, "standardName": template["templateName"], "standardType": "Classic",
                "alignmentScore": 100 * good / all.len(), "LicenseMissingPercentage": 0, "latestDataCollection": now.to_string()}));
        }
    }
    rows
}

/// `skuPartNumber` is the friendly name.
pub(crate) fn licenses(tenant: &Tenant) -> Vec<Value> {
    let consumed = tenant.consumed();
    let row = |(sku, purchased): (&Sku, &u32)| {
        let used = consumed.get(sku).copied().unwrap_or(0);
        let name = friendly(*sku);
        json!({"Tenant": tenant.domain, "License": name, "CountUsed": used.to_string(), "CountAvailable": purchased.saturating_sub(used),
            "TotalLicenses": purchased.to_string(), "skuId": sku.id(), "skuPartNumber": name, "availableUnits": purchased.saturating_sub(used),
            "AssignedUsers": null, "AssignedGroups": null, "TermInfo": []})
    };
    tenant.purchased.iter().map(row).collect()
}

pub(crate) fn friendly(sku: Sku) -> &'static str {
    match sku {
        Sku::BusinessPremium => "Microsoft 365 Business Premium",
        Sku::BusinessStandard => "Microsoft 365 Business Standard",
        Sku::M365E3 => "Microsoft 365 E3",
        Sku::Office365E3 => "Office 365 E3",
        Sku::ExchangePlan1 => "Exchange Online (Plan 1)",
        Sku::FlowFree => "Microsoft Power Automate Free",
        Sku::Visio => "Visio Plan 2",
    }
}

pub(crate) fn user(tenant: &Tenant, person: &Person) -> Value {
    let licenses: Vec<Value> = person
        .basics
        .licenses
        .iter()
        .map(|held| json!({"skuId": held.sku.id(), "disabledPlans": []}))
        .collect();
    let (name, domain) =
        person.user_principal_name.split_once('@').unwrap_or((&person.user_principal_name, &tenant.domain));
    let joined: Vec<&str> = person.basics.licenses.iter().map(|held| friendly(held.sku)).collect();
    json!({
        "id": person.id, "userPrincipalName": person.user_principal_name, "displayName": person.display_name,
        "givenName": person.given_name, "surname": person.surname, "mail": person.mail, "accountEnabled": person.basics.is_enabled,
        "userType": if person.basics.kind == Kind::Guest { "Guest" } else { "Member" }, "department": person.department,
        "jobTitle": person.job_title, "assignedLicenses": licenses, "username": name, "LicJoined": joined.join(", "), "Aliases": "",
        "primDomain": {"value": domain, "label": domain},
    })
}

pub(crate) fn mfa_user(tenant: &Tenant, person: &Person) -> Value {
    let methods = tenant.methods(&person.basics);
    let is_registered = methods.iter().any(|method| *method != "password");
    let covered = match tenant.judge(&person.basics).reason {
        "policy" => "Enforced - All Apps",
        "some_apps" => "Enforced - Specific Apps",
        _ => "Not Enforced",
    };
    json!({
        "Tenant": tenant.domain, "ID": person.id, "UPN": person.user_principal_name, "DisplayName": person.display_name,
        "AccountEnabled": person.basics.is_enabled, "PerUser": tenant.per_user(&person.basics).as_str(),
        "isLicensed": !person.basics.licenses.is_empty(), "MFARegistration": is_registered, "MFACapable": is_registered.to_string(),
        "MFAMethods": methods, "CoveredByCA": covered, "CAPolicies": [], "CoveredBySD": false,
        "IsAdmin": tenant.role(&person.basics).is_some(), "UserType": "Member",
    })
}

pub(crate) fn mailbox(deployment: &Deployment, tenant: &Tenant, person: &Person) -> Value {
    let known = deployment.mailboxes.get(&(tenant.id, person.id));
    let usual = Mailbox::default();
    let mailbox = known.unwrap_or(&usual);
    let is_shared = mailbox.is_shared.unwrap_or(person.basics.kind == Kind::SharedMailbox);
    json!({
        "id": person.id, "UPN": person.user_principal_name, "displayName": person.display_name,
        "primarySmtpAddress": person.mail, "recipientTypeDetails": if is_shared { "SharedMailbox" } else { "UserMailbox" },
        "InternalForwardingAddress": mailbox.forward_to, "ForwardingSmtpAddress": null, "DeliverToMailboxAndForward": mailbox.keeps_copy,
    })
}

pub(crate) fn queue(deployment: &Deployment) -> Vec<Value> {
    let row = |run: &super::state::QueuedRun| {
        let (status, done) = match run.state {
            RunState::Queued => ("Queued", 0),
            RunState::Running => ("Running", 0),
            RunState::Completed => ("Completed", 1),
        };
        json!({"PartitionKey": "CippQueue", "RowKey": run.id, "Name": "Standards run", "Reference": run.template, "Status": status,
            "TotalTasks": 1, "CompletedTasks": done, "PercentComplete": 100 * done})
    };
    deployment.runs.iter().map(row).collect()
}
