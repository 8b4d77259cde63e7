//! What the RMM reports of devices beyond their record: it arrives, says the truth, and is rewritten only when it changed.
use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::sync::{
    SyncKind::{Full, Incremental},
    SyncState,
};

use crate::world::World;

pub const PARTS: [&str; 7] =
    ["health", "antivirus", "patches", "volumes", "software", "backups", "custom_fields"];
/// Every row of every fact, with what PostgreSQL says of its version.
pub const ROWS: &str = "select md5(string_agg(row, ',' order by row)) from (
    select 'h' || x.xmin || x::text as row from public.device_healths x union all select 'v' || x.xmin || x::text from public.device_volumes x
    union all select 'f' || x.xmin || x::text from public.device_custom_fields x
    union all select 'p' || x.xmin || x::text from public.device_patches x union all select 's' || x.xmin || x::text from public.device_programs x
    union all select 't' || x.xmin || x::text from public.software_titles x) rows";

pub async fn rows(world: &World) -> String {
    world.admin.query_one(ROWS, &[]).await.expect("rows").get(0)
}

async fn found(world: &World, which: &str) -> BTreeSet<i64> {
    let sql = format!(
        "select d.external_id from public.devices d join public.device_healths h on h.customer_id = d.customer_id and h.device_id = d.id
         where d.missing_since is null and {which}"
    );
    let rows = world.admin.query(&sql, &[]).await.expect("devices");
    rows.iter().map(|row| row.get::<_, String>(0).parse().expect("an id")).collect()
}

#[tokio::test]
async fn what_is_not_well_is_found_no_more_and_no_less() {
    let world = World::mapped(5, 160).await;
    world.vendor.control("/trigger", json!({"kind": "disk_full"})).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    let truth = world.vendor.facts().await;
    let planted = |is: &dyn Fn(&Value) -> bool| -> BTreeSet<i64> {
        truth.iter().filter(|it| is(it)).map(|it| it["device_id"].as_i64().unwrap()).collect()
    };
    for (word, guard) in [("none", "none"), ("outdated", "outdated"), ("off", "off")] {
        let expected = planted(&|it| it["antivirus"] == word);
        assert_eq!(found(&world, &format!("h.antivirus = '{guard}'")).await, expected, "{word}");
        assert!(word == "off" || !expected.is_empty());
    }
    let critical = planted(&|it| it["lacks_critical"] == true);
    assert!(!critical.is_empty());
    assert_eq!(found(&world, "h.patches_critical > 0").await, critical);
    let late = found(&world, "h.backup_last_success_at < now() - interval '3 days'").await;
    assert!(!late.is_empty());
    assert_eq!(late, planted(&|it| it["backup"] == "late"));
    let full: BTreeSet<i64> = planted(&|it| it["full_volumes"] != json!([]));
    let sql = "select count(distinct v.device_id) from public.device_volumes v where v.free_bytes * 20 < v.capacity_bytes";
    assert_eq!((world.count(sql).await, full.len()), (1, 1), "the volume that has a condition");
    // A phone and a virtual machine have no agent: nothing is missing there.
    let silent = "select count(*) from public.devices d join public.device_healths h on h.customer_id = d.customer_id and h.device_id = d.id
        where d.class in ('mobile', 'virtual_machine') and (h.antivirus <> 'unknown' or h.has_backup is not null or h.patches_critical is not null)";
    assert_eq!(world.count(silent).await, 0);
    assert_eq!(
        world
            .count("select count(*) from public.device_patches where severity = 'unspecified'")
            .await
            .signum(),
        1
    );
    let titles = "select count(*) from (select customer_id, name, version, publisher, count(*)::integer from public.device_programs group by 1, 2, 3, 4
        except select customer_id, name, version, publisher, device_count from public.software_titles) x";
    assert_eq!(world.count(titles).await, 0);
    let whole = "select count(*) from public.device_fact_parts where state = 'complete' and observed_at > now() - interval '1 hour'";
    assert_eq!(world.count(whole).await, 5 * 7);
}

#[tokio::test]
async fn a_reading_that_says_nothing_new_writes_nothing() {
    let world = World::mapped(3, 60).await;
    world.sync(Full).await;
    let before = rows(&world).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete);
    assert_eq!(rows(&world).await, before);
    for name in ["volumes", "patches", "software"] {
        let part = world.part(run, name).await;
        assert!(part.read > 0, "{name}");
        assert_eq!(
            (part.created, part.updated, part.removed, part.unchanged),
            (0, 0, 0, part.read),
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_is_not_due_is_not_read() {
    let world = World::mapped(3, 45).await;
    world.sync(Full).await;
    let (run, state) = world.sync(Incremental).await;
    assert_eq!(state, SyncState::Complete);
    for name in PARTS {
        let part = world.part(run, name).await;
        assert_eq!((part.state.as_str(), part.read, part.pages), ("complete", 0, 0), "{name}");
    }
    // An hour later all but the daily ones are.
    world
        .admin
        .batch_execute(
            "update public.device_fact_parts set attempted_at = attempted_at - interval '61 minutes'",
        )
        .await
        .unwrap();
    let (run, _) = world.sync(Incremental).await;
    for (name, pages) in [
        ("health", 1),
        ("antivirus", 1),
        ("patches", 1),
        ("volumes", 1),
        ("software", 0),
        ("backups", 0),
        ("custom_fields", 0),
    ] {
        assert_eq!(world.part(run, name).await.pages, pages, "{name}");
    }
    world
        .admin
        .batch_execute(
            "update public.device_fact_parts set attempted_at = attempted_at - interval '24 hours'",
        )
        .await
        .unwrap();
    let (run, _) = world.sync(Incremental).await;
    assert_eq!(world.part(run, "software").await.pages, 1);
}

#[tokio::test]
async fn changes_arrive_and_what_went_is_gone() {
    let world = World::mapped(2, 40).await;
    world.sync(Full).await;
    let guarded = found(&world, "h.antivirus = 'protected' and d.class = 'workstation'").await;
    let device = *guarded.first().unwrap();
    world
        .vendor
        .control(
            "/facts",
            json!({"device_id": device, "antivirus": "none", "backup": "late", "uninstall": 1}),
        )
        .await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    assert!(found(&world, "h.antivirus = 'none'").await.contains(&device));
    assert!(found(&world, "h.has_backup and h.backup_last_failure_at is not null").await.contains(&device));
    let software = world.part(run, "software").await;
    assert_eq!((software.removed, software.created, software.updated), (1, 0, 0));
}

/// Patches fall together on patch day: the report of health bears witness.
#[tokio::test]
async fn patches_that_were_installed_everywhere_are_believed() {
    let world = World::mapped(1, 60).await;
    world.sync(Full).await;
    assert!(world.count("select count(*) from public.device_patches").await >= 5);
    for device in world.vendor.truth().await.into_keys() {
        // Those without an agent have none to install.
        if world.count(&format!("select count(*) from public.devices where external_id = '{device}' and vendor_class like 'WINDOWS%'")).await == 1 {
            world.vendor.control("/facts", json!({"device_id": device, "install_patches": true})).await;
        }
    }
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    assert_eq!(world.count("select count(*) from public.device_patches").await, 0);
    assert!(found(&world, "h.patches_critical > 0").await.is_empty());
}

#[tokio::test]
async fn facts_of_a_customer_without_devices_leave_the_list_of_software() {
    let world = World::mapped(2, 20).await;
    world.sync(Full).await;
    world.vendor.control("/devices/remove", json!({"organization_id": 2, "count": 100})).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    let customers = world.customers().await;
    let left =
        format!("select count(*) from public.software_titles where customer_id = '{}'", customers[&2].0);
    assert_eq!(world.count(&left).await, 0);
}

#[tokio::test]
async fn custom_fields_carry_their_labels_and_no_secret_is_kept_anywhere() {
    let world = World::mapped(4, 60).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    let rows = world.count("select count(*) from public.device_custom_fields").await;
    assert!(rows > 0);
    let known = "select count(*) from public.device_custom_fields f where (f.name, f.label, f.kind, jsonb_typeof(f.value)) in (('assetOwner', 'Asset owner', 'text', 'string'),
        ('warrantyEnd', 'Warranty ends', 'date', 'number'), ('isCritical', 'Business critical', 'checkbox', 'boolean'), ('rack', 'Rack', 'dropdown', 'string'))";
    assert_eq!(world.count(known).await, rows);
    // Every secret of the vendor holds this word, masked or not: no column of any table does.
    let anywhere = "select count(*) from pg_catalog.pg_tables t where t.schemaname in ('public', 'audit', 'flow', 'app', 'ops')
        and (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %I.%I x where x::text ilike ''%%kingfisher%%''', t.schemaname, t.tablename), false, true, '')))[1]::text <> '0'";
    assert_eq!(world.count(anywhere).await, 0);
    // Definitions that cannot be read say nothing about secrets: nothing is read, nothing goes.
    world.vendor.fault(json!({"kind": "server_error", "status": 403, "path_prefix": "/v2/device-custom-fields", "times": 99})).await;
    let (run, state) = world.sync(Full).await;
    assert_ne!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    assert_eq!(world.count("select count(*) from public.device_custom_fields").await, rows);
}
