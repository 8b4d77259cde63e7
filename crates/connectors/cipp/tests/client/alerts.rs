//! What the checks of a deployment found, and the rules that people set up.
use std::collections::BTreeSet;

use connector_api::{Completeness, PartialReason, VendorError, Walk};
use serde_json::{Value, json};

use crate::support::{Scene, domain, scene, whole};

impl Scene {
    /// `cmdlet:hash` of what the sandbox says is there.
    async fn fired(&self, tenant: &str) -> BTreeSet<String> {
        let truth = self.truth().await;
        let rows = truth["cipp_alerts"].as_array().unwrap().iter().filter(|row| row["tenant_id"] == tenant);
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        rows.map(|row| format!("{}:{}", text(row, "cmdlet"), text(row, "hash"))).collect()
    }

    async fn order(&self, order: Value) -> Value {
        let mut order = order;
        order["organization_id"] = json!(1);
        self.control("/cipp-alerts", order).await
    }
}

fn stopped<T>(walk: Walk<T>) -> VendorError {
    assert!(walk.items.is_empty() && walk.observed_at.is_none(), "nothing of a failure is data");
    match walk.completeness {
        Completeness::Partial { reason: PartialReason::Stopped(error) } => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn alerts_are_what_the_checks_found_in_every_form() {
    let scene = scene().await;
    let (mut forms, mut checks) = (BTreeSet::new(), BTreeSet::new());
    for tenant in whole(scene.cipp.tenants().await.walk).iter().filter(|it| it.graph_error_count == 0) {
        let fired = whole(scene.cipp.alert_results(domain(tenant)).await);
        let keys: BTreeSet<String> = fired.iter().map(cipp::FiredAlert::key).collect();
        assert_eq!(keys, scene.fired(&tenant.id).await, "{}", tenant.name);
        assert!(fired.iter().all(|it| !it.is_quiet && it.preview.is_some()));
        let day = "2026-03-10T00:00:00Z".parse().ok();
        assert!(fired.iter().all(|it| it.last_seen_at == day), "a day is no count of seconds");
        forms.insert(fired.len().min(2));
        checks.extend(fired.into_iter().map(|it| it.cmdlet));
    }
    for check in ["Get-CIPPAlertMFAAdmins", "Get-CIPPAlertAppSecretExpiry"] {
        assert!(checks.contains(check), "{checks:?}");
    }
    assert!(forms.contains(&2) && forms.len() > 1, "lists of more than one, and of one: {forms:?}");
    // By order: none, one as an object, and none again.
    let tenant = scene.first().await;
    let name = domain(&tenant);
    let count = async || whole(scene.cipp.alert_results(name).await).len();
    if count().await > 0 {
        scene.order(json!({"action": "clear"})).await;
    }
    assert_eq!(count().await, 0);
    let told = scene.order(json!({"action": "fire", "message": "Malware on WS-7"})).await;
    let [one] = &whole(scene.cipp.alert_results(name).await)[..] else { panic!("one, sent as an object") };
    assert_eq!(told["keys"], json!([one.key()]));
    assert_eq!(
        (one.cmdlet.as_str(), one.preview.as_deref()),
        ("Get-CIPPAlertDefenderMalware", Some("Malware on WS-7"))
    );
    scene.order(json!({"action": "clear"})).await;
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn what_is_no_list_of_alerts_is_none() {
    let scene = scene().await;
    let tenant = scene.first().await;
    let name = domain(&tenant);
    for (kind, is) in [
        ("server_error", "upstream"),
        ("error_text", "forbidden"),
        ("placeholder", "not_ready"),
        ("not_ok", "rejected"),
        ("html_page", "not_json"),
        ("false_row", "rejected"),
    ] {
        for path in ["/api/ListAlertResults", "/api/ListAlertsQueue"] {
            scene.fault(json!({"kind": kind, "path_prefix": path, "times": 9})).await;
        }
        assert_eq!(stopped(scene.cipp.alert_results(name).await).kind(), is, "{kind}");
        assert_eq!(stopped(scene.cipp.alerts_queue().await).kind(), is, "{kind}");
        scene.clear_faults().await;
    }
    scene.order(json!({"action": "fire", "message": "a"})).await;
    let before = whole(scene.cipp.alert_results(name).await).len();
    scene.order(json!({"action": "fire", "message": "b", "broken": true})).await;
    let walk = scene.cipp.alert_results(name).await;
    assert_eq!(walk.items.len(), before, "what can be read is kept");
    assert_eq!(walk.completeness, Completeness::partial(PartialReason::Unreadable { rows: 1 }));
    // Rows of others are never taken for this tenant's: named by its id, the deployment answers by domain.
    assert!(matches!(stopped(scene.cipp.alert_results(&tenant.id).await), VendorError::Shape { .. }));
}

#[tokio::test]
async fn rules_say_whom_they_watch() {
    let scene = scene().await;
    let tenant = scene.first().await;
    let [one] = &whole(scene.cipp.alerts_queue().await)[..] else { panic!("one, sent as an object") };
    assert!(one.is_for_all && one.watches(domain(&tenant)) == Some(true), "{one:?}");
    scene.order(json!({"action": "watch", "cmdlet": "Get-CIPPAlertMFAAdmins"})).await;
    let rules = whole(scene.cipp.alerts_queue().await);
    let own = rules.iter().find(|it| !it.is_for_all).unwrap();
    assert_eq!(
        (own.watches(domain(&tenant)), own.watches("nobody.example"), own.repeats_every.as_deref()),
        (Some(true), Some(false), Some("4h"))
    );
}
