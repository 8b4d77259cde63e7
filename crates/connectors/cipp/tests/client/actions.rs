//! What changes something: sent once, never taken for an effect, and read back.
use cipp::{Forwarding, LicenseChange, NewTemplate, Offboarding, Said, Wanted};
use kernel::secret::ExposeSecret as _;
use serde_json::json;

use crate::support::{Scene, domain, scene, scene_with, whole};

async fn template(scene: &Scene, domain: &str) -> String {
    let wanted = |setting: &str, value| Wanted { setting: setting.into(), value };
    let template = NewTemplate {
        id: None,
        name: "Baseline".into(),
        tenants: vec![domain.to_owned()],
        wanted: vec![
            wanted("standards.AuditLog", json!(true)),
            wanted("standards.sharingCapability", json!("disabled")),
            wanted("standards.AntiPhishPolicy", json!({"PhishThresholdLevel": 2})),
        ],
    };
    let made = scene.cipp.add_standards_template(&template).await.unwrap();
    assert_eq!(made.said, Said::Ok);
    made.id.unwrap()
}

async fn value(scene: &Scene, domain: &str, setting: &str) -> serde_json::Value {
    let found = whole(scene.cipp.standards_compare(domain).await);
    found.into_iter().find(|it| it.name == setting).unwrap().value
}

#[tokio::test]
async fn a_run_is_queued_first_and_its_effect_is_read_later() {
    let scene = scene().await;
    let tenant = scene.first().await;
    let domain = domain(&tenant);
    scene
        .control("/settings", json!({"organization_id": 1, "setting": "standards.AuditLog", "value": false}))
        .await;
    let id = template(&scene, domain).await;
    let ran = scene.cipp.run_standards(&id, domain).await.unwrap();
    assert_eq!((ran.said, ran.observed_at.is_some()), (Said::Ok, true));
    assert_eq!(value(&scene, domain, "standards.AuditLog").await, json!(false), "queued, not done");
    assert_eq!(value(&scene, domain, "standards.AuditLog").await, json!(true));
    assert_eq!(value(&scene, domain, "standards.sharingCapability").await, json!("disabled"));
    assert_eq!(value(&scene, domain, "standards.AntiPhishPolicy").await["PhishThresholdLevel"], 2);
    assert!(whole(scene.cipp.queue().await).iter().any(|row| row.raw["Status"] == "Completed"));
    // It says that it was queued, and never does it.
    scene
        .control("/settings", json!({"organization_id": 1, "setting": "standards.AuditLog", "value": false}))
        .await;
    scene.fault(json!({"kind": "lying_success", "path_prefix": "/api/ExecStandardsRun"})).await;
    assert_eq!(scene.cipp.run_standards(&id, domain).await.unwrap().said, Said::Ok);
    for _ in 0..3 {
        assert_eq!(value(&scene, domain, "standards.AuditLog").await, json!(false));
    }
    // A 200 that tells of a failure.
    let unknown = scene.cipp.run_standards("no-such-template", domain).await.unwrap();
    assert_eq!(unknown.said, Said::Failed);
    scene.fault(json!({"kind": "not_ok", "path_prefix": "/api/ExecStandardsRun"})).await;
    assert_eq!(scene.cipp.run_standards(&id, domain).await.unwrap().said, Said::Failed);
    // A role that may only read.
    scene.role("readonly").await;
    assert!(scene.cipp.run_standards(&id, domain).await.is_err_and(|error| error.kind() == "forbidden"));
}

#[tokio::test]
async fn nothing_is_sent_again_when_nobody_knows_what_became_of_it() {
    let scene = scene_with(700).await;
    let tenant = scene.first().await;
    let domain = domain(&tenant);
    let user = whole(scene.cipp.users(domain).await).into_iter().next_back().unwrap();
    for fault in [
        json!({"kind": "slow", "delay_ms": 1_500}),
        json!({"kind": "dropped_connection"}),
        json!({"kind": "html_page", "stage": "after"}),
        json!({"kind": "server_error", "stage": "after"}),
    ] {
        let mut fault = fault;
        fault["path_prefix"] = json!("/api/ExecResetPass");
        scene.fault(fault.clone()).await;
        let before = scene.calls().await;
        let reset = scene.cipp.reset_password(domain, &user.id, "Somebody").await.unwrap();
        assert_eq!((reset.acted.said, reset.password.is_none()), (Said::Unsure, true), "{fault}");
        assert_eq!(scene.calls().await, before + 1, "{fault}: sent once");
    }
}

#[tokio::test]
async fn people_and_mailboxes_change_and_a_new_password_is_a_secret() {
    let scene = scene().await;
    let tenant = scene.first().await;
    let domain = domain(&tenant);
    let all = whole(scene.cipp.users(domain).await);
    let user =
        all.iter().find(|it| it.account_enabled == Some(true) && !it.sku_ids.is_empty()).unwrap().clone();
    let reset = scene.cipp.reset_password(domain, &user.id, "Somebody").await.unwrap();
    let password = reset.password.as_ref().unwrap().expose_secret().to_owned();
    assert!(password.len() >= 8 && !format!("{reset:?}").contains(&password));
    let (id, name) = (user.id.as_str(), user.user_principal_name.as_str());
    for acted in [
        scene.cipp.disable_user(domain, id).await,
        scene.cipp.reset_mfa(domain, id).await,
        scene.cipp.revoke_sessions(domain, id, name).await,
        scene.cipp.change_licenses(domain, id, &LicenseChange::RemoveAll).await,
        scene.cipp.set_mailbox_forwarding(domain, id, &Forwarding::Off).await,
        scene.cipp.convert_mailbox(domain, id, cipp::MailboxKind::Shared).await,
        scene
            .cipp
            .offboard_user(
                domain,
                &Offboarding {
                    user_principal_name: name.into(),
                    steps: vec!["DisableSignIn"],
                    ..Offboarding::default()
                },
            )
            .await,
    ] {
        let acted = acted.unwrap();
        assert_eq!(acted.said, Said::Ok, "{}", acted.words);
    }
    let now = whole(scene.cipp.users(domain).await).into_iter().find(|it| it.id == user.id).unwrap();
    assert_eq!((now.account_enabled, now.sku_ids.len()), (Some(false), 0));
    let nobody = scene.cipp.disable_user(domain, "nobody@nowhere.example").await.unwrap();
    assert_eq!(nobody.said, Said::Failed);
}
