//! What is read is what is there.
use std::collections::{BTreeMap, BTreeSet};

use connector_api::{Completeness, PartialReason, VendorError, health::Finding};
use graph::permissions;
use graph::{NamedCall, PerUserMfa, UserFields, missing_permission};
use sandbox::SandboxConfig;
use serde_json::Value;

use crate::support::{CUSTOMERS, scene, scene_with, whole};

#[tokio::test]
async fn every_tenant_of_either_list_is_a_customer() {
    let scene = scene(CUSTOMERS, 60).await;
    let tenants = scene.tenants().await;
    let customers = whole(scene.graph.customers().await);
    assert_eq!(customers.len(), tenants.len() + 1);
    let home = customers.iter().find(|it| it.is_home).unwrap();
    assert_eq!(home.tenant_id, scene.sandbox.graph().home_tenant_id.to_string());
    let told: BTreeSet<&str> = tenants.iter().map(|row| row["tenant_id"].as_str().unwrap()).collect();
    let read: BTreeSet<&str> =
        customers.iter().filter(|it| !it.is_home).map(|it| it.tenant_id.as_str()).collect();
    assert_eq!(told, read);
    // One of them is known without a contract, so without its domain.
    assert_eq!(customers.iter().filter(|it| it.default_domain.is_none()).count(), 1);
}

#[tokio::test]
async fn a_tenant_tells_its_name_domains_seats_and_people() {
    let scene = scene(3, 300).await;
    let (tenant, row) = scene.tenant_where(|row| row["organization_id"] == 1).await;
    let organization = tenant.organization().await.unwrap().value;
    assert_eq!((organization.id.as_str(), organization.name.as_str()), (tenant.tenant_id(), "Acme Dental"));
    assert_eq!(organization.default_domain(), row["domain"].as_str());
    assert_eq!(organization.initial_domain(), Some("acmedental.onmicrosoft.example"));
    assert_eq!(whole(tenant.domains().await).iter().filter(|it| it.is_verified).count(), 2);
    let people = tenant.users(UserFields::WithSignIns).await;
    assert_eq!(people.sign_ins, Ok(()));
    let people = whole(people.users);
    assert_eq!(people.len() as u64, row["users"].as_u64().unwrap());
    assert!(people.iter().any(graph::User::is_guest));
    assert!(
        people
            .iter()
            .any(|it| it.account_enabled == Some(false) && !it.licenses.as_ref().unwrap().is_empty())
    );
    assert!(people.iter().any(|it| it.sign_ins.is_none()) && people.iter().any(|it| it.sign_ins.is_some()));
    // The seats that the vendor counts are those that people hold.
    let mut held: BTreeMap<uuid::Uuid, i64> = BTreeMap::new();
    for license in people.iter().flat_map(|it| it.licenses.as_ref().unwrap()) {
        *held.entry(license.sku_id).or_default() += 1;
    }
    let skus = whole(tenant.subscribed_skus().await);
    assert_eq!(held, skus.iter().map(|it| (it.sku_id, it.consumed)).collect());
    assert!(skus.iter().all(|it| it.prepaid.enabled >= it.consumed));
    assert!(skus.iter().any(graph::SubscribedSku::grants_premium));
    for state in people.iter().flat_map(|it| it.license_states.as_ref().unwrap()) {
        assert!(held.contains_key(&state.sku_id) && state.updated_at.is_some());
    }
    // One by one, as the list shows them; a guest's name has a # in it.
    let guest = people.iter().find(|it| it.is_guest()).unwrap();
    let upn = guest.user_principal_name.as_deref().unwrap();
    assert!(upn.contains("#EXT#"));
    assert_eq!(tenant.user(upn).await.unwrap().value.id, guest.id);
    let many: Vec<String> = people.iter().take(25).map(|it| it.id.clone()).collect();
    let again = tenant.users_by_id(&many).await;
    assert!(again.iter().zip(&many).all(|(one, id)| one.outcome.as_ref().unwrap().value.id == *id));
    assert_eq!(tenant.user("00000000-0000-4000-8000-000000000000").await.unwrap_err(), VendorError::NotFound);
}

#[tokio::test]
async fn without_premium_people_come_without_sign_ins_and_methods_one_by_one() {
    let scene = scene(CUSTOMERS, 400).await;
    let (tenant, row) = scene.tenant_where(|row| row["has_premium"] == false && row["consent"] == true).await;
    let people = tenant.users(UserFields::WithSignIns).await;
    assert!(matches!(people.sign_ins, Err(VendorError::MissingCapability { .. })), "{:?}", people.sign_ins);
    let people = whole(people.users);
    assert_eq!(people.len() as u64, row["users"].as_u64().unwrap());
    assert!(people.iter().all(|it| it.sign_ins.is_none()));
    let report = tenant.registrations().await;
    let Completeness::Partial { reason: PartialReason::Stopped(error) } = &report.completeness else {
        panic!("{}", report.completeness)
    };
    assert!(matches!(error, VendorError::MissingCapability { .. }), "{error}");
    let ids: Vec<String> = people.iter().map(|it| it.id.clone()).collect();
    let methods = tenant.authentication_methods(&ids).await;
    assert_eq!(methods.iter().map(|it| &it.id).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
    let second = |one: &graph::PerId<Vec<graph::AuthenticationMethod>>| {
        one.outcome.as_ref().unwrap().value.iter().any(graph::AuthenticationMethod::is_second_factor)
    };
    assert!(methods.iter().any(second) && !methods.iter().all(second));
    assert!(whole(tenant.access_policies().await).is_empty());
}

#[tokio::test]
async fn per_user_states_are_read_in_batches() {
    let scene = scene(CUSTOMERS, 900).await;
    let tenant = scene.tenant_of("per_user").await;
    let mut ids: Vec<String> =
        whole(tenant.users(UserFields::WithoutSignIns).await.users).into_iter().map(|it| it.id).collect();
    ids.push("00000000-0000-4000-8000-000000000000".into());
    let states = tenant.mfa_states(&ids).await;
    let count = |state: &PerUserMfa| {
        states.iter().filter(|it| it.outcome.as_ref().is_ok_and(|fact| fact.value == *state)).count()
    };
    assert!(ids.len() > 20 && count(&PerUserMfa::Enforced) > 0 && count(&PerUserMfa::Enabled) > 0);
    assert!(count(&PerUserMfa::Disabled) > 0);
    // One that is gone fails alone.
    assert_eq!(states.last().unwrap().outcome.as_ref().unwrap_err(), &VendorError::NotFound);
    assert_eq!(states.iter().filter(|it| it.outcome.is_err()).count(), 1);
}

#[tokio::test]
async fn policies_groups_and_roles_say_whom_they_reach() {
    let scene = scene(CUSTOMERS, 900).await;
    let defaults = scene.tenant_of("security_defaults").await;
    assert!(defaults.security_defaults().await.unwrap().value.is_enabled);
    let trusted = scene.tenant_of("trusted_location").await;
    assert!(whole(trusted.named_locations().await).iter().any(|it| it.is_trusted == Some(true)));
    let tenant = scene.tenant_of("group_only").await;
    assert!(!tenant.security_defaults().await.unwrap().value.is_enabled);
    let policies = whole(tenant.access_policies().await);
    let on = policies.iter().find(|it| it.state == "enabled").unwrap();
    let raw: Value = serde_json::from_str(on.raw.get()).unwrap();
    let group = raw["conditions"]["users"]["includeGroups"][0].as_str().unwrap();
    assert!(!tenant.group_name(group).await.unwrap().value.is_empty());
    let members: BTreeSet<String> = whole(tenant.group_members(group).await).into_iter().collect();
    let truth = scene.truth().await;
    let protected = truth["mfa"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["tenant_id"] == tenant.tenant_id() && row["outcome"] == "protected");
    let protected: BTreeSet<String> =
        protected.map(|row| row["user_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(members, protected);
    let roles = whole(tenant.role_definitions().await);
    let assignments = whole(tenant.role_assignments().await);
    assert!(assignments.iter().all(|it| roles.iter().any(|role| role.id == it.role_definition_id)));
    let no_name = tenant.group_name("00000000-0000-4000-8000-000000000000").await;
    assert_eq!(no_name.unwrap_err(), VendorError::NotFound);
    let unknown = tenant.group_members("00000000-0000-4000-8000-000000000000").await;
    assert_eq!(unknown.completeness, Completeness::partial(PartialReason::Stopped(VendorError::NotFound)));
}

#[tokio::test]
async fn registrations_agree_with_the_truth_where_mfa_is_demanded() {
    let scene = scene(CUSTOMERS, 600).await;
    let tenant = scene.tenant_of("not_registered").await;
    let truth = scene.truth().await;
    let rows = truth["mfa"].as_array().unwrap().iter();
    let missing: BTreeSet<&str> = rows
        .filter(|row| row["tenant_id"] == tenant.tenant_id() && row["reason"] == "not_registered")
        .map(|row| row["user_id"].as_str().unwrap())
        .collect();
    let report = whole(tenant.registrations().await);
    let read: BTreeSet<&str> = report
        .iter()
        .filter(|it| it.is_mfa_registered == Some(false))
        .map(|it| it.user_id.as_str())
        .collect();
    assert!(!missing.is_empty());
    assert_eq!(missing, read);
    assert!(report.iter().any(|it| it.is_admin == Some(true)));
}

#[tokio::test]
async fn a_large_tenant_is_walked_page_by_page() {
    let config = SandboxConfig { people_per_tenant: Some(3_000), ..SandboxConfig::tests(2, 4) };
    let scene = scene_with(config, 20_000).await;
    let (tenant, row) = scene.tenant_where(|row| row["organization_id"] == 1).await;
    let people = tenant.users(UserFields::WithoutSignIns).await.users;
    assert!(people.pages > 2, "{}", people.pages);
    assert_eq!(whole(people).len() as u64, row["users"].as_u64().unwrap());
}

#[tokio::test]
async fn the_health_check_names_every_missing_right() {
    let scene = scene(CUSTOMERS, 200).await;
    let health = scene.graph.health_check().await;
    assert!(health.can_read() && health.checked_at.is_some(), "{:?}", health.problems());
    let denied = scene.tenant_of("policies_denied").await;
    let health = denied.health_check().await;
    let missing: Vec<_> = health.checks.iter().filter(|it| it.finding != Finding::Ok).collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].finding, Finding::MissingRight(permissions::POLICIES.into()));
    assert!(!health.can_read() && health.problems()[0].contains("Policy.Read.All"));
    assert_eq!(
        missing_permission(&denied.security_defaults().await.unwrap_err()),
        Some(permissions::POLICIES)
    );
    let (closed, _) = scene.tenant_where(|row| row["consent"] == false).await;
    assert_eq!(closed.health_check().await.checks.len(), 1);
    let (poor, _) = scene.tenant_where(|row| row["has_premium"] == false && row["consent"] == true).await;
    let health = poor.health_check().await;
    assert!(health.can_read() && !health.problems().is_empty());
}

#[tokio::test]
async fn named_reads_give_the_answer_as_it_came() {
    let scene = scene(2, 30).await;
    let tenant = scene.first().await;
    let users = tenant.get(&NamedCall::Users { top: 3 }).await.unwrap().value;
    assert_eq!(users["value"].as_array().unwrap().len(), 3);
    assert!(users["@odata.nextLink"].is_string());
    let id = users["value"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(tenant.get(&NamedCall::User { id: id.clone() }).await.unwrap().value["id"], id.as_str());
    for named in [
        NamedCall::Organization,
        NamedCall::Domains,
        NamedCall::SubscribedSkus,
        NamedCall::SecurityDefaults,
        NamedCall::AccessPolicies,
        NamedCall::NamedLocations,
        NamedCall::SecureScores { top: 5 },
        NamedCall::DirectoryAudits { top: 5 },
    ] {
        let answer = tenant.get(&named).await;
        assert!(answer.is_ok(), "{named:?}: {answer:?}");
    }
    // A key cannot climb out of its place in the path.
    let climbed = tenant.get(&NamedCall::User { id: "../organization".into() }).await;
    assert_eq!(climbed.unwrap_err(), VendorError::NotFound);
}

#[tokio::test]
async fn enrolled_devices_are_those_of_the_plan() {
    let scene = scene(CUSTOMERS, 400).await;
    let truth = scene.truth().await;
    let planned = |organization: &Value| -> BTreeSet<String> {
        let rows = truth["endpoints"].as_array().unwrap().iter();
        let of = rows.filter(|row| row["organization_id"] == *organization);
        of.flat_map(|row| row["intune_ids"].as_array().unwrap())
            .map(|id| id.as_str().unwrap().to_owned())
            .collect()
    };
    let (mut total, mut without) = (0, 0);
    for row in scene.tenants().await.iter().filter(|row| row["consent"] == true) {
        let tenant = scene.graph.tenant(row["tenant_id"].as_str().unwrap());
        let walk = tenant.managed_devices().await;
        let planned = planned(&row["organization_id"]);
        if let Completeness::Partial { reason: PartialReason::Stopped(error) } = &walk.completeness {
            assert_eq!(error, &VendorError::MissingCapability { capability: "Intune".into() });
            assert!(planned.is_empty());
            without += 1;
            continue;
        }
        let devices = whole(walk);
        assert_eq!(devices.iter().map(|it| it.id.clone()).collect::<BTreeSet<_>>(), planned);
        assert!(devices.iter().all(|it| it.enrolled_at.is_some() && it.entra_device_id.is_some()));
        total += devices.len();
    }
    assert!(total > 150 && without > 0, "{total} {without}");
    let devices = whole(scene.first().await.managed_devices().await);
    // Never seen since it was enrolled; a serial that is none; one that is blank.
    assert!(
        devices.iter().any(|it| it.last_sync_at.is_none())
            && devices.iter().any(|it| it.serial_number.is_none())
    );
    let ids: Vec<String> = devices.iter().map(|it| it.id.clone()).chain(["gone".into()]).collect();
    let again = scene.first().await.managed_devices_by_id(&ids).await;
    assert!(again.iter().zip(&devices).all(|(one, is)| one.outcome.as_ref().unwrap().value.name == is.name));
    assert_eq!(again.last().unwrap().outcome.as_ref().unwrap_err(), &VendorError::NotFound);
    assert_eq!(scene.first().await.managed_device(&ids[0]).await.unwrap().value.id, ids[0]);
}
