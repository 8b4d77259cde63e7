//! Faults of the reports of facts: nothing is removed by a failed, partial or unbelievable reading, and it says so.
use app::sync::{self, AcceptedFall, Vendor};
use kernel::Clock;
use serde_json::json;
use store::sync::{SyncKind::Full, SyncState};

use crate::facts::{PARTS, rows};
use crate::world::{World, fault};

const PATHS: [(&str, &str); 7] = [
    ("health", "/v2/queries/device-health"),
    ("antivirus", "/v2/queries/antivirus-status"),
    ("patches", "/v2/queries/os-patches"),
    ("volumes", "/v2/queries/volumes"),
    ("software", "/v2/queries/software"),
    ("backups", "/v2/queries/backup/usage"),
    ("custom_fields", "/v2/queries/custom-fields"),
];

async fn synchronized(customers: u32, devices: u32) -> World {
    let world = World::mapped(customers, devices).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    world
}

async fn recovers(world: &World) {
    world.vendor.clear_faults().await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
}

#[tokio::test]
async fn a_report_that_stays_truncated_removes_nothing() {
    let world = synchronized(2, 60).await;
    let before = rows(&world).await;
    for (name, path) in PATHS {
        world.vendor.fault(fault("truncated_list", path, 500)).await;
        let (run, state) = world.sync(Full).await;
        let part = world.part(run, name).await;
        // The own lists of the devices show what the report lacks; where there are none, a person has to decide.
        let expected = if matches!(name, "volumes" | "software") { "partial" } else { "suspect" };
        assert_eq!((part.state.as_str(), part.removed), (expected, 0), "{name}: {part:?}");
        assert!(state >= SyncState::Partial);
        world.vendor.clear_faults().await;
        assert_eq!(rows(&world).await, before, "{name}");
        let said = format!("select count(*) from public.device_fact_parts where part = '{name}' and state <> 'complete' and reason is not null
            and observed_at < attempted_at");
        assert!(world.count(&said).await > 0, "{name}");
    }
    recovers(&world).await;
}

#[tokio::test]
async fn a_report_that_was_truncated_once_is_read_again() {
    let world = synchronized(2, 60).await;
    let before = rows(&world).await;
    for (_, path) in PATHS {
        world.vendor.fault(fault("truncated_list", path, 1)).await;
    }
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    assert_eq!(rows(&world).await, before);
}

#[tokio::test]
async fn a_report_that_fails_says_so_and_keeps_what_is_known() {
    let world = synchronized(2, 30).await;
    let before = rows(&world).await;
    for kind in ["server_error", "html_page", "too_many_requests", "dropped_connection", "repeated_page"] {
        for (_, path) in PATHS {
            world.vendor.fault(fault(kind, path, 500)).await;
        }
        let (run, state) = world.sync(Full).await;
        let expected = if kind == "repeated_page" {
            ("partial", SyncState::Partial)
        } else {
            ("failed", SyncState::Failed)
        };
        assert_eq!(state, expected.1, "{kind}");
        for name in PARTS {
            let part = world.part(run, name).await;
            assert_eq!((part.state.as_str(), part.removed), (expected.0, 0), "{kind} {name}");
        }
        assert_eq!(world.part(run, "devices").await.state, "complete");
        assert_eq!(rows(&world).await, before, "{kind}");
        world.vendor.clear_faults().await;
    }
    recovers(&world).await;
}

#[tokio::test]
async fn a_report_that_this_instance_does_not_have_is_no_trouble() {
    let world = World::mapped(2, 30).await;
    let mut gone = fault("html_page", "/v2/queries/backup", 500);
    gone["status"] = 404.into();
    world.vendor.fault(gone).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    assert_eq!(
        world
            .count(
                "select count(*) from public.device_fact_parts where part = 'backups' and state = 'absent'"
            )
            .await,
        2
    );
    assert_eq!(
        world.count("select count(*) from public.device_healths where has_backup is not null").await,
        0
    );
}

#[tokio::test]
async fn rows_that_hold_a_fall_are_removed_once_a_person_accepts_it() {
    let world = synchronized(1, 60).await;
    let guarded = "select count(*) from public.device_healths where antivirus_products <> '[]'";
    let before = world.count(guarded).await;
    for device in world.vendor.truth().await.into_keys() {
        if world.count(&format!("select count(*) from public.devices where external_id = '{device}' and vendor_class ~ '^(WINDOWS|LINUX|MAC)'")).await == 1 {
            world.vendor.control("/facts", json!({"device_id": device, "antivirus": "none"})).await;
        }
    }
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Suspect, "{:?}", world.parts(run).await);
    assert_eq!(world.count(guarded).await, before);
    let held =
        world.count("select sum(held_rows) from public.device_fact_parts where part = 'antivirus'").await;
    assert_eq!(held, before);
    let technician = world.db.staff("technician").await;
    let fall = AcceptedFall { run, reason: "The product was replaced.".to_owned() };
    let now = Clock::system().now();
    sync::accept_fall(&world.db.pg, &technician, (Vendor::NinjaOne, world.integration), &fall, now)
        .await
        .unwrap();
    let (_, state) = world.syncer().run_one().await.unwrap().unwrap();
    assert_eq!(state, SyncState::Complete);
    assert_eq!(world.count(guarded).await, 0);
}

/// Devices that a held-back reading lacks are in doubt themselves: their facts are neither missed nor removed.
#[tokio::test]
async fn facts_wait_for_devices_that_are_in_doubt() {
    let world = synchronized(1, 500).await;
    let programs = "select count(*) from public.device_programs";
    let before = world.count(programs).await;
    world.vendor.control("/devices/remove", json!({"organization_id": 1, "count": 240})).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Suspect);
    for name in PARTS {
        assert_eq!(world.part(run, name).await.state, "complete", "{name}");
    }
    assert_eq!(world.count(programs).await, before);
}

#[tokio::test]
async fn a_run_goes_on_after_a_kill_and_reads_no_customer_twice() {
    let world = World::mapped(3, 45).await;
    let run = world.queue(Full).await;
    world.die_at(&[30, 6, 4]).await;
    let (worked, state) = world.syncer().run_one().await.unwrap().unwrap();
    assert_eq!((worked, state), (run, SyncState::Complete), "{:?}", world.parts(run).await);
    assert_eq!(
        world.count("select count(*) from public.device_fact_parts where state = 'complete'").await,
        3 * 7
    );
    let read = world.part(run, "software").await.read;
    assert_eq!(i64::from(read), world.count("select count(*) from public.device_programs").await);
}
