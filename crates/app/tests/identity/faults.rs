//! No fault takes a machine apart, joins two, or takes one away.
use serde_json::json;

use crate::world::{Machine, World, slug};

const HISTORY: &str = "select (select count(*) from public.endpoints where ended_at is not null) + (select count(*) from public.endpoint_records where ended_at is not null)
    + (select count(*) from public.managed_devices where missing_since is not null) + (select count(*) from public.devices where missing_since is not null)
    + (select count(*) from public.endpoint_conflicts where resolved_at is not null)";

#[tokio::test]
async fn faults_split_join_and_delete_nothing() {
    let world = World::read(6, 120).await;
    let (machines, doubts) = (world.machines().await, world.doubts().await);
    assert_eq!((&machines, &doubts), (&world.planned().await.0, &world.planned().await.1));
    let list = "/v1.0/deviceManagement";
    let faults = [
        ("graph", "truncated_list", list, 40),
        ("graph", "server_error", list, 200),
        ("graph", "html_page", list, 200),
        ("graph", "too_many_requests", list, 200),
        ("graph", "repeated_page", list, 40),
        ("graph", "empty_page", list, 40),
        ("graph", "missing_permission", list, 200),
        ("graph", "server_error", "/login", 200),
        ("ninjaone", "truncated_list", "/v2/devices", 40),
        ("ninjaone", "server_error", "/v2/devices", 200),
    ];
    for (vendor, kind, path, times) in faults {
        world
            .control(
                "/faults",
                json!({ "vendor": vendor, "kind": kind, "path_prefix": path, "times": times }),
            )
            .await;
        let integration = if vendor == "graph" { world.graph } else { world.ninjaone };
        let state = world.sync(integration).await;
        assert_eq!(world.machines().await, machines, "{vendor} {kind} {path} ({state})");
        assert_eq!(world.doubts().await, doubts, "{vendor} {kind} {path} ({state})");
        assert_eq!(world.count(HISTORY).await, 0, "{vendor} {kind} {path} ({state})");
        world.clear_faults().await;
    }
    assert_eq!(world.sync(world.ninjaone).await, "complete");
    world.sync(world.graph).await;
    let whole = "select count(*) from public.managed_devices where not is_complete";
    assert_eq!((world.count(whole).await, world.count(HISTORY).await), (0, 0));
}

#[tokio::test]
async fn only_a_complete_reading_takes_a_machine_apart() {
    let world = World::read(3, 60).await;
    let (organization, ninja, intune) = world.planned_as("renamed").await;
    let (one, other) = (format!("n{}", ninja[0]), format!("i{}", intune[0]));
    let together = (slug(organization), Machine::from([one.clone(), other.clone()]));
    let (_, _, endpoint) = world.place(&ninja[0]).await;
    // Neither serial number nor name say so any more; but half of the list is missing.
    world.tell(organization, &intune[0], "set_serial", "ANOTHER1").await;
    let fault = json!({ "vendor": "graph", "kind": "truncated_list", "path_prefix": "/v1.0/deviceManagement", "times": 40 });
    world.control("/faults", fault).await;
    assert_ne!(world.sync(world.graph).await, "complete");
    assert!(world.machines().await.contains(&together));
    world.clear_faults().await;
    world.sync(world.graph).await;
    let found = world.machines().await;
    assert!(found.contains(&(slug(organization), Machine::from([one]))), "a complete one does");
    assert!(found.contains(&(slug(organization), Machine::from([other]))));
    assert_eq!(world.place(&ninja[0]).await.2, endpoint, "and the machine keeps its id");
    let history =
        "select count(*) from public.endpoint_records where ended_at is not null and link_kind is not null";
    assert_eq!(world.count(history).await, 1);
    // As it was: the same two machines become one again, the older one.
    let sql = "select serial_number from public.devices where external_id = $1";
    let serial: String = world.admin.query_one(sql, &[&ninja[0]]).await.expect("a device").get(0);
    world.tell(organization, &intune[0], "set_serial", &serial).await;
    world.sync(world.graph).await;
    assert!(world.machines().await.contains(&together));
    let merged = format!(
        "select count(*) from public.endpoints where ended_at is not null and merged_into = '{endpoint}'"
    );
    assert_eq!(world.count(&merged).await, 1);
}
