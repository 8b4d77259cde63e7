use std::collections::BTreeSet;

use store::sync::{SyncKind::Full, SyncState};

use crate::world::World;

#[tokio::test]
async fn a_full_synchronization_brings_exactly_the_vendors_devices() {
    let world = World::mapped(5, 120).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(run).await);
    world.assert_live_is_truth().await;

    let truth = world.vendor.truth().await;
    let devices = world.part(run, "devices").await;
    let count = i32::try_from(truth.len()).unwrap();
    assert_eq!((devices.read, devices.created, devices.updated, devices.removed), (count, count, 0, 0));
    assert_eq!((devices.reads, devices.before, devices.unmapped), (1, Some(0), 0));
    assert_eq!(world.part(run, "organizations").await.unchanged, 5);
    let unplaced = "select count(*) from public.devices where site_id is null or not is_complete or seen_in_sync is null";
    assert_eq!(world.count(unplaced).await, 0);
    let (sites, locations) =
        (world.count("select count(*) from public.sites").await, world.vendor.state().await);
    assert_eq!(sites, locations["locations"].as_i64().unwrap());
    // The list hides devices that wait for approval; so do we.
    assert!(locations["pending_devices"].as_i64().unwrap() > 0);
    assert_eq!(world.count("select count(*) from public.devices where approval <> 'approved'").await, 0);
    let seen: i64 = world.count("select sum(devices_seen) from public.integration_organizations").await;
    assert_eq!(seen, i64::from(count));
}

#[tokio::test]
async fn facts_of_a_device_arrive_in_their_columns() {
    let world = World::mapped(2, 20).await;
    world.sync(Full).await;
    let sql = "select count(*) from public.devices where class = 'workstation' and os_name like 'Windows 11%' and disk_used_percent between 1 and 99
        and jsonb_array_length(volumes) >= 1 and serial_number is not null and last_user like '%\\\\%' and cardinality(ip_addresses) = 1
        and raw ->> 'id' = external_id and last_contact_at > now() - interval '1 year' and observed_at > now() - interval '1 hour'";
    assert!(world.count(sql).await > 5);
    let classes: Vec<String> = world
        .admin
        .query("select distinct class from public.devices", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    let classes: BTreeSet<&str> = classes.iter().map(String::as_str).collect();
    assert!(
        classes.is_superset(&["workstation", "server", "virtual_machine", "mobile"].into()),
        "{classes:?}"
    );
}

#[tokio::test]
async fn the_second_run_changes_nothing() {
    let world = World::mapped(4, 60).await;
    world.sync(Full).await;
    let audit = world.count("select count(*) from audit.log where table_name in ('public.sites', 'public.integration_organizations')").await;
    let content = "select md5(string_agg(id::text || raw::text || name || coalesce(site_id::text, ''), ',' order by id)) from public.devices";
    let before: String = world.admin.query_one(content, &[]).await.unwrap().get(0);
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete);
    for part in ["organizations", "locations", "devices"] {
        let part = world.part(run, part).await;
        assert_eq!(
            (part.read, part.created, part.updated, part.removed),
            (part.unchanged, 0, 0, 0),
            "{part:?}"
        );
        assert!(part.read > 0);
    }
    let after: String = world.admin.query_one(content, &[]).await.unwrap().get(0);
    assert_eq!(before, after);
    // Seeing the same again is no change: the audit log does not grow.
    let again = world.count("select count(*) from audit.log where table_name in ('public.sites', 'public.integration_organizations')").await;
    assert_eq!(audit, again);
    assert_eq!(world.count("select count(*) from public.devices where observed_at < (select started_at from public.sync_runs order by queued_at desc limit 1)").await, 0);
}

#[tokio::test]
async fn an_unmapped_organization_is_shown_and_its_devices_arrive_once_it_is_mapped() {
    let world = World::unmapped(4, 60).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete);
    assert_eq!(world.live().await.len(), 0);
    let truth = i32::try_from(world.vendor.truth().await.len()).unwrap();
    let devices = world.part(run, "devices").await;
    assert_eq!((devices.read, devices.unmapped, devices.created), (truth, truth, 0));
    assert_eq!(world.part(run, "organizations").await.created, 4);
    let shown = "select count(*) from public.integration_organizations where customer_id is null and devices_seen > 0";
    assert_eq!(world.count(shown).await, 4);

    world.map_all().await;
    // The mapping is newer than the last full reading: an incremental run knows that it is not enough.
    let (run, state) = world.sync(store::sync::SyncKind::Incremental).await;
    assert_eq!(state, SyncState::Complete);
    assert_eq!(
        world
            .count("select count(*) from public.sync_runs where kind = 'full' and reason like '%mapped%'")
            .await,
        1
    );
    assert_eq!(world.part(run, "devices").await.created, truth);
    world.assert_live_is_truth().await;
}

#[tokio::test]
async fn a_remapped_organization_takes_its_devices_along() {
    let world = World::mapped(3, 40).await;
    world.sync(Full).await;
    let customers = world.customers().await;
    let before = world.live().await;
    let moved: Vec<i64> =
        before.iter().filter(|(_, customer)| **customer == customers[&1]).map(|(id, _)| *id).collect();
    let sql = "update public.integration_organizations set customer_id = $1 where external_id = '1'";
    world.admin.execute(sql, &[&customers[&2].0]).await.unwrap();
    let (run, state) = world.sync(store::sync::SyncKind::Incremental).await;
    assert_eq!(state, SyncState::Complete);
    let part = world.part(run, "devices").await;
    let count = i32::try_from(moved.len()).unwrap();
    assert_eq!((part.created, part.removed), (count, count));
    world.assert_live_is_truth().await;
    let live = world.live().await;
    assert!(moved.iter().all(|id| live[id] == customers[&2]));

    // Unmapped, they leave the customer as well; mapped again, the rows that were there come back.
    let sql = "update public.integration_organizations set customer_id = null where external_id = '3'";
    world.admin.batch_execute(sql).await.unwrap();
    let (_, state) = world.sync(store::sync::SyncKind::Incremental).await;
    assert_eq!(state, SyncState::Complete);
    assert!(world.live().await.values().all(|customer| *customer != customers[&3]));
    let sql = "update public.integration_organizations set customer_id = $1 where external_id in ('1', '3')";
    world.admin.execute(sql, &[&customers[&1].0]).await.unwrap();
    let (run, _) = world.sync(Full).await;
    world.assert_live_is_truth().await;
    assert_eq!(
        world.part(run, "devices").await.updated,
        count,
        "the first customer's old rows are used again"
    );
}

#[tokio::test]
async fn a_device_that_moved_is_never_with_two_customers() {
    let world = World::mapped(2, 30).await;
    world.sync(Full).await;
    let customers = world.customers().await;
    // As if the device had been with the other customer until now.
    let (device, owner) = world.live().await.into_iter().next().unwrap();
    let other = customers.values().find(|customer| **customer != owner).unwrap();
    world.place(device, *other).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Complete);
    let part = world.part(run, "devices").await;
    assert_eq!((part.created, part.removed, part.updated), (1, 1, 0));
    assert_eq!(world.live().await[&device], owner);
}

/// Looks behind the policies: every row that changes must belong to the one customer of its transaction.
#[tokio::test]
async fn work_for_one_customer_touches_only_that_customers_rows() {
    let world = World::mapped(5, 80).await;
    world
        .db
        .arrange(
            "create function public.stay_home() returns trigger language plpgsql as $$ begin
               if current_setting('role') <> 'worker' or coalesce(current_setting('app.customer_id', true), '') <> new.customer_id::text then
                 raise exception 'written by %, for %', current_setting('role'), current_setting('app.customer_id', true);
               end if;
               return new; end $$;
             grant execute on function public.stay_home() to worker;
             create trigger stay_home before insert or update on public.devices for each row execute function public.stay_home();
             create trigger stay_home before insert or update on public.device_conditions for each row execute function public.stay_home();
             create trigger stay_home before insert or update on public.sites for each row execute function public.stay_home();",
        )
        .await;
    for _ in 0..2 {
        world.vendor.control("/trigger", serde_json::json!({"kind": "disk_full"})).await;
        let (_, state) = world.sync(Full).await;
        assert_eq!(state, SyncState::Complete);
    }
    assert_eq!(world.count("select count(*) from public.device_conditions").await, 2);
    world.assert_live_is_truth().await;
}
