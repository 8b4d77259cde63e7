//! A held-back fall that a person accepts: every row is still asked for, and only the vendor's word makes one missing.
use app::sync::{self, AcceptedFall, CONFIRMATIONS_MAX, SyncSettings, Vendor};
use kernel::{ApiError, Clock, id::SyncRunId};
use pg::Actor;
use serde_json::json;
use store::sync::{SyncKind::Full, SyncKind::Incremental, SyncState};

use crate::world::{World, fault};

const DEVICES: u32 = 600;
const GONE: usize = CONFIRMATIONS_MAX + 60;

/// A customer left: more is gone than a run asks for by itself. Returns the run that is held back.
async fn held(world: &World) -> SyncRunId {
    world.sync(Full).await;
    remove(world, GONE).await;
    let (run, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Suspect, "{:?}", world.parts(run).await);
    assert_eq!(asked(world, run, "devices").await, (Some(260), 0));
    run
}

async fn remove(world: &World, count: usize) {
    world.vendor.control("/devices/remove", json!({"organization_id": 1, "count": count})).await;
}

async fn accept(world: &World, by: &Actor, run: SyncRunId, reason: &str) -> Result<SyncRunId, ApiError> {
    let fall = AcceptedFall { run, reason: reason.to_owned() };
    let now = Clock::system().now();
    sync::accept_fall(&world.db.pg, by, (Vendor::NinjaOne, world.integration), &fall, now)
        .await
        .map(|it| it.sync_run_id)
}

async fn work(world: &World) -> SyncState {
    world.syncer().run_one().await.expect("a worked run").expect("a run").1
}

/// Rows to ask for one by one, and how many were.
async fn asked(world: &World, run: SyncRunId, part: &str) -> (Option<i32>, i32) {
    let sql = "select rows_to_ask, rows_asked from public.sync_parts where sync_run_id = $1 and part = $2";
    let row = world.admin.query_one(sql, &[&run.0, &part]).await.expect("the part");
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn an_accepted_fall_is_asked_for_row_by_row_and_says_who_accepted_it() {
    let world = World::mapped(1, DEVICES).await;
    let technician = world.db.staff("technician").await;
    let run = held(&world).await;
    let accepted = accept(&world, &technician, run, " They left us. ").await.unwrap();
    assert_eq!(work(&world).await, SyncState::Complete, "{:?}", world.parts(accepted).await);
    assert_eq!(world.part(accepted, "devices").await.removed, 260);
    assert_eq!(asked(&world, accepted, "devices").await, (Some(260), 260));
    world.assert_live_is_truth().await;
    let sql =
        "select accepted_run_id, accepted_by, accepted_reason, accepted_at is not null, requested_by, kind
        from public.sync_runs where id = $1";
    let row = world.admin.query_one(sql, &[&accepted.0]).await.unwrap();
    let by = technician.user.map(|id| id.0);
    assert_eq!((row.get(0), row.get(1), row.get(4)), (Some(run.0), by, by));
    assert_eq!((row.get::<_, &str>(2), row.get(3), row.get::<_, &str>(5)), ("They left us.", true, "full"));
    let log = "select count(*) from audit.log where table_name = 'public.sync_runs' and verb = 'insert'
        and actor_id is not null and after ->> 'accepted_reason' = 'They left us.'";
    assert_eq!(world.count(log).await, 1);
    // What was believed is what the next fall is measured by.
    let (run, state) = world.sync(Full).await;
    assert_eq!((state, world.part(run, "devices").await.reads), (SyncState::Complete, 1));
}

#[tokio::test]
async fn only_the_latest_held_run_can_be_accepted_and_only_by_who_may() {
    let world = World::mapped(1, DEVICES).await;
    let technician = world.db.staff("technician").await;
    let auditor = world.db.staff("auditor").await;
    let customer = world.db.customer("portal-customer").await;
    let portal = world.db.portal(customer, "portal_admin").await;
    let (complete, _) = world.sync(Full).await;
    let refused = |by: Actor, run: SyncRunId, reason: &'static str| {
        let world = &world;
        async move { accept(world, &by, run, reason).await.expect_err("must be refused").status }
    };
    assert_eq!(refused(technician.clone(), complete, "why").await, 409, "nothing is held back");
    remove(&world, GONE).await;
    let (first, _) = world.sync(Full).await;
    let (latest, state) = world.sync(Full).await;
    assert_eq!(state, SyncState::Suspect);
    assert_eq!(refused(technician.clone(), first, "why").await, 409, "not the latest");
    assert_eq!(refused(technician.clone(), SyncRunId(uuid::Uuid::from_u128(9)), "why").await, 404);
    assert_eq!(refused(technician.clone(), latest, "  ").await, 422);
    assert_eq!(refused(auditor, latest, "why").await, 403);
    assert_eq!(refused(portal, latest, "why").await, 404);
    // The database itself refuses, whoever writes.
    let sql = "insert into public.sync_runs (integration_id, kind, accepted_run_id, accepted_reason) values ($1, $2, $3, 'why')";
    for (kind, run) in [("full", first), ("incremental", latest)] {
        let error =
            world.admin.execute(sql, &[&world.integration.0, &kind, &run.0]).await.expect_err("refused");
        assert_eq!(error.code().expect("a code").code(), "PT409");
    }
    let queued = world.queue(Full).await;
    assert_eq!(refused(technician.clone(), latest, "why").await, 409, "{queued} is open");
    assert_eq!(work(&world).await, SyncState::Suspect);
    // Changes that were read since then do not stand in the way.
    let sql = "insert into public.sync_runs (integration_id, kind, state, started_at, ended_at) values ($1, 'incremental', 'complete', now(), now())";
    world.admin.execute(sql, &[&world.integration.0]).await.unwrap();
    let accepted = accept(&world, &technician, queued, "why").await.unwrap();
    assert_eq!(refused(technician.clone(), queued, "why").await, 409, "{accepted} is open");
    assert_eq!(work(&world).await, SyncState::Complete);
    assert_eq!(refused(technician, queued, "why").await, 409, "it is done");
    world.assert_live_is_truth().await;
}

#[tokio::test]
async fn a_further_fall_is_held_back_again_and_staff_are_told_again() {
    let world = World::mapped(1, DEVICES).await;
    let technician = world.db.staff("technician").await;
    let run = held(&world).await;
    let before = world.live().await;
    remove(&world, 60).await;
    let further = accept(&world, &technician, run, "They left us.").await.unwrap();
    assert_eq!(work(&world).await, SyncState::Suspect);
    assert_eq!(world.live().await, before);
    assert_eq!(asked(&world, further, "devices").await, (Some(320), 0));
    assert_eq!(world.count("select count(*) from public.notifications where kind = 'sync'").await, 2);
    accept(&world, &technician, further, "All of them.").await.unwrap();
    assert_eq!(work(&world).await, SyncState::Complete);
    world.assert_live_is_truth().await;
}

#[tokio::test]
async fn acceptance_never_removes_what_the_vendor_still_has() {
    let world = World::mapped(1, DEVICES).await;
    let technician = world.db.staff("technician").await;
    world.sync(Full).await;
    let before = world.live().await;
    // Half of a page of one row is an empty page, which looks like the end of a complete list.
    world.vendor.fault(fault("truncated_list", "/v2/devices-detailed", 100_000)).await;
    let narrow = SyncSettings { page_rows: 1, ..SyncSettings::default() };
    let syncer = world.syncer().with_settings(narrow);
    let run = world.queue(Full).await;
    let (_, state) = syncer.run_one().await.unwrap().unwrap();
    assert_eq!(state, SyncState::Suspect, "{:?}", world.parts(run).await);
    let accepted = accept(&world, &technician, run, "I believe the list.").await.unwrap();
    let (_, state) = syncer.run_one().await.unwrap().unwrap();
    assert_eq!(state, SyncState::Partial, "{:?}", world.parts(accepted).await);
    let part = world.part(accepted, "devices").await;
    assert_eq!((part.removed, part.error.unwrap()["kind"].as_str()), (0, Some("list_lacked_rows")));
    assert_eq!(world.live().await, before);
}

#[tokio::test]
async fn a_vendor_that_stops_answering_ends_the_asking() {
    let world = World::mapped(1, DEVICES).await;
    let technician = world.db.staff("technician").await;
    let run = held(&world).await;
    let before = world.live().await;
    world.vendor.fault(fault("server_error", "/v2/device/", 100_000)).await;
    let accepted = accept(&world, &technician, run, "They left us.").await.unwrap();
    assert_eq!(work(&world).await, SyncState::Partial);
    assert_eq!(world.part(accepted, "devices").await.error.unwrap()["kind"], "not_confirmed");
    assert_eq!(asked(&world, accepted, "devices").await, (Some(260), 50));
    assert_eq!(world.live().await, before);
    // Nothing is stuck: what is left is asked for by the runs that follow.
    world.vendor.clear_faults().await;
    while world.sync(Full).await.1 != SyncState::Complete {}
    world.assert_live_is_truth().await;
}

#[tokio::test]
async fn killed_while_it_asks_it_goes_on_where_it_was() {
    let world = World::mapped(1, DEVICES).await;
    let technician = world.db.staff("technician").await;
    let run = held(&world).await;
    let accepted = accept(&world, &technician, run, "They left us.").await.unwrap();
    // Every process dies some boundaries further on; the pages of the two readings are the first hundred or so.
    world.die_at(&[150, 40, 3, 2, 4, 1, 5, 3]).await;
    if let Some((worked, state)) = world.syncer().run_one().await.unwrap() {
        assert_eq!((worked, state), (accepted, SyncState::Complete), "{:?}", world.parts(accepted).await);
    }
    assert_eq!(asked(&world, accepted, "devices").await, (Some(260), 260));
    assert_eq!(world.part(accepted, "devices").await.removed, 260);
    world.assert_live_is_truth().await;
}

#[tokio::test]
async fn held_back_conditions_are_accepted_the_same_way() {
    let world = World::mapped(1, DEVICES).await;
    let technician = world.db.staff("technician").await;
    world.sync(Full).await;
    let open = "select count(*) from public.device_conditions where cleared_at is null";
    world.vendor.control("/trigger", json!({"kind": "disk_full"})).await;
    world
        .db
        .arrange(&format!(
            "insert into public.device_conditions (customer_id, device_id, external_uid, kind, severity, message, raised_at, observed_at)
             select customer_id, id, 'old-' || external_id, 'disk_full', 'major', 'full', now(), now() from public.devices
             order by external_id limit {GONE}"
        ))
        .await;
    let (run, state) = world.sync(Incremental).await;
    assert_eq!(state, SyncState::Suspect, "{:?}", world.parts(run).await);
    let to_ask = asked(&world, run, "conditions").await;
    assert!(to_ask.0.is_some_and(|rows| rows > 200) && to_ask.1 == 0, "{to_ask:?}");
    assert!(world.count(open).await > 200);
    let accepted = accept(&world, &technician, run, "The monitor was removed.").await.unwrap();
    assert_eq!(work(&world).await, SyncState::Complete, "{:?}", world.parts(accepted).await);
    assert_eq!(asked(&world, accepted, "conditions").await, (to_ask.0, to_ask.0.unwrap_or_default()));
    assert_eq!(world.count(open).await, i64::try_from(world.vendor.open_alerts().await.len()).unwrap());
}
