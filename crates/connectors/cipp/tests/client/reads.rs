//! What is read, and whom the deployment lets read it.
use std::collections::BTreeMap;

use connector_api::health::Finding;
use connector_api::{Completeness, PartialReason, VendorError};
use serde_json::{Value, json};

use crate::support::{config_of, domain, scene, whole};

#[tokio::test]
async fn tenants_come_with_their_troubles_and_without_the_selector() {
    let scene = scene().await;
    let listed = scene.cipp.tenants().await;
    assert!(!listed.is_limited);
    let tenants = whole(listed.walk);
    let truth = scene.truth().await;
    assert_eq!(tenants.len(), truth["tenants"].as_array().unwrap().len());
    assert_eq!(tenants.iter().filter(|it| it.is_partner).count(), 1);
    let partner = tenants.iter().find(|it| it.is_partner).unwrap();
    assert_eq!((partner.access_ends_at, partner.access_kind.as_deref()), (None, Some("directTenant")));
    let failing: Vec<_> = tenants.iter().filter(|it| it.graph_error_count > 0).collect();
    assert!(
        matches!(failing.as_slice(), [one] if one.last_graph_error.as_deref().unwrap().contains("AADSTS65001") && one.requires_refresh)
    );
    assert_eq!(tenants.iter().filter(|it| it.is_excluded).count(), 1);
    let now = scene.clock.now();
    let in_days = |days: i64| now + jiff::Span::new().hours(days * 24);
    let ended = tenants.iter().filter(|it| it.access_ends_at.is_some_and(|at| at < now)).count();
    let soon =
        tenants.iter().filter(|it| it.access_ends_at.is_some_and(|at| at > now && at < in_days(30))).count();
    assert_eq!((ended, soon), (1, 1));
    let one = tenants.iter().find(|it| !it.is_partner).unwrap();
    let again = scene.cipp.tenant(domain(one)).await.unwrap().unwrap();
    assert_eq!(again.value.id, one.id);
    assert!(scene.cipp.tenant("nobody.example").await.unwrap().is_none());
}

#[tokio::test]
async fn every_setting_is_read_in_one_form_and_by_the_domain_only() {
    let scene = scene().await;
    let tenant = scene.first().await;
    let walk = scene.cipp.standards_compare(domain(&tenant)).await;
    let found: BTreeMap<String, Value> = whole(walk).into_iter().map(|it| (it.name, it.value)).collect();
    assert_eq!(found, scene.settings_of(&tenant.id).await);
    assert!(
        found.values().any(Value::is_object)
            && found.values().any(Value::is_i64)
            && found.values().any(Value::is_boolean)
    );
    // By its id nothing is found, and nothing is made of that.
    let by_id = scene.cipp.standards_compare(&tenant.id).await;
    let reason = match by_id.completeness {
        Completeness::Partial { reason: PartialReason::Stopped(error) } => error,
        other => panic!("{other}"),
    };
    assert!(
        matches!(reason, VendorError::NotReady { .. })
            && by_id.items.is_empty()
            && by_id.observed_at.is_none()
    );
    // What somebody changes at the tenant shows in the next reading.
    let drift = json!({"organization_id": 1, "setting": "standards.sharingCapability", "value": "externalUserAndGuestSharing"});
    scene.control("/settings", drift).await;
    let again = whole(scene.cipp.standards_compare(domain(&tenant)).await);
    let changed = again.iter().find(|it| it.name == "standards.sharingCapability").unwrap();
    assert_eq!(
        (changed.value.clone(), changed.expected.clone()),
        (json!("externalUserAndGuestSharing"), Some(json!("externalUserSharingOnly")))
    );
}

#[tokio::test]
async fn people_licenses_and_lists_of_every_form_are_read() {
    let scene = scene().await;
    let tenant = scene.first().await;
    let domain = domain(&tenant);
    let (users, mfa) = (whole(scene.cipp.users(domain).await), whole(scene.cipp.mfa_users(domain).await));
    let told = scene.truth().await;
    let row = told["tenants"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["tenant_id"] == tenant.id.as_str())
        .unwrap();
    assert_eq!(
        (users.len() as u64, mfa.len() as u64),
        (row["users"].as_u64().unwrap(), row["users"].as_u64().unwrap())
    );
    let licenses = whole(scene.cipp.licenses(domain).await);
    assert!(licenses.iter().all(|it| it.used.is_some() && it.total >= it.used && it.name.contains(' ')));
    assert!(whole(scene.cipp.mailbox_rules(domain).await).is_empty(), "an empty body");
    assert!(whole(scene.cipp.mailbox_permissions(domain, &users[0].id).await).is_empty(), "null");
    assert_eq!(whole(scene.cipp.alerts_queue().await).len(), 1, "one row as an object");
    assert!(!whole(scene.cipp.conditional_access(domain).await).is_empty());
    assert!(!whole(scene.cipp.groups(domain).await).is_empty());
    assert_eq!(scene.cipp.graph_request(domain, "organization").await.unwrap().value[0]["id"], tenant.id);
    assert_eq!(scene.cipp.bpa(domain, "Table").await.unwrap().value.len(), 1);
    assert_eq!(whole(scene.cipp.standard_templates().await).len(), 1);
    let alignment = whole(scene.cipp.tenant_alignment().await);
    assert!(alignment.iter().any(|it| it.tenant == domain && it.score.is_some_and(|score| score <= 100)));
    // Over all tenants it is queued at first; what stands in for it is no data.
    let queued = scene.cipp.licenses("AllTenants").await;
    assert!(queued.items.is_empty() && !queued.completeness.is_complete());
    assert!(!whole(scene.cipp.licenses("AllTenants").await).is_empty());
    let path = "organization";
    assert!(matches!(scene.cipp.graph_request("AllTenants", path).await, Err(VendorError::NotReady { .. })));
    let failed = scene.cipp.graph_request(domain, "nothing/of/it").await;
    assert!(matches!(failed, Err(VendorError::Rejected { status: 400, .. })), "{failed:?}");
}

#[tokio::test]
async fn a_role_is_named_right_by_right() {
    let scene = scene().await;
    let health = scene.cipp.health_check().await;
    assert!(health.can_read() && health.problems().is_empty(), "{:?}", health.problems());
    let missing = |health: &connector_api::Health| -> Vec<String> {
        let of = |it: &connector_api::health::Check| match &it.finding {
            Finding::MissingRight(right) => Some(format!("{}: {right}", it.name)),
            _ => None,
        };
        health.checks.iter().filter_map(of).collect()
    };
    scene.role("readonly").await;
    let health = scene.cipp.health_check().await;
    assert!(health.can_read());
    let lacking = missing(&health).join("\n");
    for right in ["Tenant.Standards.ReadWrite", "Identity.User.ReadWrite", "Exchange.Mailbox.ReadWrite"] {
        assert!(lacking.contains(right), "{lacking}");
    }
    scene.role("editor").await;
    assert_eq!(
        missing(&scene.cipp.health_check().await),
        ["apply baselines: Tenant.Standards.ReadWrite; the API client has the role editor"]
    );
    scene.role("limited").await;
    let limited = scene.cipp.tenants().await;
    assert!(limited.is_limited && limited.walk.completeness.is_complete());
    assert_eq!(missing(&scene.cipp.health_check().await).len(), 1);
}

#[tokio::test]
async fn a_wrong_secret_or_audience_is_said_by_the_sign_in() {
    let scene = scene().await;
    let tried = |change: fn(&mut cipp::Config)| {
        let mut config = config_of(&scene.sandbox);
        change(&mut config);
        cipp::Cipp::new(config, scene.clock.clone()).unwrap()
    };
    let health = tried(|it| it.client_secret = "wrong".into()).health_check().await;
    assert!(
        !health.is_signed_in() && health.problems().join(" ").contains("secret"),
        "{:?}",
        health.problems()
    );
    // A token for Graph is no token for the deployment: an empty 401.
    let graph = scene.sandbox.graph().clone();
    let mut config = config_of(&scene.sandbox);
    (config.client_id, config.client_secret) = (graph.client_id, graph.client_secret);
    let other = cipp::Cipp::new(config, scene.clock.clone()).unwrap();
    assert!(matches!(other.me().await, Err(VendorError::Auth { .. })));
}
