//! Tokens per tenant, and whose trouble a refusal is.
use std::sync::{Arc, Mutex};

use connector_api::{CredentialWatch, Told, VendorError};
use graph::{Graph, UserFields};
use serde_json::json;

use crate::support::{CUSTOMERS, config_of, scene, whole};

#[derive(Default)]
struct Watch(Mutex<Vec<String>>);

impl CredentialWatch for Watch {
    fn refused<'a>(&'a self, reason: &'a str) -> Told<'a> {
        self.0.lock().unwrap().push(format!("refused: {reason}"));
        Box::pin(std::future::ready(()))
    }

    fn taken(&self) -> Told<'_> {
        self.0.lock().unwrap().push("taken".into());
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test]
async fn a_tenant_without_consent_is_its_own_trouble_and_the_others_go_on() {
    let scene = scene(CUSTOMERS, 60).await;
    let watch = Arc::new(Watch::default());
    let graph = Graph::new(config_of(&scene.sandbox), scene.clock.clone()).unwrap().watched_by(watch.clone());
    let (closed, row) = scene.tenant_where(|row| row["consent"] == false).await;
    let closed = graph.tenant(closed.tenant_id());
    let refused = closed.organization().await.unwrap_err();
    assert!(
        matches!(&refused, VendorError::NotConsented { reason } if reason.contains("AADSTS700016")),
        "{refused}"
    );
    assert!(!refused.is_transient() && refused.kind() == "not_consented");
    let listed = closed.users(UserFields::WithSignIns).await;
    assert!(listed.users.items.is_empty() && !listed.users.completeness.is_complete());
    // The partner still lists it.
    let customers = whole(graph.customers().await);
    let listed = customers.iter().find(|it| it.tenant_id == closed.tenant_id()).unwrap();
    assert_eq!(listed.default_domain.as_deref(), row["domain"].as_str());
    assert_eq!(*watch.0.lock().unwrap(), ["taken"]);
    let unknown = graph.tenant("0f0f0f0f-0000-4000-8000-000000000000").organization().await.unwrap_err();
    assert!(matches!(unknown, VendorError::NotConsented { .. }), "{unknown}");
}

#[tokio::test]
async fn a_wrong_secret_an_expired_one_and_an_unknown_application_are_credentials() {
    let scene = scene(2, 10).await;
    let (login, url) = (scene.sandbox.graph_login_url(), scene.sandbox.graph_url());
    let access = scene.sandbox.graph().clone();
    let home = access.home_tenant_id.to_string();
    let with = |id: &str, secret: secrecy::SecretString, home: &str| {
        let config = graph::Config::new(&login, &url, id, secret, home).unwrap();
        Graph::new(config.with_retry(connector_api::RetryPolicy::fast()), scene.clock.clone()).unwrap()
    };
    let good = access.client_secret.clone();
    let refused = |graph: Graph| async move {
        match graph.home().sign_in().await.unwrap_err() {
            VendorError::Auth { reason } => reason,
            other => panic!("{other}"),
        }
    };
    let wrong = refused(with(&access.client_id, "wrong".into(), &home)).await;
    assert!(wrong.contains("secret was refused") && wrong.contains("7000215"), "{wrong}");
    let unknown = refused(with("9e9e9e9e-0000-4000-8000-000000000000", good.clone(), &home)).await;
    assert!(unknown.contains("client id"), "{unknown}");
    let nowhere = refused(with(&access.client_id, good.clone(), "nowhere.example")).await;
    assert!(nowhere.contains("home tenant"), "{nowhere}");
    scene.control("/settings", json!({"graph_secret": "expired"})).await;
    let expired = refused(with(&access.client_id, good, &home)).await;
    assert!(expired.contains("expired"), "{expired}");
}

#[tokio::test]
async fn a_token_is_shared_renewed_in_time_and_replaced_after_a_401() {
    let scene = scene(2, 10).await;
    let tenant = scene.first().await;
    let many = (0..6).map(|_| tenant.organization());
    for organization in futures(many).await {
        organization.unwrap();
    }
    // Refused once: a new token, and the call again.
    scene.fault(json!({"kind": "expired_token"})).await;
    tenant.organization().await.unwrap();
    // Refused with every token: this tenant's trouble, not the secret's.
    scene.fault(json!({"kind": "expired_token", "times": 2})).await;
    let refused = tenant.organization().await.unwrap_err();
    assert!(matches!(refused, VendorError::NotConsented { .. }), "{refused}");
    // The sandbox's time goes on and ours does not: the token is dead there, and fresh here.
    scene.control("/clock/advance", json!({"seconds": 7_200})).await;
    tenant.organization().await.unwrap();
    // Both go on: renewed before anybody is refused.
    scene.clock.advance(jiff::SignedDuration::from_hours(2));
    tenant.organization().await.unwrap();
}

async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut done = Vec::new();
    let all: Vec<_> = all.map(Box::pin).collect();
    for one in all {
        done.push(one.await);
    }
    done
}

#[tokio::test]
async fn the_directory_itself_may_be_down_or_slow() {
    let scene = scene(2, 10).await;
    let tenant = scene.first().await;
    scene.fault(json!({"kind": "server_error", "status": 503, "path_prefix": "/login", "times": 2})).await;
    scene.fault(json!({"kind": "too_many_requests", "retry_after_s": 0, "path_prefix": "/login"})).await;
    tenant.sign_in().await.unwrap();
    let (other, _) = scene.tenant_where(|row| row["organization_id"] == 2).await;
    scene.fault(json!({"kind": "html_page", "path_prefix": "/login", "times": 9})).await;
    let refused = other.sign_in().await.unwrap_err();
    assert!(refused.is_transient(), "{refused}");
}
