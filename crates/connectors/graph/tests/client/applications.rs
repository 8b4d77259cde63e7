//! Secrets of applications and secure scores.
use std::collections::BTreeSet;

use connector_api::{Completeness, PartialReason, health::Finding};
use graph::{CredentialKind, missing_permission, permissions};

use crate::support::{CUSTOMERS, scene, whole};

#[tokio::test]
async fn credentials_come_with_their_ends_and_without_their_secrets() {
    let scene = scene(CUSTOMERS, 60).await;
    let truth = scene.truth().await;
    let soon = scene.clock.now() + jiff::Span::new().hours(30 * 24);
    let mut found = 0;
    for profile in ["all_users", "report_only", "per_user", "security_defaults"] {
        let (tenant, row) =
            scene.tenant_where(|row| row["profile"] == profile && row["consent"] == true).await;
        let apps = whole(tenant.applications().await);
        assert!(apps.len() >= 2 && !format!("{apps:?}").contains("secretText"));
        let kinds: BTreeSet<bool> = apps
            .iter()
            .flat_map(|app| &app.credentials)
            .map(|it| it.kind == CredentialKind::Secret)
            .collect();
        assert_eq!(kinds.len(), 2, "secrets and certificates");
        let due: BTreeSet<String> = apps
            .iter()
            .filter(|app| app.credentials.iter().all(|it| it.ends_at.is_some_and(|at| at <= soon)))
            .flat_map(|app| app.credentials.iter().map(|it| format!("{} {}", app.id, it.key_id)))
            .collect();
        let told = truth["posture"].as_array().unwrap().iter();
        let told: BTreeSet<String> = told
            .filter(|it| it["tenant_id"] == row["tenant_id"] && it["check"] == "app_credentials")
            .map(|it| it["key"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(due, told, "{profile}");
        found += due.len();
    }
    assert!(found > 0);
    let denied = scene.tenant_of("trusted_location").await;
    let walk = denied.applications().await;
    let Completeness::Partial { reason: PartialReason::Stopped(error) } = walk.completeness else {
        panic!("denied")
    };
    assert_eq!(missing_permission(&error), Some(permissions::APPLICATIONS));
    // The right came later than the connection: it is named, and stops no reading.
    let health = denied.health_check().await;
    let missing: Vec<_> = health.checks.iter().filter(|it| it.finding != Finding::Ok).collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].finding, Finding::MissingRight(permissions::APPLICATIONS.into()));
    assert!(health.can_read());
}

#[tokio::test]
async fn scores_come_newest_first_one_a_day() {
    let scene = scene(3, 60).await;
    let scores = scene.first().await.secure_scores(30).await.unwrap().value;
    assert_eq!(scores.len(), 30);
    assert!(scores.windows(2).all(|pair| pair[0].at > pair[1].at));
    let newest = &scores[0];
    assert!(newest.current > 0.0 && newest.max > newest.current && newest.controls.len() == 2);
    assert_eq!(scene.first().await.secure_scores(2).await.unwrap().value, scores[..2]);
}
