//! Who may call, and how often.
use std::sync::{Arc, Mutex};

use connector_api::{Call, CredentialWatch, RetryPolicy, Told, VendorError, health::Finding};
use revio::{Config, RevIo};
use sandbox::{RevIoAccess, SandboxConfig};
use serde_json::json;

use crate::support::{TIMEOUT_MS, config_of, scene, scene_with};

#[tokio::test]
async fn the_password_the_client_code_and_the_key_are_asked_for() {
    let access = RevIoAccess { subscription_key: Some("key-1".into()), ..RevIoAccess::new() };
    let scene = scene_with(SandboxConfig { revio: access, ..SandboxConfig::tests(2, 10) }, TIMEOUT_MS).await;
    let signed_in = |config: Config| {
        let clock = scene.clock.clone();
        async move {
            RevIo::new(config.with_retry(RetryPolicy::fast()), clock)
                .unwrap()
                .customer(10_007)
                .await
                .map(drop)
        }
    };
    let good = config_of(&scene.sandbox);
    let refused = signed_in(good.clone()).await.unwrap_err();
    assert!(
        matches!(&refused, VendorError::Auth { reason } if reason.contains("subscription key")),
        "{refused}"
    );
    let good = good.with_subscription_key("key-1".into());
    assert_eq!(signed_in(good.clone()).await, Ok(()));
    for bad in [
        Config { password: "wrong".into(), ..good.clone() },
        Config { client_code: "other".into(), ..good.clone() },
        Config { user: "other".into(), ..good.clone() },
    ] {
        assert!(matches!(signed_in(bad).await, Err(VendorError::Auth { .. })));
    }
    let email = Config { user: "kim@msp.example".into(), ..good };
    assert!(matches!(RevIo::new(email, scene.clock.clone()), Err(VendorError::Misconfigured { .. })));
}

#[derive(Clone, Default)]
struct Watch(Arc<Mutex<Vec<String>>>);

impl CredentialWatch for Watch {
    fn refused<'a>(&'a self, reason: &'a str) -> Told<'a> {
        self.0.lock().unwrap().push(reason.to_owned());
        Box::pin(std::future::ready(()))
    }

    fn taken(&self) -> Told<'_> {
        self.0.lock().unwrap().push("taken".into());
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test]
async fn a_refused_password_is_told_once() {
    let scene = scene(1, 5).await;
    let watch = Watch::default();
    let bad = Config { password: "wrong".into(), ..config_of(&scene.sandbox) };
    let revio = RevIo::new(bad, scene.clock.clone()).unwrap().watched_by(Arc::new(watch.clone()));
    for _ in 0..2 {
        revio.customer(1).await.unwrap_err();
    }
    assert_eq!(*watch.0.lock().unwrap(), ["Invalid user name or password"]);
}

#[tokio::test]
async fn health_names_what_is_missing() {
    let scene = scene(3, 30).await;
    let health = scene.revio.health_check().await;
    assert!(health.can_read() && health.problems().is_empty() && health.checks.len() == 8, "{health:?}");
    scene.fault(json!({"kind": "html_page", "status": 404, "path_prefix": "/v1/Bills"})).await;
    scene.fault(json!({"kind": "server_error", "status": 403, "path_prefix": "/v1/Charges"})).await;
    let health = scene.revio.health_check().await;
    let finding = |name: &str| health.checks.iter().find(|check| check.name == name).unwrap().finding.clone();
    assert_eq!(finding("bills"), Finding::MissingCapability);
    assert!(matches!(finding("charges"), Finding::MissingRight(_)));
    assert_eq!((health.can_read(), health.problems().len()), (false, 2));
    // Payments are worth having, and nothing else stands on them.
    scene.fault(json!({"kind": "server_error", "status": 403, "path_prefix": "/v1/Payments"})).await;
    let health = scene.revio.health_check().await;
    assert_eq!((health.can_read(), health.problems().len()), (true, 1));
    // So are tickets, where the client has them.
    scene.control("/settings", json!({"revio_tickets": "elsewhere"})).await;
    let health = scene.revio.health_check().await;
    assert_eq!((health.can_read(), health.problems().len()), (true, 1));
    let tickets = health.checks.iter().find(|check| check.name == "tickets").unwrap();
    assert_eq!(tickets.finding, Finding::MissingCapability);
}

#[tokio::test]
async fn the_vendors_minute_is_kept_by_the_vendor_and_by_the_client() {
    let access = RevIoAccess { calls_per_minute_max: Some(3), ..RevIoAccess::new() };
    let scene = scene_with(SandboxConfig { revio: access, ..SandboxConfig::tests(1, 5) }, TIMEOUT_MS).await;
    for _ in 0..3 {
        assert_eq!(scene.raw(Call::get("/revio/v1/SystemStatus")).await.unwrap().status, 200);
    }
    let fourth = scene.raw(Call::get("/revio/v1/SystemStatus")).await.unwrap_err();
    assert_eq!(fourth, VendorError::Throttled { retry_after: None });
    // A client that keeps to two calls a minute lets one leave at once; the second waits for its turn.
    let slow =
        Config { calls_per_minute_max: 2, ..config_of(&scene.sandbox) }.with_retry(RetryPolicy::never());
    let slow = RevIo::new(slow, scene.clock.clone()).unwrap();
    assert_eq!(slow.product(201).await.unwrap_err(), VendorError::Throttled { retry_after: None });
    let second = tokio::time::timeout(std::time::Duration::from_millis(100), slow.product(201)).await;
    assert!(second.is_err(), "the second call left at once: {second:?}");
}
