//! Every planted mistake is found, with its numbers and its money, and nothing else.
use std::collections::BTreeSet;

use serde_json::json;

use crate::estate::Estate;

const CUSTOMERS: u32 = 25;
const DEVICES: u32 = 500;

#[tokio::test]
async fn all_planted_mistakes_are_found_and_no_others() {
    let estate = Estate::read(CUSTOMERS, DEVICES).await;
    let ended = estate.reconcile().await;
    assert_eq!((ended.done, ended.skipped.len()), (25, 0), "{ended:?}");
    let truth = estate.truth().await;
    assert!(truth.len() >= 6, "{truth:?}");
    assert_eq!(estate.open().await, truth);
    let bound = estate.planned_commitments().await;
    assert!(!bound.is_empty(), "some line has a term");
    assert_eq!(estate.commitments().await, bound);
    for (kind, found) in estate.kinds().await {
        let allowed: BTreeSet<&str> = match kind.as_str() {
            "under_billed" => ["devices_added"].into(),
            "over_billed" => ["devices_gone", "quantity_too_high"].into(),
            "no_line" => ["no_line"].into(),
            "no_device" => ["line_without_devices"].into(),
            "duplicate_line" => ["duplicate_lines"].into(),
            "disconnected_line" => ["disconnected_line"].into(),
            other => panic!("{other}"),
        };
        assert!(found.iter().all(|found| allowed.contains(found.as_str())), "{kind}: {found:?}");
    }
    let again = estate.reconcile().await;
    assert_eq!((again.opened, again.closed, again.reopened), (0, 0, 0));
    // Devices come and go, a month passes.
    estate.control("/devices/add", json!({ "organization_id": 3, "count": 4 })).await;
    estate.control("/devices/remove", json!({ "organization_id": 5, "count": 2 })).await;
    estate.control("/devices/remove", json!({ "organization_id": 7, "count": 1 })).await;
    estate.control("/clock/advance", json!({ "seconds": 32 * 86_400 })).await;
    assert_eq!(estate.sync_both().await, ["complete", "complete"]);
    estate.reconcile().await;
    let changed = estate.truth().await;
    assert_ne!(changed, truth);
    assert_eq!(estate.open().await, changed);
    let bills = estate.count("select count(*) from public.bills where seen_in_sync is not null").await;
    assert!(bills > 25, "{bills}");
}

#[tokio::test]
async fn faults_in_either_list_open_and_close_nothing_false() {
    let estate = Estate::read(12, 150).await;
    estate.reconcile().await;
    let truth = estate.truth().await;
    assert_eq!(estate.open().await, truth);
    let faults = [
        ("ninjaone", "truncated_list", "/v2/devices-detailed", 3),
        ("ninjaone", "server_error", "/v2/devices-detailed", 20),
        ("ninjaone", "html_page", "/v2/organizations", 20),
        ("ninjaone", "repeated_page", "/v2/devices-detailed", 9),
        ("revio", "truncated_list", "/v1/ServiceProduct", 2),
        ("revio", "server_error", "/v1/ServiceProduct", 20),
        ("revio", "error_list", "/v1/Products", 20),
        ("revio", "not_ok", "/v1/Customers", 20),
        ("revio", "truncated_list", "/v1/Customers", 2),
        ("revio", "truncated_list", "/v1/Products", 2),
        ("revio", "html_page", "/v1/ServiceProduct", 20),
    ];
    for (vendor, kind, path, times) in faults {
        estate.fault(vendor, kind, path, times).await;
        let integration = if vendor == "revio" { estate.revio } else { estate.ninja };
        let state = estate.sync(integration).await;
        let ended = estate.reconcile().await;
        assert_eq!(
            (ended.opened, ended.closed, ended.reopened),
            (0, 0, 0),
            "{vendor} {kind} {path} ({state}): {ended:?}"
        );
        assert_eq!(estate.open().await, truth, "{vendor} {kind} {path} ({state})");
        estate.clear_faults().await;
    }
    assert_eq!(estate.sync_both().await, ["complete", "complete"]);
    let ended = estate.reconcile().await;
    assert_eq!((ended.done, ended.skipped.len(), ended.opened, ended.closed), (12, 0, 0, 0));
    let stale = "select count(*) from public.count_differences where stale_since is not null";
    assert_eq!(estate.count(stale).await, 0);
    let gone = "select (select count(*) from public.billing_lines where missing_since is not null) + (select count(*) from public.devices where missing_since is not null)";
    assert_eq!(estate.count(gone).await, 0, "nothing was marked missing");
}
