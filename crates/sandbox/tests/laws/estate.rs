//! What is there: determinism, details, filters, paging, size.
use std::collections::HashSet;

use sandbox::SandboxConfig;
use serde_json::json;

use crate::support::{config, host, host_with, ids};

const ALL: &[(&str, &str)] = &[("pageSize", "1000")];

#[tokio::test]
async fn a_seed_gives_the_same_estate_and_both_prefixes_show_it() {
    let (one, two) = (host(12, 200).await, host(12, 200).await);
    let other = host_with(SandboxConfig { seed: 2, ..config(12, 200) }).await;
    for path in ["/organizations", "/locations", "/devices", "/devices-detailed"] {
        let [v2, api] = [format!("/v2{path}"), format!("/api/v2{path}")];
        let rows = one.rows(&v2, ALL).await;
        assert_eq!(rows, one.rows(&api, ALL).await);
        assert_eq!(rows, two.rows(&v2, ALL).await, "{path}");
        assert_ne!(rows, other.rows(&v2, ALL).await, "{path}");
    }
}

#[tokio::test]
async fn lists_leave_out_the_members_of_subtypes_and_pending_devices() {
    let host = host(3, 60).await;
    let (plain, full) = (host.rows("/v2/devices", ALL).await, host.rows("/v2/devices-detailed", ALL).await);
    assert_eq!((plain.len(), ids(&plain)), (59, ids(&full)));
    for row in &plain {
        for member in ["os", "system", "memory", "volumes", "lastLoggedInUser", "deviceType", "ipAddresses"] {
            assert!(row.get(member).is_none(), "{member}");
        }
        assert!(row["lastContact"].is_f64() && row["created"].is_f64() && row.get("online").is_none());
    }
    let of_class = |class: &str| full.iter().find(|row| row["nodeClass"] == class).unwrap();
    let workstation = of_class("WINDOWS_WORKSTATION");
    assert!(
        workstation["os"]["needsReboot"].is_boolean() && workstation["system"]["serialNumber"].is_string()
    );
    assert!(workstation["volumes"][0]["freeSpace"].as_i64() < workstation["volumes"][0]["capacity"].as_i64());
    let (phone, guest) = (of_class("APPLE_IOS"), of_class("VMWARE_VM_GUEST"));
    assert!(phone.get("os").is_none() && phone["deviceType"] == "MDM_DEVICE");
    assert!(guest.get("system").is_none() && guest["powerState"].is_string());

    let pending = host.rows("/v2/devices", &[("df", "status = PENDING")]).await;
    assert_eq!(pending.len(), 1);
    let id = pending[0]["id"].as_i64().unwrap();
    assert!(!ids(&plain).contains(&id));
    assert_eq!(host.get(&format!("/v2/device/{id}"), &[]).await.json().unwrap()["approvalStatus"], "PENDING");
}

#[tokio::test]
async fn pages_go_on_after_an_id_and_borders_repeat_on_demand() {
    let host = host(3, 60).await;
    let all = ids(&host.rows("/v2/devices", ALL).await);
    let walk = async |size: &str| {
        let (mut seen, mut sizes, mut after) = (Vec::new(), Vec::new(), "0".to_owned());
        loop {
            let page = ids(&host.rows("/v2/devices", &[("pageSize", size), ("after", &after)]).await);
            sizes.push(page.len());
            let Some(last) = page.last() else { return (seen, sizes) };
            after = last.to_string();
            seen.extend(page);
        }
    };
    assert_eq!(walk("25").await, (all.clone(), vec![25, 25, 9, 0]));

    host.control("/settings", json!({"page_borders": "repeat"})).await;
    let (seen, _) = walk("25").await;
    assert_eq!(seen.len(), all.len() + 2);
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), all.len());
}

#[tokio::test]
async fn reports_go_on_with_a_cursor_that_expires() {
    let host = host(3, 60).await;
    let path = "/v2/queries/volumes";
    let first = host.get(path, &[("pageSize", "40")]).await.json().unwrap();
    let name = first["cursor"]["name"].as_str().unwrap();
    let second = host.get(path, &[("pageSize", "40"), ("cursor", name)]).await.json().unwrap();
    assert_ne!(first["results"][0], second["results"][0]);
    assert_eq!(host.get(path, &[("cursor", name), ("df", "id = 1")]).await.status, 400);
    let last = second["cursor"]["name"].as_str().unwrap();
    let end = host.get(path, &[("pageSize", "40"), ("cursor", last)]).await.json().unwrap();
    assert_eq!((end["results"].as_array().unwrap().len(), end.get("cursor")), (0, None));

    host.control("/clock/advance", json!({"seconds": 601})).await;
    assert_eq!(host.get(path, &[("cursor", name)]).await.status, 400);
    host.control("/settings", json!({"cursor": "text"})).await;
    assert!(host.get(path, &[]).await.json().unwrap()["cursor"].is_string());
}

#[tokio::test]
async fn devices_and_customers_come_and_go() {
    let host = host(3, 20).await;
    let added = host.control("/organizations/add", json!({"name": "Late Customer", "devices": 2})).await;
    let organization = added["organization_id"].as_i64().unwrap();
    let path = format!("/v2/organization/{organization}/devices");
    assert_eq!(host.rows(&path, &[]).await.len(), 2);
    let more = host.control("/devices/add", json!({"organization_id": organization, "count": 3})).await;
    assert_eq!(more["devices"][0]["organization_name"], "Late Customer");
    assert_eq!(host.rows(&path, &[]).await.len(), 5);
    let gone = host.control("/devices/remove", json!({"organization_id": organization, "count": 4})).await;
    assert_eq!((gone["devices"].as_array().unwrap().len(), host.rows(&path, &[]).await.len()), (4, 1));
    let id = gone["devices"][0]["device_id"].as_i64().unwrap();
    let answer = host.get(&format!("/v2/device/{id}"), &[]).await;
    assert_eq!((answer.status, answer.json().unwrap()["resultCode"].as_str()), (404, Some("NOT_FOUND")));
    let log = host.get("/v2/activities", &[("status", "NODE_DELETED")]).await.json().unwrap();
    assert_eq!(log["activities"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_large_estate_is_served_page_by_page() {
    let host = host(400, 25_000).await;
    let (mut seen, mut after) = (HashSet::new(), "0".to_owned());
    loop {
        let page = ids(&host.rows("/v2/devices-detailed", &[("pageSize", "1000"), ("after", &after)]).await);
        let Some(last) = page.last() else { break };
        after = last.to_string();
        seen.extend(page);
    }
    assert_eq!(seen.len(), 24_999);
}
