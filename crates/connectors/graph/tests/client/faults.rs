//! Each fault of the vendor, once.
use std::time::Duration;

use connector_api::{Completeness, PartialReason, RetryPolicy, VendorError};
use graph::{Graph, UserFields, missing_permission, permissions};
use sandbox::SandboxConfig;
use serde_json::json;

use crate::support::{config_of, scene, scene_with, whole};

#[tokio::test]
async fn throttling_is_waited_for_with_and_without_a_time() {
    let scene = scene(2, 10).await;
    let tenant = scene.first().await;
    scene.fault(json!({"kind": "too_many_requests", "times": 2})).await;
    scene.fault(json!({"kind": "too_many_requests", "retry_after_s": 0})).await;
    scene.fault(json!({"kind": "server_error", "status": 503, "retry_after_s": 0})).await;
    tenant.organization().await.unwrap();
    // A wait that is longer than allowed ends the call, and names it.
    scene.fault(json!({"kind": "too_many_requests", "retry_after_s": 300})).await;
    let refused = tenant.organization().await.unwrap_err();
    assert_eq!(refused, VendorError::Throttled { retry_after: Some(Duration::from_secs(300)) });
    // Until it is over this tenant is not asked: a call that is made all the same counts again. The others are.
    let kept_away = tenant.organization().await.unwrap_err();
    assert!(
        matches!(kept_away, VendorError::Throttled { retry_after: Some(left) } if left.as_secs() >= 290),
        "{kept_away}"
    );
    let other = scene.graph.home();
    other.organization().await.unwrap();
    // So does one that comes with a 503.
    scene.fault(json!({"kind": "server_error", "status": 503, "retry_after_s": 300, "times": 2})).await;
    assert_eq!(other.organization().await.unwrap_err(), VendorError::Upstream { status: 503 });
    scene.clear_faults().await;
}

#[tokio::test]
async fn inside_a_batch_only_the_throttled_ones_are_asked_again() {
    let scene = scene(2, 200).await;
    let tenant = scene.first().await;
    let people = whole(tenant.users(UserFields::WithoutSignIns).await.users);
    let ids: Vec<String> = people.into_iter().take(30).map(|it| it.id).collect();
    scene.fault(json!({"kind": "batch_throttled", "times": 2})).await;
    scene.fault(json!({"kind": "batch_throttled", "retry_after_s": 0})).await;
    let methods = tenant.authentication_methods(&ids).await;
    assert_eq!(methods.iter().map(|it| &it.id).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
    assert!(methods.iter().all(|it| it.outcome.is_ok()));
    // Half of them come through at once; of the others the wait is too long.
    scene.fault(json!({"kind": "batch_throttled", "retry_after_s": 600, "times": 9})).await;
    let some = tenant.authentication_methods(&ids[..10]).await;
    let throttled = |outcome: &Result<_, VendorError>| matches!(outcome, Err(VendorError::Throttled { retry_after: Some(wait) }) if wait.as_secs() == 600);
    assert_eq!(some.iter().filter(|it| it.outcome.is_ok()).count(), 5);
    assert_eq!(
        some.iter().filter(|it| throttled(&it.outcome.as_ref().map(drop).map_err(Clone::clone))).count(),
        5
    );
    scene.clear_faults().await;
    // The whole batch may fail as well.
    scene.fault(json!({"kind": "server_error", "path_prefix": "/v1.0/$batch", "times": 9})).await;
    let none = tenant.authentication_methods(&ids[..3]).await;
    assert!(none.iter().all(|it| it.outcome.as_ref().unwrap_err() == &VendorError::Upstream { status: 500 }));
}

#[tokio::test]
async fn server_errors_and_pages_of_the_edge_are_outlived_by_reads() {
    let scene = scene(2, 10).await;
    let tenant = scene.first().await;
    scene.fault(json!({"kind": "server_error", "times": 2})).await;
    scene.fault(json!({"kind": "html_page", "times": 2})).await;
    whole(tenant.users(UserFields::WithSignIns).await.users);
    scene.fault(json!({"kind": "server_error", "times": 9, "path_prefix": "/v1.0/organization"})).await;
    assert_eq!(tenant.organization().await.unwrap_err(), VendorError::Upstream { status: 500 });
}

#[tokio::test]
async fn a_late_answer_is_a_time_out_and_a_cut_one_is_read_again() {
    let scene = scene_with(SandboxConfig::tests(2, 10), 250).await;
    let tenant = scene.first().await;
    scene.fault(json!({"kind": "slow", "delay_ms": 2_000})).await;
    scene.fault(json!({"kind": "dropped_connection"})).await;
    tenant.organization().await.unwrap();
    let config = config_of(&scene.sandbox).with_retry(RetryPolicy::never());
    let once = Graph::new(config, scene.clock.clone()).unwrap().tenant(tenant.tenant_id());
    scene.fault(json!({"kind": "dropped_connection"})).await;
    assert!(matches!(once.organization().await.unwrap_err(), VendorError::Connection { .. }));
}

#[tokio::test]
async fn a_list_that_lost_its_end_is_shorter_than_the_vendors_count() {
    let scene = scene(2, 1_500).await;
    let tenant = scene.first().await;
    let all = whole(tenant.users(UserFields::WithSignIns).await.users).len();
    scene.fault(json!({"kind": "truncated_list", "path_prefix": "/v1.0/users"})).await;
    let cut = tenant.users(UserFields::WithSignIns).await.users;
    let rows = cut.items.len();
    assert!(rows < all);
    assert_eq!(cut.completeness, Completeness::partial(PartialReason::Fewer { rows, counted: all }));
    // Where the vendor does not count, the list stands as it came.
    scene.fault(json!({"kind": "server_error", "path_prefix": "/v1.0/users/$count", "times": 9})).await;
    assert_eq!(whole(tenant.users(UserFields::WithSignIns).await.users).len(), all);
}

#[tokio::test]
async fn a_repeated_page_is_found_and_an_empty_one_is_followed() {
    let scene = scene(2, 1_500).await;
    let tenant = scene.first().await;
    let all = whole(tenant.users(UserFields::WithSignIns).await.users);
    assert!(all.len() > 500, "{}", all.len());
    scene.fault(json!({"kind": "empty_page", "path_prefix": "/v1.0/users", "times": 2})).await;
    let empty = tenant.users(UserFields::WithSignIns).await.users;
    assert_eq!(whole(empty).len(), all.len());
    scene.fault(json!({"kind": "repeated_page", "path_prefix": "/v1.0/users"})).await;
    let repeated = tenant.users(UserFields::WithSignIns).await.users;
    assert_eq!(repeated.completeness, Completeness::partial(PartialReason::RepeatedPage));
    // A page in the middle that fails keeps what was read.
    let broken = json!({"kind": "server_error", "query_contains": "skiptoken", "times": 9});
    scene.fault(broken).await;
    let stopped = tenant.users(UserFields::WithSignIns).await.users;
    assert!(!stopped.items.is_empty());
    assert!(matches!(stopped.completeness, Completeness::Partial { reason: PartialReason::Stopped(_) }));
}

#[tokio::test]
async fn a_missing_right_is_named_and_only_of_its_tenant() {
    let scene = scene(3, 30).await;
    let tenant = scene.first().await;
    let (other, _) = scene.tenant_where(|row| row["organization_id"] == 2).await;
    let fault = json!({"kind": "missing_permission", "tenant_id": tenant.tenant_id(), "times": 9, "path_prefix": "/v1.0/subscribedSkus"});
    scene.fault(fault).await;
    let refused = tenant.subscribed_skus().await;
    let Completeness::Partial { reason: PartialReason::Stopped(error) } = refused.completeness else {
        panic!("{}", refused.completeness)
    };
    assert_eq!(missing_permission(&error), Some(permissions::SEATS));
    whole(other.subscribed_skus().await);
    // Without the right to sign-ins, people come without them.
    let fault = json!({"kind": "missing_permission", "query_contains": "signInActivity", "times": 1});
    scene.fault(fault).await;
    let people = other.users(UserFields::WithSignIns).await;
    assert_eq!(missing_permission(&people.sign_ins.unwrap_err()), Some(permissions::SIGN_INS));
    whole(people.users);
}
