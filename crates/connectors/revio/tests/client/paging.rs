//! Whole lists, with everything that can happen at a border.
use connector_api::{Call, Completeness, PartialReason, VendorError};
use serde_json::{Value, json};

use crate::support::scene;

#[tokio::test]
async fn a_list_longer_than_the_vendors_default_page_is_read_whole() {
    let scene = scene(25, 500).await;
    let customers = scene.revio.customers().await;
    assert_eq!((customers.items.len(), customers.pages), (25, 1));
    assert!(customers.completeness.is_complete() && customers.items.is_sorted_by_key(|it| it.id));
    assert_eq!(customers.observed_at, Some(scene.clock.now()));
    assert!(customers.request_id.is_some());
    // What a client sees that forgets the size, or writes it without its prefix.
    for path in ["/revio/v1/Customers", "/revio/v1/Customers?page_size=500"] {
        let (path, query) =
            path.split_once('?').map_or((path, None), |(path, size)| (path, size.split_once('=')));
        let call = query.map_or(Call::get(path), |(_, size)| Call::get(path).query("page_size", size));
        let body: Value = scene.raw(call).await.unwrap().json().unwrap();
        assert_eq!((body["records"].as_array().unwrap().len(), &body["record_count"]), (10, &json!(10)));
        assert_eq!(body["has_more"], true);
    }
}

#[tokio::test]
async fn several_pages_are_walked_and_their_borders_looked_at_again() {
    let scene = scene(180, 900).await;
    let lines = scene.revio.service_products().await;
    assert!(lines.completeness.is_complete() && lines.items.len() > 300);
    let bills = scene.revio.bills().await;
    // 540 bills on two pages, and one border.
    assert_eq!((bills.items.len(), bills.pages, bills.repeats), (540, 3, 0));
    assert!(bills.completeness.is_complete() && bills.items.is_sorted_by_key(|it| it.id));
}

#[tokio::test]
async fn repeats_at_borders_are_dropped() {
    let scene = scene(180, 400).await;
    scene.control("/settings", json!({"page_borders": "repeat"})).await;
    let bills = scene.revio.bills().await;
    assert_eq!((bills.items.len(), bills.repeats, bills.completeness), (540, 1, Completeness::Complete));
}

#[tokio::test]
async fn rows_that_move_over_a_border_are_found_again() {
    let scene = scene(180, 400).await;
    let before: Vec<i64> = scene.revio.bills().await.items.iter().map(|it| it.id).collect();
    scene.fault(json!({"kind": "page_shift", "path_prefix": "/v1/Bills"})).await;
    let bills = scene.revio.bills().await;
    assert_eq!(bills.items.iter().map(|it| it.id).collect::<Vec<_>>(), before[1..]);
    assert_eq!((bills.completeness, bills.pages), (Completeness::Complete, 6));
    // A list that never rests is not complete.
    scene.fault(json!({"kind": "page_shift", "path_prefix": "/v1/Bills", "times": 3})).await;
    let bills = scene.revio.bills().await;
    assert_eq!(bills.completeness, Completeness::partial(PartialReason::Shifted));
}

#[tokio::test]
async fn a_repeated_page_ends_the_walk_as_partial() {
    let scene = scene(180, 400).await;
    scene.fault(json!({"kind": "repeated_page", "path_prefix": "/v1/Bills", "times": 9})).await;
    let bills = scene.revio.bills().await;
    assert_eq!(bills.completeness, Completeness::partial(PartialReason::RepeatedPage));
    assert_eq!((bills.items.len(), bills.pages), (500, 2));
}

#[tokio::test]
async fn a_truncated_page_is_not_trusted() {
    let scene = scene(20, 100).await;
    scene.fault(json!({"kind": "truncated_list", "path_prefix": "/v1/Customers"})).await;
    let customers = scene.revio.customers().await;
    assert_eq!(customers.items.len(), 10);
    assert_eq!(customers.completeness, Completeness::partial(PartialReason::Unreadable { rows: 10 }));
}

#[tokio::test]
async fn a_failure_midway_keeps_what_was_read_and_says_so() {
    let scene = scene(180, 400).await;
    let fault = json!({"kind": "server_error", "query_contains": "search.page=2", "times": 5});
    scene.fault(fault).await;
    let bills = scene.revio.bills().await;
    let stopped = PartialReason::Stopped(VendorError::Upstream { status: 500 });
    assert_eq!((bills.items.len(), bills.completeness), (500, Completeness::partial(stopped)));
}
