//! What domains demand of senders, and where mail goes.
use std::collections::BTreeSet;

use connector_api::{Completeness, PartialReason, VendorError};
use serde_json::{Value, json};

use crate::support::{domain, scene, whole};

fn stopped<T>(walk: connector_api::Walk<T>) -> VendorError {
    assert!(walk.items.is_empty(), "nothing of a failure is data");
    match walk.completeness {
        Completeness::Partial { reason: PartialReason::Stopped(error) } => error,
        other => panic!("{other:?}"),
    }
}

/// Keys that the sandbox says are wrong with a tenant.
fn told(truth: &Value, tenant: &str, check: &str) -> BTreeSet<String> {
    let rows = truth["posture"].as_array().unwrap().iter();
    let of = rows.filter(|row| row["tenant_id"] == tenant && row["check"] == check);
    of.map(|row| row["key"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn domains_and_forwardings_are_what_the_tenants_have() {
    let scene = scene().await;
    let truth = scene.truth().await;
    let (mut analysed, mut never, mut outside) = (0, 0, 0);
    let tenants = whole(scene.cipp.tenants().await.walk);
    for tenant in tenants.iter().filter(|it| !it.is_excluded && it.graph_error_count == 0) {
        let name = domain(tenant);
        let walk = scene.cipp.mail_domains(name).await;
        if !walk.completeness.is_complete() {
            assert!(matches!(stopped(walk), VendorError::NotReady { .. }));
            never += 1;
            continue;
        }
        analysed += 1;
        let [one] = &walk.items[..] else { panic!("one domain, sent as an object") };
        assert_eq!((one.domain.as_str(), one.mail_provider.as_deref()), (name, Some("Microsoft 365")));
        let weak = one.dmarc_present == Some(false)
            || one.dmarc_policy.as_deref() == Some("none")
            || one.dmarc_covers_all == Some(false);
        assert_eq!(weak, !told(&truth, &tenant.id, "dmarc").is_empty(), "{one:?}");
        assert_eq!(one.spf_passes, Some(told(&truth, &tenant.id, "spf").is_empty()));
        assert_eq!(one.dkim_enabled, Some(told(&truth, &tenant.id, "dkim").is_empty()));
        assert!(one.analysed_at.is_some() && one.score_percent == Some(50));
        let verified = whole(scene.cipp.verified_domains(name).await);
        assert!(verified.len() == 2 && verified.contains(&name.to_owned()));
        let inside = |to: &str| verified.iter().any(|it| to.ends_with(&format!("@{it}")));
        let forwardings = whole(scene.cipp.forwardings(name).await);
        let leaving: BTreeSet<String> = forwardings
            .iter()
            .flat_map(|it| {
                it.targets.iter().filter(|to| !inside(to)).map(|to| format!("{} {to}", it.mailbox))
            })
            .collect();
        assert_eq!(leaving, told(&truth, &tenant.id, "outside_forwarding"));
        assert!(forwardings.iter().all(|it| it.keeps_copy.is_some()));
        outside += leaving.len();
    }
    assert!(analysed > 3 && never > 0 && outside > 0, "{analysed} {never} {outside}");
}

#[tokio::test]
async fn what_stands_in_for_mail_is_no_mail() {
    let scene = scene().await;
    let tenant = scene.first().await;
    let name = domain(&tenant);
    for (kind, is_ready) in
        [("placeholder", false), ("not_ok", true), ("error_text", true), ("html_page", true)]
    {
        for path in ["/api/ListDomainAnalyser", "/api/ListMailboxForwarding", "/api/ListDomains"] {
            scene.fault(json!({"kind": kind, "path_prefix": path, "times": 9})).await;
            let error = match path {
                "/api/ListDomainAnalyser" => stopped(scene.cipp.mail_domains(name).await),
                "/api/ListMailboxForwarding" => stopped(scene.cipp.forwardings(name).await),
                _ => stopped(scene.cipp.verified_domains(name).await),
            };
            assert_eq!(matches!(error, VendorError::NotReady { .. }), !is_ready, "{kind} {path}: {error}");
            scene.clear_faults().await;
        }
    }
    // An empty answer is no domain, and no forwarding.
    scene
        .fault(json!({"kind": "truncated_list", "path_prefix": "/api/ListDomainAnalyser", "times": 1}))
        .await;
    assert!(matches!(stopped(scene.cipp.mail_domains(name).await), VendorError::NotReady { .. }));
}
