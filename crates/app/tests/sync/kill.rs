//! Killed at every boundary, the run goes on in another process to the same end.
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use store::sync::{SyncKind, SyncKind::Full, SyncKind::Incremental, SyncState};
use tokio::task::JoinSet;

use crate::world::{Counting, Part, StopAt, World, fault};

const WORLDS_AT_ONCE: usize = 6;

/// A world in which everything happens: arrivals, conditions raised and cleared; for a full reading also a disappearance,
/// a move, and a list that has to be read again.
async fn eventful(kind: SyncKind) -> World {
    let world = World::mapped(3, 24).await;
    let ill = world.vendor.control("/trigger", json!({"kind": "disk_full"})).await;
    world.sync(Full).await;
    world.vendor.control("/reset", json!({"kind": "disk_full", "device_id": ill["device_id"]})).await;
    world.vendor.control("/trigger", json!({"kind": "service_stopped"})).await;
    world.vendor.control("/devices/add", json!({"organization_id": 2, "count": 2})).await;
    if kind == Incremental {
        return world;
    }
    let gone = world.live().await.into_keys().nth(3).expect("a fourth device");
    world.vendor.control("/devices/remove", json!({"device_id": gone})).await;
    let customers = world.customers().await;
    let sql = "select external_id::bigint from public.devices d where customer_id = $1
            and not exists (select from public.device_conditions c where c.device_id = d.id) order by external_id desc limit 1";
    let device = world.admin.query_one(sql, &[&customers[&1].0]).await.expect("a device").get(0);
    world.place(device, customers[&3]).await;
    world.vendor.fault(fault("truncated_list", "/v2/devices-detailed", 1)).await;
    world
}

async fn assert_right(world: &World, at: usize) {
    world.assert_live_is_truth().await;
    let uids: Vec<String> = world
        .admin
        .query("select external_uid from public.device_conditions where cleared_at is null", &[])
        .await
        .expect("open conditions")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(uids, world.vendor.open_alerts().await.into_iter().collect::<Vec<_>>(), "killed at {at}");
    let twice = "select count(*) from (select from public.devices group by customer_id, external_id having count(*) > 1) as x";
    assert_eq!(world.count(twice).await, 0);
}

#[tokio::test]
async fn a_full_run_killed_at_every_boundary_ends_the_same() {
    killed_everywhere(Full, (2, 3, 2)).await;
}

#[tokio::test]
async fn an_incremental_run_killed_at_every_boundary_ends_the_same() {
    killed_everywhere(Incremental, (1, 2, 0)).await;
}

/// `counts`: readings, rows created and removed of an undisturbed run.
async fn killed_everywhere(kind: SyncKind, counts: (i16, i32, i32)) {
    let world = eventful(kind).await;
    let counting = Arc::new(Counting::default());
    let undisturbed = world.queue(kind).await;
    let (_, state) =
        world.syncer().with_observer(counting.clone()).run_one().await.expect("a worked run").expect("a run");
    assert_eq!(state, SyncState::Complete, "{:?}", world.parts(undisturbed).await);
    assert_right(&world, 0).await;
    let expected = world.part(undisturbed, "devices").await;
    assert_eq!((expected.reads, expected.created, expected.removed), counts, "{expected:?}");
    let boundaries = counting.count();
    assert!(boundaries > 20, "{boundaries}");

    let worlds = stream::iter(1..boundaries).map(|nth| killed_at(kind, nth, &expected));
    worlds.buffer_unordered(WORLDS_AT_ONCE).collect::<()>().await;
}

async fn killed_at(kind: SyncKind, nth: usize, expected: &Part) {
    let world = eventful(kind).await;
    let run = world.queue(kind).await;
    let stop = StopAt::new(nth);
    let doomed = world.syncer().with_observer(stop.clone());
    let mut process = JoinSet::new();
    process.spawn(async move { doomed.run_one().await });
    stop.reached.notified().await;
    process.shutdown().await;
    world.expire_leases().await;
    let (worked, state) = world.syncer().run_one().await.expect("a worked run").expect("the abandoned run");
    assert_eq!((worked, state), (run, SyncState::Complete), "killed at {nth}: {:?}", world.parts(run).await);
    assert_right(&world, nth).await;
    // Counts commit with their rows: the record is that of an undisturbed run.
    let part = world.part(run, "devices").await;
    let counts = |it: &Part| (it.read, it.created, it.updated, it.unchanged, it.removed, it.unmapped);
    assert_eq!(counts(&part), counts(expected), "killed at {nth}");
    // A page whose rows and place are committed is not read again. (Fewer: the killed process used up the truncated list.)
    assert!(part.pages <= expected.pages, "killed at {nth}: {} pages", part.pages);
    let resumed = "select resumed_count::bigint from public.sync_runs order by queued_at desc limit 1";
    assert_eq!(world.count(resumed).await, 1);
}

/// Killed over and over at a random place of what is left.
#[tokio::test]
async fn killed_again_and_again_it_still_ends() {
    let world = eventful(Full).await;
    let run = world.queue(Full).await;
    world.die_at(&[3, 7, 2, 11, 5, 1, 9, 4]).await;
    if let Some((worked, state)) = world.syncer().run_one().await.unwrap() {
        assert_eq!((worked, state), (run, SyncState::Complete));
    }
    assert_right(&world, 99).await;
}
