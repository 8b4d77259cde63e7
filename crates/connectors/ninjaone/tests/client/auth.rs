//! Tokens: renewed in time, renewed once after a refusal, and clear words when there is none.
use connector_api::{RetryPolicy, VendorError, health::Finding};
use jiff::SignedDuration;
use kernel::Clock;
use ninjaone::{Config, NinjaOne, RUN_SCRIPTS};
use sandbox::{ClientApp, SandboxConfig, Scope};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::support::{Scene, TIMEOUT_MS, scene, scene_with};

fn client(scene: &Scene, id: &str, secret: &str) -> NinjaOne {
    let config = Config::new(scene.sandbox.base_url(), id, secret.into()).with_retry(RetryPolicy::fast());
    NinjaOne::new(config, scene.clock.clone()).unwrap()
}

#[tokio::test]
async fn a_token_that_expires_is_renewed_before_and_after() {
    let scene = scene(2, 20).await;
    scene.ninja.alerts().await.unwrap();
    // Both clocks move: the client renews before it is refused.
    scene.clock.advance(SignedDuration::from_secs(3_590));
    scene.ninja.alerts().await.unwrap();
    // Only the vendor's clock moves: the client learns it from a 401, for a read and for a write.
    scene.control("/clock/advance", json!({"seconds": 3_600})).await;
    scene.ninja.alerts().await.unwrap();
    scene.control("/clock/advance", json!({"seconds": 3_600})).await;
    scene.ninja.delete_webhook().await.unwrap();
}

#[tokio::test]
async fn many_calls_without_a_token_ask_for_one() {
    let scene = scene(2, 20).await;
    let calls = futures_util::future::join_all((0..8).map(|_| scene.ninja.alerts())).await;
    assert!(calls.iter().all(Result::is_ok));
    assert_eq!(scene.state().await["tokens_issued"], 1);
    // A token that the vendor no longer takes is replaced once for all of them.
    scene.control("/clock/advance", json!({"seconds": 3_600})).await;
    let calls = futures_util::future::join_all((0..8).map(|_| scene.ninja.alerts())).await;
    assert!(calls.iter().all(Result::is_ok));
    assert_eq!(scene.state().await["tokens_issued"], 2);
}

#[tokio::test]
async fn a_passing_fault_of_the_token_end_point_is_survived() {
    let scene = scene(2, 20).await;
    for fault in ["server_error", "html_page", "too_many_requests", "dropped_connection"] {
        scene.control("/clock/advance", json!({"seconds": 3_600})).await;
        scene.fault(json!({"kind": fault, "path_prefix": "/ws"})).await;
        scene.ninja.alerts().await.unwrap();
    }
}

#[tokio::test]
async fn wrong_credentials_are_named_and_never_shown() {
    let scene = scene(2, 20).await;
    let secret = scene.sandbox.client_secret().expose_secret().to_owned();
    let strangers = [
        (client(&scene, "somebody", &secret), "client id"),
        (client(&scene, scene.sandbox.client_id(), "a-wrong-guess"), "secret was refused"),
    ];
    for (stranger, word) in strangers {
        let error = stranger.alerts().await.unwrap_err();
        assert!(matches!(&error, VendorError::Auth { reason } if reason.contains(word)), "{error}");
        let shown = format!("{error} {error:?} {stranger:?}");
        assert!(!shown.contains(&secret) && !shown.contains("a-wrong-guess"), "{shown}");
        let health = stranger.health_check().await;
        assert_eq!((health.checks.len(), health.can_read()), (1, false));
        assert!(health.problems()[0].starts_with("sign in: the vendor refused the credentials"));
    }
}

#[tokio::test]
async fn the_health_check_names_what_is_missing() {
    let scene = scene(2, 20).await;
    let health = scene.ninja.health_check().await;
    assert_eq!(health.problems(), Vec::<String>::new());
    assert!(health.can_read() && health.is_ok(RUN_SCRIPTS) && health.checked_at.is_some());

    let mut reader = ClientApp::new("reader");
    reader.scopes = vec![Scope::Monitoring];
    let config = SandboxConfig { clients: vec![reader], ..SandboxConfig::tests(2, 20) };
    let limited = scene_with(config, TIMEOUT_MS).await;
    limited.fault(json!({"kind": "html_page", "status": 404, "path_prefix": "/v2/ticketing"})).await;
    let health = limited.ninja.health_check().await;
    assert!(health.can_read() && !health.is_ok(RUN_SCRIPTS));
    let finding = |name: &str| health.checks.iter().find(|check| check.name == name).unwrap().finding.clone();
    assert_eq!(finding("ticketing"), Finding::MissingCapability);
    assert!(matches!(finding("run scripts"), Finding::MissingRight(_)));
    assert_eq!(health.problems().len(), 2);

    limited.fault(json!({"kind": "server_error", "path_prefix": "/v2/alerts", "times": 5})).await;
    let health = limited.ninja.health_check().await;
    assert!(!health.can_read());
    assert!(health.problems().contains(&"alerts: the vendor answered 500".to_owned()));
}

#[test]
fn an_unusable_address_is_found_before_any_call() {
    let made = NinjaOne::new(Config::new("app.ninjarmm.com", "id", "secret".into()), Clock::system());
    assert!(matches!(made, Err(VendorError::Misconfigured { .. })));
}
