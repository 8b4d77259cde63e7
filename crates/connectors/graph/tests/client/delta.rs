//! Lists of changes: a first round, then only what changed.
use std::collections::BTreeSet;

use graph::{DeltaEnd, UserFields};
use serde_json::json;

use crate::support::{scene, whole};

fn link(end: DeltaEnd) -> String {
    match end {
        DeltaEnd::Link(link) => link,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_first_round_shows_all_and_the_next_only_what_changed() {
    let scene = scene(2, 600).await;
    let tenant = scene.first().await;
    let all: BTreeSet<String> =
        whole(tenant.users(UserFields::WithoutSignIns).await.users).into_iter().map(|it| it.id).collect();
    let first = tenant.users_delta(None).await;
    assert!(all.len() > 200, "more than one page, and rows come twice at its border");
    assert_eq!(first.changed.iter().map(|it| it.id.clone()).collect::<BTreeSet<_>>(), all);
    let kept = link(first.end);
    let none = tenant.users_delta(Some(&kept)).await;
    assert!(none.changed.is_empty() && none.removed.is_empty());
    let order = |action: &str| json!({"organization_id": 1, "action": action});
    let joined = scene.control("/people", order("join")).await["people"][0]["user_id"].clone();
    let disabled =
        scene.control("/people", json!({"organization_id": 1, "action": "disable", "user_id": joined})).await;
    let leaving = scene
        .control("/people", json!({"organization_id": 1, "action": "leave", "user_id": first.changed[3].id}))
        .await;
    let next = tenant.users_delta(Some(&kept)).await;
    assert_eq!(next.changed.len(), 1, "joined and disabled: one person, the last row holds");
    assert_eq!(next.changed[0].id, disabled["people"][0]["user_id"].as_str().unwrap());
    assert_eq!(next.changed[0].account_enabled, Some(false));
    assert_eq!(next.removed.len(), 1);
    assert_eq!(next.removed[0].id, leaving["people"][0]["user_id"].as_str().unwrap());
    assert!(!next.removed[0].is_permanent);
    let kept = link(next.end);
    assert!(tenant.users_delta(Some(&kept)).await.changed.is_empty());
    assert_eq!(
        tenant.user(leaving["people"][0]["user_id"].as_str().unwrap()).await.unwrap_err(),
        connector_api::VendorError::NotFound
    );
}

#[tokio::test]
async fn a_forgotten_link_asks_for_a_whole_round() {
    let scene = scene(2, 20).await;
    let tenant = scene.first().await;
    let kept = link(tenant.users_delta(None).await.end);
    scene.fault(json!({"kind": "sync_state_lost"})).await;
    assert_eq!(tenant.users_delta(Some(&kept)).await.end, DeltaEnd::Resync);
    assert!(matches!(tenant.users_delta(Some(&kept)).await.end, DeltaEnd::Link(_)));
    scene.advance_days(8).await;
    assert_eq!(tenant.users_delta(Some(&kept)).await.end, DeltaEnd::Resync);
}

#[tokio::test]
async fn a_link_that_was_changed_or_leads_elsewhere_is_not_followed() {
    let scene = scene(2, 20).await;
    let tenant = scene.first().await;
    let kept = link(tenant.users_delta(None).await.end);
    let changed = kept.replace("%24select=", "$select=").replace("displayName", "givenName");
    assert!(matches!(tenant.users_delta(Some(&changed)).await.end, DeltaEnd::Partial(_)));
    let before = scene.calls().await;
    for elsewhere in [
        kept.replacen("127.0.0.1", "127.0.0.2", 1),
        kept.replacen("/graph/", "/graph-of-others/", 1),
        kept.replacen("http://", "http://user@", 1),
        "not an address".to_owned(),
    ] {
        let end = tenant.users_delta(Some(&elsewhere)).await.end;
        assert!(
            matches!(&end, DeltaEnd::Partial(reason) if reason.to_string().contains("link")),
            "{elsewhere}: {end:?}"
        );
    }
    assert_eq!(scene.calls().await, before, "nothing was sent, so no token was either");
}

#[tokio::test]
async fn a_round_that_broke_gives_no_link() {
    let scene = scene(2, 600).await;
    let tenant = scene.first().await;
    scene.fault(json!({"kind": "server_error", "query_contains": "skiptoken", "times": 9})).await;
    let broken = tenant.users_delta(None).await;
    assert!(matches!(broken.end, DeltaEnd::Partial(_)) && !broken.changed.is_empty());
    scene.clear_faults().await;
    // An answer that was cut has neither link.
    scene.fault(json!({"kind": "truncated_list"})).await;
    assert!(matches!(tenant.users_delta(None).await.end, DeltaEnd::Partial(_)));
}
