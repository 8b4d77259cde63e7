//! Who may ask for a synchronization, and that two workers do it once.
use std::{sync::Arc, time::Duration};

use app::sync::{self, NoSink, SyncSettings, Vendor};
use kernel::{Clock, id::IntegrationId};
use store::sync::{SyncKind::Full, SyncState};
use tokio::{sync::watch, task::JoinSet};

use crate::world::{self, World};

#[tokio::test]
async fn the_database_decides_who_may_ask() {
    let world = World::mapped(2, 10).await;
    let pg = &world.db.pg;
    let now = Clock::system().now();
    let customer = world.db.customer("portal-customer").await;
    let (auditor, portal) =
        (world.db.staff("auditor").await, world.db.portal(customer, "portal_admin").await);
    let refused = |actor: pg::Actor, id: IntegrationId| async move {
        sync::request(pg, &actor, (Vendor::NinjaOne, id), Full, now)
            .await
            .expect_err("must be refused")
            .status
    };
    assert_eq!(refused(world.db.anonymous(), world.integration).await, 401);
    assert_eq!(refused(portal, world.integration).await, 404);
    assert_eq!(refused(auditor, world.integration).await, 403);
    let technician = world.db.staff("technician").await;
    let unknown = IntegrationId(uuid::Uuid::from_u128(7));
    assert_eq!(refused(technician.clone(), unknown).await, 404);
    assert_eq!(world.count("select count(*) from public.sync_runs").await, 0);

    let asked =
        sync::request(pg, &technician, (Vendor::NinjaOne, world.integration), Full, now).await.unwrap();
    assert_eq!((asked.state, asked.already_running), (SyncState::Queued, false));
    let again =
        sync::request(pg, &technician, (Vendor::NinjaOne, world.integration), Full, now).await.unwrap();
    assert_eq!((again.sync_run_id, again.already_running), (asked.sync_run_id, true));
    // The audit log names the person.
    let sql = "select count(*) from audit.log where table_name = 'public.sync_runs' and verb = 'insert' and actor_id is not null";
    assert_eq!(world.count(sql).await, 1);
    world
        .db
        .arrange(
            "update public.sync_runs set state = 'cancelled'; update public.integrations set enabled = false",
        )
        .await;
    assert_eq!(refused(technician.clone(), world.integration).await, 409);
    // A role that is taken away stops at the next request.
    world.db.arrange("delete from public.staff_members").await;
    assert_eq!(refused(technician, world.integration).await, 404);
}

#[tokio::test]
async fn what_is_due_is_queued_once() {
    let world = World::mapped(2, 10).await;
    let clock = Clock::mock(Clock::system().now());
    let vendors = Arc::new(world::SandboxVendors(world.vendor.client.clone()));
    let syncer = || sync::Syncer::new(world.db.pg.clone(), clock.clone(), vendors.clone(), Arc::new(NoSink));
    let (first, second) = (syncer(), syncer());
    let (one, two) = futures_util::join!(first.schedule(), second.schedule());
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    assert_eq!(first.run_one().await.unwrap().unwrap().1, SyncState::Complete);
    assert_eq!(first.schedule().await.unwrap(), 0, "not yet");
    let kinds = async || -> Vec<String> {
        let sql = "select kind from public.sync_runs order by queued_at";
        world.admin.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    };
    clock.advance(jiff::SignedDuration::from_mins(16));
    assert_eq!(second.schedule().await.unwrap(), 1);
    assert_eq!(second.schedule().await.unwrap(), 0, "one is open");
    second.run_one().await.unwrap().unwrap();
    clock.advance(jiff::SignedDuration::from_hours(24));
    assert_eq!(first.schedule().await.unwrap(), 1);
    assert_eq!(kinds().await, ["full", "incremental", "full"]);
    first.run_one().await.unwrap().unwrap();
    world.db.arrange("update public.integrations set enabled = false").await;
    clock.advance(jiff::SignedDuration::from_hours(48));
    assert_eq!(first.schedule().await.unwrap(), 0, "switched off");
}

#[tokio::test]
async fn two_workers_do_the_work_once_and_wake_when_asked() {
    let world = World::mapped(3, 40).await;
    let (stop, stopped) = watch::channel(false);
    let settings =
        SyncSettings { lease: Duration::from_secs(60), poll: Duration::from_secs(3_600), page_rows: 10 };
    let mut workers = JoinSet::new();
    for _ in 0..2 {
        let (syncer, stopped) = (world.syncer().with_settings(settings), stopped.clone());
        workers.spawn(async move { syncer.run(stopped).await });
    }
    // The first look of the workers queues what is due: a full run. Asking joins it or queues another one.
    let technician = world.db.staff("technician").await;
    ended(&world, 1).await;
    let asked = sync::request(
        &world.db.pg,
        &technician,
        (Vendor::NinjaOne, world.integration),
        Full,
        Clock::system().now(),
    )
    .await
    .unwrap();
    assert!(!asked.already_running);
    // With an hour between two looks, only the notification wakes a worker.
    ended(&world, 2).await;
    stop.send_replace(true);
    while let Some(worker) = workers.join_next().await {
        worker.unwrap();
    }
    world.assert_live_is_truth().await;
    let sql = "select count(*) from public.sync_runs where state = 'complete' and resumed_count = 0";
    assert_eq!((world.count(sql).await, world.count("select count(*) from public.sync_runs").await), (2, 2));
    let live = i32::try_from(world.live().await.len()).unwrap();
    let last = world.part(asked.sync_run_id, "devices").await;
    assert_eq!((last.read, last.unchanged), (live, live));
}

async fn ended(world: &World, runs: i64) {
    let wait = async {
        while world.count("select count(*) from public.sync_runs where ended_at is not null").await < runs {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("the workers do their work");
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_writes_nothing_more() {
    let world = World::mapped(3, 40).await;
    let run = world.queue(Full).await;
    let stop = world::StopAt::new(9);
    let slow = world.syncer().with_observer(stop.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { slow.run_one().await });
    stop.reached.notified().await;
    world.expire_leases().await;
    let (worked, state) = world.syncer().run_one().await.unwrap().expect("the abandoned run");
    assert_eq!((worked, state), (run, SyncState::Complete));
    let before = world.parts(run).await;
    let resumed = "select count(*) from public.sync_runs where resumed_count = 1";
    assert_eq!(world.count(resumed).await, 1);
    let rows = "select md5(string_agg(d::text, ',' order by d.id)) from public.devices d";
    let rows_before: String = world.admin.query_one(rows, &[]).await.unwrap().get(0);
    // It comes back to life and finds out at its next write.
    stop.go_on.notify_one();
    let outcome = tasks.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(outcome, None, "the run is not its own any more");
    assert_eq!(world.parts(run).await, before);
    let rows_after: String = world.admin.query_one(rows, &[]).await.unwrap().get(0);
    assert_eq!(rows_before, rows_after);
    world.assert_live_is_truth().await;
}

#[tokio::test]
async fn a_worker_that_stops_in_order_gives_its_run_back_at_once() {
    let world = World::mapped(3, 40).await;
    let run = world.queue(Full).await;
    let stop = world::StopAt::new(12);
    let (shutdown, stopped) = watch::channel(false);
    let syncer = world.syncer().with_observer(stop.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { syncer.run(stopped).await });
    stop.reached.notified().await;
    shutdown.send_replace(true);
    tasks.join_next().await.unwrap().unwrap();
    // Its lease had a minute to go.
    let (worked, state) = world.syncer().run_one().await.unwrap().expect("the run is free");
    assert_eq!((worked, state), (run, SyncState::Complete));
    world.assert_live_is_truth().await;
}
