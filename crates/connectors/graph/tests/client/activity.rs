//! What happens in tenants, as it is asked for between two times.
use connector_api::{Completeness, PartialReason, VendorError, Walk};
use graph::{ActorKind, SignInOutcome, missing_permission};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::{CUSTOMERS, Scene, scene, whole};

fn stopped<T>(walk: &Walk<T>) -> &VendorError {
    match &walk.completeness {
        Completeness::Partial { reason: PartialReason::Stopped(error) } => error,
        other => panic!("{other:?}"),
    }
}

impl Scene {
    fn days_ago(&self, days: i64) -> Timestamp {
        self.clock.now() - SignedDuration::from_hours(24 * days)
    }
}

#[tokio::test]
async fn changes_name_who_did_what_to_whom() {
    let scene = scene(2, 30).await;
    let tenant = scene.first().await;
    let (from, to) = (scene.days_ago(29), scene.clock.now());
    let before = whole(tenant.directory_changes(from, to).await);
    for (action, count) in [("join", 1), ("unassign", 2), ("disable", 1), ("leave", 1)] {
        scene.control("/people", json!({ "organization_id": 1, "action": action, "count": count })).await;
    }
    let after = whole(tenant.directory_changes(from, to).await);
    let fresh: Vec<_> = after.iter().filter(|it| !before.iter().any(|old| old.id == it.id)).collect();
    let count = |activity: &str| fresh.iter().filter(|it| it.activity == activity).count();
    assert_eq!((count("Add user"), count("Disable account"), count("Delete user")), (1, 1, 1));
    assert!(fresh.iter().any(|it| it.skus_added.len() == 1 && it.skus_removed.is_empty()));
    assert!(fresh.iter().filter(|it| it.skus_removed.len() == 1).count() >= 2);
    for it in &fresh {
        assert!(it.actor.kind != ActorKind::Unknown && !it.actor.name.is_empty(), "{it:?}");
        assert!(it.target.id.is_some() && it.target.name.is_some() && it.outcome == "success", "{it:?}");
    }
    // The same events, whenever and in whatever pieces they are asked for.
    let again = whole(tenant.directory_changes(from, to).await);
    assert_eq!(again, after);
    let middle = scene.days_ago(1);
    let mut pieces = whole(tenant.directory_changes(from, middle).await);
    pieces.extend(whole(tenant.directory_changes(middle, to).await));
    pieces.sort_by(|one, other| one.id.cmp(&other.id));
    pieces.dedup_by(|one, other| one.id == other.id);
    assert_eq!(pieces.len(), after.len());
}

#[tokio::test]
async fn sign_ins_need_a_license_of_the_tenant_and_a_right() {
    let scene = scene(CUSTOMERS, 200).await;
    let (from, to) = (scene.days_ago(7), scene.clock.now());
    let mut outcomes = std::collections::BTreeMap::new();
    for row in scene.tenants().await.iter().filter(|row| row["consent"] == true) {
        let tenant = scene.graph.tenant(row["tenant_id"].as_str().unwrap());
        let walk = tenant.sign_in_log(from, to).await;
        if row["has_premium"] == false {
            assert!(matches!(stopped(&walk), VendorError::MissingCapability { .. }));
            continue;
        }
        for it in whole(walk) {
            assert!(it.at >= from && it.at <= to && it.user_id.is_some(), "{it:?}");
            let word = match it.outcome {
                SignInOutcome::Success => "success",
                SignInOutcome::Interrupted => "interrupted",
                SignInOutcome::Failure => "failure",
            };
            *outcomes.entry(word).or_insert(0) += 1;
        }
    }
    assert_eq!(outcomes.len(), 3, "{outcomes:?}");
    let tenant = scene.first().await;
    scene.fault(json!({ "kind": "missing_permission", "path_prefix": "/v1.0/auditLogs", "times": 2 })).await;
    let denied = tenant.directory_changes(from, to).await;
    assert_eq!(missing_permission(stopped(&denied)), Some("AuditLog.Read.All"));
    scene.clear_faults().await;
    // What happened and has not appeared yet.
    scene.control("/settings", json!({ "activity": "late" })).await;
    scene.control("/people", json!({ "organization_id": 1, "action": "join", "count": 1 })).await;
    let now = scene.days_ago(0);
    assert!(
        !whole(tenant.directory_changes(from, now).await)
            .iter()
            .any(|it| it.at >= now - SignedDuration::from_mins(5))
    );
}
